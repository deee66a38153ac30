//! The fuzz target of routing: in any tree of handlers, any route ends where a plain matcher ends, which tries one regular
//! expression per path of the tree. The header of `transport/websocket/fuzz.rs` says how to run it for longer.

use std::cell::RefCell;
use std::collections::HashMap;

use super::*;
use crate::consumer::{Regex, RouteDescriptor};
use crate::fuzz_outcomes::Outcomes;

/// Whether random inputs reach what the target compares.
static OUTCOMES: Outcomes = Outcomes::new();

/// Trees that are kept, because descriptors live for ever.
const MAX_TREES: u16 = 256;
const MAX_DEPTH: u8 = 3;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// What routes and patterns consist of: texts that occur in others, that regular expressions match, and other ones.
const TEXTS: [&str; 8] = ["rooms", "room", "new", "5", "55", "é", "x.y", "%2F"];
const REGEXES: [fn() -> &'static Regex; 3] = [digits, letters_or_empty, short];

fn digits() -> &'static Regex {
    static DIGITS: Regex = Regex::new("[0-9]+|[a-c]");
    &DIGITS
}

fn letters_or_empty() -> &'static Regex {
    static LETTERS: Regex = Regex::new("[a-z]*");
    &LETTERS
}

fn short() -> &'static Regex {
    static SHORT: Regex = Regex::new("[^x].?");
    &SHORT
}

/// The same expressions for the plain matcher, which never match a slash.
const PLAIN_REGEXES: [&str; 3] = ["[0-9]+|[a-c]", "[a-z]+", "[^x/][^/\n]?"];

/// A sequence of mounts from the root to a handler.
struct Path {
    ids: Vec<u16>,
    names: Vec<&'static str>,
    handler: &'static str,
    /// The patterns of the mounts.
    patterns: Vec<Pattern>,
    /// Matches a route that ends at the handler.
    whole: regex::Regex,
    /// Matches a route of which the mounts match the front.
    front: regex::Regex,
}

/// A tree of handlers, and its paths in the order in which they are tried.
struct Tree {
    root: &'static HandlerDescriptor,
    paths: Vec<Path>,
}

/// Pseudo-random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Returns a pattern, the text of a regular expression for it, and whether it matches the rest of the route.
    fn pattern(&mut self) -> (Pattern, String, bool) {
        let (mut segments, mut plain) = (Vec::new(), Vec::new());
        let count = 1 + self.below(3);
        for position in 0..count {
            let name = self.one_of(&NAMES);
            match self.below(if position + 1 == count { 8 } else { 7 }) {
                0..3 => {
                    let text = self.one_of(&TEXTS);
                    segments.push(Segment::Text(text));
                    plain.push(regex::escape(text));
                }
                3..5 => {
                    segments.push(Segment::Capture(name));
                    plain.push("([^/]+)".to_owned());
                }
                5..7 => {
                    let regex = self.below(REGEXES.len());
                    segments.push(Segment::Regex(name, REGEXES[regex]));
                    plain.push(format!("((?:{}))", PLAIN_REGEXES[regex]));
                }
                _ => {
                    segments.push(Segment::Rest(name));
                    plain.push("((?s:.+))".to_owned());
                }
            }
        }
        let is_rest = matches!(segments.last(), Some(Segment::Rest(_)));
        let has_trailing_slash = !is_rest && self.below(3) == 0;
        (Pattern { text: "", segments: segments.leak(), has_trailing_slash }, plain.join("/"), is_rest)
    }

    /// Returns a handler, and adds it and all handlers below it to the paths.
    fn handler(&mut self, prefix: &Prefix, depth: u8, paths: &mut Vec<Path>) -> &'static HandlerDescriptor {
        let name: &'static str = format!("H{}", paths.len()).leak();
        paths.push(prefix.path(name));
        let mut routes = Vec::new();
        let count = if depth == 0 || prefix.is_rest { 0 } else { self.below(4) };
        for id in 0..u16::try_from(count).unwrap() {
            let (pattern, plain, is_rest) = self.pattern();
            let handler = self.handler(&prefix.then(id, &pattern, &plain, is_rest), depth - 1, paths);
            routes.push(RouteDescriptor {
                id,
                pattern,
                permission: None,
                kept_leaves: 0,
                headers: &[],
                capture_uses: &[],
                handler,
            });
        }
        Box::leak(Box::new(HandlerDescriptor {
            name,
            permission: None,
            is_inherited: false,
            kept_leaves: 0,
            headers: &[],
            capture_uses: &[],
            actions: &[],
            routes: routes.leak(),
        }))
    }
}

/// The mounts above a handler.
#[derive(Default)]
struct Prefix {
    ids: Vec<u16>,
    names: Vec<&'static str>,
    patterns: Vec<Pattern>,
    plain: String,
    has_trailing_slash: bool,
    is_rest: bool,
}

impl Prefix {
    fn then(&self, id: u16, pattern: &Pattern, plain: &str, is_rest: bool) -> Prefix {
        let separator = if self.ids.is_empty() || self.has_trailing_slash { "" } else { "/" };
        let slash = if pattern.has_trailing_slash { "/" } else { "" };
        Prefix {
            ids: self.ids.iter().copied().chain([id]).collect(),
            names: self.names.iter().copied().chain(pattern.segments.iter().filter_map(Segment::capture)).collect(),
            patterns: self.patterns.iter().copied().chain([*pattern]).collect(),
            plain: format!("{}{separator}{plain}{slash}", self.plain),
            has_trailing_slash: pattern.has_trailing_slash,
            is_rest,
        }
    }

    fn path(&self, handler: &'static str) -> Path {
        let compiled = |end: &str| regex::Regex::new(&format!("^{}{end}", self.plain)).unwrap();
        // After a pattern without a trailing slash, the route ends, or goes on with a slash and more.
        let end = if self.has_trailing_slash || self.ids.is_empty() { "" } else { "(?:$|/(?s:.))" };
        let (ids, names, patterns) = (self.ids.clone(), self.names.clone(), self.patterns.clone());
        Path { ids, names, handler, patterns, whole: compiled("$"), front: compiled(end) }
    }
}

impl Path {
    /// Returns the handler, the mounts and the captures of a match.
    fn outcome(&self, matched: &regex::Captures<'_>) -> (Vec<u16>, Vec<(&'static str, String)>) {
        let texts = matched.iter().skip(1).map(|text| text.unwrap().as_str().to_owned());
        (self.ids.clone(), self.names.iter().copied().zip(texts).collect())
    }
}

fn tree(seed: u16) -> &'static Tree {
    thread_local! {
        static TREES: RefCell<HashMap<u16, &'static Tree>> = RefCell::default();
    }
    let seed = seed % MAX_TREES;
    TREES.with_borrow_mut(|trees| {
        *trees.entry(seed).or_insert_with(|| {
            let mut paths = Vec::new();
            let root = Random(seed.into()).handler(&Prefix::default(), MAX_DEPTH, &mut paths);
            Box::leak(Box::new(Tree { root, paths }))
        })
    })
}

/// Returns a route that most captures of a path match.
fn route_of(path: &Path, mut input: impl Iterator<Item = u8>) -> String {
    let mut route = String::new();
    for pattern in &path.patterns {
        if !route.is_empty() && !route.ends_with('/') {
            route.push('/');
        }
        for (position, segment) in pattern.segments.iter().enumerate() {
            route.push_str(if position > 0 { "/" } else { "" });
            let byte = input.next().unwrap_or_default();
            let any = TEXTS[usize::from(byte % 8)];
            route.push_str(match segment {
                Segment::Text(text) => text,
                // Two of these match each of the regular expressions.
                Segment::Regex(..) if byte < 192 => ["5", "a", "b", "c"][usize::from(byte % 4)],
                Segment::Regex(..) | Segment::Capture(_) | Segment::Rest(_) => any,
            });
        }
        route.push_str(if pattern.has_trailing_slash { "/" } else { "" });
    }
    route
}

fn check(input: &[u8]) {
    let [high, low, kind, input @ ..] = input else { return };
    let tree = tree(u16::from_be_bytes([*high, *low]));
    let mut input = input.iter().copied();
    // Most routes are those of a path, of which some go on.
    let mut route = match kind {
        0..64 => String::new(),
        _ => route_of(&tree.paths[usize::from(*kind) % tree.paths.len()], input.by_ref()),
    };
    for byte in input.take(if *kind < 128 { 64 } else { 0 }) {
        match byte {
            0..64 => route.push('/'),
            64..128 => route.push(byte.into()),
            _ => route.push_str(TEXTS[usize::from(byte % 8)]),
        }
    }
    let mut matched = RouteMatch::default();
    matched.find(tree.root, &route);

    let whole = tree.paths.iter().find_map(|path| Some((path, path.whole.captures(&route)?)));
    let (path, captures) = whole.unwrap_or_else(|| {
        let fronts = tree.paths.iter().filter_map(|path| Some((path, path.front.captures(&route)?)));
        // The first of the longest ones: `max_by_key` returns the last.
        fronts.rev().max_by_key(|(path, _)| path.ids.len()).unwrap()
    });
    let is_whole = path.whole.is_match(&route);
    OUTCOMES.record(match (is_whole, path.ids.len()) {
        (true, 0) => "root",
        (true, 1) => "handler",
        (true, _) => "nested handler",
        (false, 0) => "nothing",
        (false, _) => "front of a route",
    });
    let steps = matched.steps.iter().filter_map(|step| if let Step::Route(id) = step { Some(*id) } else { None });
    let found_texts = matched.captures.iter().map(|(name, text)| (*name, (*text).to_owned()));
    let found = (steps.collect(), found_texts.collect());
    assert_eq!(found, path.outcome(&captures), "{route:?}");
    assert_eq!(matched.handler.map(|handler| handler.name), is_whole.then_some(path.handler), "{route:?}");
    assert!(matches!((matched.steps.last(), is_whole), (Some(Step::Action), true) | (Some(Step::NotFound), false)));
}

#[test]
fn any_route_in_any_tree_ends_where_a_plain_matcher_ends() {
    bolero::check!().with_iterations(20_000).for_each(check);
    OUTCOMES.assert_shares(
        file!(),
        &[("root", 10), ("handler", 80), ("nested handler", 80), ("front of a route", 60), ("nothing", 100)],
    );
}
