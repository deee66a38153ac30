//! Matches a whole route against the patterns of a consumer and of all handlers below it, before any permission is
//! evaluated.

use crate::consumer::{HandlerDescriptor, Pattern, Segment};
use crate::context::{Capture, Captures, Step, Steps};

/// The levels of the handler tree that a route passes through, and its captures.
#[derive(Debug, Default)]
pub(crate) struct RouteMatch<'r> {
    pub(crate) steps: Steps,
    pub(crate) captures: Captures<'r>,
    /// The handler at which the route ends, or `None` if no sequence of patterns matches the whole route.
    pub(crate) handler: Option<&'static HandlerDescriptor>,
}

impl<'r> RouteMatch<'r> {
    /// Finds the first sequence of patterns, in the order of declaration, that matches the whole route. If there is none,
    /// finds the deepest partial match, the first of equal depth: its last level refuses the route.
    pub(crate) fn find(&mut self, handler: &'static HandlerDescriptor, route: &'r str) {
        self.handler = self.match_whole(handler, route);
        if self.handler.is_some() {
            self.steps.push(Step::Action);
        } else {
            RouteMatch::default().find_deepest(handler, route, self);
            self.steps.push(Step::NotFound);
        }
    }

    /// Appends the first sequence of patterns that matches the whole route. Appends nothing if there is none.
    fn match_whole(
        &mut self,
        handler: &'static HandlerDescriptor,
        route: &'r str,
    ) -> Option<&'static HandlerDescriptor> {
        if route.is_empty() {
            return Some(handler);
        }
        let (step_count, capture_count) = (self.steps.len(), self.captures.len());
        for mount in handler.routes {
            if let Some(rest) = strip_pattern(&mount.pattern, route, &mut self.captures) {
                self.steps.push(Step::Route(mount.id));
                if let Some(end) = self.match_whole(mount.handler, rest) {
                    return Some(end);
                }
            }
            self.steps.truncate(step_count);
            self.captures.truncate(capture_count);
        }
        None
    }

    /// Tries all sequences of patterns, and stores the first of the deepest partial matches in `deepest`.
    fn find_deepest(&mut self, handler: &'static HandlerDescriptor, route: &'r str, deepest: &mut RouteMatch<'r>) {
        let (step_count, capture_count) = (self.steps.len(), self.captures.len());
        if self.steps.len() > deepest.steps.len() {
            deepest.steps.clone_from(&self.steps);
            deepest.captures.clone_from(&self.captures);
        }
        for mount in handler.routes {
            if let Some(rest) = strip_pattern(&mount.pattern, route, &mut self.captures) {
                self.steps.push(Step::Route(mount.id));
                self.find_deepest(mount.handler, rest, deepest);
            }
            self.steps.truncate(step_count);
            self.captures.truncate(capture_count);
        }
    }
}

/// Strips a pattern from the front of a route, by whole segments. Returns the rest, or `None` if the pattern does not match.
fn strip_pattern<'r>(pattern: &Pattern, route: &'r str, captures: &mut impl Extend<Capture<'r>>) -> Option<&'r str> {
    let mut remaining = Some(route);
    for segment in pattern.segments {
        let text = remaining?;
        let (name, regex) = match segment {
            Segment::Text(literal) => {
                let rest = text.strip_prefix(*literal)?;
                remaining = if rest.is_empty() { None } else { Some(rest.strip_prefix('/')?) };
                continue;
            }
            Segment::Rest(name) => {
                captures.extend([(*name, text)]);
                return (!text.is_empty()).then_some("");
            }
            Segment::Capture(name) => (name, None),
            Segment::Regex(name, regex) => (name, Some(regex)),
        };
        let value;
        (value, remaining) = match text.bytes().position(|byte| byte == b'/') {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        if value.is_empty() || regex.is_some_and(|regex| !regex().is_match(value)) {
            return None;
        }
        captures.extend([(*name, value)]);
    }
    match (pattern.has_trailing_slash, remaining) {
        (true, remaining) => remaining,
        (false, None) => Some(""),
        // The slash between two patterns belongs to neither. A slash at the end of the route matches none.
        (false, Some(remaining)) => (!remaining.is_empty()).then_some(remaining),
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::{Regex, RouteDescriptor};

    const fn pattern(text: &'static str, segments: &'static [Segment], has_trailing_slash: bool) -> Pattern {
        Pattern { text, segments, has_trailing_slash }
    }

    const fn descriptor(name: &'static str, routes: &'static [RouteDescriptor]) -> HandlerDescriptor {
        HandlerDescriptor {
            name,
            permission: None,
            is_inherited: false,
            kept_leaves: 0,
            headers: &[],
            capture_uses: &[],
            actions: &[],
            routes,
        }
    }

    const fn mount(id: u16, pattern: Pattern, handler: &'static HandlerDescriptor) -> RouteDescriptor {
        RouteDescriptor { id, pattern, permission: None, kept_leaves: 0, headers: &[], capture_uses: &[], handler }
    }

    fn number() -> &'static Regex {
        static NUMBER: Regex = Regex::new("[0-9]+|[a-c]");
        &NUMBER
    }

    static MESSAGE: HandlerDescriptor = descriptor("Message", &[]);
    static NEW: HandlerDescriptor = descriptor("New", &[]);
    static FILES: HandlerDescriptor = descriptor("Files", &[]);
    static ROOM: HandlerDescriptor = descriptor(
        "Room",
        &[
            mount(
                0,
                pattern("messages/{message}", &[Segment::Text("messages"), Segment::Capture("message")], false),
                &MESSAGE,
            ),
            mount(1, pattern("files/{*path}", &[Segment::Text("files"), Segment::Rest("path")], false), &FILES),
        ],
    );
    static CHAT: HandlerDescriptor = descriptor(
        "Chat",
        &[
            mount(0, pattern("rooms/new", &[Segment::Text("rooms"), Segment::Text("new")], false), &NEW),
            mount(
                1,
                pattern("rooms/{room:[0-9]+|[a-c]}/", &[Segment::Text("rooms"), Segment::Regex("room", number)], true),
                &ROOM,
            ),
            mount(2, pattern("rooms/{slug}", &[Segment::Text("rooms"), Segment::Capture("slug")], false), &ROOM),
        ],
    );

    fn describe_match(route: &str) -> String {
        let mut matched = RouteMatch::default();
        matched.find(&CHAT, route);
        let steps: Vec<_> = matched
            .steps
            .iter()
            .map(|step| match step {
                Step::Route(id) => id.to_string(),
                Step::NotFound => "lost".into(),
                Step::Action => "here".into(),
            })
            .collect();
        let captures = matched.captures.iter().fold(String::new(), |all, (name, text)| format!("{all} {name}={text}"));
        assert_eq!(matched.handler.is_some(), steps.last().is_some_and(|step| step == "here"));
        format!("{}{captures}", steps.join("."))
    }

    #[test]
    fn find_matches_whole_routes_only() {
        for (route, expected) in [
            ("", "here"),
            ("rooms/new", "0.here"),
            ("rooms/new/", "lost"),
            ("rooms/5/", "1.here room=5"),
            ("rooms/b/", "1.here room=b"),
            ("rooms/5", "2.here slug=5"),
            ("rooms/x", "2.here slug=x"),
            ("rooms/x/", "lost"),
            ("rooms/5x/", "lost"),
            ("rooms/bb/", "lost"),
            ("rooms//", "lost"),
            ("rooms/", "lost"),
            ("/rooms/5/", "lost"),
            ("rooms/5/messages/7", "1.0.here room=5 message=7"),
            ("rooms/5/messages/", "1.lost room=5"),
            ("rooms/5/messages/7/", "1.lost room=5"),
            ("rooms/x/messages/7", "2.0.here slug=x message=7"),
            ("rooms/x/messages/7/8", "2.0.lost slug=x message=7"),
            ("rooms/5/files/a/b/", "1.1.here room=5 path=a/b/"),
            ("rooms/5/files/", "1.lost room=5"),
            ("rooms/new/files/a", "2.1.here slug=new path=a"),
            ("xrooms/5/", "lost"),
            ("rooms/5/\u{e9}", "1.lost room=5"),
        ] {
            assert_eq!(describe_match(route), expected, "{route}");
        }
    }
}
