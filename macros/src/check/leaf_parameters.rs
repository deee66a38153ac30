//! What leaves are about: that it is a parameter that they can be asked about, that each object is named by one, and that
//! no `!` makes a yes of what can only grant.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;

use super::signature::holds_an_object;
use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::expression::{Expression, last_segment_name, object_permission_name};
use crate::model::object::{Object, ObjectShape};
use crate::model::parameter::{self, Parameter, ParameterKind};
use crate::model::{Leaf, print};

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    if let Some(own) = block.permission.expression() {
        nothing_named(own, "a block has none; write", diagnostics);
    }
    if let Some(connect) = &block.connect {
        nothing_named(connect, "the door has none; write", diagnostics);
    }
    for expression in block.routes.iter().filter_map(|route| route.permission.as_ref()) {
        nothing_named(expression, "a route has none; write", diagnostics);
    }
    for action in &block.actions {
        if let Some(expression) = &action.permission {
            named(expression, action, diagnostics);
            only_grants(expression, Some(action), diagnostics);
        }
        all_named(action, diagnostics);
    }
}

/// Only an action has parameters.
fn nothing_named(expression: &Expression, has_none: &str, diagnostics: &mut Diagnostics) {
    for leaf in &expression.leaves {
        if let Some(about) = &leaf.subject {
            let message = format!("`{about}` names a parameter, and {has_none} `{}` on the actions", leaf.text);
            diagnostics.error(about, message);
        }
    }
    only_grants(expression, None, diagnostics);
}

/// What is asked about an event or a group sees all of it; says whether that is how it is written.
pub(super) fn of_the_whole(expression: &Expression, thing: &str, diagnostics: &mut Diagnostics) -> bool {
    let about = expression.leaves.iter().filter(|leaf| !leaf.is_codename && leaf.subject.is_some());
    let mut sound = true;
    for leaf in about {
        let article = if thing == "event" { "an" } else { "a" };
        let instead = without_subject(leaf);
        let message = format!("{article} {thing}'s permission sees the whole {thing}; write `{instead}`");
        diagnostics.error(&leaf.subject, message);
        sound = false;
    }
    only_grants(expression, None, diagnostics);
    sound
}

/// The permission as it is written about nothing.
fn without_subject(leaf: &Leaf) -> String {
    let path = print(leaf.path.to_token_stream());
    if leaf.arguments.is_empty() { path } else { format!("{path}({})", print(leaf.arguments.to_token_stream())) }
}

fn named(expression: &Expression, action: &Action, diagnostics: &mut Diagnostics) {
    for leaf in &expression.leaves {
        for name in leaf.possible_parameters().iter().filter(|name| action.find_parameter(name).is_some()) {
            diagnostics.error(name, inside(name, leaf));
        }
        let Some(about) = &leaf.subject else { continue };
        let wrong = match action.find_parameter(about) {
            None => Some(unknown(about, action)),
            Some((_, parameter)) => unfit(leaf, parameter),
        };
        if let Some(message) = wrong {
            diagnostics.error(about, message);
        }
    }
}

/// What to say about a parameter that is named within an argument, where only values can stand.
fn inside(name: &Ident, leaf: &Leaf) -> String {
    let (permission, text) = (last_segment_name(leaf), &leaf.text);
    if let Some(first) = &leaf.subject {
        return format!(
            "`{text}` is about `{first}` already; write a value here, or ask about `{name}` in a leaf of its own"
        );
    }
    if permission == "Blocking" {
        return format!(
            "`Blocking` asks nothing about objects; ask about `{name}` in a leaf of its own, as in `Author({name})`"
        );
    }
    format!("`{name}` names a parameter, and the object comes first and bare; write `{permission}({name})`, say")
}

fn unknown(about: &Ident, action: &Action) -> String {
    let fit = action
        .parameters
        .iter()
        .filter(|parameter| !matches!(parameter.kind, ParameterKind::Context | ParameterKind::Extract));
    let names: Vec<_> = fit.map(|parameter| format!("`{}`", parameter.name)).collect();
    let instead = if names.is_empty() {
        format!("add `{about}: Object<…>` to it, say")
    } else {
        format!("name one of its own, such as {}", names.join(" or "))
    };
    format!("`{about}` is no parameter of `{}`; {instead}", action.method)
}

/// Why the leaf cannot be asked about that parameter.
fn unfit(leaf: &Leaf, parameter: &Parameter) -> Option<String> {
    let name = &parameter.name;
    let fit = if leaf.is_codename { "an object, an argument or a capture" } else { "an object" };
    match &parameter.kind {
        ParameterKind::Object(_) => None,
        ParameterKind::Context => {
            Some(format!("`{name}` is the context, which every permission sees; name {fit}, or nothing"))
        }
        ParameterKind::Extract => {
            Some(format!("`{name}` is made after all permissions have held, so none is asked about it; name {fit}"))
        }
        ParameterKind::Key { .. } | ParameterKind::Capture { .. } if leaf.is_codename => None,
        // That it cannot be loaded in there is told already.
        ParameterKind::Key { .. } if holds_an_object(parameter.ty.to_token_stream()) => None,
        ParameterKind::Key { .. } if is_bare_object(&parameter.ty) => {
            Some(format!("`{name}` does not say what is loaded; write `{name}: Object<Message>`, say"))
        }
        ParameterKind::Key { .. } | ParameterKind::Capture { .. } => {
            let permission = object_permission_name(leaf).unwrap_or_default();
            Some(if permission == "AllowAny" {
                format!("`{name}` is not loaded, so there is nothing to open; remove `{}`", leaf.text)
            } else {
                format!("`{name}` is not loaded; write `{name}: Object<…>`, so that `{permission}` sees the object")
            })
        }
    }
}

/// `Object` without what it loads.
fn is_bare_object(ty: &Type) -> bool {
    parameter::is_type_named(ty, "Object")
}

/// Each object is named, so that none is reached without a word about it.
fn all_named(action: &Action, diagnostics: &mut Diagnostics) {
    if action.has_unreadable_permission && action.permission.is_none() {
        return;
    }
    // Where nobody passes, nothing is reached.
    if action.permission.as_ref().and_then(Expression::sole_permission_name).as_deref() == Some("DenyAll") {
        return;
    }
    // By its place: two names that a macro keeps apart may look the same.
    let position = |name: &Ident| action.find_parameter(name).map(|(position, _)| position);
    let leaves = || action.permission.iter().flat_map(|expression| &expression.leaves);
    let about: Option<Vec<usize>> = leaves().filter_map(|leaf| leaf.subject.as_ref()).map(position).collect();
    // A misspelled name may be meant for any of them.
    let Some(mut named) = about else { return };
    named.extend(leaves().flat_map(Leaf::possible_parameters).filter_map(|name| position(&name)));
    for (position, parameter) in action.parameters.iter().enumerate() {
        let name = &parameter.name;
        if matches!(parameter.kind, ParameterKind::Object(_)) && !named.contains(&position) {
            let message = format!(
                "no permission is asked about `{name}`; name it in the permission of the action, as in `Author({name})`, or write `AllowAny({name})` if whoever may call may reach every one"
            );
            diagnostics.error(name, message);
        }
    }
}

/// A codename only grants, and of a list a leaf's yes means all of it: the opposite of either is nothing that anyone
/// means.
fn only_grants(expression: &Expression, action: Option<&Action>, diagnostics: &mut Diagnostics) {
    for (leaf, _) in expression.leaves.iter().zip(expression.negated_leaves()).filter(|(_, denied)| *denied) {
        if leaf.is_codename {
            let message = format!(
                "a codename only grants, so no `!` can stand over `{}`; ask a permission of your own there",
                leaf.text
            );
            diagnostics.add(syn::Error::new(leaf.path_span(), message));
            continue;
        }
        let parameter = leaf.subject.as_ref().zip(action).and_then(|(about, action)| action.find_parameter(about));
        let Some((_, Parameter { kind: ParameterKind::Object(Object { shape, .. }), .. })) = parameter else {
            continue;
        };
        let holds = match shape {
            ObjectShape::One => continue,
            ObjectShape::Optional => "also holds where there is none",
            ObjectShape::List => "holds only where it does for each of them",
        };
        let message = format!(
            "`{}` {holds}, so no `!` can stand over it; ask a permission that says the opposite instead",
            leaf.text
        );
        diagnostics.add(syn::Error::new(leaf.path_span(), message));
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    const PARAMETERS: &str = "&self, cx: &Context<'_, ()>, one: Object<T>, maybe: Option<Object<T>>, all: Vec<Object<T>>, \
                              key: u8, #[path] capture: u8, #[extract] made: Made, r#type: u8, bare: Object";

    /// What is told about an action with that expression, whose objects are all named.
    fn told(permission: &str) -> Vec<String> {
        let rest = "a.z(one) & a.z(maybe) & a.z(all)";
        let action = format!("#[action(permission = ({permission}) & {rest})] fn act({PARAMETERS}) {{}}");
        test_support::of_a_handler("", &action)
    }

    #[test]
    fn leaves_may_be_about_what_they_can_see() {
        for permission in [
            "A(one) | A(maybe, 1) | A(all)",
            "a.b(one) | a.b(maybe) | a.b(all) | a.b(key) | a.b(capture) | a.b(r#type)",
            "a.b | A",
            "!A(one) & !B",
            "A(one(), |key| key, { one }, ONE)",
            "A(other.id)",
        ] {
            assert_eq!(told(permission), [""; 0], "{permission}");
        }
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (permission, words) in [
            ("A(none)", "`none` is no parameter of `act`; name one of its own, such as `one` or `maybe`"),
            ("a.b(none)", "`none` is no parameter"),
            ("A(r#type)", "write `r#type: Object<…>`"),
            ("A(bare)", "`bare` does not say what is loaded; write `bare: Object<Message>`"),
            ("A((one))", "the object comes first and bare; write `A(one)`"),
            ("A(one.id, 3)", "the object comes first and bare; write `A(one)`"),
            ("A(one, &key)", "`A(one, &key)` is about `one` already"),
            ("Blocking(A(&one))", "`Blocking` asks nothing about objects; ask about `one` in a leaf of its own"),
            ("A(key)", "write `key: Object<…>`, so that `A` sees the object"),
            ("x::A(capture, 3)", "so that `A` sees the object"),
            ("A(cx)", "`cx` is the context"),
            ("a.b(cx)", "`cx` is the context"),
            ("A(made)", "after all permissions have held"),
            ("a.b(made)", "after all permissions have held"),
            ("B | !a.b", "no `!` can stand over `a.b`"),
            ("B | !(C & a.b(key))", "no `!` can stand over `a.b(key)`"),
            ("B & !A(maybe)", "`A(maybe)` also holds where there is none"),
            ("B & !(C | A(all))", "`A(all)` holds only where"),
        ] {
            let told = told(permission);
            assert_eq!(told.len(), 1, "{permission}: {told:?}");
            assert!(told[0].contains(words), "{permission}: {told:?}");
        }
    }

    #[test]
    fn what_is_no_object_needs_no_opening() {
        let action = "#[action(permission = A & AllowAny(key))] fn act(&self, key: u8) {}";
        let told = test_support::of_a_handler("", action);
        assert_eq!(told, ["`key` is not loaded, so there is nothing to open; remove `AllowAny(key)`"]);
        let told = test_support::of_a_handler("", "#[action(permission = A(b))] fn act(&self) {}");
        assert_eq!(told, ["`b` is no parameter of `act`; add `b: Object<…>` to it, say"]);
    }

    #[test]
    fn only_actions_have_parameters() {
        let told = test_support::of_a_consumer(
            "permission = A(room), connect = a.b(room)",
            "#[route(\"x/\", permission = B(room))] fn rooms(&self) -> &Rooms {} ",
        );
        for (told, words) in told.iter().zip(["a block has none; write `A(room)`", "the door has", "a route has"]) {
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn each_object_is_named() {
        let action = |permission: &str| {
            test_support::of_a_handler(
                "permission = A",
                &format!("#[action({permission})] fn act(&self, one: Object<T>) {{}}"),
            )
        };
        for named in ["permission = A(one)", "permission = a.b(one)", "permission = AllowAny(one)"] {
            assert_eq!(action(named), [""; 0], "{named}");
        }
        for silent in ["", "permission = B", "permission = a.b"] {
            let told = action(silent);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("no permission is asked about `one`"), "{told:?}");
        }
        // What could not be read, or is misspelled, may have named it.
        assert_eq!(action("permission = A(one) &").len(), 1);
        assert_eq!(action("permission = A(once)").len(), 1);
        assert_eq!(action("permission = A((one))").len(), 1);
        // Nobody gets there.
        assert_eq!(action("permission = DenyAll"), [""; 0]);
    }

    #[test]
    fn an_object_is_named_by_its_place() {
        let action =
            "#[action(permission = A(one))] fn act(&self, one: Object<T>, #[object(\"two\")] one: Object<T>) {}";
        let told = test_support::of_a_handler("", action);
        assert!(told[0].contains("two parameters are called `one`"), "{told:?}");
        assert!(told[1].contains("no permission is asked about `one`"), "{told:?}");
    }

    #[test]
    fn what_cannot_be_loaded_is_told_once() {
        let told = test_support::of_a_handler("", "#[action(permission = A(a))] fn act(&self, a: Box<Object<T>>) {}");
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
