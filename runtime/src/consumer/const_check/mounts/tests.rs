use std::panic::catch_unwind;

use super::*;
use crate::consumer::{Pattern, Segment};
use crate::permission::{Expr, Expression};

const PERMISSION: Option<&Expression> =
    Some(&Expression { tree: Expr::Leaf(0), leaves: &["Permission"], has_codenames: false });

const SEND: ActionDescriptor = ActionDescriptor {
    name: "send",
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

fn handler(name: &'static str, routes: &[RouteDescriptor]) -> HandlerDescriptor {
    HandlerDescriptor { name, routes: routes.to_vec().leak(), ..HandlerDescriptor::EMPTY }
}

/// Creates a route whose pattern has a capture per segment in braces.
fn route(text: &'static str, handler: HandlerDescriptor) -> RouteDescriptor {
    let segment = |part: &'static str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => Segment::Capture(name),
        None => Segment::Text(part),
    };
    let segments = text.split_terminator('/').map(segment).collect::<Vec<_>>().leak();
    let pattern = Pattern { text, segments, has_trailing_slash: text.ends_with('/') };
    RouteDescriptor {
        id: 0,
        pattern,
        permission: None,
        kept_leaves: 0,
        headers: &[],
        capture_uses: &[],
        handler: Box::leak(Box::new(handler)),
    }
}

fn uses_of(captures: &[&'static str]) -> &'static [CaptureUse] {
    let none = CaptureUse { reader: "`Other`", captures: &[] };
    vec![none, CaptureUse { reader: "`Reads`", captures: captures.to_vec().leak() }].leak()
}

fn actions_with_uses(capture_uses: &'static [CaptureUse]) -> &'static [ActionDescriptor] {
    vec![SEND, ActionDescriptor { name: "edit", capture_uses, ..SEND }].leak()
}

fn actions_with_keys(message_keys: &[&'static str]) -> &'static [ActionDescriptor] {
    vec![SEND, ActionDescriptor { name: "edit", message_keys: message_keys.to_vec().leak(), ..SEND }].leak()
}

fn check_routes(routes: &[RouteDescriptor]) -> Result<(), String> {
    check_with(handler("Chat", routes), check_mounts)
}

fn check_with(handler: HandlerDescriptor, checking: fn(&'static HandlerDescriptor)) -> Result<(), String> {
    let handler: &'static HandlerDescriptor = Box::leak(Box::new(handler));
    catch_unwind(|| checking(handler)).map_err(|panic| *panic.downcast::<String>().unwrap())
}

fn missing_capture(name: &str, under: &str) -> Result<(), String> {
    missing_capture_of("handler `Room`", name, under)
}

fn missing_capture_of(owner: &str, name: &str, under: &str) -> Result<(), String> {
    Err(format!(
        "`Reads` of {owner} reads the capture `{name}`, but it is mounted under `{under}`; write `{{{name}}}` in that pattern"
    ))
}

#[test]
fn capture_missing_from_path_is_rejected() {
    let room = handler("Room", &[]);
    for (captures, missing) in
        [(&["room", "user"][..], None), (&["room", "usex"], Some("usex")), (&["roo"], Some("roo"))]
    {
        let capture_uses = uses_of(captures);
        let mount = route("rooms/{room}/", room);
        for (owner, inner) in [
            ("route `rooms/{room}/`", RouteDescriptor { capture_uses, ..mount }),
            ("handler `Room`", route("rooms/{room}/", HandlerDescriptor { capture_uses, ..room })),
            (
                "handler `Room`",
                route("rooms/{room}/", HandlerDescriptor { actions: actions_with_uses(capture_uses), ..room }),
            ),
        ] {
            let expected = missing.map_or(Ok(()), |name| missing_capture_of(owner, name, "users/{user}/rooms/{room}/"));
            let inside = handler("Users", &[route("x", room), inner]);
            assert_eq!(check_routes(&[route("y", room), route("users/{user}", inside)]), expected);
            // The trailing slash of an outer pattern is not repeated.
            assert_eq!(check_routes(&[route("users/{user}/", inside)]), expected);
        }
    }
    assert_eq!(
        check_routes(&[route("rooms", HandlerDescriptor { capture_uses: uses_of(&["room"]), ..room })]),
        missing_capture("room", "rooms")
    );
    // Sibling routes do not count.
    let sibling = handler(
        "Users",
        &[route("{user}", room), route("x", HandlerDescriptor { capture_uses: uses_of(&["user"]), ..room })],
    );
    assert_eq!(check_routes(&[route("users", sibling)]), missing_capture("user", "users/x"));
}

#[test]
fn message_key_named_like_capture_is_rejected() {
    let key_conflict = |key: &str, path: &str| {
        Err(format!(
            "action `edit` of handler `Room` takes `{key}` from the message, but `{path}` captures it; write `#[path(\"{key}\")]` on that parameter, or take it from another key of the message"
        ))
    };
    let room = |message_keys: &[&'static str]| HandlerDescriptor {
        actions: actions_with_keys(message_keys),
        ..handler("Room", &[])
    };
    let check_room = |message_keys: &[&'static str]| check_routes(&[route("rooms/{room}/", room(message_keys))]);
    assert_eq!(check_room(&["text", "rooms", "roo", "room_id"]), Ok(()));
    assert_eq!(check_room(&["room"]), key_conflict("room", "rooms/{room}/"));
    assert_eq!(check_room(&["text", "room"]), key_conflict("room", "rooms/{room}/"));
    // Captures of outer routes count; captures of sibling routes do not.
    let inner = |message_keys: &[&'static str]| {
        let users =
            handler("Users", &[route("{other}", handler("Other", &[])), route("rooms/{room}", room(message_keys))]);
        check_routes(&[route("{elsewhere}/", handler("Elsewhere", &[])), route("users/{user}/", users)])
    };
    assert_eq!(inner(&["other", "elsewhere", "text"]), Ok(()));
    assert_eq!(inner(&["room"]), key_conflict("room", "users/{user}/rooms/{room}"));
    assert_eq!(inner(&["user"]), key_conflict("user", "users/{user}/rooms/{room}"));
    // No route leads to a consumer's own actions.
    let routes = [route("rooms/{room}/", handler("Room", &[]))];
    assert_eq!(
        check_with(
            HandlerDescriptor { actions: actions_with_keys(&["room"]), ..handler("Chat", &routes) },
            check_mounts
        ),
        Ok(())
    );
}

#[test]
fn capture_name_repeated_in_inner_pattern_is_rejected() {
    let inner = handler("Users", &[route("x", handler("X", &[])), route("of/{a}/{user}", handler("Room", &[]))]);
    assert_eq!(check_routes(&[route("users/{usex}", inner)]), Ok(()));
    let expected =
        "pattern `of/{a}/{user}` repeats the capture `user` of the outer pattern `users/{user}`; rename one of them";
    assert_eq!(check_routes(&[route("users/{user}", inner)]), Err(expected.to_owned()));
}

#[test]
fn inherited_without_outer_permission_is_rejected() {
    let inheriting = HandlerDescriptor { is_inherited: true, ..handler("Room", &[]) };
    let with_permission = |handler: HandlerDescriptor| HandlerDescriptor { permission: PERMISSION, ..handler };
    let expected = "handler `Room` has `permission = inherited`, but no permission guards its route `rooms`; add `permission = ..` to the route or to the handler";
    let rooms = route("rooms", inheriting);
    assert_eq!(check_routes(&[rooms]), Err(expected.to_owned()));
    assert_eq!(check_routes(&[RouteDescriptor { permission: PERMISSION, ..rooms }]), Ok(()));
    assert_eq!(check_with(with_permission(handler("Chat", &[rooms])), check_mounts), Ok(()));
    let users = handler("Users", &[rooms]);
    assert_eq!(check_routes(&[route("users", users)]), Err(expected.to_owned()));
    assert_eq!(check_routes(&[route("users", with_permission(users))]), Ok(()));
    assert_eq!(check_routes(&[RouteDescriptor { permission: PERMISSION, ..route("users", users) }]), Ok(()));
    // Sibling routes do not count.
    assert_eq!(
        check_routes(&[route("users", with_permission(handler("Users", &[]))), rooms]),
        Err(expected.to_owned())
    );
    assert_eq!(check_routes(&[route("users", handler("Users", &[]))]), Ok(()));
}

#[test]
fn nesting_beyond_limit_is_rejected() {
    let under =
        |levels: usize, last: RouteDescriptor| (0..levels).fold(last, |inner, _| route("x", handler("X", &[inner])));
    let last = route("in", handler("Room", &[]));
    assert_eq!(check_routes(&[under(MAX_DEPTH - 1, last)]), Ok(()));
    assert_eq!(
        check_routes(&[under(MAX_DEPTH, last)]),
        Err("route `in` is nested more than 16 levels deep; mount its handler at a higher level".to_owned())
    );
    let reading = RouteDescriptor { capture_uses: uses_of(&["room"]), ..last };
    assert_eq!(
        check_routes(&[under(MAX_DEPTH - 1, reading)]),
        missing_capture_of("route `in`", "room", &format!("{}in", "x/".repeat(MAX_DEPTH - 1)))
    );
}

#[test]
fn check_mount_checks_only_that_route() {
    let bad = route("rooms", HandlerDescriptor { capture_uses: uses_of(&["room"]), ..handler("Room", &[]) });
    let chat = handler(
        "Chat",
        &[RouteDescriptor { id: 3, ..route("users", handler("Users", &[])) }, RouteDescriptor { id: 7, ..bad }],
    );
    assert_eq!(check_with(chat, |handler| check_mount(handler, 3)), Ok(()));
    assert_eq!(check_with(chat, |handler| check_mount(handler, 1)), Ok(()));
    assert_eq!(check_with(chat, |handler| check_mount(handler, 7)), missing_capture("room", "rooms"));
}

#[test]
fn capture_use_without_route_is_rejected() {
    let chat = handler("Chat", &[]);
    assert_eq!(
        check_with(
            HandlerDescriptor { capture_uses: uses_of(&[]), actions: actions_with_uses(uses_of(&[])), ..chat },
            check_mounts
        ),
        Ok(())
    );
    let expected = "`Reads` reads the capture `room`, but a consumer's own actions have no captures; move it to the route or to the mounted handler";
    for own in [
        HandlerDescriptor { capture_uses: uses_of(&["room"]), ..chat },
        HandlerDescriptor { actions: actions_with_uses(uses_of(&["room"])), ..chat },
    ] {
        assert_eq!(check_with(own, check_mounts), Err(expected.to_owned()));
    }
}
