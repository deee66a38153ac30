//! A group as a whole: that nothing is missing, and that its expression is about what there is.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Member;

use super::{leaf_parameters, logic};
use crate::diagnostics::Diagnostics;
use crate::model::expression::Expression;
use crate::model::group::{Group, GroupShape};
use crate::model::unraw_name;

const WHOLE: &str = "`#[group(consumer = …, permission = …, events(…))]`";

/// Checks the whole group.
pub(crate) fn group(group: &Group, diagnostics: &mut Diagnostics) {
    type_itself(group, diagnostics);
    attributes(group, diagnostics);
    if let Some(expression) = &group.permission {
        let sound = leaf_parameters::of_the_whole(expression, "group", diagnostics);
        if fields(expression, group, diagnostics) && sound {
            logic::alone(expression, diagnostics);
        }
    }
    placeholders(group, diagnostics);
}

fn type_itself(group: &Group, diagnostics: &mut Diagnostics) {
    if let GroupShape::Union(keyword) = &group.shape {
        diagnostics.error(keyword, "a group is a name, and no two unions can be compared; write a struct or an enum");
    }
    if let Some(parameter) = group.generics.params.first() {
        let message = "a group is one type, whose values are the names; write it without generics";
        diagnostics.error(parameter, message);
    }
}

fn attributes(group: &Group, diagnostics: &mut Diagnostics) {
    let name = &group.ty;
    for misplaced in &group.misplaced_attributes {
        diagnostics.error(misplaced, format!("`#[group(…)]` goes on the type itself; move it onto `{name}`"));
    }
    for more in group.attributes.iter().skip(1) {
        diagnostics.error(more, format!("`{name}` has its `#[group(…)]` already; write all keys into one"));
    }
    if group.attributes.len() > 1 {
        // What is missing in the first may stand in another.
        return;
    }
    if group.attributes.is_empty() {
        diagnostics.error(name, format!("`{name}` does not say what it is a group of; write {WHOLE} on it"));
        return;
    }
    if group.consumer.is_none() && !group.unreadable_keys.consumer {
        let message = format!("`{name}` names no consumer; write `#[group(consumer = …)]`, whose connections may join");
        diagnostics.error(group.span_tokens(), message);
    }
    if group.permission.is_none() && !group.unreadable_keys.permission {
        let message = format!(
            "`{name}` has no permission; write `#[group(permission = …)]`, with `AllowAny` if every connection may join"
        );
        diagnostics.error(group.span_tokens(), message);
    }
    if group.events.is_empty() && !group.unreadable_keys.events {
        let message = format!("`{name}` carries nothing; write `#[group(events(…))]`, with the types of its events");
        diagnostics.error(group.span_tokens(), message);
    }
}

/// Codenames are asked about fields.
fn fields(expression: &Expression, group: &Group, diagnostics: &mut Diagnostics) -> bool {
    let mut sound = true;
    for leaf in expression.leaves.iter().filter(|leaf| leaf.is_codename) {
        let Some(about) = &leaf.subject else { continue };
        if let Some(message) = no_field(about, group) {
            sound = false;
            diagnostics.error(about, message);
        }
    }
    sound
}

/// What to say where there is no such field.
fn no_field(about: &Ident, group: &Group) -> Option<String> {
    let name = &group.ty;
    let GroupShape::Named(fields) = &group.shape else {
        return Some(format!("`{about}` names a field, and `{name}` has none with a name; give it named fields"));
    };
    if fields.iter().any(|field| unraw_name(field) == unraw_name(about)) {
        return None;
    }
    let fields: Vec<_> = fields.iter().map(|field| format!("`{}`", field.to_token_stream())).collect();
    Some(format!("`{about}` is no field of `{name}`; {}", instead(&fields)))
}

fn instead(fields: &[String]) -> String {
    if fields.is_empty() {
        "add it".to_owned()
    } else {
        format!("name one of its own, such as {}", fields.join(" or "))
    }
}

/// The public name holds fields that there are.
fn placeholders(group: &Group, diagnostics: &mut Diagnostics) {
    let Some(name) = &group.public_name else { return };
    for field in name.fields() {
        if let Some(message) = no_placeholder(field, group) {
            diagnostics.error(&name.literal, message);
        }
    }
}

fn no_placeholder(field: &Member, group: &Group) -> Option<String> {
    let (shown, name) = (shown(field), &group.ty);
    let fields: Vec<String> = match (&group.shape, field) {
        (GroupShape::Named(fields), Member::Named(word))
            if fields.iter().any(|field| unraw_name(field) == unraw_name(word)) =>
        {
            return None;
        }
        (GroupShape::Tuple(count), Member::Unnamed(index)) if (index.index as usize) < *count => return None,
        (GroupShape::Named(fields), _) => fields.iter().map(|field| format!("`{{{}}}`", unraw_name(field))).collect(),
        (GroupShape::Tuple(count), _) => (0..*count).map(|index| format!("`{{{index}}}`")).collect(),
        (GroupShape::Enum, _) => {
            return Some(format!("`{name}` is an enum, so `{shown}` is no field of it; write plain text, or a struct"));
        }
        (GroupShape::Unit, _) => Vec::new(),
        // That it is one is told already.
        (GroupShape::Union(_), _) => return None,
    };
    let instead = if fields.is_empty() { format!("remove `{shown}`") } else { instead(&fields) };
    Some(format!("`{shown}` is no field of `{name}`; {instead}"))
}

/// The placeholder as it is written.
fn shown(field: &Member) -> String {
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

    fn told(text: &str) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        let group = Group::read(&parse_str(text).unwrap(), &mut diagnostics);
        super::group(&group, &mut diagnostics);
        let told = diagnostics.finish().err().into_iter().flatten();
        told.map(|error| error.to_string()).collect()
    }

    fn asking(permission: &str) -> String {
        format!("#[group(consumer = Chat, permission = {permission}, events(Sent))]")
    }

    #[test]
    fn sound_groups_pass() {
        for (permission, item) in [
            ("A & !B | a.b | a.b(room) | a.b(r#type)", "struct Room { room: u8, r#type: u8 }"),
            ("A(3)", "struct Room(u8);"),
            ("AllowAny", "struct Room;"),
            ("a.b", "enum Room { One, Two(u8) }"),
        ] {
            assert_eq!(told(&format!("{} {item}", asking(permission))), [""; 0], "{item}");
        }
    }

    /// What is told about a group that is called so.
    fn called(public_name: &str, item: &str) -> Vec<String> {
        told(&format!("#[group(consumer = C, permission = A, events(E), public_name = \"{public_name}\")] {item}"))
    }

    #[test]
    fn public_names_hold_fields() {
        for (public_name, item) in [
            ("lobby", "struct Lobby;"),
            ("lobby", "enum Lobby { A, B }"),
            ("{{room}}", "struct Room;"),
            ("rooms/{room}/{type}", "struct Room { room: u8, r#type: u8 }"),
            ("{r#room}", "struct Room { room: u8 }"),
            ("{0}-{1}", "struct Room(u8, u8);"),
        ] {
            assert_eq!(called(public_name, item), [""; 0], "{public_name}");
        }
        for (public_name, item, message) in [
            (
                "{rom}",
                "struct Room { room: u8, r#type: u8 }",
                "`{rom}` is no field of `Room`; name one of its own, such as `{room}` or `{type}`",
            ),
            ("{0}", "struct Room { room: u8 }", "`{0}` is no field of `Room`; name one of its own, such as `{room}`"),
            ("{1}", "struct Room(u8);", "`{1}` is no field of `Room`; name one of its own, such as `{0}`"),
            ("{room}", "struct Room(u8);", "`{room}` is no field of `Room`; name one of its own, such as `{0}`"),
            ("{room}", "struct Room;", "`{room}` is no field of `Room`; remove `{room}`"),
            ("{0}", "struct Room();", "`{0}` is no field of `Room`; remove `{0}`"),
            (
                "{room}",
                "enum Room { A { room: u8 } }",
                "`Room` is an enum, so `{room}` is no field of it; write plain text, or a struct",
            ),
        ] {
            assert_eq!(called(public_name, item), [message], "{item}");
        }
        assert_eq!(called("{a}/{b}", "struct Room { c: u8 }").len(), 2);
    }

    #[test]
    fn each_mistake_has_its_words() {
        let room = "struct Room { room: u8 }";
        for (text, words) in [
            (room.to_owned(), "does not say what it is a group of"),
            (format!("#[group(permission = A, events(Sent))] {room}"), "names no consumer"),
            (format!("#[group(consumer = Chat, events(Sent))] {room}"), "has no permission"),
            (format!("#[group(consumer = Chat, permission = A)] {room}"), "carries nothing"),
            (format!("#[group(consumer = Chat, permission = A &, events(Sent))] {room}"), "has no operand after it"),
            (format!("#[group(consumer = 5, permission = A, events(Sent))] {room}"), "the type of a consumer"),
            (format!("#[group(consumer = Chat, permission = A, events())] {room}"), "list is empty"),
            (format!("{} #[group(crate = a)] {room}", asking("A")), "`#[group(…)]` already"),
            (format!("{} struct Room {{ #[group(a)] room: u8 }}", asking("A")), "move it onto `Room`"),
            (format!("{} enum Room {{ #[group(a)] A }}", asking("A")), "move it onto `Room`"),
            (format!("{} union Room {{ room: u8 }}", asking("A")), "write a struct or an enum"),
            (format!("{} struct Room<T>(T);", asking("A")), "without generics"),
            (format!("{} struct Room<'a>(&'a u8);", asking("A")), "without generics"),
            (format!("{} {room}", asking("Owner(room)")), "a group's permission sees the whole group; write `Owner`"),
            (
                format!("{} {room}", asking("a.b(rom)")),
                "`rom` is no field of `Room`; name one of its own, such as `room`",
            ),
            (format!("{} struct Room {{}}", asking("a.b(rom)")), "`rom` is no field of `Room`; add it"),
            (format!("{} struct Room(u8);", asking("a.b(room)")), "has none with a name"),
            (format!("{} enum Room {{ A {{ room: u8 }} }}", asking("a.b(room)")), "has none with a name"),
            (format!("{} {room}", asking("A & !a.b(room)")), "no `!` can stand over `a.b(room)`"),
            (format!("{} {room}", asking("A & !A")), "can never hold"),
        ] {
            let told = told(&text);
            assert_eq!(told.len(), 1, "{text}: {told:?}");
            assert!(told[0].contains(words), "{text}: {told:?}");
        }
    }

    #[test]
    fn all_that_is_missing_is_told() {
        assert_eq!(told("#[group] struct Room;").len(), 3);
    }
}
