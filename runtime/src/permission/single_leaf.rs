//! Evaluation of an expression that is a single leaf, without the state of an expression.

use std::mem;

use super::Expression;
use super::evaluation::{denied, record_unanswered, with_leaf};
use crate::context::{Call, ConnectContext};
use crate::error::Result;

/// The index of the leaf of an expression that is a single leaf.
const SINGLE_LEAF: u8 = 0;

/// The evaluation of an expression that is a single leaf. Generated code evaluates the leaf between
/// [`start`](SingleLeaf::start) and [`finish`](SingleLeaf::finish).
#[derive(Debug)]
pub struct SingleLeaf<'c, 'a, U> {
    call: &'c Call<'a, U>,
    expression: &'static Expression,
}

impl<'c, 'a, U> SingleLeaf<'c, 'a, U> {
    /// Starts the evaluation for a message or a join.
    #[inline]
    pub fn start(call: &'c Call<'a, U>, expression: &'static Expression) -> SingleLeaf<'c, 'a, U> {
        SingleLeaf { call, expression }
    }

    /// Starts the evaluation for a connection.
    #[inline]
    pub fn start_connect(cx: &'c ConnectContext<'a, U>, expression: &'static Expression) -> SingleLeaf<'c, 'a, U> {
        SingleLeaf::start(cx.call(), expression)
    }

    /// Returns `proof` if the leaf is true. No opinion denies.
    ///
    /// # Errors
    ///
    /// Fails as [`evaluate`](super::evaluate) does.
    #[inline]
    pub fn finish<P, T: Into<Option<bool>>>(self, answer: Result<T>, proof: P) -> Result<P> {
        let expression = self.into_expression();
        match answer.map(Into::into) {
            Ok(Some(true)) => Ok(proof),
            Ok(Some(false) | None) => Err(denied(expression, SINGLE_LEAF)),
            Err(error) => Err(with_leaf(error, expression, SINGLE_LEAF)),
        }
    }

    /// Permits the connection unless the leaf is false.
    ///
    /// # Errors
    ///
    /// Fails as [`evaluate_connect`](super::evaluate_connect) does.
    #[inline]
    pub fn finish_connect(self, answer: Result<Option<bool>>) -> Result<()> {
        self.finish(answer.map(|answer| answer.unwrap_or(true)), ())
    }

    /// Ends the evaluation. The leaf has an answer, so it is not recorded.
    #[inline]
    fn into_expression(self) -> &'static Expression {
        let expression = self.expression;
        mem::forget(self);
        expression
    }
}

/// Records the leaf in the call, for the log: its check panicked or timed out.
impl<U> Drop for SingleLeaf<'_, '_, U> {
    #[inline]
    fn drop(&mut self) {
        record_unanswered(self.call, self.expression, SINGLE_LEAF);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Scope;
    use crate::error::Error;
    use crate::message::Envelope;
    use crate::permission::Expr;

    const FRIEND: &Expression = &Expression { tree: Expr::Leaf(0), leaves: &["Friend"], has_codenames: false };

    fn scope() -> Scope<()> {
        let (parts, ()) = http::Request::new(()).into_parts();
        Scope::new(None, parts)
    }

    #[test]
    fn single_leaf_is_named_in_refusals() {
        let (scope, head) = (scope(), Envelope::default());
        let call = &Call::new(&scope, &head, &[], &[], &[]);
        assert_eq!(SingleLeaf::start(call, FRIEND).finish(Ok(true), "proof").unwrap(), "proof");
        let denied = SingleLeaf::start(call, FRIEND).finish(Ok(false), ()).unwrap_err();
        assert_eq!((denied.status().as_u16(), denied.leaf()), (403, Some("Friend")));
        let failed = SingleLeaf::start(call, FRIEND).finish(Err::<bool, _>(Error::not_found()), ()).unwrap_err();
        assert_eq!((failed.status().as_u16(), failed.leaf()), (404, Some("Friend")));
        assert_eq!(call.unanswered(), None);
        drop(SingleLeaf::start(call, FRIEND));
        assert_eq!(call.unanswered(), Some("Friend"));
    }

    #[test]
    fn single_leaf_without_opinion_permits_connect_unless_strict() {
        let (scope, head) = (scope(), Envelope::default());
        let cx = ConnectContext::new(&scope, &head);
        for (answer, is_permitted, is_permitted_strictly) in
            [(Some(true), true, true), (None, true, false), (Some(false), false, false)]
        {
            let connect = SingleLeaf::start_connect(&cx, FRIEND).finish_connect(Ok(answer));
            let strict = SingleLeaf::start_connect(&cx, FRIEND).finish(Ok(answer), ());
            assert_eq!((connect.is_ok(), strict.is_ok()), (is_permitted, is_permitted_strictly), "{answer:?}");
        }
    }
}
