//! What must never happen, said without the oracle: an action that runs although an expression on its way does not hold.

use crate::case::{Answer, Answers, Case, Door, Leaf, Message, Tree};
use crate::trace::Event;

/// No, perhaps, yes: a leaf that fails or has no opinion may be either.
fn worth(leaf: Leaf, answers: &Answers) -> u8 {
    match answers[usize::from(leaf)].0 {
        Answer::No => 0,
        Answer::NoOpinion | Answer::Error(_) | Answer::Panic | Answer::Never => 1,
        Answer::Yes => 2,
    }
}

/// The logic of these three as numbers, with no order of asking: `!` mirrors, `&` is the least, `|` the greatest.
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

/// If an action ran, then only the one that was called, once, after everything else, nobody who was asked failed, and
/// every expression from the consumer down to the action is a sure yes. Gives how many mounts deep it ran.
pub(crate) fn ran_rightly(case: &Case, message: &Message, events: &[Event]) -> Option<usize> {
    let at = events.iter().position(|event| matches!(event, Event::Ran(..)))?;
    let (Event::Ran(way, action, _), true) = (&events[at], at + 1 == events.len()) else {
        panic!("asked after it ran")
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
        let Event::Asked(place, leaf, _) = event else { panic!("{event:?} on the way of a message") };
        assert!(!fails(*leaf, &message.answers), "{place:?} failed, but {way:?} ran");
    }
    Some(way.len())
}

/// If the door opened, then nobody who was asked failed, the consumer's expression is no sure no, and the strict one is
/// a sure yes.
pub(crate) fn opened_rightly(case: &Case, door: &Door, opened: bool, events: &[Event]) {
    if !opened {
        return;
    }
    for event in events {
        let (leaf, answers) = match event {
            Event::AskedAtDoor(_, leaf) => (leaf, &door.connect),
            Event::Asked(_, leaf, _) => (leaf, &door.action),
            Event::Ran(..) => panic!("an action ran at the door"),
        };
        assert!(!fails(*leaf, answers), "{event:?} failed, but the door opened");
    }
    if let Some(tree) = &case.root.permission {
        assert_ne!(value(tree, &|leaf| worth(leaf, &door.connect)), 0, "the door opened to {tree:?}");
    }
    if let Some(tree) = &case.strict {
        let strictly = |leaf: Leaf| match door.connect[usize::from(leaf)].0 {
            Answer::NoOpinion => worth(leaf, &door.action),
            _ => worth(leaf, &door.connect),
        };
        assert_eq!(value(tree, &strictly), 2, "the door opened to {tree:?}");
    }
}
