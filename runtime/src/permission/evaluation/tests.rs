use std::cell::Cell;
use std::future::{pending, ready};
use std::task::{Context, Waker};

use super::*;
use crate::context::Scope;
use crate::message::Envelope;
use crate::permission::Expr;

const FRIEND_AND_NOT_BANNED: &Expression = &Expression {
    tree: Expr::All(&[Expr::Leaf(0), Expr::Not(&Expr::Leaf(1))]),
    leaves: &["Friend", "Banned"],
    has_codenames: false,
};

fn with_call(test: impl FnOnce(&Call<'_, ()>)) {
    let (parts, ()) = http::Request::new(()).into_parts();
    let (scope, head) = (Scope::new(None, parts), Envelope::default());
    test(&Call::new(&scope, &head, &[], &[], &[]));
}

#[test]
fn refusal_names_deciding_leaf() {
    with_call(|call| {
        let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
        assert_eq!(evaluation.next(), Some(0));
        evaluation.record(Ok(true)).unwrap();
        assert_eq!(evaluation.next(), Some(1));
        evaluation.record(Ok(true)).unwrap();
        assert_eq!(evaluation.next(), None);
        let error = evaluation.finish(()).unwrap_err();
        assert_eq!((error.status().as_u16(), error.leaf()), (403, Some("Banned")));

        let mut evaluation = CallEvaluation::new(call, FRIEND_AND_NOT_BANNED, 0);
        evaluation.state.next();
        let error = evaluation.state.record::<bool>(Err(Error::not_found())).unwrap_err();
        assert_eq!((error.status().as_u16(), error.leaf()), (404, Some("Friend")));
        drop(evaluation);
        assert_eq!(call.unanswered(), None);
    });
}

#[test]
fn unfinished_evaluation_denies() {
    assert_eq!(Evaluation::new(FRIEND_AND_NOT_BANNED).finish(()).unwrap_err().status().as_u16(), 403);
    assert_eq!(Evaluation::new(FRIEND_AND_NOT_BANNED).finish_connect().unwrap_err().status().as_u16(), 403);
    assert_eq!(Evaluation::new(FRIEND_AND_NOT_BANNED).finish(()).unwrap_err().status().as_u16(), 403);
    let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
    evaluation.next();
    evaluation.record(Ok(true)).unwrap();
    assert_eq!(evaluation.finish_connect().unwrap_err().leaf(), Some("Friend"));
}

#[test]
fn unexpected_answer_is_internal_error() {
    let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
    assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
    evaluation.next();
    evaluation.record(Ok(true)).unwrap();
    assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
}

#[test]
fn dropped_evaluation_records_pending_leaf() {
    with_call(|call| {
        let mut evaluation = CallEvaluation::new(call, FRIEND_AND_NOT_BANNED, 0);
        evaluation.state.next();
        drop(evaluation);
        assert_eq!(call.unanswered(), Some("Friend"));
        assert_eq!(
            format!("{:?}", Evaluation::new(FRIEND_AND_NOT_BANNED)),
            r#"Evaluation { expression: "Friend & !Banned", .. }"#
        );
    });
}

#[test]
fn leaf_65_is_internal_error() {
    const LEAVES_65: &Expression =
        &Expression { tree: Expr::Any(&[Expr::Leaf(63), Expr::Leaf(64)]), leaves: &["Leaf"; 65], has_codenames: false };
    let mut evaluation = Evaluation::new(LEAVES_65);
    assert_eq!(evaluation.next(), Some(63));
    evaluation.record(Ok(false)).unwrap();
    assert_eq!(evaluation.next(), Some(64));
    assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
    assert!(evaluation.finish(()).is_err());
    // An evaluation for an event refuses instead of asking for the leaf again.
    assert_eq!(evaluate_event(LEAVES_65, |leaf| Ok(Some(leaf == 64))), Some(false));
}

const FRIEND: &Expression = &Expression { tree: Expr::Leaf(0), leaves: &["Friend"], has_codenames: false };

#[test]
fn evaluate_asks_leaves_until_decided() {
    with_call(|call| {
        let answers = |friend, banned| {
            let asked = Cell::new(0);
            let answer = |leaf: u8| {
                asked.set(asked.get() + 1);
                ready(Ok([friend, banned][usize::from(leaf)]))
            };
            let evaluated = pollster::block_on(evaluate(call, FRIEND_AND_NOT_BANNED, 0, "proof", answer));
            (asked.get(), evaluated.map_err(|error| error.leaf()))
        };
        assert_eq!(answers(true, false), (2, Ok("proof")));
        assert_eq!(answers(true, true), (2, Err(Some("Banned"))));
        assert_eq!(answers(false, false), (1, Err(Some("Friend"))));
        let failed = pollster::block_on(evaluate(call, FRIEND_AND_NOT_BANNED, 0, (), |_| {
            ready(Err::<bool, _>(Error::not_found()))
        }));
        assert_eq!(failed.unwrap_err().leaf(), Some("Friend"));
        assert_eq!(call.unanswered(), None);
    });
}

#[test]
fn evaluate_dropped_while_a_leaf_waits_records_the_leaf() {
    with_call(|call| {
        let mut evaluation = Box::pin(evaluate(call, FRIEND_AND_NOT_BANNED, 0, (), |leaf| async move {
            if leaf == 1 { pending().await } else { Ok(true) }
        }));
        assert!(evaluation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(call.unanswered(), None);
        drop(evaluation);
        assert_eq!(call.unanswered(), Some("Banned"));
    });
}

#[test]
fn connect_is_permitted_without_opinion_unless_strict() {
    let (parts, ()) = http::Request::new(()).into_parts();
    let (scope, head) = (Scope::<()>::new(None, parts), Envelope::default());
    let cx = ConnectContext::new(&scope, &head);
    for (answer, is_permitted, is_permitted_strictly) in
        [(Some(true), true, true), (None, true, false), (Some(false), false, false)]
    {
        let evaluate_leaf = |_| ready(Ok(answer));
        let connect = pollster::block_on(evaluate_connect(&cx, FRIEND, evaluate_leaf));
        let strict = pollster::block_on(evaluate_strict_connect(&cx, FRIEND, evaluate_leaf));
        assert_eq!((connect.is_ok(), strict.is_ok()), (is_permitted, is_permitted_strictly), "{answer:?}");
    }
}

#[test]
fn event_is_undecided_while_a_leaf_is() {
    let evaluate =
        |friend, banned| evaluate_event(FRIEND_AND_NOT_BANNED, |leaf| Ok([friend, banned][usize::from(leaf)]));
    assert_eq!(evaluate(Some(true), Some(false)), Some(true));
    assert_eq!(evaluate(Some(true), None), None);
    assert_eq!(evaluate(None, Some(true)), Some(false));
}

#[test]
fn event_is_refused_by_a_leaf_whatever_the_operators() {
    const NOT_BANNED_OR_FRIEND: &Expression = &Expression {
        tree: Expr::Any(&[Expr::Not(&Expr::Leaf(0)), Expr::Leaf(1)]),
        leaves: &["Banned", "Friend"],
        has_codenames: false,
    };
    let evaluate =
        |banned| evaluate_event(NOT_BANNED_OR_FRIEND, |leaf| if leaf == 0 { banned } else { Ok(Some(true)) });
    assert_eq!((evaluate(Ok(Some(true))), evaluate(Err(Refused))), (Some(true), Some(false)));
    assert_eq!((event_decision(Ok(None)), event_decision(Err(Refused))), (None, Some(false)));
}

#[test]
fn malformed_capture_is_not_found_unless_the_expression_is_false() {
    for (banned, status) in [(Some(true), 403), (Some(false), 404), (None, 404)] {
        let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
        assert_eq!(evaluation.next(), Some(0));
        evaluation.record::<bool>(Err(Error::not_found().into_message_error())).unwrap();
        assert_eq!(evaluation.next(), Some(1));
        evaluation.record(Ok(banned)).unwrap();
        assert_eq!(evaluation.next(), None);
        let error = evaluation.finish(()).unwrap_err();
        let leaf = if status == 404 { "Friend" } else { "Banned" };
        assert_eq!((error.status().as_u16(), error.leaf()), (status, Some(leaf)), "{banned:?}");
    }
}
