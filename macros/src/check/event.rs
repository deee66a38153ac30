//! Checks of `#[event]` methods: each has a permission, and a signature that can be called during delivery.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{PatType, Type};

use super::{leaf_captures, leaf_parameters, logic, parameter, signature};
use crate::diagnostics::Diagnostics;
use crate::model::block::Block;
use crate::model::event::{Event, is_scope, shared_referent};
use crate::model::parameter::is_type_named;
use crate::model::{BlockKind, print};

/// The events that the runtime sends by itself, and what a client learns from each.
const RESERVED: [(&str, &str); 2] =
    [("unsubscribed", "that a subscription has ended"), ("presence", "that a user has joined or left a group")];

pub(super) fn check(event: &Event, block: &Block, diagnostics: &mut Diagnostics) {
    if block.kind == BlockKind::Handler {
        let message = "`#[event]` belongs in a `#[consumer]` block, which delivers the events; move it there";
        diagnostics.error(&event.attribute, message);
    }
    if let Some((name, meaning)) = RESERVED.iter().find(|(name, _)| event.name == *name) {
        let message = format!("`{name}` is the event by which a client learns {meaning}; rename the event");
        diagnostics.error(&event.name_tokens, message);
    }
    check_permission(event, diagnostics);
    // Lifetimes are allowed, because the payload may borrow from the event.
    signature::check_function(&event.signature, diagnostics);
    if let Some(wait) = &event.signature.asyncness {
        let message = "an `#[event]` method cannot be `async`, because delivery does not wait; remove `async`, \
            and load the data before the event is published";
        diagnostics.error(wait, message);
    }
    check_parameters(event, block, diagnostics);
    check_output(event, diagnostics);
}

/// Checks that the event has a permission: there is no default permission.
fn check_permission(event: &Event, diagnostics: &mut Diagnostics) {
    match &event.permission {
        Some(expression) => {
            leaf_captures::check_event(expression, diagnostics);
            if leaf_parameters::check_whole(expression, "event", diagnostics) {
                logic::check_expression(expression, diagnostics);
            }
        }
        None if event.has_unreadable_permission => {}
        None => {
            let name = &event.method;
            let message = format!(
                "`{name}` has no permission; write `#[event(permission = …)]`, with `AllowAny` if every member \
                 may see it"
            );
            diagnostics.error(name, message);
        }
    }
}

fn check_parameters(event: &Event, block: &Block, diagnostics: &mut Diagnostics) {
    for attribute in &event.misplaced_attributes {
        diagnostics.error(
            attribute,
            "the parameters of an `#[event]` method do not come from a message; remove this attribute",
        );
    }
    let parameters = event.parameters();
    for attribute in parameters.iter().flat_map(|parameter| &parameter.attrs) {
        parameter::reject_cfg(attribute, diagnostics);
    }
    let user = block.user.to_token_stream();
    match parameters.as_slice() {
        [] => {
            let name = &event.method;
            diagnostics.error(name, format!("`{name}` has no event parameter; write `fn {name}(event: &…)`"));
        }
        [first, ..] if is_scope(&first.ty) => {
            diagnostics.error(first, "the event parameter comes before the scope; write `event: &…` first");
        }
        [first, rest @ ..] => {
            check_event_parameter(first, diagnostics);
            let scope = rest.first().filter(|second| is_scope(&second.ty));
            if let Some(scope) = scope.filter(|scope| shared_referent(&scope.ty).is_none()) {
                diagnostics.error(&scope.ty, format!("an `#[event]` method borrows the scope; write `&Scope<{user}>`"));
            }
            for more in rest.iter().skip(usize::from(scope.is_some())) {
                let takes = format!("`event: &…` and optionally `scope: &Scope<{user}>`");
                diagnostics.error(more, format!("`#[event]` takes {takes}; remove this"));
            }
        }
    }
}

/// Checks the type of the event parameter.
fn check_event_parameter(parameter: &PatType, diagnostics: &mut Diagnostics) {
    let ty = &parameter.ty;
    if is_type_named(ty, "Context") {
        let message = "no context is available while an event is delivered; write `event: &…` instead of the context";
        diagnostics.error(parameter, message);
    } else {
        match shared_referent(ty) {
            None => diagnostics
                .error(ty, format!("subscribers share one event, so it is borrowed; write `&{}`", owned_type(ty))),
            Some(ty) if contains_borrow(ty.to_token_stream()) => {
                diagnostics.error(
                    ty,
                    "an event outlives the call that publishes it, so it cannot borrow; write an owned type",
                );
            }
            Some(_) => {}
        }
    }
}

/// Returns the text of the type without references.
fn owned_type(ty: &Type) -> String {
    match ty {
        Type::Reference(reference) => owned_type(&reference.elem),
        _ => print(ty.to_token_stream()),
    }
}

/// Returns whether the type contains a reference or a lifetime other than `'static`.
fn contains_borrow(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Group(group) => contains_borrow(group.stream()),
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'')
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                !matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "static")
            }
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

fn check_output(event: &Event, diagnostics: &mut Diagnostics) {
    let name = &event.method;
    match event.return_type() {
        None => {
            let message =
                format!("`{name}` returns nothing to send; write `-> …` with a type that implements `Serialize`");
            diagnostics.error(name, message);
        }
        Some(ty) if is_type_named(ty, "Result") => {
            let message = "`#[event]` methods cannot return `Result`: no client would receive the error; return \
                the payload, or take `scope: &Scope<…>` and return an `Option` to skip a subscriber";
            diagnostics.error(ty, message);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    fn errors(method: &str) -> Vec<String> {
        test_support::consumer_errors("user = Member", &format!("#[event(permission = AllowAny)] {method}"))
    }

    #[test]
    fn event_method_with_valid_signature_is_accepted() {
        for method in [
            "fn e(&self, event: &Sent) -> View {}",
            "fn e<'e>(&self, event: &'e Sent) -> View<'e> {}",
            "fn e(event: &Sent) -> &Sent {}",
            "fn e(event: &Sent, scope: &Scope<Member>) -> Option<View> {}",
            "fn e(&self, _: &a::Sent<u8, &'static str>) -> View {}",
            "fn e(&self, Sent { id }: &Sent, scope: &portcullis::Scope<Member>) -> Option<View> {}",
        ] {
            assert_eq!(errors(method), [""; 0], "{method}");
        }
    }

    #[test]
    fn event_method_with_invalid_signature_is_rejected() {
        for (method, words) in [
            ("fn e(&mut self, event: &Sent) -> View {}", "write `&self`"),
            ("async fn e(&self, event: &Sent) -> View {}", "cannot be `async`"),
            ("fn e(&self) -> View {}", "`e` has no event parameter"),
            ("fn e(&self, event: Sent) -> View {}", "write `&Sent`"),
            ("fn e(&self, event: &mut Sent) -> View {}", "write `&Sent`"),
            ("fn e(&self, event: &Sent<'_>) -> View {}", "cannot borrow"),
            ("fn e(&self, event: &Vec<&str>) -> View {}", "cannot borrow"),
            ("fn e(&self, scope: &Scope<Member>) -> View {}", "before the scope"),
            ("fn e(&self, cx: &Context<'_, Member>) -> View {}", "instead of the context"),
            ("fn e(&self, event: &Sent, scope: Scope<Member>) -> View {}", "write `&Scope<Member>`"),
            ("fn e(&self, event: &Sent, cx: &Context<'_, Member>) -> View {}", "`scope: &Scope<Member>`; remove this"),
            ("fn e(&self, event: &Sent, a: &Scope<Member>, b: u8) -> View {}", "remove this"),
            ("fn e(&self, #[path] event: &Sent) -> View {}", "do not come from a message"),
            ("fn e(&self, event: &Sent, #[cfg(a)] scope: &Scope<Member>) -> View {}", "cannot be conditional"),
            ("fn e(&self, event: &Sent) {}", "`e` returns nothing to send"),
            ("fn e(&self, event: &Sent) -> Result<View> {}", "no client would receive the error"),
            ("fn e<T>(&self, event: &Sent) -> View {}", "write the type itself"),
        ] {
            let errors = errors(method);
            assert_eq!(errors.len(), 1, "{method}: {errors:?}");
            assert!(errors[0].contains(words), "{method}: {errors:?}");
        }
    }

    #[test]
    fn reserved_event_name_is_rejected() {
        let errors = |attribute: &str, method: &str| {
            let event =
                format!("#[event(permission = AllowAny{attribute})] fn {method}(&self, event: &Sent) -> View {{}}");
            test_support::consumer_errors("", &event)
        };
        assert_eq!(errors("", "subscribed"), [""; 0]);
        assert_eq!(errors(", name = \"left\"", "unsubscribed"), [""; 0]);
        for errors in [errors("", "unsubscribed"), errors(", name = \"unsubscribed\"", "left"), errors("", "presence")]
        {
            assert!(errors.len() == 1 && errors[0].contains("rename the event"), "{errors:?}");
        }
    }

    #[test]
    fn event_permission_with_a_parameter_is_rejected() {
        let errors = |permission: &str| {
            let event = format!("#[event(permission = {permission})] fn e(&self, event: &Sent) -> View {{}}");
            test_support::consumer_errors("", &event)
        };
        for permission in ["a.b(field) & A | c.d", "AllowAny", "!A(3)"] {
            assert_eq!(errors(permission), [""; 0], "{permission}");
        }
        for (permission, words) in [
            ("A | Owner(about)", "an event's permission is evaluated for the whole event; write `Owner`"),
            ("x::In(about, \"a\", 3)", "write `x::In(\"a\", 3)`"),
            ("AllowAny(about)", "write `AllowAny`"),
            ("A & !a.b(field)", "`a.b(field)` cannot be negated"),
            ("A & !A", "can never hold"),
            ("A | AllowAny", "`AllowAny` cannot be combined"),
            ("inherited", "no permission to inherit"),
            ("A &", "`&` has no operand after it"),
        ] {
            let errors = errors(permission);
            assert_eq!(errors.len(), 1, "{permission}: {errors:?}");
            assert!(errors[0].contains(words), "{permission}: {errors:?}");
        }
    }

    #[test]
    fn event_key_that_is_not_one_field_is_rejected() {
        let errors = |key: &str| {
            let event = format!("#[event(permission = A, {key})] fn e(&self, event: &Sent) -> View {{}}");
            test_support::consumer_errors("", &event)
        };
        for key in ["key = symbol", "key = \"symbol\"", "key = 0", "key = \"0\", name = \"x\""] {
            assert_eq!(errors(key), [""; 0], "{key}");
        }
        for wrong in ["key = a.b", "key = (a, b)", "key = \"\"", "key = hash()"] {
            let expected = "`key` takes the name of one field of the event; write, for example, `key = symbol`";
            assert_eq!(errors(wrong), [expected], "{wrong}");
        }
        assert_eq!(errors("key = a, key = b"), ["`key` is given twice; remove one of them"]);
        assert_eq!(errors("key"), ["`key` needs a value; write `key = symbol`"]);
    }

    #[test]
    fn event_without_permission_or_in_a_handler_is_rejected() {
        let event = "fn e(&self, event: &Sent) -> View {}";
        let silent = test_support::consumer_errors("permission = A", &format!("#[event] {event}"));
        assert_eq!(silent.len(), 1);
        assert!(silent[0].contains("`e` has no permission"), "{silent:?}");
        let elsewhere = test_support::handler_errors("", &format!("#[event(permission = AllowAny)] {event}"));
        assert_eq!(elsewhere.len(), 1);
        assert!(elsewhere[0].contains("which delivers the events"), "{elsewhere:?}");
    }

    #[test]
    fn event_with_a_repeated_name_or_type_is_rejected() {
        let two = |one: &str, other: &str| {
            test_support::consumer_errors(
                "",
                &format!("#[event(permission = A, name = \"x\")] {one} #[event(permission = A)] {other}"),
            )
        };
        let (one, other) = ("fn e(&self, event: &a::Sent) -> u8 {}", "fn x(&self, event: &Other) -> u8 {}");
        assert_eq!(
            two(one, other),
            ["two events are named `x`; rename one of them with `name = \"…\"`", "`x` is first defined here"]
        );
        let other = "fn f(&self, event: &a :: Sent) -> u8 {}";
        let expected = ["two events have the type `a::Sent`; remove one of them", "the first event is defined here"];
        assert_eq!(two(one, other), expected);
        let (one, other) = (format!("#[cfg(a)] {one}"), format!("#[cfg(b)] {other}"));
        assert_eq!(two(&one, &other), [""; 0]);
    }
}
