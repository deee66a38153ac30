//! The methods marked `#[event]`: that each says who may see what, and that it can be called at delivery.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{PatType, Type};

use super::{leaf_parameters, logic, signature};
use crate::diagnostics::Diagnostics;
use crate::model::block::Block;
use crate::model::event::{Event, is_scope, shared_referent};
use crate::model::parameter::is_type_named;
use crate::model::{BlockKind, print};

pub(super) fn check(event: &Event, block: &Block, diagnostics: &mut Diagnostics) {
    if block.kind == BlockKind::Handler {
        let message = "`#[event]` goes into a `#[consumer]` block: events leave through the consumer; move it there";
        diagnostics.error(&event.attribute, message);
    }
    guarded(event, diagnostics);
    // Lifetimes are fine: what is sent may borrow from the event.
    signature::called(&event.signature, diagnostics);
    if let Some(wait) = &event.signature.asyncness {
        let message =
            "nothing waits while an event is delivered; remove `async`, and load what it shows before it is published";
        diagnostics.error(wait, message);
    }
    parameters(event, block, diagnostics);
    output(event, diagnostics);
}

/// Nothing is open by silence.
fn guarded(event: &Event, diagnostics: &mut Diagnostics) {
    match &event.permission {
        Some(expression) => {
            if leaf_parameters::of_the_whole(expression, "event", diagnostics) {
                logic::alone(expression, diagnostics);
            }
        }
        None if event.has_unreadable_permission => {}
        None => {
            let name = &event.method;
            let message = format!(
                "`{name}` has no permission; write `#[event(permission = …)]`, with `AllowAny` if every member may see it"
            );
            diagnostics.error(name, message);
        }
    }
}

fn parameters(event: &Event, block: &Block, diagnostics: &mut Diagnostics) {
    for attribute in &event.misplaced_attributes {
        diagnostics.error(attribute, "nothing of an event comes from a message; remove this");
    }
    let parameters = event.parameters();
    for attribute in parameters.iter().flat_map(|parameter| &parameter.attrs) {
        signature::no_cfg(attribute, diagnostics);
    }
    let user = block.user.to_token_stream();
    match parameters.as_slice() {
        [] => {
            let name = &event.method;
            diagnostics.error(name, format!("`{name}` takes no event; write `fn {name}(&self, event: &…)`"));
        }
        [first, ..] if is_scope(&first.ty) => {
            diagnostics.error(first, "the event stands before the scope; write `event: &…` first");
        }
        [first, rest @ ..] => {
            published(first, diagnostics);
            let scope = rest.first().filter(|second| is_scope(&second.ty));
            if let Some(scope) = scope.filter(|scope| shared_referent(&scope.ty).is_none()) {
                diagnostics.error(&scope.ty, format!("an event borrows the scope; write `&Scope<{user}>`"));
            }
            for more in rest.iter().skip(usize::from(scope.is_some())) {
                let takes = format!("`&self`, `event: &…` and, if it wants to, `scope: &Scope<{user}>`");
                diagnostics.error(more, format!("`#[event]` takes {takes}; remove this"));
            }
        }
    }
}

/// The event itself.
fn published(parameter: &PatType, diagnostics: &mut Diagnostics) {
    let ty = &parameter.ty;
    if is_type_named(ty, "Context") {
        let message =
            "no message is being answered while an event is delivered; write `event: &…` instead of the context";
        diagnostics.error(parameter, message);
    } else {
        match shared_referent(ty) {
            None => diagnostics.error(ty, format!("all members see one event; write `&{}`", owned(ty))),
            Some(ty) if borrows(ty.to_token_stream()) => {
                diagnostics.error(ty, "an event outlives its publisher; write a type that borrows nothing");
            }
            Some(_) => {}
        }
    }
}

/// How the type is written without a reference.
fn owned(ty: &Type) -> String {
    match ty {
        Type::Reference(reference) => owned(&reference.elem),
        _ => print(ty.to_token_stream()),
    }
}

/// Does it hold a reference or a lifetime other than `'static`?
fn borrows(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Group(group) => borrows(group.stream()),
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

fn output(event: &Event, diagnostics: &mut Diagnostics) {
    let name = &event.method;
    match event.return_type() {
        None => {
            let message = format!("`{name}` returns nothing to send; write `-> …`, a type that can be serialized");
            diagnostics.error(name, message);
        }
        Some(ty) if is_type_named(ty, "Result") => {
            let message = "nobody could be told of the error; return what is sent, or take `scope: &Scope<…>` as well and return an `Option`, which leaves out whom it is `None` for";
            diagnostics.error(ty, message);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    fn told(method: &str) -> Vec<String> {
        test_support::of_a_consumer("user = Member", &format!("#[event(permission = AllowAny)] {method}"))
    }

    #[test]
    fn sound_events_pass() {
        for method in [
            "fn e(&self, event: &Sent) -> View {}",
            "fn e<'e>(&self, event: &'e Sent) -> View<'e> {}",
            "fn e(&self, _: &a::Sent<u8, &'static str>) -> View {}",
            "fn e(&self, Sent { id }: &Sent, scope: &portcullis::Scope<Member>) -> Option<View> {}",
        ] {
            assert_eq!(told(method), [""; 0], "{method}");
        }
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (method, words) in [
            ("fn e(event: &Sent) -> View {}", "takes no `&self`"),
            ("async fn e(&self, event: &Sent) -> View {}", "nothing waits while"),
            ("fn e(&self) -> View {}", "`e` takes no event"),
            ("fn e(&self, event: Sent) -> View {}", "write `&Sent`"),
            ("fn e(&self, event: &mut Sent) -> View {}", "write `&Sent`"),
            ("fn e(&self, event: &Sent<'_>) -> View {}", "borrows nothing"),
            ("fn e(&self, event: &Vec<&str>) -> View {}", "borrows nothing"),
            ("fn e(&self, scope: &Scope<Member>) -> View {}", "before the scope"),
            ("fn e(&self, cx: &Context<'_, Member>) -> View {}", "instead of the context"),
            ("fn e(&self, event: &Sent, scope: Scope<Member>) -> View {}", "write `&Scope<Member>`"),
            ("fn e(&self, event: &Sent, cx: &Context<'_, Member>) -> View {}", "`scope: &Scope<Member>`; remove this"),
            ("fn e(&self, event: &Sent, a: &Scope<Member>, b: u8) -> View {}", "remove this"),
            ("fn e(&self, #[path] event: &Sent) -> View {}", "comes from a message"),
            ("fn e(&self, event: &Sent, #[cfg(a)] scope: &Scope<Member>) -> View {}", "cannot come and go"),
            ("fn e(&self, event: &Sent) {}", "`e` returns nothing to send"),
            ("fn e(&self, event: &Sent) -> Result<View> {}", "told of the error"),
            ("fn e<T>(&self, event: &Sent) -> View {}", "write the type itself"),
        ] {
            let told = told(method);
            assert_eq!(told.len(), 1, "{method}: {told:?}");
            assert!(told[0].contains(words), "{method}: {told:?}");
        }
    }

    #[test]
    fn expressions_are_about_the_whole_event_or_its_fields() {
        let told = |permission: &str| {
            let event = format!("#[event(permission = {permission})] fn e(&self, event: &Sent) -> View {{}}");
            test_support::of_a_consumer("", &event)
        };
        for sound in ["a.b(field) & A | c.d", "AllowAny", "!A(3)"] {
            assert_eq!(told(sound), [""; 0], "{sound}");
        }
        for (permission, words) in [
            ("A | Owner(about)", "an event's permission sees the whole event; write `Owner`"),
            ("x::In(about, \"a\", 3)", "write `x::In(\"a\", 3)`"),
            ("AllowAny(about)", "write `AllowAny`"),
            ("A & !a.b(field)", "no `!` can stand over `a.b(field)`"),
            ("A & !A", "can never hold"),
            ("A | AllowAny", "`AllowAny` stands alone"),
            ("inherited", "no permission to inherit"),
            ("A &", "`&` has no operand after it"),
        ] {
            let told = told(permission);
            assert_eq!(told.len(), 1, "{permission}: {told:?}");
            assert!(told[0].contains(words), "{permission}: {told:?}");
        }
    }

    #[test]
    fn a_key_is_one_field() {
        let told = |key: &str| {
            let event = format!("#[event(permission = A, {key})] fn e(&self, event: &Sent) -> View {{}}");
            test_support::of_a_consumer("", &event)
        };
        for sound in ["key = symbol", "key = \"symbol\"", "key = 0", "key = \"0\", name = \"x\""] {
            assert_eq!(told(sound), [""; 0], "{sound}");
        }
        for wrong in ["key = a.b", "key = (a, b)", "key = \"\"", "key = hash()"] {
            let expected = "`key` takes the name of one field of the event; write, for example, `key = symbol`";
            assert_eq!(told(wrong), [expected], "{wrong}");
        }
        assert_eq!(told("key = a, key = b"), ["`key` is given twice; remove one of them"]);
        assert_eq!(told("key"), ["`key` needs a value; write `key = symbol`"]);
    }

    #[test]
    fn silence_and_handlers_have_no_events() {
        let event = "fn e(&self, event: &Sent) -> View {}";
        let silent = test_support::of_a_consumer("permission = A", &format!("#[event] {event}"));
        assert_eq!(silent.len(), 1);
        assert!(silent[0].contains("`e` has no permission"), "{silent:?}");
        let elsewhere = test_support::of_a_handler("", &format!("#[event(permission = AllowAny)] {event}"));
        assert_eq!(elsewhere.len(), 1);
        assert!(elsewhere[0].contains("events leave through the consumer"), "{elsewhere:?}");
    }

    #[test]
    fn names_and_types_are_alone() {
        let two = |one: &str, other: &str| {
            test_support::of_a_consumer(
                "",
                &format!("#[event(permission = A, name = \"x\")] {one} #[event(permission = A)] {other}"),
            )
        };
        let (one, other) = ("fn e(&self, event: &a::Sent) -> u8 {}", "fn x(&self, event: &Other) -> u8 {}");
        assert_eq!(
            two(one, other),
            ["two events are called `x`; give one of them `name = \"…\"`", "`x` is taken here"]
        );
        let other = "fn f(&self, event: &a :: Sent) -> u8 {}";
        let expected = ["`a::Sent` has an event already; keep one of the two", "the other stands here"];
        assert_eq!(two(one, other), expected);
        let (one, other) = (format!("#[cfg(a)] {one}"), format!("#[cfg(b)] {other}"));
        assert_eq!(two(&one, &other), [""; 0]);
    }
}
