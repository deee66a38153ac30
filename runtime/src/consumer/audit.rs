//! The audit: a table of all actions, groups and events with their effective permissions.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::registry::{GroupAudit, PresenceRule, Registration, RegistryError, consumers, groups_of};
use super::{Consumer, HandlerDescriptor};
use crate::grants;
use crate::permission::Expression;

/// A row of the [`Audit`], which has an example: one action, event or group of a consumer, or its connect phase.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct AuditEntry {
    /// Name of the consumer.
    pub consumer: &'static str,
    /// Route patterns from the consumer to the handler, joined by `/`; empty for the consumer itself.
    pub route: String,
    /// Name of the action, event or group; `(connect)` for the connect phase.
    pub action: &'static str,
    /// Effective permission: all expressions on the path to the action, outermost first, joined by `&`. A permission whose
    /// [`REEVALUATE`](crate::Permission::REEVALUATE) is `false` is followed by `[evaluated once]`.
    pub permission: String,
    /// Time limit of the action if it has its own, `#[action(timeout = "5s")]`. In JSON it is a string such as `"5s"`, and the
    /// key is absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_timeout")]
    pub timeout: Option<Duration>,
}

impl AuditEntry {
    fn new(consumer: &'static str, action: &'static str, permission: String) -> AuditEntry {
        AuditEntry { consumer, route: String::new(), action, permission, timeout: None }
    }

    /// Returns the permission, followed by the time limit if there is one.
    pub(crate) fn effect(&self) -> String {
        match self.timeout {
            Some(timeout) => format!("{} [timeout {timeout:?}]", self.permission),
            None => self.permission.clone(),
        }
    }
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn serialize_timeout<S: Serializer>(timeout: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    timeout.map(|timeout| format!("{timeout:?}")).serialize(serializer)
}

/// The effective permission of every action, event and group of a program. [`Display`](fmt::Display) formats it as a table.
///
/// It is read from the descriptors that dispatch uses, so it cannot differ from what is enforced.
///
/// ```
/// use portcullis::{Audit, IsAuthenticated, User, consumer};
/// # struct Member;
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// struct Chat;
///
/// #[consumer(user = Member)]
/// impl Chat {
///     #[action(permission = IsAuthenticated)]
///     async fn send(&self, text: &str) {}
/// }
///
/// let audit = Audit::of::<Chat>();
/// let send = audit.entries().iter().find(|entry| entry.action == "send").unwrap();
/// assert_eq!(send.permission, "IsAuthenticated");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Audit {
    entries: Vec<AuditEntry>,
}

/// Returns the audit of all consumers of the program: those registered at compile time, and those mounted so far.
///
/// Without the feature `registry`, and for generic consumers, only mounted consumers are included. A dependency that the
/// program does not name is not linked and registers nothing; write `use plugin as _;` to link it.
///
/// # Errors
///
/// Fails if two consumers or two codenames of the program have the same name.
///
/// ```standalone_crate
/// # fn main() -> Result<(), portcullis::RegistryError> {
/// println!("{}", portcullis::audit()?);
/// # Ok(())
/// # }
/// ```
pub fn audit() -> Result<Audit, RegistryError> {
    grants::register_codenames()?;
    let mut entries = Vec::new();
    for registration in consumers()? {
        collect_entries(&registration, &mut entries);
    }
    // Instances of a generic consumer have equal entries.
    let mut known = HashSet::new();
    entries.retain(|entry| known.insert(entry.clone()));
    Ok(Audit { entries })
}

impl Audit {
    /// Returns the audit of one consumer.
    pub fn of<C: Consumer>() -> Audit {
        let mut entries = Vec::new();
        collect_entries(&Registration::of::<C>(), &mut entries);
        Audit { entries }
    }

    /// Returns the entries, sorted by the name of the consumer. The entries of a consumer are its connect phase,
    /// `authenticate`, groups, events and actions, in source order except that groups are sorted by name.
    pub fn entries(&self) -> &[AuditEntry] {
        &self.entries
    }

    /// Returns the audit as a JSON array with one object per entry.
    pub fn to_json(&self) -> String {
        // Serializing strings cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn collect_entries(registration: &Registration, entries: &mut Vec<AuditEntry>) {
    let handler = registration.node();
    let connect_parts: Vec<String> = [
        handler.permission.map(|permission| format!("connect phase of {}", permission.operand_text())),
        registration.connect().map(Expression::operand_text),
    ]
    .into_iter()
    .flatten()
    .collect();
    let permission = if connect_parts.is_empty() { "no opinion".to_owned() } else { connect_parts.join(" & ") };
    let consumer = registration.name();
    entries.push(AuditEntry::new(consumer, "(connect)", permission));
    if registration.authenticates() {
        entries.push(AuditEntry::new(consumer, "authenticate", "built-in, for every connection".to_owned()));
    }
    for GroupAudit { name, permission, publish, presence, history } in groups_of(consumer) {
        let presence = presence.map(|PresenceRule { permission, is_announced, .. }| {
            format!(", members {} {permission}", if is_announced { "seen and announced by" } else { "seen by" })
        });
        let presence = presence.unwrap_or_default();
        let history = history.map(|history| format!(", {history}")).unwrap_or_default();
        let permission = format!("group, joined by {permission}, published to by {publish}{presence}{history}");
        entries.push(AuditEntry::new(consumer, name, permission));
    }
    for event in registration.events() {
        entries.push(AuditEntry::new(consumer, event.name, format!("event, seen by {}", event.permission)));
    }
    AuditTraversal { consumer: registration.name(), entries }.visit_handler(handler, "", &[]);
}

struct AuditTraversal<'e> {
    consumer: &'static str,
    entries: &'e mut Vec<AuditEntry>,
}

impl AuditTraversal<'_> {
    fn visit_handler(&mut self, handler: &HandlerDescriptor, route: &str, outer: &[AuditedExpression]) {
        let expressions = concat(outer, handler.permission, handler.kept_leaves);
        for action in handler.actions {
            self.entries.push(AuditEntry {
                consumer: self.consumer,
                route: route.to_owned(),
                action: action.name,
                permission: join_expressions(&concat(&expressions, action.permission, action.kept_leaves)),
                timeout: action.timeout,
            });
        }
        for mount in handler.routes {
            let separator = if route.is_empty() || route.ends_with('/') { "" } else { "/" };
            let inner = format!("{route}{separator}{}", mount.pattern.text);
            self.visit_handler(mount.handler, &inner, &concat(&expressions, mount.permission, mount.kept_leaves));
        }
    }
}

/// An expression, and the bit set of its leaves that are evaluated once per message.
type AuditedExpression = (&'static Expression, u64);

fn concat(outer: &[AuditedExpression], inner: Option<&'static Expression>, kept_leaves: u64) -> Vec<AuditedExpression> {
    outer.iter().copied().chain(inner.map(|expression| (expression, kept_leaves))).collect()
}

fn join_expressions(expressions: &[AuditedExpression]) -> String {
    match expressions {
        [(only, kept_leaves)] => only.text_with(*kept_leaves),
        expressions => {
            let operands =
                expressions.iter().map(|(expression, kept_leaves)| expression.operand_text_with(*kept_leaves));
            operands.collect::<Vec<_>>().join(" & ")
        }
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |entry: &AuditEntry| -> [String; 4] {
            let route = if entry.route.is_empty() { "-".to_owned() } else { entry.route.clone() };
            [entry.consumer.to_owned(), route, entry.action.to_owned(), entry.effect()]
        };
        let head = ["consumer", "route", "action", "permission in effect"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(self.entries.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (consumer, route, action) = (width(0), width(1), width(2));
        for [consumer_cell, route_cell, action_cell, permission_cell] in &rows {
            writeln!(f, "{consumer_cell:consumer$}  {route_cell:route$}  {action_cell:action$}  {permission_cell}")?;
        }
        Ok(())
    }
}
