//! Checks of the parameters that leaves name: the parameter exists and suits the leaf, each object is named by a leaf, and no
//! leaf is negated that can only grant.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;

use super::parameter::contains_object;
use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::expression::{Expression, last_segment_name, object_permission_name};
use crate::model::object::{Object, ObjectShape};
use crate::model::parameter::{self, Parameter, ParameterKind};
use crate::model::{BlockKind, Leaf, print, unraw_name};

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    let is_handler = block.kind == BlockKind::Handler;
    if let Some(own) = block.permission.expression() {
        reject_parameters(own, "a block has no parameters", is_handler, diagnostics);
    }
    if let Some(connect) = &block.connect {
        reject_parameters(connect, "a connect expression has no parameters", false, diagnostics);
    }
    for expression in block.routes.iter().filter_map(|route| route.permission.as_ref()) {
        reject_parameters(expression, "a route has no parameters", true, diagnostics);
    }
    for action in &block.actions {
        if let Some(expression) = &action.permission {
            check_leaves(expression, action, is_handler, diagnostics);
            check_negations(expression, Some(action), diagnostics);
        }
        check_objects_named(action, diagnostics);
    }
}

/// Rejects leaves that name a parameter, because only an action has parameters. Where there are captures, one may be meant.
fn reject_parameters(expression: &Expression, reason: &str, has_captures: bool, diagnostics: &mut Diagnostics) {
    for leaf in &expression.leaves {
        if let Some(about) = &leaf.subject {
            let capture = if has_captures && !leaf.is_codename {
                format!(", or `{}` for a capture of the route", leaf_with_placeholder(leaf, &unraw_name(about)))
            } else {
                String::new()
            };
            let text = &leaf.text;
            let message = format!("`{about}` names a parameter, but {reason}; write `{text}` on the actions{capture}");
            diagnostics.error(about, message);
        }
    }
    check_negations(expression, None, diagnostics);
}

/// Checks that no leaf names a part of the event or group, because a permission receives the whole value. Returns whether
/// that holds.
pub(super) fn check_whole(expression: &Expression, thing: &str, diagnostics: &mut Diagnostics) -> bool {
    let about = expression.leaves.iter().filter(|leaf| !leaf.is_codename && leaf.subject.is_some());
    let mut is_valid = true;
    for leaf in about {
        let article = if thing == "event" { "an" } else { "a" };
        let instead = leaf_without_parameter(leaf);
        let field = match &leaf.subject {
            Some(name) if thing == "group" => {
                format!(", or `{}` to pass a field", leaf_with_placeholder(leaf, &unraw_name(name)))
            }
            _ => String::new(),
        };
        let message =
            format!("{article} {thing}'s permission is evaluated for the whole {thing}; write `{instead}`{field}");
        diagnostics.error(&leaf.subject, message);
        is_valid = false;
    }
    check_negations(expression, None, diagnostics);
    is_valid
}

/// Returns the text of the permission with a placeholder instead of its parameter.
pub(super) fn leaf_with_placeholder(leaf: &Leaf, name: &str) -> String {
    let path = print(leaf.path.to_token_stream());
    let arguments = leaf.arguments.iter().map(|argument| format!(", {}", print(argument.to_token_stream())));
    format!("{path}({{{name}}}{})", arguments.collect::<String>())
}

/// Returns the text of the permission without its parameter.
fn leaf_without_parameter(leaf: &Leaf) -> String {
    let path = print(leaf.path.to_token_stream());
    if leaf.arguments.is_empty() { path } else { format!("{path}({})", print(leaf.arguments.to_token_stream())) }
}

fn check_leaves(expression: &Expression, action: &Action, has_captures: bool, diagnostics: &mut Diagnostics) {
    for leaf in &expression.leaves {
        for name in leaf.possible_parameters().iter().filter(|name| action.find_parameter(name).is_some()) {
            diagnostics.error(name, argument_message(name, leaf));
        }
        let Some(about) = &leaf.subject else { continue };
        let message = match action.find_parameter(about) {
            None => {
                let capture =
                    (has_captures && !leaf.is_codename).then(|| leaf_with_placeholder(leaf, &unraw_name(about)));
                Some(unknown_parameter_message(about, action, capture))
            }
            Some((_, parameter)) => unsuitable_parameter_message(leaf, parameter),
        };
        if let Some(message) = message {
            diagnostics.error(about, message);
        }
    }
}

/// Returns the error message for a parameter named inside an argument, which can only be a value.
fn argument_message(name: &Ident, leaf: &Leaf) -> String {
    let (permission, text) = (last_segment_name(leaf), &leaf.text);
    if let Some(first) = &leaf.subject {
        return format!(
            "`{text}` already names `{first}`; write a value here, or name `{name}` in a permission of its own"
        );
    }
    if permission == "Blocking" {
        return format!(
            "`Blocking` does not evaluate objects; name `{name}` in a permission of its own, as in `Author({name})`"
        );
    }
    format!(
        "`{name}` names a parameter, which must be the first argument and stand alone; write `{permission}({name})`"
    )
}

fn unknown_parameter_message(about: &Ident, action: &Action, with_capture: Option<String>) -> String {
    let suitable = action
        .parameters
        .iter()
        .filter(|parameter| !matches!(parameter.kind, ParameterKind::Context | ParameterKind::Extract));
    let names: Vec<_> = suitable.map(|parameter| format!("`{}`", parameter.name)).collect();
    let instead = if names.is_empty() {
        format!("add `{about}: Object<…>`")
    } else {
        format!("name an existing one, such as {}", names.join(" or "))
    };
    let capture = with_capture.map(|leaf| format!(", or write `{leaf}` for a capture of the route"));
    format!("`{about}` is not a parameter of `{}`; {instead}{}", action.method, capture.unwrap_or_default())
}

/// Returns the error message if the leaf cannot be evaluated for that parameter.
fn unsuitable_parameter_message(leaf: &Leaf, parameter: &Parameter) -> Option<String> {
    let name = &parameter.name;
    let suitable = if leaf.is_codename { "an object, an argument or a capture" } else { "an object" };
    match &parameter.kind {
        ParameterKind::Object(_) => None,
        ParameterKind::Context => {
            Some(format!("`{name}` is the context, which every permission receives; name {suitable}, or remove it"))
        }
        ParameterKind::Extract => {
            Some(format!("`{name}` is extracted after all permissions are evaluated; name {suitable}"))
        }
        ParameterKind::Key { .. } | ParameterKind::Capture { .. } if leaf.is_codename => None,
        // `parameter::check_argument` reports the object inside another type.
        ParameterKind::Key { .. } if contains_object(parameter.ty.to_token_stream()) => None,
        ParameterKind::Key { .. } if is_bare_object(&parameter.ty) => {
            Some(format!("`{name}` does not name the type to load; write, for example, `{name}: Object<Message>`"))
        }
        ParameterKind::Capture { name: capture, .. } if object_permission_name(leaf).as_deref() != Some("AllowAny") => {
            let instead = leaf_with_placeholder(leaf, capture);
            Some(format!("`{name}` is a capture and not an object; write `{instead}` to pass its value"))
        }
        ParameterKind::Key { .. } | ParameterKind::Capture { .. } => {
            let permission = object_permission_name(leaf).unwrap_or_default();
            Some(if permission == "AllowAny" {
                format!("`{name}` is not an object, so `{}` has no effect; remove it", leaf.text)
            } else {
                format!(
                    "`{name}` is not an object; write `{name}: Object<…>`, so that `{permission}` receives the object"
                )
            })
        }
    }
}

/// Returns whether the type is `Object` without a type argument.
fn is_bare_object(ty: &Type) -> bool {
    parameter::is_type_named(ty, "Object")
}

/// Checks that the permission of the action names each object, so that none is accessible without a decision.
fn check_objects_named(action: &Action, diagnostics: &mut Diagnostics) {
    if action.has_unreadable_permission && action.permission.is_none() {
        return;
    }
    // `DenyAll` refuses every call, so no object is accessible.
    if action.permission.as_ref().and_then(Expression::sole_permission_name).as_deref() == Some("DenyAll") {
        return;
    }
    // Compared by position: names with different macro hygiene may have the same text.
    let position = |name: &Ident| action.find_parameter(name).map(|(position, _)| position);
    let leaves = || action.permission.iter().flat_map(|expression| &expression.leaves);
    let about: Option<Vec<usize>> = leaves().filter_map(|leaf| leaf.subject.as_ref()).map(position).collect();
    // A misspelled name may stand for any of the objects.
    let Some(mut named) = about else { return };
    named.extend(leaves().flat_map(Leaf::possible_parameters).filter_map(|name| position(&name)));
    for (position, parameter) in action.parameters.iter().enumerate() {
        let name = &parameter.name;
        if matches!(parameter.kind, ParameterKind::Object(_)) && !named.contains(&position) {
            let message = format!(
                "no permission is evaluated for `{name}`; name it in the permission of the action, as in \
                 `Author({name})`, or write `AllowAny({name})` if every caller may access every object"
            );
            diagnostics.error(name, message);
        }
    }
}

/// Rejects `!` over a codename, which only grants, and over a leaf about a list or an optional object, whose negation would
/// also hold for a part of the list.
pub(super) fn check_negations(expression: &Expression, action: Option<&Action>, diagnostics: &mut Diagnostics) {
    for (leaf, _) in expression.leaves.iter().zip(expression.negated_leaves()).filter(|(_, denied)| *denied) {
        if leaf.is_codename {
            let message = format!(
                "`{}` cannot be negated, because a codename only grants; write a permission type with the \
                 opposite meaning",
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
            ObjectShape::Optional => "also holds without an object",
            ObjectShape::List => "holds only if it holds for every object",
        };
        let message = format!(
            "`{}` cannot be negated, because it {holds}; write a permission with the opposite meaning",
            leaf.text
        );
        diagnostics.add(syn::Error::new(leaf.path_span(), message));
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    const PARAMETERS: &str = "&self, cx: &Context<'_, ()>, one: Object<T>, maybe: Option<Object<T>>, \
                              all: Vec<Object<T>>, \
                              key: u8, #[path] capture: u8, #[extract] made: Made, r#type: u8, bare: Object";

    /// Returns the errors for an action with that expression, whose objects are all named.
    fn errors(permission: &str) -> Vec<String> {
        let rest = "a.z(one) & a.z(maybe) & a.z(all)";
        let action = format!("#[action(permission = ({permission}) & {rest})] fn act({PARAMETERS}) {{}}");
        test_support::handler_errors("", &action)
    }

    #[test]
    fn leaf_with_a_suitable_parameter_is_accepted() {
        for permission in [
            "A(one) | A(maybe, 1) | A(all)",
            "a.b(one) | a.b(maybe) | a.b(all) | a.b(key) | a.b(capture) | a.b(r#type)",
            "a.b | A",
            "!A(one) & !B",
            "A(one(), |key| key, { one }, ONE)",
            "A(other.id)",
            "A({other}) | A(one, {capture}, 3) | Blocking(A({one}))",
        ] {
            assert_eq!(errors(permission), [""; 0], "{permission}");
        }
    }

    #[test]
    fn leaf_with_an_unsuitable_parameter_is_rejected() {
        for (permission, words) in [
            ("A(none)", "`none` is not a parameter of `act`; name an existing one, such as `one` or `maybe`"),
            ("a.b(none)", "`none` is not a parameter"),
            ("A(r#type)", "write `r#type: Object<…>`"),
            ("A(bare)", "`bare` does not name the type to load; write, for example, `bare: Object<Message>`"),
            ("A((one))", "must be the first argument and stand alone; write `A(one)`"),
            ("A(one.id, 3)", "must be the first argument and stand alone; write `A(one)`"),
            ("A(one, &key)", "`A(one, &key)` already names `one`"),
            ("Blocking(A(&one))", "`Blocking` does not evaluate objects; name `one` in a permission of its own"),
            ("A(key)", "write `key: Object<…>`, so that `A` receives the object"),
            (
                "x::A(capture, 3)",
                "`capture` is a capture and not an object; write `x::A({capture}, 3)` to pass its value",
            ),
            ("A(one, {0})", "`{0}` is not the name of a capture; write, for example, `{room_id}`"),
            ("A(cx)", "`cx` is the context"),
            ("a.b(cx)", "`cx` is the context"),
            ("A(made)", "after all permissions are evaluated"),
            ("a.b(made)", "after all permissions are evaluated"),
            ("B | !a.b", "`a.b` cannot be negated"),
            ("B | !(C & a.b(key))", "`a.b(key)` cannot be negated"),
            ("B & !A(maybe)", "`A(maybe)` cannot be negated, because it also holds without"),
            ("B & !(C | A(all))", "`A(all)` cannot be negated, because it holds only if"),
        ] {
            let errors = errors(permission);
            assert_eq!(errors.len(), 1, "{permission}: {errors:?}");
            assert!(errors[0].contains(words), "{permission}: {errors:?}");
        }
    }

    #[test]
    fn allow_any_for_a_plain_argument_is_rejected() {
        let action = "#[action(permission = A & AllowAny(key))] fn act(&self, key: u8) {}";
        let errors = test_support::handler_errors("", action);
        assert_eq!(errors, ["`key` is not an object, so `AllowAny(key)` has no effect; remove it"]);
        let errors = test_support::handler_errors("", "#[action(permission = A(b))] fn act(&self) {}");
        assert_eq!(
            errors,
            ["`b` is not a parameter of `act`; add `b: Object<…>`, or write `A({b})` for a capture of the route"]
        );
    }

    #[test]
    fn parameter_in_a_block_connect_or_route_permission_is_rejected() {
        let errors = test_support::consumer_errors(
            "permission = A(room), connect = a.b(room)",
            "#[route(\"x/\", permission = B(room))] fn rooms(&self) -> &Rooms {} ",
        );
        for (errors, words) in
            errors.iter().zip(["a block has no parameters; write `A(room)`", "a connect expression has", "a route has"])
        {
            assert!(errors.contains(words), "{errors}");
        }
        assert_eq!(errors.len(), 3);
    }

    #[test]
    fn object_without_a_permission_is_rejected() {
        let action = |permission: &str| {
            test_support::handler_errors(
                "permission = A",
                &format!("#[action({permission})] fn act(&self, one: Object<T>) {{}}"),
            )
        };
        for named in ["permission = A(one)", "permission = a.b(one)", "permission = AllowAny(one)"] {
            assert_eq!(action(named), [""; 0], "{named}");
        }
        for silent in ["", "permission = B", "permission = a.b"] {
            let errors = action(silent);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].contains("no permission is evaluated for `one`"), "{errors:?}");
        }
        // A part that could not be parsed, or is misspelled, may have named the object.
        assert_eq!(action("permission = A(one) &").len(), 1);
        assert_eq!(action("permission = A(once)").len(), 1);
        assert_eq!(action("permission = A((one))").len(), 1);
        // Every call is refused.
        assert_eq!(action("permission = DenyAll"), [""; 0]);
    }

    #[test]
    fn object_with_a_repeated_name_is_matched_by_position() {
        let action =
            "#[action(permission = A(one))] fn act(&self, one: Object<T>, #[object(\"two\")] one: Object<T>) {}";
        let errors = test_support::handler_errors("", action);
        assert!(errors[0].contains("two parameters are named `one`"), "{errors:?}");
        assert!(errors[1].contains("no permission is evaluated for `one`"), "{errors:?}");
    }

    #[test]
    fn object_inside_another_type_gets_one_error() {
        let errors =
            test_support::handler_errors("", "#[action(permission = A(a))] fn act(&self, a: Box<Object<T>>) {}");
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
}
