//! Compile-time checks of the handler tree: every route provides the captures that the handlers under it read.

use super::handler::check_descriptor;
use super::message::{PanicMessage, str_eq};
use crate::consumer::descriptor::{ActionDescriptor, CaptureUse, HandlerDescriptor, RouteDescriptor};

/// Maximum nesting of handlers. The panic text of [`check_route`] states it.
const MAX_DEPTH: usize = 16;

/// The routes from the consumer to the handler that is being checked.
#[derive(Clone, Copy)]
struct Ancestors {
    routes: [Option<&'static RouteDescriptor>; MAX_DEPTH],
    depth: usize,
    /// Whether an outer expression has a permission.
    is_guarded: bool,
}

/// Checks one route of a consumer and everything below it.
#[track_caller]
pub const fn check_mount(handler: &'static HandlerDescriptor, id: u16) {
    let mut index = 0;
    while index < handler.routes.len() {
        if handler.routes[index].id == id {
            let ancestors = Ancestors { routes: [None; MAX_DEPTH], depth: 0, is_guarded: handler.permission.is_some() };
            check_route(&handler.routes[index], ancestors);
        }
        index += 1;
    }
}

/// Checks a consumer and everything below it.
#[track_caller]
pub const fn check_mounts(handler: &'static HandlerDescriptor) {
    check_descriptor(handler);
    check_consumer_uses(handler.capture_uses);
    let mut index = 0;
    while index < handler.actions.len() {
        check_consumer_uses(handler.actions[index].capture_uses);
        index += 1;
    }
    let mut index = 0;
    while index < handler.routes.len() {
        check_mount(handler, handler.routes[index].id);
        index += 1;
    }
}

/// Checks that an object of a consumer's own actions reads no captures: these actions have no route.
#[track_caller]
pub const fn check_consumer_captures(reader: &'static str, captures: &'static [&'static str]) {
    if captures.is_empty() {
        return;
    }
    let text = PanicMessage::new().append(reader).append(" reads the capture `").append(captures[0]);
    text.append("`, but a consumer's own actions have no captures; move it to the route or to the mounted handler")
        .panic();
}

#[track_caller]
const fn check_consumer_uses(capture_uses: &'static [CaptureUse]) {
    let mut index = 0;
    while index < capture_uses.len() {
        check_consumer_captures(capture_uses[index].reader, capture_uses[index].captures);
        index += 1;
    }
}

#[track_caller]
const fn check_route(route: &'static RouteDescriptor, mut ancestors: Ancestors) {
    check_repeated_captures(route, &ancestors);
    // The expression of a route may read the captures of that route: the whole route is matched before evaluation.
    if ancestors.depth == MAX_DEPTH {
        let text = PanicMessage::new().append("route `").append(route.pattern.text);
        text.append("` is nested more than 16 levels deep; mount its handler at a higher level").panic();
    }
    ancestors.routes[ancestors.depth] = Some(route);
    ancestors.depth += 1;
    let handler = route.handler;
    check_descriptor(handler);
    check_captures(" of route `", route.pattern.text, route.capture_uses, &ancestors);
    ancestors.is_guarded = ancestors.is_guarded || route.permission.is_some();
    if handler.is_inherited && !ancestors.is_guarded {
        let text = PanicMessage::new()
            .append("handler `")
            .append(handler.name)
            .append("` has `permission = inherited`, but no permission guards its route `");
        text.append(route.pattern.text).append("`; add `permission = ..` to the route or to the handler").panic();
    }
    ancestors.is_guarded = ancestors.is_guarded || handler.permission.is_some();
    check_captures(OF_HANDLER, handler.name, handler.capture_uses, &ancestors);
    let mut index = 0;
    while index < handler.actions.len() {
        check_captures(OF_HANDLER, handler.name, handler.actions[index].capture_uses, &ancestors);
        check_captured_keys(handler.name, &handler.actions[index], &ancestors);
        index += 1;
    }
    let mut index = 0;
    while index < handler.routes.len() {
        check_route(&handler.routes[index], ancestors);
        index += 1;
    }
}

/// Checks that no capture has the name of an outer one.
#[track_caller]
const fn check_repeated_captures(route: &'static RouteDescriptor, ancestors: &Ancestors) {
    let mut index = 0;
    while index < route.pattern.segments.len() {
        if let Some(name) = route.pattern.segments[index].capture()
            && has_capture(ancestors, name)
        {
            let text = PanicMessage::new()
                .append("pattern `")
                .append(route.pattern.text)
                .append("` repeats the capture `")
                .append(name);
            let text = append_path(text.append("` of the outer pattern `"), ancestors);
            text.append("`; rename one of them").panic();
        }
        index += 1;
    }
}

const OF_HANDLER: &str = " of handler `";

/// Checks that the routes provide all captures. `kind` and `name` tell what the readers belong to.
#[track_caller]
const fn check_captures(
    kind: &'static str,
    name: &'static str,
    capture_uses: &'static [CaptureUse],
    ancestors: &Ancestors,
) {
    let mut index = 0;
    while index < capture_uses.len() {
        let mut capture = 0;
        while capture < capture_uses[index].captures.len() {
            let missing = capture_uses[index].captures[capture];
            if !has_capture(ancestors, missing) {
                let text = PanicMessage::new().append(capture_uses[index].reader).append(kind).append(name);
                let text = text.append("` reads the capture `").append(missing).append("`, but it is mounted under `");
                append_path(text, ancestors).append("`; write `{").append(missing).append("}` in that pattern").panic();
            }
            capture += 1;
        }
        index += 1;
    }
}

/// Rejects an action with a message key that has the name of a capture of its route: permissions would be evaluated for the
/// captured value while the action uses the value that the client chose.
#[track_caller]
const fn check_captured_keys(handler: &'static str, action: &'static ActionDescriptor, ancestors: &Ancestors) {
    let mut index = 0;
    while index < action.message_keys.len() {
        let key = action.message_keys[index];
        if has_capture(ancestors, key) {
            let text =
                PanicMessage::new().append("action `").append(action.name).append("` of handler `").append(handler);
            let text = append_path(text.append("` takes `").append(key).append("` from the message, but `"), ancestors);
            let text = text.append("` captures it; write `#[path(\"").append(key).append("\")]` on that parameter, ");
            text.append("or take it from another key of the message").panic();
        }
        index += 1;
    }
}

const fn has_capture(ancestors: &Ancestors, name: &str) -> bool {
    let mut level = 0;
    while level < ancestors.depth {
        if let Some(route) = ancestors.routes[level] {
            let mut index = 0;
            while index < route.pattern.segments.len() {
                if let Some(capture) = route.pattern.segments[index].capture()
                    && str_eq(capture, name)
                {
                    return true;
                }
                index += 1;
            }
        }
        level += 1;
    }
    false
}

const fn append_path(mut text: PanicMessage, ancestors: &Ancestors) -> PanicMessage {
    let mut level = 0;
    while level < ancestors.depth {
        if let Some(route) = ancestors.routes[level] {
            text = text.append(route.pattern.text);
            if !route.pattern.has_trailing_slash && level + 1 < ancestors.depth {
                text = text.append("/");
            }
        }
        level += 1;
    }
    text
}

#[cfg(test)]
mod tests;
