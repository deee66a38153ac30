//! Checks that `IsAuthenticated` depends on the caller: a block without a user type has only anonymous connections.

use quote::ToTokens;

use crate::diagnostics::Diagnostics;
use crate::model::block::Block;
use crate::model::expression::{Expression, permission_name};
use crate::model::print;

/// Rejects `IsAuthenticated` in a block without `user = …`.
pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    if block.may_have_user {
        return;
    }
    let of_actions = block.actions.iter().filter_map(|action| action.permission.as_ref());
    let of_routes = block.routes.iter().filter_map(|route| route.permission.as_ref());
    let of_events = block.events.iter().filter_map(|event| event.permission.as_ref());
    let of_block = block.permission.expression().into_iter().chain(&block.connect);
    for expression in of_block.chain(of_actions).chain(of_routes).chain(of_events) {
        check_expression(expression, block, diagnostics);
    }
}

fn check_expression(expression: &Expression, block: &Block, diagnostics: &mut Diagnostics) {
    for (leaf, is_negated) in expression.leaves.iter().zip(expression.negated_leaves()) {
        if permission_name(leaf).as_deref() == Some("IsAuthenticated") {
            let (ty, kind) = (print(block.ty.to_token_stream()), block.kind.name());
            let verdict = if is_negated { "`!IsAuthenticated` always holds" } else { "`IsAuthenticated` never holds" };
            let message = format!("`{ty}` has no user type, so {verdict}; write `#[{kind}(user = …)]`");
            diagnostics.add(syn::Error::new(leaf.path_span(), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::test_support;

    const NEVER: &str = "`Rooms` has no user type, so `IsAuthenticated` never holds; write `#[consumer(user = …)]`";

    #[test]
    fn authentication_without_a_user_type_is_rejected() {
        for (arguments, body) in [
            ("permission = IsAuthenticated", "#[action] fn a(&self) {}"),
            ("permission = portcullis::IsAuthenticated & A", "#[action] fn a(&self) {}"),
            ("connect = IsAuthenticated", "#[action(permission = A)] fn a(&self) {}"),
            ("", "#[action(permission = A | IsAuthenticated)] fn a(&self) {}"),
            ("permission = A", "#[route(\"b/\", permission = IsAuthenticated)] fn b(&self) -> &B {}"),
            ("", "#[event(permission = IsAuthenticated)] fn e(event: &Sent) -> &Sent {}"),
        ] {
            assert_eq!(test_support::consumer_errors(arguments, body), [NEVER], "{arguments} {body}");
        }
        let errors = test_support::handler_errors("permission = A & !IsAuthenticated", "#[action] fn a(&self) {}");
        let always = "`Rooms` has no user type, so `!IsAuthenticated` always holds; write `#[handler(user = …)]`";
        assert_eq!(errors, [always]);
    }

    #[test]
    fn authentication_with_a_user_type_is_accepted() {
        let action = "#[action(permission = IsAuthenticated)] fn a(&self) {}";
        for user in ["user = Member", "user = ()"] {
            assert_eq!(test_support::handler_errors(user, action), [""; 0]);
        }
        assert_eq!(test_support::handler_errors("usr = Member", action).len(), 1);
    }
}
