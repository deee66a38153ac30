//! Checks at compile time of one handler by itself, over the rows that serve requests: what the attributes were read as,
//! and what `cfg` left of it, cannot get past these.

use super::message::{PanicMessage, same};
use crate::consumer::descriptor::{HandlerDescriptor, Pattern, Segment};

/// Checks that no action is open by silence, and that all names and patterns are there once.
#[track_caller]
pub const fn check_descriptor(node: &'static HandlerDescriptor) {
    let guarded = node.permission.is_some() || node.is_inherited;
    let mut at = 0;
    while at < node.actions.len() {
        let action = &node.actions[at];
        if !guarded && action.permission.is_none() {
            let text = PanicMessage::new().and("action `").and(action.name).and("` of handler `").and(node.name);
            text.and(
                "` has no permission; give one to the action or to its block, `AllowAny` if everybody may call it",
            )
            .panic();
        }
        let mut earlier = 0;
        while earlier < at {
            if same(node.actions[earlier].name, action.name) {
                let text = PanicMessage::new().and("two actions of handler `").and(node.name).and("` are called `");
                text.and(action.name).and("`; give one of them `name = \"..\"`").panic();
            }
            earlier += 1;
        }
        at += 1;
    }
    routes_once(node);
}

/// Checks that no action is called as a built-in one is that the consumer has.
#[track_caller]
pub(in crate::consumer) const fn check_built_in(node: &'static HandlerDescriptor, name: &str) {
    let mut at = 0;
    while at < node.actions.len() {
        if same(node.actions[at].name, name) {
            let text = PanicMessage::new().and("an action of consumer `").and(node.name).and("` is called `").and(name);
            text.and("`, which is what its `#[authenticate]` is called by; give it another name").panic();
        }
        at += 1;
    }
}

#[track_caller]
const fn routes_once(node: &'static HandlerDescriptor) {
    let mut at = 0;
    while at < node.routes.len() {
        let pattern = &node.routes[at].pattern;
        let mut earlier = 0;
        while earlier < at {
            let other = &node.routes[earlier].pattern;
            if one_shape(pattern, other) {
                let text = PanicMessage::new().and("two routes of handler `").and(node.name).and("` match the same: `");
                text.and(other.text).and("` and `").and(pattern.text).and("`; change one of them").panic();
            }
            earlier += 1;
        }
        at += 1;
    }
}

/// Do both match the same, whatever their captures are called?
const fn one_shape(one: &Pattern, other: &Pattern) -> bool {
    if one.has_trailing_slash != other.has_trailing_slash || one.segments.len() != other.segments.len() {
        return false;
    }
    let mut at = 0;
    while at < one.segments.len() {
        let alike = match (&one.segments[at], &other.segments[at]) {
            (Segment::Text(one), Segment::Text(other)) => same(one, other),
            (Segment::Capture(_), Segment::Capture(_)) | (Segment::Rest(_), Segment::Rest(_)) => true,
            (Segment::Regex(..), Segment::Regex(..)) => same(regex(one, at), regex(other, at)),
            _ => false,
        };
        if !alike {
            return false;
        }
        at += 1;
    }
    true
}

/// The text of the regular expression in that segment: from its first `:` to the end, with the brace. It holds no slash.
const fn regex(pattern: &Pattern, segment: usize) -> &'static str {
    let mut left = pattern.text;
    let mut slashes = 0;
    let mut start = None;
    let mut at = 0;
    while at < left.len() {
        let byte = left.as_bytes()[at];
        if byte == b'/' {
            if slashes == segment {
                break;
            }
            slashes += 1;
        } else if byte == b':' && slashes == segment && start.is_none() {
            start = Some(at);
        }
        at += 1;
    }
    left = left.split_at(at).0;
    match start {
        Some(start) => left.split_at(start).1,
        None => left,
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::consumer::{ActionDescriptor, Regex, RouteDescriptor};
    use crate::permission::{Expr, Expression};

    const ASKS: Option<&Expression> =
        Some(&Expression { tree: Expr::Leaf(0), leaves: &["Asks"], has_codenames: false });
    const PING: ActionDescriptor = ActionDescriptor {
        name: "ping",
        permission: ASKS,
        is_blocking: false,
        is_detached: false,
        capture_uses: &[],
        message_keys: &[],
    };
    const PONG: ActionDescriptor = ActionDescriptor { name: "pong", ..PING };
    const OPEN: ActionDescriptor = ActionDescriptor { permission: None, ..PING };
    const CHAT: HandlerDescriptor = HandlerDescriptor {
        name: "Chat",
        permission: None,
        is_inherited: false,
        capture_uses: &[],
        actions: &[],
        routes: &[],
    };

    fn checked(node: HandlerDescriptor) -> Result<(), String> {
        let node: &'static HandlerDescriptor = Box::leak(Box::new(node));
        catch_unwind(|| check_descriptor(node)).map_err(|panic| *panic.downcast::<String>().unwrap())
    }

    fn routes(patterns: &[&'static str]) -> Result<(), String> {
        let route = |text: &&'static str| RouteDescriptor {
            id: 0,
            pattern: Pattern {
                text,
                segments: text.split_terminator('/').map(segment).collect::<Vec<_>>().leak(),
                has_trailing_slash: text.ends_with('/'),
            },
            permission: None,
            capture_uses: &[],
            handler: &CHAT,
        };
        checked(HandlerDescriptor { routes: patterns.iter().map(route).collect::<Vec<_>>().leak(), ..CHAT })
    }

    fn segment(part: &'static str) -> Segment {
        static REGEX: Regex = Regex::new("");
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(inner) if inner.contains(':') => Segment::Regex(inner, || &REGEX),
            Some(inner) if inner.starts_with('*') => Segment::Rest(inner),
            Some(inner) => Segment::Capture(inner),
            None => Segment::Text(part),
        }
    }

    #[test]
    fn nothing_is_open_by_silence() {
        let open = HandlerDescriptor { actions: &[PING, ActionDescriptor { name: "open", ..OPEN }], ..CHAT };
        let wanted = "action `open` of handler `Chat` has no permission; give one to the action or to its block, `AllowAny` if everybody may call it";
        assert_eq!(checked(open), Err(wanted.to_owned()));
        assert_eq!(checked(HandlerDescriptor { permission: ASKS, ..open }), Ok(()));
        assert_eq!(checked(HandlerDescriptor { is_inherited: true, ..open }), Ok(()));
        assert_eq!(checked(HandlerDescriptor { actions: &[PING], ..CHAT }), Ok(()));
    }

    #[test]
    fn an_action_is_there_once() {
        assert_eq!(checked(HandlerDescriptor { actions: &[PING, PONG], ..CHAT }), Ok(()));
        let wanted = "two actions of handler `Chat` are called `ping`; give one of them `name = \"..\"`";
        assert_eq!(checked(HandlerDescriptor { actions: &[PING, PONG, PING], ..CHAT }), Err(wanted.to_owned()));
    }

    #[test]
    fn no_action_is_called_as_a_built_in_one_is() {
        let called = |name| {
            let action: &'static [ActionDescriptor] = Box::leak(Box::new([ActionDescriptor { name, ..PING }]));
            let node: &'static HandlerDescriptor = Box::leak(Box::new(HandlerDescriptor { actions: action, ..CHAT }));
            catch_unwind(|| check_built_in(node, "authenticate")).map_err(|panic| *panic.downcast::<String>().unwrap())
        };
        assert_eq!(called("authenticated"), Ok(()));
        let wanted = "an action of consumer `Chat` is called `authenticate`, which is what its `#[authenticate]` is called by; give it another name";
        assert_eq!(called("authenticate"), Err(wanted.to_owned()));
    }

    #[test]
    fn a_pattern_is_there_once() {
        for apart in [
            ["rooms/", "rooms"],
            ["rooms/{id}", "rooms/{id}/"],
            ["rooms/{id}", "rooms/{*id}"],
            ["rooms/{id}", "rooms/{id:[0-9]}"],
            ["rooms/{id:[0-9]}/x", "rooms/{id:[1-9]}/x"],
            ["a/{x:[0-9]}/{y:[0-9]}", "a/{x:[0-9]}/{y:[a-z]}"],
            ["a", "b"],
        ] {
            assert_eq!(routes(&apart), Ok(()), "{apart:?}");
        }
        for same in [
            ["rooms/", "rooms/"],
            ["rooms/{id}", "rooms/{room}"],
            ["rooms/{*id}", "rooms/{*rest}"],
            ["rooms/{id:[0-9:]}/x", "rooms/{room:[0-9:]}/x"],
        ] {
            let [one, other] = same;
            let wanted =
                format!("two routes of handler `Chat` match the same: `{one}` and `{other}`; change one of them");
            assert_eq!(routes(&["first", one, other]), Err(wanted));
        }
    }
}
