//! The random cases: a tree of levels with their expressions, the results of the leaves, and the messages.

/// The number of distinct leaves of a case. Few, so that one occurs in an expression more than once.
pub(crate) const LEAVES: usize = 6;
/// The names of actions.
pub(crate) const ACTIONS: [&str; 4] = ["get", "set", "Get", "connect"];
/// The names of captures: one row per depth, one name per segment.
const CAPTURES: [[&str; 2]; 3] = [["a0", "a1"], ["b0", "b1"], ["c0", "c1"]];
/// All names of captures.
pub(crate) const ALL_CAPTURES: &[&str] = &["a0", "a1", "b0", "b1", "c0", "c1"];
/// Texts of one segment: those that patterns match, and others.
const SEGMENTS: [&str; 8] = ["a", "b", "7", "42", "bb", "a7", "\u{e9}", ""];
/// Texts of a tail.
const TAILS: [&str; 4] = ["a", "b/7", "a/", "/b//"];

/// Returns the name of the capture of a segment, `depth` mounts below the consumer.
pub(crate) fn capture(depth: usize, segment: usize) -> &'static str {
    CAPTURES[depth][segment]
}

/// A permission, by number.
pub(crate) type Leaf = u8;

/// A permission expression.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Leaf(Leaf),
    Not(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

/// A consumer or handler.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub(crate) permission: Option<Tree>,
    pub(crate) actions: Vec<Action>,
    pub(crate) routes: Vec<Route>,
}

#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) permission: Option<Tree>,
    pub(crate) blocking: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) segments: Vec<Segment>,
    pub(crate) slash: bool,
    pub(crate) permission: Option<Tree>,
    pub(crate) level: Level,
}

/// A segment of a pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Segment {
    Text(&'static str),
    /// `{name}`
    Any,
    /// `{name:[0-9]+}`
    Digits,
    /// `{name:a|bb}`
    Either,
    /// `{*name}`
    Rest,
}

/// What a leaf does when it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// Only in the handshake.
    NoOpinion,
    Error(u16),
    Panic,
    /// Never returns.
    Never,
}

/// The answers of all leaves. `true`: only after a delay.
pub(crate) type Answers = [(Answer, bool); LEAVES];

/// What an action does when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The data says whether it runs on the connection's own thread.
    Data,
    Created,
    NoReply,
    Error(u16),
    Panic,
    Never,
    /// Blocks its thread until it is released.
    Hold,
}

/// One handshake: the answers of the leaves to the connection, and to the action `connect`.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    pub(crate) connect: Answers,
    pub(crate) action: Answers,
}

/// A change of a route that may have matched.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Twist {
    Nothing,
    WithoutSlash,
    WithSlash,
    SlashInFront,
    OneMore(usize),
    Other { at: usize, text: usize },
    Query,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Which route to go into at each level.
    pub(crate) turns: Vec<usize>,
    /// The texts of the captures.
    pub(crate) fills: [usize; 6],
    pub(crate) twist: Twist,
    pub(crate) action: &'static str,
    pub(crate) answers: Answers,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) root: Level,
    /// `connect = ".."`
    pub(crate) strict: Option<Tree>,
    pub(crate) logged_in: bool,
    pub(crate) handshakes: Vec<Handshake>,
    pub(crate) messages: Vec<Message>,
}

impl Message {
    /// The route that the message is sent with, its query included.
    pub(crate) fn route(&self, root: &Level) -> String {
        let mut level = root;
        let mut route = String::new();
        let mut fills = self.fills.iter();
        for turn in &self.turns {
            let Some(mount) = (!level.routes.is_empty()).then(|| &level.routes[turn % level.routes.len()]) else {
                break;
            };
            for segment in &mount.segments {
                push(&mut route, segment.text(*fills.next().unwrap_or(&0)));
            }
            if mount.slash {
                route.push('/');
            }
            level = &mount.level;
        }
        self.twist.applied(route)
    }
}

impl Segment {
    fn text(self, fill: usize) -> &'static str {
        match self {
            Segment::Text(text) => text,
            Segment::Any => SEGMENTS[fill % 6],
            // Mostly what the expression matches, and sometimes a near miss.
            Segment::Digits => ["7", "42", "7", "42", "0", "7a", "\u{667}"][fill % 7],
            Segment::Either => ["a", "bb", "a", "bb", "a", "abb", "b"][fill % 7],
            Segment::Rest => TAILS[fill % TAILS.len()],
        }
    }
}

impl Twist {
    fn applied(self, mut route: String) -> String {
        match self {
            Twist::Nothing => {}
            Twist::WithoutSlash => route.truncate(route.trim_end_matches('/').len()),
            Twist::WithSlash => route.push('/'),
            Twist::SlashInFront => route.insert(0, '/'),
            Twist::OneMore(text) => push(&mut route, SEGMENTS[text % SEGMENTS.len()]),
            Twist::Other { at, text } => {
                let mut pieces: Vec<&str> = route.split('/').collect();
                let at = at % pieces.len();
                pieces[at] = SEGMENTS[text % SEGMENTS.len()];
                route = pieces.join("/");
            }
            Twist::Query => route.push_str("?page=4"),
        }
        route
    }
}

fn push(route: &mut String, segment: &str) {
    if !route.is_empty() && !route.ends_with('/') {
        route.push('/');
    }
    route.push_str(segment);
}
