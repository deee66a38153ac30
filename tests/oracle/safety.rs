//! Safety without the oracle: an action must not run unless every expression on its route holds.

use crate::case::{Answer, Answers, Case, Handshake, Leaf, Message, Tree};
use crate::trace::Event;

/// 0 for no, 1 for unknown, 2 for yes: a leaf that fails or has no opinion is unknown.
fn worth(leaf: Leaf, answers: &Answers) -> u8 {
    match answers[usize::from(leaf)].0 {
        Answer::No => 0,
        Answer::NoOpinion | Answer::Error(_) | Answer::Panic | Answer::Never => 1,
        Answer::Yes => 2,
    }
}

/// Three-valued logic as numbers, without an order of evaluation: `!` mirrors, `&` is the minimum, `|` the maximum.
fn value(tree: &Tree, worth: &dyn Fn(Leaf) -> u8) -> u8 {
    match tree {
        Tree::Leaf(leaf) => worth(*leaf),
        Tree::Not(inner) => 2 - value(inner, worth),
        Tree::All(parts) => parts.iter().map(|part| value(part, worth)).min().unwrap_or(2),
        Tree::Any(parts) => parts.iter().map(|part| value(part, worth)).max().unwrap_or(0),
    }
}

fn fails(leaf: Leaf, answers: &Answers) -> bool {
    matches!(answers[usize::from(leaf)].0, Answer::Error(_) | Answer::Panic | Answer::Never)
}

/// Asserts that if an action ran, it is the called one, ran once and last, no evaluated leaf failed, and every expression
/// from the consumer down to the action is yes. Returns the number of mounts above the action.
pub(crate) fn assert_ran_rightly(case: &Case, message: &Message, events: &[Event]) -> Option<usize> {
    let at = events.iter().position(|event| matches!(event, Event::Ran(..)))?;
    let (Event::Ran(way, action, _), true) = (&events[at], at + 1 == events.len()) else {
        panic!("evaluated after it ran")
    };
    let mut expressions = vec![case.root.permission.as_ref()];
    let mut level = &case.root;
    for turn in way {
        let route = &level.routes[*turn];
        level = &route.level;
        expressions.extend([route.permission.as_ref(), level.permission.as_ref()]);
    }
    let action = &level.actions[*action];
    assert_eq!(action.name, message.action, "another action ran");
    expressions.push(action.permission.as_ref());
    for tree in expressions.into_iter().flatten() {
        assert_eq!(value(tree, &|leaf| worth(leaf, &message.answers)), 2, "{tree:?} does not hold, but {way:?} ran");
    }
    for event in &events[..at] {
        let Event::Evaluated(place, leaf, _) = event else { panic!("{event:?} on the way of a message") };
        assert!(!fails(*leaf, &message.answers), "{place:?} failed, but {way:?} ran");
    }
    Some(way.len())
}

/// Asserts that if the handshake was accepted, no evaluated leaf failed, the consumer's expression is not no, and the
/// strict one is yes.
pub(crate) fn assert_accepted_rightly(case: &Case, handshake: &Handshake, opened: bool, events: &[Event]) {
    if !opened {
        return;
    }
    for event in events {
        let (leaf, answers) = match event {
            Event::EvaluatedAtConnect(_, leaf) => (leaf, &handshake.connect),
            Event::Evaluated(_, leaf, _) => (leaf, &handshake.action),
            Event::Ran(..) => panic!("an action ran at the door"),
        };
        assert!(!fails(*leaf, answers), "{event:?} failed, but the handshake was accepted");
    }
    if let Some(tree) = &case.root.permission {
        assert_ne!(
            value(tree, &|leaf| worth(leaf, &handshake.connect)),
            0,
            "the handshake was accepted against {tree:?}"
        );
    }
    if let Some(tree) = &case.strict {
        let strictly = |leaf: Leaf| match handshake.connect[usize::from(leaf)].0 {
            Answer::NoOpinion => worth(leaf, &handshake.action),
            _ => worth(leaf, &handshake.connect),
        };
        assert_eq!(value(tree, &strictly), 2, "the handshake was accepted against {tree:?}");
    }
}
