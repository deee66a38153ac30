//! The static rows that the attributes write: what serves requests, what the audit prints, what the mounts are checked by.

use std::sync::OnceLock;

use crate::log::Cause;
use crate::permission::Expression;

/// A handler without its type.
#[derive(Debug, Clone, Copy)]
pub struct HandlerDescriptor {
    /// The handler's name.
    pub name: &'static str,
    /// The handler's own expression.
    pub permission: Option<&'static Expression>,
    /// Whether it leans on what stands above its mount.
    pub is_inherited: bool,
    /// Who reads which captures in the handler's own expression.
    pub capture_uses: &'static [CaptureUse],
    /// The whitelist.
    pub actions: &'static [ActionDescriptor],
    /// The routing table; the first pattern that matches wins.
    pub routes: &'static [RouteDescriptor],
}

impl HandlerDescriptor {
    /// Whether a codename is asked here or anywhere below.
    pub(crate) fn asks_codenames(&self) -> bool {
        let asks = |expression: Option<&Expression>| expression.is_some_and(|expression| expression.has_codenames);
        asks(self.permission)
            || self.actions.iter().any(|action| asks(action.permission))
            || self.routes.iter().any(|route| asks(route.permission) || route.handler.asks_codenames())
    }
}

/// An action.
#[derive(Debug, Clone, Copy)]
pub struct ActionDescriptor {
    /// What a client calls it by.
    pub name: &'static str,
    /// Its own expression; it narrows what stands above.
    pub permission: Option<&'static Expression>,
    /// Whether it runs in the blocking pool.
    pub is_blocking: bool,
    /// Whether it runs beside the others.
    pub is_detached: bool,
    /// Who reads which captures.
    pub capture_uses: &'static [CaptureUse],
    /// The top-level keys of the message that its arguments are read from, as a client writes them.
    pub message_keys: &'static [&'static str],
}

/// An event that a consumer lets out.
#[derive(Debug, Clone, Copy)]
pub struct EventDescriptor {
    /// What a frame calls it.
    pub name: &'static str,
    /// What is asked of each one who would get it.
    pub permission: &'static Expression,
}

/// A pattern with the handler that is mounted under it.
#[derive(Debug, Clone, Copy)]
pub struct RouteDescriptor {
    /// Which of the block's routes this is.
    pub id: u16,
    /// What it matches.
    pub pattern: Pattern,
    /// What the mount asks beside the handler's own expression.
    pub permission: Option<&'static Expression>,
    /// Who reads which captures in that expression.
    pub capture_uses: &'static [CaptureUse],
    /// The handler.
    pub handler: &'static HandlerDescriptor,
}

/// Somebody who reads captures.
#[derive(Debug, Clone, Copy)]
pub struct CaptureUse {
    /// Who, as the message of the check at the mount says it.
    pub reader: &'static str,
    /// The captures' names.
    pub captures: &'static [&'static str],
}

/// A route pattern.
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    /// As written.
    pub text: &'static str,
    /// Its segments.
    pub segments: &'static [Segment],
    /// Whether it ends with a slash.
    pub has_trailing_slash: bool,
}

/// One segment of a pattern.
#[derive(Debug, Clone, Copy)]
pub enum Segment {
    /// This very text.
    Text(&'static str),
    /// `{name}`: any text but none.
    Capture(&'static str),
    /// `{name:REGEX}`: text that the whole expression matches.
    Regex(&'static str, fn() -> &'static Regex),
    /// `{*name}`: all that is left, slashes included, but not nothing.
    Rest(&'static str),
}

impl Segment {
    /// The capture that it makes.
    pub(crate) const fn capture(&self) -> Option<&'static str> {
        match self {
            Segment::Text(_) => None,
            Segment::Capture(name) | Segment::Regex(name, _) | Segment::Rest(name) => Some(name),
        }
    }
}

/// A regular expression that was valid when compiling, compiled on first use.
#[derive(Debug)]
pub struct Regex {
    text: &'static str,
    compiled: OnceLock<Option<regex::Regex>>,
}

impl Regex {
    /// For a `static`.
    pub const fn new(text: &'static str) -> Regex {
        Regex { text, compiled: OnceLock::new() }
    }

    /// Whether it matches the whole text. One that is too large to compile matches nothing.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| match regex::Regex::new(&format!("^(?:{})$", self.text)) {
            Ok(regex) => Some(regex),
            Err(error) => {
                tracing::error!(regex = self.text, cause = ?Cause::new(&error), "route ignored: invalid regular expression");
                None
            }
        });
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}
