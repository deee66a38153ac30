//! Checks of the `presence` expression of a group: each leaf is about the viewer, or about the viewer and the member.

use quote::ToTokens;
use syn::Member;

use super::leaf_parameters::{check_negations, leaf_with_placeholder};
use crate::diagnostics::Diagnostics;
use crate::model::expression::{Expression, last_segment_name};
use crate::model::group::{Group, GroupShape};
use crate::model::{Leaf, print, unraw_name};
use crate::syntax::public_name::PublicName;

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

/// Checks that a group with `announce` has an expression of who may see whom, and a name in frames that tells groups apart.
pub(super) fn check_announce(group: &Group, diagnostics: &mut Diagnostics) {
    let Some(announce) = &group.announce else { return };
    let is_written = |is_read: bool, key| is_read || group.unreadable_keys.contains(key);
    if !is_written(group.presence.is_some(), "presence") {
        let message = "`announce` sends an event about each user who becomes a member, so it needs `presence = …`; write who \
            may see which member, or remove `announce`";
        diagnostics.error(announce, message);
    }
    if group.unreadable_keys.contains("public_name") {
        return;
    }
    let fields: Vec<_> = match &group.shape {
        GroupShape::Named(fields) => fields.iter().map(unraw_name).collect(),
        GroupShape::Tuple(count) => (0..*count).map(|index| index.to_string()).collect(),
        GroupShape::Enum { has_one_value: false } => {
            let message = format!(
                "a client that is in several groups `{0}` cannot tell which of them the event of `announce` is about, \
                 because the public name of an enum is the same for all its values; write a struct with a field that implements \
                 `Display`, as in `struct {0}(String)` with `public_name = \"…/{{0}}\"`, or remove `announce`",
                group.ty
            );
            return diagnostics.error(announce, message);
        }
        GroupShape::Unit | GroupShape::Enum { .. } | GroupShape::Union(_) => Vec::new(),
    };
    let named: Vec<_> = group.public_name.iter().flat_map(PublicName::fields).map(member_name).collect();
    if fields.iter().any(|field| !named.contains(field)) {
        let placeholders: Vec<_> = fields.iter().map(|field| format!("{{{field}}}")).collect();
        let message = format!(
            "a client that is in several groups `{}` cannot tell which of them the event of `announce` is about; write \
             `public_name = \"…/{}\"`, or remove `announce`",
            group.ty,
            placeholders.join("/")
        );
        diagnostics.error(announce, message);
    }
}

/// Returns a field as placeholders name it.
fn member_name(field: &Member) -> String {
    match field {
        Member::Named(name) => unraw_name(name),
        Member::Unnamed(index) => index.index.to_string(),
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

    fn announce_errors(item: &str, more: &str) -> Vec<String> {
        let keys = "consumer = C, permission = A, publish = members, events(E), presence = AllowAny, announce";
        errors(&format!("#[group({keys}{more})] {item}"))
    }

    #[test]
    fn announce_without_public_name_of_each_field_is_rejected() {
        for item in ["struct Room;", "struct Room();", "struct Room {}", "enum Room { A }"] {
            assert_eq!(announce_errors(item, ""), [""; 0], "{item}");
        }
        for (item, name) in [
            ("struct Room(u8);", "{0}"),
            ("struct Room { r#type: u8 }", "{type}"),
            ("struct Room(u8, u8);", "{0}/{1}"),
            ("struct Room { house: u8, floor: u8 }", "{house}/{floor}"),
        ] {
            for other_name in ["", ", public_name = \"room\""] {
                let [error] = &announce_errors(item, other_name)[..] else { panic!("{item} {other_name}") };
                assert!(
                    error.contains(&format!("write `public_name = \"…/{name}\"`, or remove `announce`")),
                    "{error}"
                );
            }
            assert_eq!(announce_errors(item, &format!(", public_name = \"{name}\"")), [""; 0], "{item}");
            assert_eq!(announce_errors(item, ", public_name = 5").len(), 1, "{item}");
        }
        assert_eq!(announce_errors("struct Room(u8, u8);", ", public_name = \"{1}\"").len(), 1);
        // Only the error about the field that does not exist.
        assert_eq!(announce_errors("struct Room(u8);", ", public_name = \"{0}{1}\"").len(), 1);
    }

    #[test]
    fn announce_of_an_enum_with_several_values_is_rejected() {
        for item in ["enum Place { Lobby, Hall }", "enum Place { Hall(u8) }"] {
            for name in ["", ", public_name = \"place\""] {
                let [error] = &announce_errors(item, name)[..] else { panic!("{item} {name}") };
                let instead = "write a struct with a field that implements `Display`, as in `struct Place(String)`";
                assert!(error.contains(instead), "{error}");
            }
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
