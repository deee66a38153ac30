//! The names under which a consumer's actions are reported: their own, and the patterns of their routes.

use std::ptr;
use std::sync::Mutex;

use crate::consumer::{ActionDescriptor, HandlerDescriptor};
use crate::context::Step;
use crate::sync::ignore_poison;

/// Stands for an action or a route that does not exist. What a client sends is never reported.
pub(crate) const OTHER: &str = "_OTHER";

/// The names of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ActionName {
    pub(crate) action: &'static str,
    /// The patterns of the route, joined by `/`.
    pub(crate) route: &'static str,
}

/// The actions of a consumer. One per consumer of the program, never freed, so that its names are `'static`.
#[derive(Debug)]
pub(crate) struct ActionTable {
    names: Vec<ActionName>,
    root: RouteLevel,
}

/// A handler with the route that leads to it.
#[derive(Debug)]
struct RouteLevel {
    handler: &'static HandlerDescriptor,
    /// The index of the name for unknown actions of the handler. Those of its actions follow.
    first: usize,
    routes: Vec<(u16, RouteLevel)>,
}

impl ActionTable {
    /// The index of messages whose route matches no handler, and of those that cannot be read.
    pub(crate) const UNMATCHED: usize = 0;
    /// The index of the built-in action `authenticate`.
    pub(crate) const AUTHENTICATE: usize = 1;

    /// Returns the table of a consumer.
    pub(crate) fn of(consumer: &'static HandlerDescriptor) -> &'static ActionTable {
        /// Protects the tables of the program. No lock is taken under it.
        static TABLES: Mutex<Vec<&'static ActionTable>> = Mutex::new(Vec::new());
        let mut tables = ignore_poison(TABLES.lock());
        if let Some(table) = tables.iter().find(|table| ptr::eq(table.root.handler, consumer)) {
            return table;
        }
        let table: &'static ActionTable = Box::leak(Box::new(ActionTable::new(consumer)));
        tables.push(table);
        table
    }

    fn new(consumer: &'static HandlerDescriptor) -> ActionTable {
        let authenticate = ActionName { action: "authenticate", route: "" };
        let mut names = vec![ActionName { action: OTHER, route: OTHER }, authenticate];
        let root = RouteLevel::new(consumer, "", &mut names);
        ActionTable { names, root }
    }

    /// Returns the index of an action that is reached by these steps. `None` stands for one that does not exist.
    pub(crate) fn index(&self, steps: &[Step], action: Option<&ActionDescriptor>) -> usize {
        let mut level = &self.root;
        for step in steps {
            match step {
                Step::Route(id) => match level.routes.iter().find(|(route, _)| route == id) {
                    Some((_, next)) => level = next,
                    None => return ActionTable::UNMATCHED,
                },
                Step::NotFound => return ActionTable::UNMATCHED,
                Step::Action => {}
            }
        }
        let actions = level.handler.actions;
        let position = action.and_then(|action| {
            // Nearly always the first comparison finds it. A constant may have several addresses, though.
            let same = actions.iter().position(|row| ptr::eq(row, action));
            same.or_else(|| actions.iter().position(|row| row.name == action.name))
        });
        level.first + position.map_or(0, |position| position + 1)
    }

    /// Returns the names of the action with this index.
    pub(crate) fn name(&self, index: usize) -> ActionName {
        self.names.get(index).copied().unwrap_or(ActionName { action: OTHER, route: OTHER })
    }

    /// Returns all names by their indexes.
    #[cfg(feature = "metrics")]
    pub(crate) fn names(&self) -> &[ActionName] {
        &self.names
    }
}

impl RouteLevel {
    fn new(handler: &'static HandlerDescriptor, route: &'static str, names: &mut Vec<ActionName>) -> RouteLevel {
        let first = names.len();
        let actions = handler.actions.iter().map(|action| action.name);
        names.extend([OTHER].into_iter().chain(actions).map(|action| ActionName { action, route }));
        let routes = handler.routes.iter().map(|mount| {
            let separator = if route.is_empty() || route.ends_with('/') { "" } else { "/" };
            let inner = String::leak(format!("{route}{separator}{}", mount.pattern.text));
            (mount.id, RouteLevel::new(mount.handler, inner, names))
        });
        RouteLevel { handler, first, routes: routes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::{Pattern, RouteDescriptor};

    const fn action(name: &'static str) -> ActionDescriptor {
        ActionDescriptor {
            name,
            permission: None,
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
        }
    }

    const fn mount(id: u16, text: &'static str, handler: &'static HandlerDescriptor) -> RouteDescriptor {
        let pattern = Pattern { text, segments: &[], has_trailing_slash: false };
        RouteDescriptor { id, pattern, permission: None, kept_leaves: 0, headers: &[], capture_uses: &[], handler }
    }

    static MESSAGES: HandlerDescriptor =
        HandlerDescriptor { actions: &[action("read"), action("edit")], ..HandlerDescriptor::EMPTY };
    static ROOM: HandlerDescriptor =
        HandlerDescriptor { routes: &[mount(0, "messages/{id}", &MESSAGES)], ..HandlerDescriptor::EMPTY };
    static CHAT: HandlerDescriptor = HandlerDescriptor {
        actions: &[action("ping")],
        routes: &[mount(0, "rooms/{room}/", &ROOM), mount(3, "archive", &ROOM)],
        ..HandlerDescriptor::EMPTY
    };

    #[test]
    fn index_finds_the_pattern_of_each_route_and_nothing_for_what_is_unknown() {
        let table = ActionTable::of(&CHAT);
        assert!(ptr::eq(table, ActionTable::of(&CHAT)));
        let name = |steps: &[Step], action: Option<&'static str>| {
            let descriptor = [&CHAT, &MESSAGES].into_iter().flat_map(|handler| handler.actions);
            let descriptor = descriptor.clone().find(|row| Some(row.name) == action);
            let ActionName { action, route } = table.name(table.index(steps, descriptor));
            format!("{action} {route}")
        };
        let edit = [Step::Route(3), Step::Route(0), Step::Action];
        assert_eq!(name(&[Step::Action], Some("ping")), "ping ");
        assert_eq!(name(&[Step::Action], None), "_OTHER ");
        assert_eq!(
            name(&[Step::Route(0), Step::Route(0), Step::Action], Some("read")),
            "read rooms/{room}/messages/{id}"
        );
        assert_eq!(name(&edit, Some("edit")), "edit archive/messages/{id}");
        assert_eq!(name(&edit, None), "_OTHER archive/messages/{id}");
        assert_eq!(name(&[Step::Route(0), Step::NotFound], Some("read")), "_OTHER _OTHER");
        assert_eq!(table.name(ActionTable::UNMATCHED).action, OTHER);
        assert_eq!(table.name(ActionTable::AUTHENTICATE).action, "authenticate");
    }
}
