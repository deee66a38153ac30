//! Checks of the `presence` expression of a group: each leaf is about the viewer, or about the viewer and the member.

use quote::ToTokens;

use super::leaf_parameters::{check_negations, leaf_with_placeholder};
use crate::diagnostics::Diagnostics;
use crate::model::expression::{Expression, last_segment_name};
use crate::model::group::{Group, GroupShape};
use crate::model::{Leaf, print, unraw_name};

/// The word that stands for the member's user.
const MEMBER: &str = "member";

/// Permissions that are about the viewer alone.
const ABOUT_THE_VIEWER: [&str; 3] = ["AllowAny", "DenyAll", "IsAuthenticated"];

/// Checks the subjects of the leaves. Returns whether all are valid.
pub(super) fn check_leaves(expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    let mut is_valid = true;
    for leaf in expression.leaves.iter().filter(|leaf| !leaf.is_codename) {
        if let Some(message) = subject_message(leaf) {
            is_valid = false;
            diagnostics.error(&leaf.subject, message);
        }
    }
    check_negations(expression, None, diagnostics);
    is_valid
}

/// Returns the error message if the leaf cannot be evaluated for what it names.
fn subject_message(leaf: &Leaf) -> Option<String> {
    let subject = unraw_name(leaf.subject.as_ref()?);
    let (path, name) = (print(leaf.path.to_token_stream()), last_segment_name(leaf));
    if subject != MEMBER {
        return Some(format!(
            "a leaf of `presence` is about the viewer, or about `member`, and `{subject}` is neither; write \
             `{path}(member)` for the member, or `{}` to pass a field",
            leaf_with_placeholder(leaf, &subject)
        ));
    }
    ABOUT_THE_VIEWER
        .contains(&&*name)
        .then(|| format!("`{path}` is not about the member; write `{path}`, which is about the viewer"))
}

/// Checks that a group with `announce` has an expression of who may see whom, and a name in frames if it has fields.
pub(super) fn check_announce(group: &Group, diagnostics: &mut Diagnostics) {
    let Some(announce) = &group.announce else { return };
    let is_written = |is_read: bool, key| is_read || group.unreadable_keys.contains(key);
    if !is_written(group.presence.is_some(), "presence") {
        let message = "`announce` sends an event about each user who becomes a member, so it needs `presence = …`; write who \
            may see which member, or remove `announce`";
        diagnostics.error(announce, message);
    }
    let field = match &group.shape {
        GroupShape::Named(fields) => fields.first().map(unraw_name),
        GroupShape::Tuple(count) => (*count > 0).then(|| "0".to_owned()),
        GroupShape::Unit | GroupShape::Enum | GroupShape::Union(_) => None,
    };
    if let Some(field) = field.filter(|_| !is_written(group.public_name.is_some(), "public_name")) {
        let message = format!(
            "a client that is in several groups `{}` cannot tell which of them the event of `announce` is about; write \
             `public_name = \"…/{{{field}}}\"`, or remove `announce`",
            group.ty
        );
        diagnostics.error(announce, message);
    }
}

/// Checks that no codename is about a field with the name of the word that stands for the member's user. Returns whether none
/// is.
pub(super) fn check_member_fields(expression: &Expression, group: &Group, diagnostics: &mut Diagnostics) -> bool {
    let GroupShape::Named(fields) = &group.shape else { return true };
    let mut is_valid = true;
    for leaf in expression.leaves.iter().filter(|leaf| leaf.is_codename) {
        let subject = leaf.subject.as_ref().filter(|subject| unraw_name(subject) == MEMBER);
        if let Some(subject) = subject.filter(|_| fields.iter().any(|field| unraw_name(field) == MEMBER)) {
            is_valid = false;
            let message = format!(
                "`{}` is about the field `member` of `{}`, and `member` stands for the member's user in \
                 `presence`; rename the field",
                leaf.text, group.ty
            );
            diagnostics.error(subject, message);
        }
    }
    is_valid
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::super::group::group;
    use crate::diagnostics::Diagnostics;
    use crate::model::group::Group;

    fn errors(text: &str) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        let item = Group::read(&parse_str(text).unwrap(), &mut diagnostics);
        group(&item, &mut diagnostics);
        let errors = diagnostics.finish().err().into_iter().flatten();
        errors.map(|error| error.to_string()).collect()
    }

    #[test]
    fn presence_expression_is_about_the_viewer_and_the_member() {
        for presence in ["AllowAny", "IsStaff | SharesTeam(member)", "!Hides(member, {room}) & a.b(room)", "a.b"] {
            assert_eq!(errors_for_presence(presence), [""; 0], "{presence}");
        }
        for (presence, words) in [
            ("A &", "has no operand after it"),
            (
                "SharesTeam(user)",
                "`user` is neither; write `SharesTeam(member)` for the member, or `SharesTeam({user})`",
            ),
            ("AllowAny(member)", "`AllowAny` is not about the member; write `AllowAny`"),
            ("IsAuthenticated(member)", "`IsAuthenticated` is not about the member; write `IsAuthenticated`"),
            ("SharesTeam(member, {rom})", "`{rom}` is not a field of `Room`"),
            ("a.b(member)", "`member` is not a field of `Room`"),
            ("A & !a.b(room)", "`a.b(room)` cannot be negated"),
            ("A(member) & !A(member)", "can never hold"),
            ("A(member) | !A(member)", "always holds"),
            ("members", "`members` is only valid in `publish = members`"),
        ] {
            let errors = errors_for_presence(presence);
            assert_eq!(errors.len(), 1, "{presence}: {errors:?}");
            assert!(errors[0].contains(words), "{presence}: {errors:?}");
        }
    }

    /// Returns the errors for a group with this `presence` expression.
    fn errors_for_presence(presence: &str) -> Vec<String> {
        errors(&format!(
            "#[group(consumer = C, permission = A, publish = members, events(E), presence = {presence}, announce, \
             public_name = \"{{room}}\")] struct Room {{ room: u8 }}"
        ))
    }

    #[test]
    fn announce_without_presence_is_rejected() {
        let keys = "consumer = C, permission = A, publish = members, events(E), announce";
        let errors = errors(&format!("#[group({keys})] struct Room;"));
        let expected = "`announce` sends an event about each user who becomes a member, so it needs `presence = …`; write \
                        who may see which member, or remove `announce`";
        assert_eq!(errors, [expected]);
    }

    #[test]
    fn announce_without_public_name_is_rejected_if_the_group_has_fields() {
        let errors = |item: &str, more: &str| {
            let keys = "consumer = C, permission = A, publish = members, events(E), presence = AllowAny, announce";
            errors(&format!("#[group({keys}{more})] {item}"))
        };
        for item in ["struct Room;", "struct Room();", "struct Room {}", "enum Room { A, B }"] {
            assert_eq!(errors(item, ""), [""; 0], "{item}");
        }
        for (item, name) in [("struct Room(u8);", "{0}"), ("struct Room { r#type: u8 }", "{type}")] {
            let [error] = &errors(item, "")[..] else { panic!("{item}") };
            assert!(error.contains(&format!("write `public_name = \"…/{name}\"`, or remove `announce`")), "{error}");
            assert_eq!(errors(item, &format!(", public_name = \"{name}\"")), [""; 0], "{item}");
            assert_eq!(errors(item, ", public_name = 5").len(), 1, "{item}");
        }
    }

    #[test]
    fn field_named_member_is_no_subject_of_a_codename_in_presence() {
        let errors = |presence: &str| {
            let keys = "consumer = C, permission = A, publish = members, events(E)";
            errors(&format!("#[group({keys}, presence = {presence})] struct Room {{ member: u8 }}"))
        };
        assert_eq!(errors("SharesTeam(member, {member})"), [""; 0]);
        let expected = "`a.b(member)` is about the field `member` of `Room`, and `member` stands for the member's user in \
                        `presence`; rename the field";
        assert_eq!(errors("a.b(member)"), [expected]);
    }
}
