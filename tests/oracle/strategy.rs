//! Strategies for random cases. Weighted so that all verdicts occur often: most leaves allow, most routes nearly match.

use proptest::array::{uniform, uniform6};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::{select, subsequence};
use proptest::strategy::BoxedStrategy;

use crate::case::{
    ACTIONS, Action, Answer, Answers, Case, Handshake, LEAVES, Leaf, Level, Message, Outcome, Route, Segment, Tree,
    Twist,
};

/// Statuses of errors: refusals of the application, and statuses that are no refusal and so internal errors.
const REFUSALS: [u16; 6] = [400, 401, 403, 404, 429, 499];
const FAULTS: [u16; 4] = [200, 399, 500, 503];
/// The number of mounts between the consumer and the innermost handlers.
const DEEPEST: usize = 3;

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let parts = (level(DEEPEST), weighted(0.4, tree()), any::<bool>(), vec(handshake(), 1..4), vec(message(), 4..16));
    parts.prop_map(|(root, strict, logged_in, handshakes, messages)| Case {
        root,
        strict,
        logged_in,
        handshakes,
        messages,
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaves = u8::try_from(LEAVES).unwrap();
    (0..leaves).prop_map(Tree::Leaf as fn(Leaf) -> Tree).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
            2 => vec(inner.clone(), 2..4).prop_map(Tree::All),
            2 => vec(inner, 2..4).prop_map(Tree::Any),
        ]
    })
}

fn level(deeper: usize) -> BoxedStrategy<Level> {
    let names = prop_oneof![1 => 0..1_usize, 5 => 2..4_usize].prop_flat_map(|many| subsequence(ACTIONS.to_vec(), many));
    let actions = (names.prop_shuffle(), vec(weighted(0.4, tree()), 3)).prop_map(|(names, permissions)| {
        names
            .into_iter()
            .zip(permissions)
            .map(|(name, permission)| Action { name, permission, blocking: false })
            .collect::<Vec<_>>()
    });
    let routes = if deeper == 0 { Just(Vec::new()).boxed() } else { vec(route(deeper - 1), 1..=deeper).boxed() };
    (weighted(0.5, tree()), actions, routes)
        .prop_map(|(permission, actions, routes)| Level { permission, actions, routes })
        .boxed()
}

fn route(deeper: usize) -> impl Strategy<Value = Route> {
    let segment = prop_oneof![
        4 => select(vec!["a", "b", "7"]).prop_map(Segment::Text),
        3 => Just(Segment::Any),
        2 => Just(Segment::Digits),
        2 => Just(Segment::Either),
    ];
    let segments = (vec(segment, 1..=2), proptest::bool::weighted(0.15)).prop_map(|(mut segments, rest)| {
        if rest {
            // A tail is the last segment, and may be the only one.
            if segments.len() == 2 {
                segments.pop();
            } else {
                segments.clear();
            }
            segments.push(Segment::Rest);
        }
        segments
    });
    (segments, any::<bool>(), weighted(0.4, tree()), level(deeper)).prop_map(|(segments, slash, permission, level)| {
        let slash = slash && !matches!(segments.last(), Some(Segment::Rest));
        Route { segments, slash, permission, level }
    })
}

fn error() -> impl Strategy<Value = u16> {
    prop_oneof![2 => select(REFUSALS.to_vec()), 1 => select(FAULTS.to_vec())]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        28 => Just(Answer::Yes),
        8 => Just(Answer::No),
        3 => error().prop_map(Answer::Error),
        1 => Just(Answer::Panic),
        1 => Just(Answer::Never),
    ]
}

fn answers(one: impl Strategy<Value = Answer>) -> impl Strategy<Value = Answers> {
    uniform::<_, LEAVES>((one, proptest::bool::weighted(0.2)))
}

fn handshake() -> impl Strategy<Value = Handshake> {
    let connect = answers(prop_oneof![1 => answer(), 1 => Just(Answer::NoOpinion)]);
    (connect, answers(answer())).prop_map(|(connect, action)| Handshake { connect, action })
}

fn message() -> impl Strategy<Value = Message> {
    let number = || 0..1000_usize;
    let twist = prop_oneof![
        6 => Just(Twist::Nothing),
        1 => Just(Twist::WithoutSlash),
        1 => Just(Twist::WithSlash),
        1 => Just(Twist::SlashInFront),
        1 => number().prop_map(Twist::OneMore),
        1 => (number(), number()).prop_map(|(at, text)| Twist::Other { at, text }),
        1 => Just(Twist::Query),
    ];
    let outcome = prop_oneof![
        5 => Just(Outcome::Data),
        1 => Just(Outcome::Created),
        1 => Just(Outcome::NoReply),
        2 => error().prop_map(Outcome::Error),
        1 => Just(Outcome::Panic),
        1 => Just(Outcome::Never),
    ];
    let action = prop_oneof![8 => select(ACTIONS.to_vec()), 1 => select(vec!["", "ge", "getx"])];
    (vec(number(), 0..=DEEPEST), uniform6(number()), twist, action, answers(answer()), outcome).prop_map(
        |(turns, fills, twist, action, answers, outcome)| Message { turns, fills, twist, action, answers, outcome },
    )
}
