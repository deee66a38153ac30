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
