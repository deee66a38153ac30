//! Checks of a group: no key is missing, and its expressions and public name refer to existing fields.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Member;

use super::event_type::check_owned;
use super::{leaf_parameters, logic, presence};
use crate::diagnostics::Diagnostics;
use crate::model::expression::Expression;
use crate::model::group::{Group, GroupShape};
use crate::model::unraw_name;

const WHOLE: &str = "`#[group(consumer = …, permission = …, publish = …, events(…))]`";

/// Checks the type, its attributes, its expressions and its public name.
pub(crate) fn group(group: &Group, diagnostics: &mut Diagnostics) {
    check_type(group, diagnostics);
    check_attributes(group, diagnostics);
    if !group.is_local {
        let local = "write `local` in its `#[group(…)]`, so that its events never leave their machine";
        check_owned(&group.body, local, diagnostics);
    }
    for expression in group.permission.iter().chain(group.publish_expression()) {
        let is_valid = leaf_parameters::check_whole(expression, "group", diagnostics);
        if check_fields(expression, group, diagnostics) && is_valid {
            logic::check_expression(expression, diagnostics);
        }
    }
    presence::check_announce(group, diagnostics);
    check_history(group, diagnostics);
    if let Some(expression) = &group.presence {
        let is_valid = presence::check_leaves(expression, diagnostics)
            & presence::check_member_fields(expression, group, diagnostics);
        if check_fields(expression, group, diagnostics) && is_valid {
            logic::check_expression(expression, diagnostics);
        }
    }
    check_public_name(group, diagnostics);
}

fn check_type(group: &Group, diagnostics: &mut Diagnostics) {
    if let GroupShape::Union(keyword) = &group.shape {
        diagnostics.error(
            keyword,
            "a union cannot be a group, because its values cannot be compared; write a struct or an enum",
        );
    }
    if let Some(parameter) = group.generics.params.first() {
        let message = "a group cannot have generic parameters; write it without generics";
        diagnostics.error(parameter, message);
    }
}

fn check_attributes(group: &Group, diagnostics: &mut Diagnostics) {
    let name = &group.ty;
    for misplaced in &group.misplaced_attributes {
        diagnostics.error(misplaced, format!("`#[group(…)]` belongs on the type itself; move it onto `{name}`"));
    }
    for more in group.attributes.iter().skip(1) {
        diagnostics.error(more, format!("`{name}` has several `#[group(…)]` attributes; write all keys in one"));
    }
    if group.attributes.len() > 1 {
        // A key that is missing in the first attribute may be in another.
        return;
    }
    if group.attributes.is_empty() {
        diagnostics.error(name, format!("`{name}` has no `#[group(…)]` attribute; write {WHOLE}"));
        return;
    }
    if group.consumer.is_none() && !group.unreadable_keys.contains("consumer") {
        let message = format!(
            "`{name}` has no consumer; write `#[group(consumer = …)]` with the consumer whose connections may join"
        );
        diagnostics.error(group.span_tokens(), message);
    }
    if group.permission.is_none() && !group.unreadable_keys.contains("permission") {
        let message = format!(
            "`{name}` has no permission; write `#[group(permission = …)]`, with `AllowAny` if every connection may join"
        );
        diagnostics.error(group.span_tokens(), message);
    }
    if group.publish.is_none() && !group.unreadable_keys.contains("publish") {
        let message = format!(
            "`{name}` does not say who may publish to it; write `#[group(publish = …)]`, with `members` if its members \
             may, or `AllowAny` if every connection may"
        );
        diagnostics.error(group.span_tokens(), message);
    }
    if group.events.is_empty() && !group.unreadable_keys.contains("events") {
        let message = format!("`{name}` has no events; write `#[group(events(…))]` with the types of its events");
        diagnostics.error(group.span_tokens(), message);
    }
}

/// Checks that the events of a group with a history can be encoded.
fn check_history(group: &Group, diagnostics: &mut Diagnostics) {
    if let Some(history) = group.history.as_ref().filter(|_| group.is_local) {
        let message = format!(
            "`{}` has both `history` and `local`: a history keeps encoded events, and those of a local group need no encoding; \
             remove one of the two",
            group.ty
        );
        diagnostics.error(&history.key, message);
    }
}

/// Checks that each codename refers to a field of the group. Returns whether all do.
fn check_fields(expression: &Expression, group: &Group, diagnostics: &mut Diagnostics) -> bool {
    let mut is_valid = true;
    for placeholder in expression.leaves.iter().flat_map(|leaf| &leaf.placeholders) {
        if let Some(message) = missing_placeholder_message(placeholder, group) {
            is_valid = false;
            diagnostics.error(placeholder, message);
        }
    }
    for leaf in expression.leaves.iter().filter(|leaf| leaf.is_codename) {
        let Some(about) = &leaf.subject else { continue };
        if let Some(message) = missing_field_message(about, group) {
            is_valid = false;
            diagnostics.error(about, message);
        }
    }
    is_valid
}

/// Returns the error message if the group has no such field.
fn missing_field_message(about: &Ident, group: &Group) -> Option<String> {
    let name = &group.ty;
    let GroupShape::Named(fields) = &group.shape else {
        return Some(format!("`{about}` names a field, but `{name}` has no named fields; add them"));
    };
    if fields.iter().any(|field| unraw_name(field) == unraw_name(about)) {
        return None;
    }
    let fields: Vec<_> = fields.iter().map(|field| format!("`{}`", field.to_token_stream())).collect();
    Some(format!("`{about}` is not a field of `{name}`; {}", suggest_fields(&fields)))
}

fn suggest_fields(fields: &[String]) -> String {
    if fields.is_empty() {
        "add it".to_owned()
    } else {
        format!("name an existing one, such as {}", fields.join(" or "))
    }
}

/// Checks that the placeholders of the public name are fields of the group.
fn check_public_name(group: &Group, diagnostics: &mut Diagnostics) {
    let Some(name) = &group.public_name else { return };
    for field in name.fields() {
        if let Some(message) = missing_placeholder_message(field, group) {
            diagnostics.error(&name.literal, message);
        }
    }
}

fn missing_placeholder_message(field: &Member, group: &Group) -> Option<String> {
    let (placeholder, name) = (placeholder_text(field), &group.ty);
    let fields: Vec<String> = match (&group.shape, field) {
        (GroupShape::Named(fields), Member::Named(word))
            if fields.iter().any(|field| unraw_name(field) == unraw_name(word)) =>
        {
            return None;
        }
        (GroupShape::Tuple(count), Member::Unnamed(index)) if (index.index as usize) < *count => return None,
        (GroupShape::Named(fields), _) => fields.iter().map(|field| format!("`{{{}}}`", unraw_name(field))).collect(),
        (GroupShape::Tuple(count), _) => (0..*count).map(|index| format!("`{{{index}}}`")).collect(),
        (GroupShape::Enum { .. }, _) => {
            return Some(format!(
                "`{name}` is an enum and has no field `{placeholder}`; remove `{placeholder}`, or write a struct"
            ));
        }
        (GroupShape::Unit, _) => Vec::new(),
        // `check_type` reports the union.
        (GroupShape::Union(_), _) => return None,
    };
    let instead = if fields.is_empty() { format!("remove `{placeholder}`") } else { suggest_fields(&fields) };
    Some(format!("`{placeholder}` is not a field of `{name}`; {instead}"))
}

/// Returns the placeholder as written in the literal.
fn placeholder_text(field: &Member) -> String {
    match field {
        Member::Named(word) => format!("{{{}}}", unraw_name(word)),
        Member::Unnamed(index) => format!("{{{}}}", index.index),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostics::Diagnostics;
    use crate::model::group::Group;
    use syn::parse_str;

    fn errors(text: &str) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        let group = Group::read(&parse_str(text).unwrap(), &mut diagnostics);
        super::group(&group, &mut diagnostics);
        let errors = diagnostics.finish().err().into_iter().flatten();
        errors.map(|error| error.to_string()).collect()
    }

    fn attribute_with_permission(permission: &str) -> String {
        format!("#[group(consumer = Chat, permission = {permission}, publish = members, events(Sent))]")
    }

    #[test]
    fn group_with_valid_attribute_is_accepted() {
        for (permission, item) in [
            ("A & !B | a.b | a.b(room) | a.b(r#type)", "struct Room { room: u8, r#type: u8 }"),
            ("A(3)", "struct Room(u8);"),
            ("AllowAny", "struct Room;"),
            ("a.b", "enum Room { One, Two(u8) }"),
        ] {
            assert_eq!(errors(&format!("{} {item}", attribute_with_permission(permission))), [""; 0], "{item}");
        }
    }

    /// Returns the errors for a group with this public name.
    fn errors_for_public_name(public_name: &str, item: &str) -> Vec<String> {
        errors(&format!(
            "#[group(consumer = C, permission = A, publish = members, events(E), public_name = \"{public_name}\")] {item}"
        ))
    }

    #[test]
    fn public_name_with_an_unknown_field_is_rejected() {
        for (public_name, item) in [
            ("lobby", "struct Lobby;"),
            ("lobby", "enum Lobby { A, B }"),
            ("{{room}}", "struct Room;"),
            ("rooms/{room}/{type}", "struct Room { room: u8, r#type: u8 }"),
            ("{r#room}", "struct Room { room: u8 }"),
            ("{0}-{1}", "struct Room(u8, u8);"),
        ] {
            assert_eq!(errors_for_public_name(public_name, item), [""; 0], "{public_name}");
        }
        for (public_name, item, message) in [
            (
                "{rom}",
                "struct Room { room: u8, r#type: u8 }",
                "`{rom}` is not a field of `Room`; name an existing one, such as `{room}` or `{type}`",
            ),
            (
                "{0}",
                "struct Room { room: u8 }",
                "`{0}` is not a field of `Room`; name an existing one, such as `{room}`",
            ),
            ("{1}", "struct Room(u8);", "`{1}` is not a field of `Room`; name an existing one, such as `{0}`"),
            ("{room}", "struct Room(u8);", "`{room}` is not a field of `Room`; name an existing one, such as `{0}`"),
            ("{room}", "struct Room;", "`{room}` is not a field of `Room`; remove `{room}`"),
            ("{0}", "struct Room();", "`{0}` is not a field of `Room`; remove `{0}`"),
            (
                "{room}",
                "enum Room { A { room: u8 } }",
                "`Room` is an enum and has no field `{room}`; remove `{room}`, or write a struct",
            ),
        ] {
            assert_eq!(errors_for_public_name(public_name, item), [message], "{item}");
        }
        assert_eq!(errors_for_public_name("{a}/{b}", "struct Room { c: u8 }").len(), 2);
    }

    #[test]
    fn group_with_an_invalid_attribute_is_rejected() {
        let room = "struct Room { room: u8 }";
        for (text, words) in [
            (room.to_owned(), "has no `#[group(…)]` attribute"),
            (format!("#[group(permission = A, publish = B, events(Sent))] {room}"), "has no consumer"),
            (format!("#[group(consumer = Chat, publish = B, events(Sent))] {room}"), "has no permission"),
            (
                format!("#[group(consumer = Chat, permission = A, events(Sent))] {room}"),
                "`Room` does not say who may publish to it; write `#[group(publish = …)]`, with `members` if",
            ),
            (format!("#[group(consumer = Chat, permission = A, publish = B)] {room}"), "has no events"),
            (
                format!("#[group(consumer = Chat, permission = A &, publish = B, events(Sent))] {room}"),
                "has no operand after it",
            ),
            (
                format!("#[group(consumer = 5, permission = A, publish = B, events(Sent))] {room}"),
                "the type of a consumer",
            ),
            (format!("#[group(consumer = Chat, permission = A, publish = B, events())] {room}"), "list is empty"),
            (
                format!("{} #[group(crate = a)] {room}", attribute_with_permission("A")),
                "several `#[group(…)]` attributes",
            ),
            (
                format!("{} struct Room {{ #[group(a)] room: u8 }}", attribute_with_permission("A")),
                "move it onto `Room`",
            ),
            (format!("{} enum Room {{ #[group(a)] A }}", attribute_with_permission("A")), "move it onto `Room`"),
            (format!("{} union Room {{ room: u8 }}", attribute_with_permission("A")), "write a struct or an enum"),
            (format!("{} struct Room<T>(T);", attribute_with_permission("A")), "without generics"),
            (format!("{} struct Room(&'static str);", attribute_with_permission("A")), "`0` borrows"),
            (format!("{} struct Room<'a>(&'a u8);", attribute_with_permission("A")), "without generics"),
            (
                format!("{} {room}", attribute_with_permission("Owner(room)")),
                "a group's permission is evaluated for the whole group; write `Owner`",
            ),
            (
                format!("{} {room}", attribute_with_permission("a.b(rom)")),
                "`rom` is not a field of `Room`; name an existing one, such as `room`",
            ),
            (
                format!("{} struct Room {{}}", attribute_with_permission("a.b(rom)")),
                "`rom` is not a field of `Room`; add it",
            ),
            (format!("{} struct Room(u8);", attribute_with_permission("a.b(room)")), "has no named fields"),
            (
                format!("{} enum Room {{ A {{ room: u8 }} }}", attribute_with_permission("a.b(room)")),
                "has no named fields",
            ),
            (format!("{} {room}", attribute_with_permission("A & !a.b(room)")), "`a.b(room)` cannot be negated"),
            (format!("{} {room}", attribute_with_permission("A & !A")), "can never hold"),
        ] {
            let errors = errors(&text);
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].contains(words), "{text}: {errors:?}");
        }
    }

    #[test]
    fn publish_expression_has_the_checks_of_the_permission() {
        for (publish, words) in [
            ("A &", "has no operand after it"),
            ("Owner(room)", "a group's permission is evaluated for the whole group; write `Owner`"),
            ("a.b(rom)", "`rom` is not a field of `Room`; name an existing one, such as `room`"),
            ("A & !a.b(room)", "`a.b(room)` cannot be negated"),
            ("A & !A", "can never hold"),
            ("A | !A", "always holds"),
            ("A | members", "`members` stands alone"),
        ] {
            let text = format!(
                "#[group(consumer = C, permission = A, publish = {publish}, events(E))] struct Room {{ room: u8 }}"
            );
            let errors = errors(&text);
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].contains(words), "{text}: {errors:?}");
        }
    }

    #[test]
    fn history_of_a_local_group_is_rejected() {
        let keys = "consumer = C, permission = A, publish = members, events(E)";
        let history = "history(events = 100, age = \"10m\", since = AllowAny)";
        assert_eq!(errors(&format!("#[group({keys}, {history})] struct Room(u8);")), [""; 0]);
        let expected = "`Room` has both `history` and `local`: a history keeps encoded events, and those of a local group need \
                        no encoding; remove one of the two";
        assert_eq!(errors(&format!("#[group({keys}, {history}, local)] struct Room(u8);")), [expected]);
        // The mistakes in the list are reported as well.
        assert_eq!(errors(&format!("#[group({keys}, history(events = 0), local)] struct Room(u8);")).len(), 2);
    }

    #[test]
    fn missing_events_and_a_mistake_in_the_history_are_both_reported() {
        let keys = "consumer = C, permission = A, publish = members";
        let history = "history(events = 0, age = \"10m\", since = AllowAny)";
        assert_eq!(errors(&format!("#[group({keys}, {history})] struct Room(u8);")).len(), 2);
    }

    #[test]
    fn group_with_several_missing_keys_gets_one_error_per_key() {
        assert_eq!(errors("#[group] struct Room;").len(), 4);
    }
}
