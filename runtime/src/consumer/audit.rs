//! Who may do what, as a table: every way in to every action, with the whole expression in effect.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;

use super::registry::{Registration, RegistryError, consumers, groups_of};
use super::{Consumer, HandlerDescriptor};
use crate::grants;
use crate::permission::Expression;

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct AuditEntry {
    /// The consumer's name.
    pub consumer: &'static str,
    /// The patterns on the way, joined; empty for the consumer itself.
    pub route: String,
    /// The name of the action, the event or the group; `(connect)` for the door.
    pub action: &'static str,
    /// All expressions on the way, outermost first, joined by `&`.
    pub permission: String,
}

/// Every way in to a program's actions. Its [`Display`](fmt::Display) form is a table.
///
/// It is drawn from the rows that serve requests, so it cannot say anything else than what happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Audit {
    entries: Vec<AuditEntry>,
}

/// The audit of every consumer of the program: all that were registered at compile time, and all that were mounted.
///
/// A crate that is a dependency but is named nowhere in the program is not linked, and so registers nothing;
/// `use plugin as _;` cures that. Without the feature `registry`, and for generic consumers, mounting is what counts.
pub fn audit() -> Result<Audit, RegistryError> {
    grants::register_codenames()?;
    let mut entries = Vec::new();
    for registration in consumers()? {
        list(&registration, &mut entries);
    }
    // Instances of a generic consumer may say the same.
    let mut seen = HashSet::new();
    entries.retain(|entry| seen.insert(entry.clone()));
    Ok(Audit { entries })
}

impl Audit {
    /// The audit of one consumer.
    pub fn of<C: Consumer>() -> Audit {
        let mut entries = Vec::new();
        list(&Registration::of::<C>(), &mut entries);
        Audit { entries }
    }

    /// The ways in, in the order in which the consumers' names sort and their rows are written.
    pub fn entries(&self) -> &[AuditEntry] {
        &self.entries
    }

    /// The same as JSON: an array with one object a way in.
    pub fn to_json(&self) -> String {
        // Strings and their names cannot fail to serialize.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn list(registration: &Registration, entries: &mut Vec<AuditEntry>) {
    let node = registration.node();
    let door: Vec<String> = [
        node.permission.map(|permission| format!("connect phase of {}", permission.as_part())),
        registration.connect().map(Expression::as_part),
    ]
    .into_iter()
    .flatten()
    .collect();
    let permission = if door.is_empty() { "no opinion".to_owned() } else { door.join(" & ") };
    entries.push(AuditEntry { consumer: registration.name(), route: String::new(), action: "(connect)", permission });
    if registration.authenticates() {
        entries.push(AuditEntry {
            consumer: registration.name(),
            route: String::new(),
            action: "authenticate",
            permission: "built-in, for whoever is connected".to_owned(),
        });
    }
    for (group, permission) in groups_of(registration.name()) {
        entries.push(AuditEntry {
            consumer: registration.name(),
            route: String::new(),
            action: group,
            permission: format!("group, joined by {permission}"),
        });
    }
    for event in registration.events() {
        entries.push(AuditEntry {
            consumer: registration.name(),
            route: String::new(),
            action: event.name,
            permission: format!("event, seen by {}", event.permission),
        });
    }
    AuditTraversal { consumer: registration.name(), entries }.level(node, "", &[]);
}

struct AuditTraversal<'e> {
    consumer: &'static str,
    entries: &'e mut Vec<AuditEntry>,
}

impl AuditTraversal<'_> {
    fn level(&mut self, node: &HandlerDescriptor, route: &str, above: &[&'static Expression]) {
        let here = with(above, node.permission);
        for action in node.actions {
            self.entries.push(AuditEntry {
                consumer: self.consumer,
                route: route.to_owned(),
                action: action.name,
                permission: joined(&with(&here, action.permission)),
            });
        }
        for mount in node.routes {
            let separator = if route.is_empty() || route.ends_with('/') { "" } else { "/" };
            let inner = format!("{route}{separator}{}", mount.pattern.text);
            self.level(mount.node, &inner, &with(&here, mount.permission));
        }
    }
}

fn with(above: &[&'static Expression], more: Option<&'static Expression>) -> Vec<&'static Expression> {
    above.iter().copied().chain(more).collect()
}

fn joined(expressions: &[&'static Expression]) -> String {
    match expressions {
        [only] => only.to_string(),
        several => several.iter().map(|e| e.as_part()).collect::<Vec<_>>().join(" & "),
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |entry: &AuditEntry| -> [String; 4] {
            let route = if entry.route.is_empty() { "-".to_owned() } else { entry.route.clone() };
            [entry.consumer.to_owned(), route, entry.action.to_owned(), entry.permission.clone()]
        };
        let head = ["consumer", "route", "action", "permission in effect"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(self.entries.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (consumer, route, action) = (width(0), width(1), width(2));
        for [a, b, c, d] in &rows {
            writeln!(f, "{a:consumer$}  {b:route$}  {c:action$}  {d}")?;
        }
        Ok(())
    }
}
