//! The oracle: what must come of a message, written from the design with no regard to how the runtime does it.
//!
//! The rules, in our own words:
//!
//! 1. *A leaf* says yes, no, or (only at the door) nothing. Whatever else it does ends everything at once, no matter
//!    which operators stand around it: an error with its own status where that is 400 to 499, and with 500 where it is
//!    another, a panic and a check that never ends with 500.
//! 2. *An expression* is read from left to right. `&` stops at the first no, `|` at the first yes. A leaf that has been
//!    asked in this expression is not asked again; in another expression it is. `!` of nothing is nothing; `&` without a
//!    no, but with a nothing, is nothing; `|` without a yes, but with a nothing, is nothing.
//! 3. *A route* is looked up before anything is asked. Patterns take whole segments; a plain capture takes any segment
//!    that is not empty, a tail takes everything up to the end but not nothing. A pattern with a slash at its end needs
//!    that slash in the route; behind one without, there is either nothing more, or a slash with something behind it.
//!    What is left is for the routes of the handler behind the pattern. Ways are tried in the order written, each to
//!    its end before the next; the first that takes the whole route is the message's. Where none does, the message goes
//!    to the deepest handler that any way reaches, the first of equally deep ones.
//! 4. *A message* passes the expressions on its way from the outside inwards: the consumer's, then for each mount first
//!    the mount's and then its handler's. The first that does not hold ends it: 403. Past the last one a route that is
//!    not taken whole is 404, else an action that the handler has not is 405, else the action's own expression is asked,
//!    and then the action runs.
//! 5. *At the door* the consumer's own expression is asked, by the leaves' word on connecting; only a no refuses (403).
//!    Then the strict expression, which only a yes passes; there a leaf with nothing to say on connecting is asked
//!    about an action called `connect` instead, without a route.

use std::collections::BTreeMap;

use crate::case::{Action, Answer, Answers, Case, Door, Leaf, Level, Message, Outcome, Route, Segment, Tree, capture};
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
type Said = Result<Option<bool>, End>;

const DENIED: End = (403, "permission_denied");

fn failed(status: u16) -> End {
    if (400..=499).contains(&status) { (status, "scripted") } else { (500, "internal_error") }
}

fn said(leaf: Leaf, answers: &Answers) -> Said {
    match answers[usize::from(leaf)].0 {
        Answer::Yes => Ok(Some(true)),
        Answer::No => Ok(Some(false)),
        Answer::NoOpinion => Ok(None),
        Answer::Error(status) => Err(failed(status)),
        Answer::Panic | Answer::Never => Err(failed(500)),
    }
}

/// Rule 2. `ask` is called for each leaf that is evaluated.
fn weigh(tree: &Tree, known: &mut BTreeMap<Leaf, Option<bool>>, ask: &mut dyn FnMut(Leaf) -> Said) -> Said {
    let (parts, settles) = match tree {
        Tree::Leaf(leaf) => {
            if !known.contains_key(leaf) {
                known.insert(*leaf, ask(*leaf)?);
            }
            return Ok(known[leaf]);
        }
        Tree::Not(inner) => {
            return Ok(match weigh(inner, known, ask)? {
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
        match weigh(part, known, ask)? {
            Some(answer) if answer == settles => return Ok(Some(settles)),
            Some(_) => {}
            None => nothing = true,
        }
    }
    Ok(if nothing { None } else { Some(!settles) })
}

/// A way through the routes: how far it goes, what it captures, and whether that is the whole route.
#[derive(Debug, Clone)]
struct Found {
    way: Way,
    captures: BTreeMap<String, String>,
    whole: bool,
}

/// Rule 3: all ways, whole or not, in the order in which they are tried.
fn ways(level: &Level, left: &[&str], so_far: &Found, all: &mut Vec<Found>) {
    all.push(Found { whole: left.is_empty(), ..so_far.clone() });
    if left.is_empty() {
        return;
    }
    for (at, route) in level.routes.iter().enumerate() {
        let mut next = so_far.clone();
        if let Some(rest) = taken(route, left, so_far.way.len(), &mut next.captures) {
            next.way.push(at);
            ways(&route.level, &rest, &next, all);
        }
    }
}

/// What a pattern leaves of the pieces between a route's slashes. Nothing is left of a route that ends here.
fn taken<'r>(
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

fn found(root: &Level, route: &str) -> Found {
    let pieces: Vec<&str> = if route.is_empty() { Vec::new() } else { route.split('/').collect() };
    let mut all = Vec::new();
    ways(root, &pieces, &Found { way: Way::new(), captures: BTreeMap::new(), whole: false }, &mut all);
    if let Some(whole) = all.iter().find(|found| found.whole) {
        return whole.clone();
    }
    let deepest = all.iter().map(|found| found.way.len()).max().unwrap();
    all.into_iter().find(|found| found.way.len() == deepest).unwrap()
}

/// The traversal of a message: rule 4.
struct Passing<'c> {
    answers: &'c Answers,
    seen: Seen,
    events: Vec<Event>,
}

impl Passing<'_> {
    fn pass(&mut self, place: &Place, tree: Option<&Tree>) -> Result<(), End> {
        let Some(tree) = tree else { return Ok(()) };
        let Passing { answers, seen, events } = self;
        let mut ask = |leaf| {
            events.push(Event::Asked(place.clone(), leaf, seen.clone()));
            said(leaf, answers)
        };
        match weigh(tree, &mut BTreeMap::new(), &mut ask)? {
            Some(true) => Ok(()),
            Some(false) | None => Err(DENIED),
        }
    }

    fn message(&mut self, root: &Level, message: &Message, found: &Found) -> Result<(u16, &'static str), End> {
        let mut level = root;
        self.pass(&Place::Handler(Way::new()), level.permission.as_ref())?;
        for (depth, at) in found.way.iter().enumerate() {
            let way = found.way[..=depth].to_vec();
            let route = &level.routes[*at];
            self.pass(&Place::Mount(way.clone()), route.permission.as_ref())?;
            level = &route.level;
            self.pass(&Place::Handler(way), level.permission.as_ref())?;
        }
        if !found.whole {
            return Err((404, "not_found"));
        }
        let at =
            level.actions.iter().position(|action| action.name == message.action).ok_or((405, "unknown_action"))?;
        let Action { permission, .. } = &level.actions[at];
        self.pass(&Place::Action(found.way.clone(), at), permission.as_ref())?;
        self.events.push(Event::Ran(found.way.clone(), at, self.seen.clone()));
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
    let found = found(&case.root, route);
    let captures = found.captures.clone();
    let seen = Seen { logged_in: case.logged_in, action: message.action.into(), route: route.into(), captures };
    let mut passing = Passing { answers: &message.answers, seen, events: Vec::new() };
    let (status, code) = passing.message(&case.root, message, &found).unwrap_or_else(|end| end);
    Verdict { status, code, events: passing.events }
}

/// Returns the expected outcome of a handshake: rule 5.
pub(crate) fn door(case: &Case, door: &Door) -> Verdict {
    let mut events = Vec::new();
    let (status, code) = opened(case, door, &mut events).map_or_else(|end| end, |()| (101, ""));
    Verdict { status, code, events }
}

fn opened(case: &Case, door: &Door, events: &mut Vec<Event>) -> Result<(), End> {
    if let Some(tree) = &case.root.permission {
        let mut ask = |leaf| {
            events.push(Event::AskedAtDoor(Place::Handler(Way::new()), leaf));
            said(leaf, &door.connect)
        };
        if weigh(tree, &mut BTreeMap::new(), &mut ask)? == Some(false) {
            return Err(DENIED);
        }
    }
    if let Some(tree) = &case.strict {
        let seen = Seen { logged_in: case.logged_in, action: "connect".to_owned(), ..Seen::default() };
        let mut ask = |leaf| {
            events.push(Event::AskedAtDoor(Place::Strict, leaf));
            if let Some(told) = said(leaf, &door.connect)? {
                return Ok(Some(told));
            }
            events.push(Event::Asked(Place::Strict, leaf, seen.clone()));
            said(leaf, &door.action)
        };
        if weigh(tree, &mut BTreeMap::new(), &mut ask)? != Some(true) {
            return Err(DENIED);
        }
    }
    Ok(())
}
