//! The reference model: the expected outcome of a message, written from the design and independent of the runtime.
//!
//! The rules:
//!
//! 1. *A leaf* returns yes, no, or (only in the handshake) no opinion. Any other result ends the evaluation at once,
//!    whatever operators surround the leaf: an error with its own status if that is 400 to 499, otherwise with 500, and a
//!    panic or a leaf that never returns with 500.
//! 2. *An expression* is evaluated from left to right. `&` stops at the first no, `|` at the first yes. A leaf is evaluated
//!    once per expression. `!` of no opinion is no opinion; `&` without a no but with a no opinion is no opinion; `|`
//!    without a yes but with a no opinion is no opinion.
//! 3. *A route* is matched before anything is evaluated. Patterns match entire segments; a plain capture matches any
//!    segment that is not empty, a tail matches a non-empty rest of the route. A pattern with a trailing slash requires
//!    that slash; after a pattern without one, the route ends or continues with a slash and further text. The rest is
//!    matched by the routes of the mounted handler. Routes are tried in the order written, depth first; the first complete
//!    match wins. Without a complete match, the message goes to the deepest handler reached, the first of equally deep
//!    ones.
//! 4. *A message* passes the expressions from the outside inwards: that of the consumer, then per mount that of the mount
//!    and that of its handler. The first that is not yes ends it with 403. After the last one, a route that is not matched
//!    completely is 404, an unknown action is 405, and otherwise the expression of the action is evaluated and the action
//!    runs.
//! 5. *In the handshake* the expression of the consumer is evaluated with the connect results of its leaves; only no
//!    rejects it (403). Then the strict expression is evaluated, which must be yes; there a leaf without an opinion is
//!    evaluated for an action called `connect`, without a route. A 403 becomes a 401 if the client is anonymous.

use std::collections::BTreeMap;

use crate::case::{
    Action, Answer, Answers, Case, Handshake, Leaf, Level, Message, Outcome, Route, Segment, Tree, capture,
};
use crate::trace::{Event, Place, Seen, Way};

/// The expected outcome of a message or a handshake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// 0: no reply. 101: the connection is accepted.
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) events: Vec<Event>,
}

/// Status and code of a message that ends early.
type End = (u16, &'static str);
/// The result of a leaf or an expression: rule 1.
type LeafResult = Result<Option<bool>, End>;

const DENIED: End = (403, "permission_denied");

fn failed(status: u16) -> End {
    if (400..=499).contains(&status) { (status, "scripted") } else { (500, "internal_error") }
}

fn leaf_result(leaf: Leaf, answers: &Answers) -> LeafResult {
    match answers[usize::from(leaf)].0 {
        Answer::Yes => Ok(Some(true)),
        Answer::No => Ok(Some(false)),
        Answer::NoOpinion => Ok(None),
        Answer::Error(status) => Err(failed(status)),
        Answer::Panic | Answer::Never => Err(failed(500)),
    }
}

/// Rule 2. `ask` is called for each leaf that is evaluated.
fn evaluate(
    tree: &Tree,
    known: &mut BTreeMap<Leaf, Option<bool>>,
    ask: &mut dyn FnMut(Leaf) -> LeafResult,
) -> LeafResult {
    let (parts, deciding) = match tree {
        Tree::Leaf(leaf) => {
            if !known.contains_key(leaf) {
                known.insert(*leaf, ask(*leaf)?);
            }
            return Ok(known[leaf]);
        }
        Tree::Not(inner) => {
            return Ok(match evaluate(inner, known, ask)? {
                Some(true) => Some(false),
                Some(false) => Some(true),
                None => None,
            });
        }
        Tree::All(parts) => (parts, false),
        Tree::Any(parts) => (parts, true),
    };
    let mut nothing = false;
    for part in parts {
        match evaluate(part, known, ask)? {
            Some(answer) if answer == deciding => return Ok(Some(deciding)),
            Some(_) => {}
            None => nothing = true,
        }
    }
    Ok(if nothing { None } else { Some(!deciding) })
}

/// A match of a route: its path, its captures, and whether it is complete.
#[derive(Debug, Clone)]
struct RouteMatch {
    way: Way,
    captures: BTreeMap<String, String>,
    whole: bool,
}

/// Rule 3: all matches, complete or not, in the order in which they are tried.
fn collect_matches(level: &Level, left: &[&str], so_far: &RouteMatch, all: &mut Vec<RouteMatch>) {
    all.push(RouteMatch { whole: left.is_empty(), ..so_far.clone() });
    if left.is_empty() {
        return;
    }
    for (at, route) in level.routes.iter().enumerate() {
        let mut next = so_far.clone();
        if let Some(rest) = match_pattern(route, left, so_far.way.len(), &mut next.captures) {
            next.way.push(at);
            collect_matches(&route.level, &rest, &next, all);
        }
    }
}

/// Matches a pattern and returns the remaining pieces between the route's slashes, which are empty if the route ends here.
fn match_pattern<'r>(
    route: &Route,
    pieces: &[&'r str],
    depth: usize,
    captures: &mut BTreeMap<String, String>,
) -> Option<Vec<&'r str>> {
    for (at, segment) in route.segments.iter().enumerate() {
        let text = *pieces.get(at)?;
        let name = capture(depth, at).to_owned();
        let fits = match segment {
            Segment::Text(wanted) => text == *wanted,
            Segment::Any => !text.is_empty(),
            Segment::Digits => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
            Segment::Either => text == "a" || text == "bb",
            Segment::Rest => {
                let tail = pieces[at..].join("/");
                return (!tail.is_empty() && captures.insert(name, tail).is_none()).then(Vec::new);
            }
        };
        if !fits {
            return None;
        }
        if !matches!(segment, Segment::Text(_)) {
            captures.insert(name, text.to_owned());
        }
    }
    let rest = pieces[route.segments.len()..].to_vec();
    match (route.slash, rest.as_slice()) {
        // The route ends with the last segment, or with the slash behind it.
        (true, []) | (false, [""]) => None,
        (true, [""]) => Some(Vec::new()),
        (_, _) => Some(rest),
    }
}

fn find_match(root: &Level, route: &str) -> RouteMatch {
    let pieces: Vec<&str> = if route.is_empty() { Vec::new() } else { route.split('/').collect() };
    let mut all = Vec::new();
    collect_matches(root, &pieces, &RouteMatch { way: Way::new(), captures: BTreeMap::new(), whole: false }, &mut all);
    if let Some(whole) = all.iter().find(|find_match| find_match.whole) {
        return whole.clone();
    }
    let deepest = all.iter().map(|find_match| find_match.way.len()).max().unwrap();
    all.into_iter().find(|find_match| find_match.way.len() == deepest).unwrap()
}

/// The traversal of a message: rule 4.
struct MessageTraversal<'c> {
    answers: &'c Answers,
    seen: Seen,
    events: Vec<Event>,
}

impl MessageTraversal<'_> {
    fn pass(&mut self, place: &Place, tree: Option<&Tree>) -> Result<(), End> {
        let Some(tree) = tree else { return Ok(()) };
        let MessageTraversal { answers, seen, events } = self;
        let mut ask = |leaf| {
            events.push(Event::Evaluated(place.clone(), leaf, seen.clone()));
            leaf_result(leaf, answers)
        };
        match evaluate(tree, &mut BTreeMap::new(), &mut ask)? {
            Some(true) => Ok(()),
            Some(false) | None => Err(DENIED),
        }
    }

    fn message(
        &mut self,
        root: &Level,
        message: &Message,
        find_match: &RouteMatch,
    ) -> Result<(u16, &'static str), End> {
        let mut level = root;
        self.pass(&Place::Handler(Way::new()), level.permission.as_ref())?;
        for (depth, at) in find_match.way.iter().enumerate() {
            let way = find_match.way[..=depth].to_vec();
            let route = &level.routes[*at];
            self.pass(&Place::Mount(way.clone()), route.permission.as_ref())?;
            level = &route.level;
            self.pass(&Place::Handler(way), level.permission.as_ref())?;
        }
        if !find_match.whole {
            return Err((404, "not_found"));
        }
        let at =
            level.actions.iter().position(|action| action.name == message.action).ok_or((405, "unknown_action"))?;
        let Action { permission, .. } = &level.actions[at];
        self.pass(&Place::Action(find_match.way.clone(), at), permission.as_ref())?;
        self.events.push(Event::Ran(find_match.way.clone(), at, self.seen.clone()));
        match message.outcome {
            Outcome::Data => Ok((200, "")),
            Outcome::Created => Ok((201, "")),
            Outcome::NoReply => Ok((0, "")),
            Outcome::Error(status) => Err(failed(status)),
            Outcome::Panic => Err(failed(500)),
            Outcome::Never | Outcome::Hold => Err((408, "timeout")),
        }
    }
}

/// Returns the expected outcome of a message.
pub(crate) fn message(case: &Case, message: &Message) -> Verdict {
    let route = message.route(&case.root);
    let route = route.split('?').next().unwrap_or_default();
    let find_match = find_match(&case.root, route);
    let captures = find_match.captures.clone();
    let seen = Seen { logged_in: case.logged_in, action: message.action.into(), route: route.into(), captures };
    let mut traversal = MessageTraversal { answers: &message.answers, seen, events: Vec::new() };
    let (status, code) = traversal.message(&case.root, message, &find_match).unwrap_or_else(|end| end);
    Verdict { status, code, events: traversal.events }
}

/// Returns the expected outcome of a handshake: rule 5.
pub(crate) fn handshake(case: &Case, handshake: &Handshake) -> Verdict {
    let mut events = Vec::new();
    let (status, code) = handshake_outcome(case, handshake, &mut events).map_or_else(|end| end, |()| (101, ""));
    let status = if status == 403 && !case.logged_in { 401 } else { status };
    Verdict { status, code, events }
}

fn handshake_outcome(case: &Case, handshake: &Handshake, events: &mut Vec<Event>) -> Result<(), End> {
    if let Some(tree) = &case.root.permission {
        let mut ask = |leaf| {
            events.push(Event::EvaluatedAtConnect(Place::Handler(Way::new()), leaf));
            leaf_result(leaf, &handshake.connect)
        };
        if evaluate(tree, &mut BTreeMap::new(), &mut ask)? == Some(false) {
            return Err(DENIED);
        }
    }
    if let Some(tree) = &case.strict {
        let seen = Seen { logged_in: case.logged_in, action: "connect".to_owned(), ..Seen::default() };
        let mut ask = |leaf| {
            events.push(Event::EvaluatedAtConnect(Place::Strict, leaf));
            if let Some(result) = leaf_result(leaf, &handshake.connect)? {
                return Ok(Some(result));
            }
            events.push(Event::Evaluated(Place::Strict, leaf, seen.clone()));
            leaf_result(leaf, &handshake.action)
        };
        if evaluate(tree, &mut BTreeMap::new(), &mut ask)? != Some(true) {
            return Err(DENIED);
        }
    }
    Ok(())
}
