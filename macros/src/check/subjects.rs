//! What leaves are about: that it is a parameter that they can be asked about, that each object is named by one, and that
//! no `!` makes a yes of what can only grant.

use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::expression::{Expression, Tree, word_about_an_object};
use crate::model::object::{Object, Shape};
use crate::model::parameter::{Kind, Parameter};
use crate::model::{Leaf, plain};

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    if let Some(own) = block.permission.asked() {
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
        if let Some(about) = &leaf.about {
            let message = format!("`{about}` names a parameter, and {has_none} `{}` on the actions", leaf.text);
            diagnostics.error(about, message);
        }
    }
    only_grants(expression, None, diagnostics);
}

fn named(expression: &Expression, action: &Action, diagnostics: &mut Diagnostics) {
    for leaf in &expression.leaves {
        let Some(about) = &leaf.about else { continue };
        let wrong = match action.parameter(about) {
            None => Some(unknown(about, action)),
            Some((_, parameter)) => unfit(leaf, parameter),
        };
        if let Some(message) = wrong {
            diagnostics.error(about, message);
        }
    }
}

fn unknown(about: &proc_macro2::Ident, action: &Action) -> String {
    let fit = action.parameters.iter().filter(|parameter| !matches!(parameter.kind, Kind::Context | Kind::Extract));
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
    let name = plain(&parameter.name);
    let fit = if leaf.codename { "an object, an argument or a capture" } else { "an object" };
    match &parameter.kind {
        Kind::Object(_) => None,
        Kind::Context => Some(format!("`{name}` is the context, which every permission sees; name {fit}, or nothing")),
        Kind::Extract => {
            Some(format!("`{name}` is made after all permissions have held, so none is asked about it; name {fit}"))
        }
        Kind::Key { .. } | Kind::Capture { .. } if leaf.codename => None,
        Kind::Key { .. } | Kind::Capture { .. } => {
            let permission = word_about_an_object(leaf).unwrap_or_default();
            Some(if permission == "AllowAny" {
                format!("`{name}` is not loaded, so there is nothing to open; remove `{}`", leaf.text)
            } else {
                format!("`{name}` is not loaded; write `{name}: Object<…>`, so that `{permission}` sees the object")
            })
        }
    }
}

/// Each object is named, so that none is reached without a word about it.
fn all_named(action: &Action, diagnostics: &mut Diagnostics) {
    if action.tried_permission && action.permission.is_none() {
        return;
    }
    let leaves = action.permission.iter().flat_map(|expression| &expression.leaves);
    let named: Vec<String> = leaves.filter_map(|leaf| leaf.about.as_ref()).map(plain).collect();
    for parameter in action.parameters.iter().filter(|parameter| matches!(parameter.kind, Kind::Object(_))) {
        let name = plain(&parameter.name);
        if !named.contains(&name) {
            let message = format!(
                "no permission is asked about `{name}`; name it in the permission of the action, as in `Author({name})`, or write `AllowAny({name})` if whoever may call may reach every one"
            );
            diagnostics.error(&parameter.name, message);
        }
    }
}

/// A codename only grants, and of a list a leaf's yes means all of it: the opposite of either is nothing that anyone
/// means.
fn only_grants(expression: &Expression, action: Option<&Action>, diagnostics: &mut Diagnostics) {
    let mut denied = vec![false; expression.leaves.len()];
    mark_denied(&expression.tree, false, &mut denied);
    for (leaf, _) in expression.leaves.iter().zip(denied).filter(|(_, denied)| *denied) {
        if leaf.codename {
            let message = format!(
                "a codename only grants, so no `!` can stand over `{}`; ask a permission of your own there",
                leaf.text
            );
            diagnostics.add(syn::Error::new(leaf.at(), message));
            continue;
        }
        let parameter = leaf.about.as_ref().zip(action).and_then(|(about, action)| action.parameter(about));
        let Some((_, Parameter { kind: Kind::Object(Object { shape, .. }), .. })) = parameter else { continue };
        let holds = match shape {
            Shape::One => continue,
            Shape::Optional => "also holds where there is none",
            Shape::List => "holds only where it does for each of them",
        };
        let message = format!(
            "`{}` {holds}, so no `!` can stand over it; ask a permission that says the opposite instead",
            leaf.text
        );
        diagnostics.add(syn::Error::new(leaf.at(), message));
    }
}

fn mark_denied(tree: &Tree, inside: bool, denied: &mut [bool]) {
    match tree {
        Tree::Leaf(leaf) => denied[*leaf] |= inside,
        Tree::Not(inner) => mark_denied(inner, true, denied),
        Tree::Any(parts) | Tree::All(parts) => parts.iter().for_each(|part| mark_denied(part, inside, denied)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::told;

    const PARAMETERS: &str = "&self, cx: &Context<'_, ()>, one: Object<T>, maybe: Option<Object<T>>, all: Vec<Object<T>>, \
                              key: u8, #[path] capture: u8, #[extract] made: Made, r#type: u8";

    /// What is told about an action with that expression, whose objects are all named.
    fn told(permission: &str) -> Vec<String> {
        let rest = "AllowAny(one) & AllowAny(maybe) & AllowAny(all)";
        let action = format!("#[action(permission = ({permission}) & {rest})] fn act({PARAMETERS}) {{}}");
        told::of_a_handler("", &action)
    }

    #[test]
    fn leaves_may_be_about_what_they_can_see() {
        for permission in [
            "A(one) | A(maybe, 1) | A(all)",
            "a.b(one) | a.b(maybe) | a.b(all) | a.b(key) | a.b(capture) | a.b(r#type)",
            "a.b | A",
            "!A(one) & !B",
        ] {
            assert_eq!(told(permission), [""; 0], "{permission}");
        }
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (permission, words) in [
            ("A(none)", "`none` is no parameter of `act`; name one of its own, such as `one` or `maybe`"),
            ("a.b(none)", "`none` is no parameter"),
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
        let told = told::of_a_handler("", action);
        assert_eq!(told, ["`key` is not loaded, so there is nothing to open; remove `AllowAny(key)`"]);
        let told = told::of_a_handler("", "#[action(permission = A(b))] fn act(&self) {}");
        assert_eq!(told, ["`b` is no parameter of `act`; add `b: Object<…>` to it, say"]);
    }

    #[test]
    fn only_actions_have_parameters() {
        let told = told::of_a_consumer(
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
            told::of_a_handler("permission = A", &format!("#[action({permission})] fn act(&self, one: Object<T>) {{}}"))
        };
        for named in ["permission = A(one)", "permission = a.b(one)", "permission = AllowAny(one)"] {
            assert_eq!(action(named), [""; 0], "{named}");
        }
        for silent in ["", "permission = B", "permission = a.b"] {
            let told = action(silent);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("no permission is asked about `one`"), "{told:?}");
        }
        // What could not be read may have named it.
        assert_eq!(action("permission = A(one) &").len(), 1);
    }
}
