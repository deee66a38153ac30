//! Checks of the `presence` expression of a group: each leaf is about the viewer, or about the viewer and the member.

use quote::ToTokens;

use super::leaf_parameters::{check_negations, leaf_with_placeholder};
use crate::diagnostics::Diagnostics;
use crate::model::expression::{Expression, last_segment_name};
use crate::model::group::Group;
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

/// Checks that a group with `announce` has an expression of who may see whom.
pub(super) fn check_announce(group: &Group, diagnostics: &mut Diagnostics) {
    let is_written = group.presence.is_some() || group.unreadable_keys.contains("presence");
    if let Some(announce) = group.announce.as_ref().filter(|_| !is_written) {
        let message = "`announce` tells members who comes and goes, so it needs `presence = …`; write who may see which \
            member, or remove `announce`";
        diagnostics.error(announce, message);
    }
}
