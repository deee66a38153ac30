//! Compile-time checks of a single handler. They read the descriptors that dispatch uses, after `cfg` is applied, so they
//! also cover what the macros cannot check.

use super::message::{PanicMessage, str_eq};
use crate::consumer::descriptor::{HandlerDescriptor, Pattern, Segment};

/// Checks that every action has a permission, and that action names and route patterns are unique.
#[track_caller]
pub const fn check_descriptor(handler: &'static HandlerDescriptor) {
    let guarded = handler.permission.is_some() || handler.is_inherited;
    let mut index = 0;
    while index < handler.actions.len() {
        let action = &handler.actions[index];
        if !guarded && action.permission.is_none() {
            let text = PanicMessage::new()
                .append("action `")
                .append(action.name)
                .append("` of handler `")
                .append(handler.name);
            text.append(
                "` has no permission; add `permission = ..` to the action or its block, or `permission = AllowAny` to make it public",
            )
            .panic();
        }
        let mut earlier = 0;
        while earlier < index {
            if str_eq(handler.actions[earlier].name, action.name) {
                let text =
                    PanicMessage::new().append("handler `").append(handler.name).append("` has two actions named `");
                text.append(action.name).append("`; rename one of them with `name = \"..\"`").panic();
            }
            earlier += 1;
        }
        index += 1;
    }
    check_duplicate_routes(handler);
}

/// Checks that no action has the name of a built-in action of the consumer.
#[track_caller]
pub(in crate::consumer) const fn check_reserved_name(handler: &'static HandlerDescriptor, name: &str) {
    let mut index = 0;
    while index < handler.actions.len() {
        if str_eq(handler.actions[index].name, name) {
            let text = PanicMessage::new()
                .append("consumer `")
                .append(handler.name)
                .append("` has an action named `")
                .append(name);
            text.append("`, the name that its `#[authenticate]` method is called by; rename the action").panic();
        }
        index += 1;
    }
}

/// Checks that no two routes match the same paths.
#[track_caller]
const fn check_duplicate_routes(handler: &'static HandlerDescriptor) {
    let mut index = 0;
    while index < handler.routes.len() {
        let pattern = &handler.routes[index].pattern;
        let mut earlier = 0;
        while earlier < index {
            let other = &handler.routes[earlier].pattern;
            if is_same_shape(pattern, other) {
                let text = PanicMessage::new()
                    .append("handler `")
                    .append(handler.name)
                    .append("` has two routes that match the same paths: `");
                text.append(other.text).append("` and `").append(pattern.text).append("`; change one of them").panic();
            }
            earlier += 1;
        }
        index += 1;
    }
}

/// Returns whether both patterns match the same paths, whatever the names of their captures.
const fn is_same_shape(one: &Pattern, other: &Pattern) -> bool {
    if one.has_trailing_slash != other.has_trailing_slash || one.segments.len() != other.segments.len() {
        return false;
    }
    let mut index = 0;
    while index < one.segments.len() {
        let is_same = match (&one.segments[index], &other.segments[index]) {
            (Segment::Text(one), Segment::Text(other)) => str_eq(one, other),
            (Segment::Capture(_), Segment::Capture(_)) | (Segment::Rest(_), Segment::Rest(_)) => true,
            (Segment::Regex(..), Segment::Regex(..)) => str_eq(regex_text(one, index), regex_text(other, index)),
            _ => false,
        };
        if !is_same {
            return false;
        }
        index += 1;
    }
    true
}

/// Returns the regular expression of a segment: the text from its first `:` to its end, including the brace. It contains no
/// slash.
const fn regex_text(pattern: &Pattern, segment: usize) -> &'static str {
    let mut text = pattern.text;
    let mut slashes = 0;
    let mut start = None;
    let mut index = 0;
    while index < text.len() {
        let byte = text.as_bytes()[index];
        if byte == b'/' {
            if slashes == segment {
                break;
            }
            slashes += 1;
        } else if byte == b':' && slashes == segment && start.is_none() {
            start = Some(index);
        }
        index += 1;
    }
    text = text.split_at(index).0;
    match start {
        Some(start) => text.split_at(start).1,
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::consumer::{ActionDescriptor, Regex, RouteDescriptor};
    use crate::permission::{Expr, Expression};

    const PERMISSION: Option<&Expression> =
        Some(&Expression { tree: Expr::Leaf(0), leaves: &["Permission"], has_codenames: false });
    const PING: ActionDescriptor = ActionDescriptor {
        name: "ping",
        permission: PERMISSION,
        kept_leaves: 0,
        headers: &[],
        is_blocking: false,
        is_detached: false,
        is_stream: false,
        is_in_order: false,
        timeout: None,
        rate: None,
        capture_uses: &[],
        message_keys: &[],
    };
    const PONG: ActionDescriptor = ActionDescriptor { name: "pong", ..PING };
    const OPEN: ActionDescriptor = ActionDescriptor { permission: None, ..PING };
    const CHAT: HandlerDescriptor = HandlerDescriptor {
        name: "Chat",
        permission: None,
        kept_leaves: 0,
        headers: &[],
        is_inherited: false,
        capture_uses: &[],
        actions: &[],
        routes: &[],
    };

    fn check(handler: HandlerDescriptor) -> Result<(), String> {
        let handler: &'static HandlerDescriptor = Box::leak(Box::new(handler));
        catch_unwind(|| check_descriptor(handler)).map_err(|panic| *panic.downcast::<String>().unwrap())
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
            kept_leaves: 0,
            headers: &[],
            capture_uses: &[],
            handler: &CHAT,
        };
        check(HandlerDescriptor { routes: patterns.iter().map(route).collect::<Vec<_>>().leak(), ..CHAT })
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
    fn action_without_permission_is_rejected() {
        let open = HandlerDescriptor { actions: &[PING, ActionDescriptor { name: "open", ..OPEN }], ..CHAT };
        let expected = "action `open` of handler `Chat` has no permission; add `permission = ..` to the action or its block, or `permission = AllowAny` to make it public";
        assert_eq!(check(open), Err(expected.to_owned()));
        assert_eq!(check(HandlerDescriptor { permission: PERMISSION, ..open }), Ok(()));
        assert_eq!(check(HandlerDescriptor { is_inherited: true, ..open }), Ok(()));
        assert_eq!(check(HandlerDescriptor { actions: &[PING], ..CHAT }), Ok(()));
    }

    #[test]
    fn duplicate_action_name_is_rejected() {
        assert_eq!(check(HandlerDescriptor { actions: &[PING, PONG], ..CHAT }), Ok(()));
        let expected = "handler `Chat` has two actions named `ping`; rename one of them with `name = \"..\"`";
        assert_eq!(check(HandlerDescriptor { actions: &[PING, PONG, PING], ..CHAT }), Err(expected.to_owned()));
    }

    #[test]
    fn reserved_action_name_is_rejected() {
        let check_name = |name| {
            let action: &'static [ActionDescriptor] = Box::leak(Box::new([ActionDescriptor { name, ..PING }]));
            let handler: &'static HandlerDescriptor =
                Box::leak(Box::new(HandlerDescriptor { actions: action, ..CHAT }));
            catch_unwind(|| check_reserved_name(handler, "authenticate"))
                .map_err(|panic| *panic.downcast::<String>().unwrap())
        };
        assert_eq!(check_name("authenticated"), Ok(()));
        let expected = "consumer `Chat` has an action named `authenticate`, the name that its `#[authenticate]` method is called by; rename the action";
        assert_eq!(check_name("authenticate"), Err(expected.to_owned()));
    }

    #[test]
    fn duplicate_route_pattern_is_rejected() {
        for patterns in [
            ["rooms/", "rooms"],
            ["rooms/{id}", "rooms/{id}/"],
            ["rooms/{id}", "rooms/{*id}"],
            ["rooms/{id}", "rooms/{id:[0-9]}"],
            ["rooms/{id:[0-9]}/x", "rooms/{id:[1-9]}/x"],
            ["a/{x:[0-9]}/{y:[0-9]}", "a/{x:[0-9]}/{y:[a-z]}"],
            ["a", "b"],
        ] {
            assert_eq!(routes(&patterns), Ok(()), "{patterns:?}");
        }
        for patterns in [
            ["rooms/", "rooms/"],
            ["rooms/{id}", "rooms/{room}"],
            ["rooms/{*id}", "rooms/{*rest}"],
            ["rooms/{id:[0-9:]}/x", "rooms/{room:[0-9:]}/x"],
        ] {
            let [one, other] = patterns;
            let expected = format!(
                "handler `Chat` has two routes that match the same paths: `{one}` and `{other}`; change one of them"
            );
            assert_eq!(routes(&["first", one, other]), Err(expected));
        }
    }
}
