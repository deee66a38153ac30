//! Checks at compile time that every mount provides what the handlers under it read.
//!
//! The text of a panic names the reader, the capture, and the pattern that should have it.

use super::handler::check_descriptor;
use super::message::{PanicMessage, same};
use crate::consumer::descriptor::{ActionDescriptor, CaptureUse, HandlerDescriptor, RouteDescriptor};

/// How deep handlers nest in the check.
const DEEPEST: usize = 16;

/// The routes from the consumer down to where the check stands.
#[derive(Clone, Copy)]
struct Above {
    routes: [Option<&'static RouteDescriptor>; DEEPEST],
    depth: usize,
    /// Whether anything above asks a permission.
    guarded: bool,
}

/// Checks one route of a consumer and everything below it.
#[track_caller]
pub const fn check_mount(node: &'static HandlerDescriptor, id: u16) {
    let mut at = 0;
    while at < node.routes.len() {
        if node.routes[at].id == id {
            let above = Above { routes: [None; DEEPEST], depth: 0, guarded: node.permission.is_some() };
            check_route(&node.routes[at], above);
        }
        at += 1;
    }
}

/// Checks a whole consumer.
#[track_caller]
pub const fn check_mounts(node: &'static HandlerDescriptor) {
    check_descriptor(node);
    check_own(node.capture_uses);
    let mut at = 0;
    while at < node.actions.len() {
        check_own(node.actions[at].capture_uses);
        at += 1;
    }
    let mut at = 0;
    while at < node.routes.len() {
        check_mount(node, node.routes[at].id);
        at += 1;
    }
}

/// Checks that a leaf of a strict connect expression reads no captures: there are none at the door.
#[track_caller]
pub const fn check_connect_captures(leaf: &'static str, captures: &'static [&'static str]) {
    if captures.is_empty() {
        return;
    }
    let text = PanicMessage::new().and("`").and(leaf).and("` reads the capture `").and(captures[0]);
    text.and("`, but a connection has no captures; ask it in `permission = ..` instead").panic();
}

/// Checks a leaf of a consumer's own expressions: its messages come without a route, and so without captures.
#[track_caller]
pub const fn check_consumer_captures(leaf: &'static str, captures: &'static [&'static str]) {
    if captures.is_empty() {
        return;
    }
    let text = PanicMessage::new().and(leaf).and(" reads the capture `").and(captures[0]);
    text.and("`, but a consumer's own messages have none; ask it on the route or in the handler behind it").panic();
}

#[track_caller]
const fn check_own(uses: &'static [CaptureUse]) {
    let mut at = 0;
    while at < uses.len() {
        check_consumer_captures(uses[at].reader, uses[at].captures);
        at += 1;
    }
}

#[track_caller]
const fn check_route(route: &'static RouteDescriptor, mut above: Above) {
    no_repeats(route, &above);
    // The expression of a mount sees what it captures itself: the whole route is matched first.
    if above.depth == DEEPEST {
        PanicMessage::new().and("handlers nest too deeply under `").and(route.pattern.text).and("`").panic();
    }
    above.routes[above.depth] = Some(route);
    above.depth += 1;
    let node = route.handler;
    check_descriptor(node);
    provided(node.name, route.capture_uses, &above);
    above.guarded = above.guarded || route.permission.is_some();
    if node.is_inherited && !above.guarded {
        let text = PanicMessage::new()
            .and("handler `")
            .and(node.name)
            .and("` says `permission = inherited`, but nothing above `");
        text.and(route.pattern.text).and("` asks for a permission; add one to the route or to the handler").panic();
    }
    above.guarded = above.guarded || node.permission.is_some();
    provided(node.name, node.capture_uses, &above);
    let mut at = 0;
    while at < node.actions.len() {
        provided(node.name, node.actions[at].capture_uses, &above);
        no_captured_keys(node.name, &node.actions[at], &above);
        at += 1;
    }
    let mut at = 0;
    while at < node.routes.len() {
        check_route(&node.routes[at], above);
        at += 1;
    }
}

/// An inner capture may not repeat the name of an outer one.
#[track_caller]
const fn no_repeats(route: &'static RouteDescriptor, above: &Above) {
    let mut at = 0;
    while at < route.pattern.segments.len() {
        if let Some(name) = route.pattern.segments[at].capture()
            && provides(above, name)
        {
            let text = PanicMessage::new().and("the capture `").and(name).and("` of `").and(route.pattern.text);
            let text = with_path(text.and("` stands in a pattern above it already: `"), above);
            text.and("`; give one another name").panic();
        }
        at += 1;
    }
}

#[track_caller]
const fn provided(handler: &'static str, uses: &'static [CaptureUse], above: &Above) {
    let mut at = 0;
    while at < uses.len() {
        let mut capture = 0;
        while capture < uses[at].captures.len() {
            let name = uses[at].captures[capture];
            if !provides(above, name) {
                let text = PanicMessage::new().and(uses[at].reader).and(" of handler `").and(handler);
                let text = text.and("` reads the capture `").and(name).and("`, but it is mounted under `");
                with_path(text, above).and("`; write `{").and(name).and("}` in that pattern").panic();
            }
            capture += 1;
        }
        at += 1;
    }
}

/// Refuses an action with a message key that has the name of a capture of its route: permissions would be evaluated for the
/// captured value while the action uses the value that the client chose.
#[track_caller]
const fn no_captured_keys(handler: &'static str, action: &'static ActionDescriptor, above: &Above) {
    let mut at = 0;
    while at < action.message_keys.len() {
        let key = action.message_keys[at];
        if provides(above, key) {
            let text = PanicMessage::new().and("action `").and(action.name).and("` of handler `").and(handler);
            let text = with_path(text.and("` takes `").and(key).and("` from the message, but `"), above);
            let text = text.and("` captures it; write `#[path(\"").and(key).and("\")]` on that parameter, ");
            text.and("or take it from another key of the message").panic();
        }
        at += 1;
    }
}

const fn provides(above: &Above, name: &str) -> bool {
    let mut level = 0;
    while level < above.depth {
        if let Some(route) = above.routes[level] {
            let mut at = 0;
            while at < route.pattern.segments.len() {
                if let Some(capture) = route.pattern.segments[at].capture()
                    && same(capture, name)
                {
                    return true;
                }
                at += 1;
            }
        }
        level += 1;
    }
    false
}

const fn with_path(mut text: PanicMessage, above: &Above) -> PanicMessage {
    let mut level = 0;
    while level < above.depth {
        if let Some(route) = above.routes[level] {
            text = text.and(route.pattern.text);
            if !route.pattern.has_trailing_slash && level + 1 < above.depth {
                text = text.and("/");
            }
        }
        level += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::consumer::{Pattern, Segment};
    use crate::permission::{Expr, Expression};

    const ASKS: Option<&Expression> =
        Some(&Expression { tree: Expr::Leaf(0), leaves: &["Asks"], has_codenames: false });

    const SEND: ActionDescriptor = ActionDescriptor {
        name: "send",
        permission: ASKS,
        is_blocking: false,
        is_detached: false,
        capture_uses: &[],
        message_keys: &[],
    };

    fn handler(name: &'static str, routes: &[RouteDescriptor]) -> HandlerDescriptor {
        let routes = routes.to_vec().leak();
        HandlerDescriptor { name, permission: None, is_inherited: false, capture_uses: &[], actions: &[], routes }
    }

    /// A route whose pattern captures what its text has in braces.
    fn route(text: &'static str, node: HandlerDescriptor) -> RouteDescriptor {
        let segment = |part: &'static str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => Segment::Capture(name),
            None => Segment::Text(part),
        };
        let segments = text.split_terminator('/').map(segment).collect::<Vec<_>>().leak();
        let pattern = Pattern { text, segments, has_trailing_slash: text.ends_with('/') };
        RouteDescriptor { id: 0, pattern, permission: None, capture_uses: &[], handler: Box::leak(Box::new(node)) }
    }

    fn reads(captures: &[&'static str]) -> &'static [CaptureUse] {
        let none = CaptureUse { reader: "permission `Other`", captures: &[] };
        vec![none, CaptureUse { reader: "permission `Reads`", captures: captures.to_vec().leak() }].leak()
    }

    fn action(uses: &'static [CaptureUse]) -> &'static [ActionDescriptor] {
        vec![SEND, ActionDescriptor { name: "edit", capture_uses: uses, ..SEND }].leak()
    }

    fn taking(keys: &[&'static str]) -> &'static [ActionDescriptor] {
        vec![SEND, ActionDescriptor { name: "edit", message_keys: keys.to_vec().leak(), ..SEND }].leak()
    }

    fn checked(routes: &[RouteDescriptor]) -> Result<(), String> {
        panics(handler("Chat", routes), check_mounts)
    }

    fn panics(node: HandlerDescriptor, checking: fn(&'static HandlerDescriptor)) -> Result<(), String> {
        let node: &'static HandlerDescriptor = Box::leak(Box::new(node));
        catch_unwind(|| checking(node)).map_err(|panic| *panic.downcast::<String>().unwrap())
    }

    fn missing(name: &str, under: &str) -> Result<(), String> {
        Err(format!(
            "permission `Reads` of handler `Room` reads the capture `{name}`, but it is mounted under `{under}`; write `{{{name}}}` in that pattern"
        ))
    }

    #[test]
    fn whoever_reads_a_capture_is_mounted_under_it() {
        let room = handler("Room", &[]);
        for (captures, wanted) in [
            (&["room", "user"][..], Ok(())),
            (&["room", "usex"], missing("usex", "users/{user}/rooms/{room}/")),
            (&["roo"], missing("roo", "users/{user}/rooms/{room}/")),
        ] {
            let uses = reads(captures);
            let mount = route("rooms/{room}/", room);
            for inner in [
                RouteDescriptor { capture_uses: uses, ..mount },
                route("rooms/{room}/", HandlerDescriptor { capture_uses: uses, ..room }),
                route("rooms/{room}/", HandlerDescriptor { actions: action(uses), ..room }),
            ] {
                let inside = handler("Users", &[route("x", room), inner]);
                assert_eq!(checked(&[route("y", room), route("users/{user}", inside)]), wanted);
                // A slash that the outer pattern has is not written twice.
                assert_eq!(checked(&[route("users/{user}/", inside)]), wanted);
            }
        }
        assert_eq!(
            checked(&[route("rooms", HandlerDescriptor { capture_uses: reads(&["room"]), ..room })]),
            missing("room", "rooms")
        );
        // What stands beside it does not count.
        let beside = handler(
            "Users",
            &[route("{user}", room), route("x", HandlerDescriptor { capture_uses: reads(&["user"]), ..room })],
        );
        assert_eq!(checked(&[route("users", beside)]), missing("user", "users/x"));
    }

    #[test]
    fn message_key_named_like_a_capture_is_refused() {
        let taken = |key: &str, path: &str| {
            Err(format!(
                "action `edit` of handler `Room` takes `{key}` from the message, but `{path}` captures it; write `#[path(\"{key}\")]` on that parameter, or take it from another key of the message"
            ))
        };
        let room = |keys: &[&'static str]| HandlerDescriptor { actions: taking(keys), ..handler("Room", &[]) };
        let mounted = |keys: &[&'static str]| checked(&[route("rooms/{room}/", room(keys))]);
        assert_eq!(mounted(&["text", "rooms", "roo", "room_id"]), Ok(()));
        assert_eq!(mounted(&["room"]), taken("room", "rooms/{room}/"));
        assert_eq!(mounted(&["text", "room"]), taken("room", "rooms/{room}/"));
        // Captures of outer routes count; captures of sibling routes do not.
        let inner = |keys: &[&'static str]| {
            let users = handler("Users", &[route("{other}", handler("Other", &[])), route("rooms/{room}", room(keys))]);
            checked(&[route("{elsewhere}/", handler("Elsewhere", &[])), route("users/{user}/", users)])
        };
        assert_eq!(inner(&["other", "elsewhere", "text"]), Ok(()));
        assert_eq!(inner(&["room"]), taken("room", "users/{user}/rooms/{room}"));
        assert_eq!(inner(&["user"]), taken("user", "users/{user}/rooms/{room}"));
        // No route leads to a consumer's own actions.
        let routes = [route("rooms/{room}/", handler("Room", &[]))];
        assert_eq!(
            panics(HandlerDescriptor { actions: taking(&["room"]), ..handler("Chat", &routes) }, check_mounts),
            Ok(())
        );
    }

    #[test]
    fn an_inner_capture_has_a_name_of_its_own() {
        let inner = handler("Users", &[route("x", handler("X", &[])), route("of/{a}/{user}", handler("Room", &[]))]);
        assert_eq!(checked(&[route("users/{usex}", inner)]), Ok(()));
        let wanted = "the capture `user` of `of/{a}/{user}` stands in a pattern above it already: `users/{user}`; give one another name";
        assert_eq!(checked(&[route("users/{user}", inner)]), Err(wanted.to_owned()));
    }

    #[test]
    fn what_is_inherited_must_be_there() {
        let leaning = HandlerDescriptor { is_inherited: true, ..handler("Room", &[]) };
        let asking = |node: HandlerDescriptor| HandlerDescriptor { permission: ASKS, ..node };
        let wanted = "handler `Room` says `permission = inherited`, but nothing above `rooms` asks for a permission; add one to the route or to the handler";
        let rooms = route("rooms", leaning);
        assert_eq!(checked(&[rooms]), Err(wanted.to_owned()));
        assert_eq!(checked(&[RouteDescriptor { permission: ASKS, ..rooms }]), Ok(()));
        assert_eq!(panics(asking(handler("Chat", &[rooms])), check_mounts), Ok(()));
        let users = handler("Users", &[rooms]);
        assert_eq!(checked(&[route("users", users)]), Err(wanted.to_owned()));
        assert_eq!(checked(&[route("users", asking(users))]), Ok(()));
        assert_eq!(checked(&[RouteDescriptor { permission: ASKS, ..route("users", users) }]), Ok(()));
        // What stands beside it does not count.
        assert_eq!(checked(&[route("users", asking(handler("Users", &[]))), rooms]), Err(wanted.to_owned()));
        assert_eq!(checked(&[route("users", handler("Users", &[]))]), Ok(()));
    }

    #[test]
    fn nesting_ends() {
        let under = |levels: usize, last: RouteDescriptor| {
            (0..levels).fold(last, |inner, _| route("x", handler("X", &[inner])))
        };
        let last = route("in", handler("Room", &[]));
        assert_eq!(checked(&[under(DEEPEST - 1, last)]), Ok(()));
        assert_eq!(checked(&[under(DEEPEST, last)]), Err("handlers nest too deeply under `in`".to_owned()));
        let reading = RouteDescriptor { capture_uses: reads(&["room"]), ..last };
        assert_eq!(
            checked(&[under(DEEPEST - 1, reading)]),
            missing("room", &format!("{}in", "x/".repeat(DEEPEST - 1)))
        );
    }

    #[test]
    fn one_mount_is_checked_at_a_time() {
        let bad = route("rooms", HandlerDescriptor { capture_uses: reads(&["room"]), ..handler("Room", &[]) });
        let chat = handler(
            "Chat",
            &[RouteDescriptor { id: 3, ..route("users", handler("Users", &[])) }, RouteDescriptor { id: 7, ..bad }],
        );
        assert_eq!(panics(chat, |node| check_mount(node, 3)), Ok(()));
        assert_eq!(panics(chat, |node| check_mount(node, 1)), Ok(()));
        assert_eq!(panics(chat, |node| check_mount(node, 7)), missing("room", "rooms"));
    }

    #[test]
    fn without_a_route_there_are_no_captures() {
        let chat = handler("Chat", &[]);
        assert_eq!(panics(chat, |_| check_connect_captures("Reads", &[])), Ok(()));
        let wanted =
            "`Reads` reads the capture `room`, but a connection has no captures; ask it in `permission = ..` instead";
        assert_eq!(panics(chat, |_| check_connect_captures("Reads", &["room"])), Err(wanted.to_owned()));
        assert_eq!(
            panics(HandlerDescriptor { capture_uses: reads(&[]), actions: action(reads(&[])), ..chat }, check_mounts),
            Ok(())
        );
        let wanted = "permission `Reads` reads the capture `room`, but a consumer's own messages have none; ask it on the route or in the handler behind it";
        for own in [
            HandlerDescriptor { capture_uses: reads(&["room"]), ..chat },
            HandlerDescriptor { actions: action(reads(&["room"])), ..chat },
        ] {
            assert_eq!(panics(own, check_mounts), Err(wanted.to_owned()));
        }
    }
}
