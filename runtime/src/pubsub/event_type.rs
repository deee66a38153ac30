//! Types of events: their identity on other machines, and whether they leave their machine.

use std::fmt;

use super::codec::Codec;
use super::fingerprint::{extend_fingerprint, fingerprint};
use crate::consumer::{EventDescriptor, LeafHeaders, ReceiveEvent};
use crate::permission::Expression;

/// A type whose values are published. Implemented by [`#[derive(Event)]`](derive@crate::Event), which has its options.
///
/// # Examples
///
/// ```standalone_crate
/// use portcullis::{AllowAny, Event, consumer};
///
/// #[derive(Event)]
/// struct Said { text: String }
///
/// struct Chat;
///
/// #[consumer]
/// impl Chat {
///     #[event(permission = AllowAny)]
///     fn said(event: &Said) -> &str {
///         &event.text
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "put `#[derive(Event)]` on it"
)]
pub trait Event: Send + Sync + Sized + 'static {
    /// The name that other machines know the type by.
    #[doc(hidden)]
    const NAME: &'static str;

    /// The path of the type, for messages.
    #[doc(hidden)]
    const PATH: &'static str;

    /// The hash of the name, the variants, and the fields with their types as written.
    #[doc(hidden)]
    const FINGERPRINT: u64;

    /// Whether the event never leaves its machine.
    #[doc(hidden)]
    const IS_LOCAL: bool;

    /// The encoding. `None` if the event is local.
    #[doc(hidden)]
    const CODEC: Option<Codec<Self>> = None;

    /// Compares two values of the same variant field by field, where the fields can be compared.
    #[doc(hidden)]
    fn compare_fields(&self, other: &Self) -> Vec<FieldEquality> {
        let _ = other;
        Vec::new()
    }
}

/// An event that may leave its machine: one without `#[event(local)]`. Implemented by
/// [`#[derive(Event)]`](derive@crate::Event).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be published to a user",
    label = "not an event that may leave its machine",
    note = "a user may be connected to another machine: remove `#[event(local)]` from `{Self}`, or publish it to a group with `#[group(.., local)]`"
)]
pub trait DistributedEvent: Event {}

/// The name of a field, and whether two values of it are equal; `None` if its type does not implement `PartialEq`.
pub type FieldEquality = (&'static str, Option<bool>);

/// Two values of a field. Calling `are_equal` on a reference compares them by `PartialEq` if the type implements it.
#[derive(Debug)]
pub struct Compared<'a, T>(pub &'a T, pub &'a T);

/// The comparison of types that implement `PartialEq`.
pub trait EqualityOfPartialEq {
    /// Returns whether the values are equal.
    fn are_equal(&self) -> Option<bool>;
}

impl<T: PartialEq> EqualityOfPartialEq for Compared<'_, T> {
    fn are_equal(&self) -> Option<bool> {
        Some(self.0 == self.1)
    }
}

/// The comparison of all other types.
pub trait EqualityOfAny {
    /// Returns `None`.
    fn are_equal(&self) -> Option<bool>;
}

impl<T> EqualityOfAny for &Compared<'_, T> {
    fn are_equal(&self) -> Option<bool> {
        None
    }
}

/// What a consumer knows about a type of events that it sends.
pub struct EventType<E> {
    name: &'static str,
    /// The type arguments as written in the `#[event]` method.
    arguments: &'static str,
    path: &'static str,
    fingerprint: u64,
    is_local: bool,
    /// The encoding. `None` if the event is local.
    pub(super) codec: Option<Codec<E>>,
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "compared only in tests"))]
    pub(super) compare_fields: fn(&E, &E) -> Vec<FieldEquality>,
}

impl<E> EventType<E> {
    /// Returns the description of a type, with the type arguments as written.
    pub const fn of(arguments: &'static str) -> EventType<E>
    where
        E: Event,
    {
        EventType {
            name: E::NAME,
            arguments,
            path: E::PATH,
            fingerprint: extend_fingerprint(E::FINGERPRINT, arguments),
            is_local: E::IS_LOCAL,
            codec: E::CODEC,
            compare_fields: E::compare_fields,
        }
    }

    /// Returns the description of a type in a block with errors, which does not compile.
    pub const fn unknown() -> EventType<E> {
        EventType {
            name: "",
            arguments: "",
            path: "",
            fingerprint: fingerprint(""),
            is_local: false,
            codec: None,
            compare_fields: |_, _| Vec::new(),
        }
    }

    /// Returns the descriptor of an event with this name in frames and this permission.
    pub(crate) const fn descriptor(
        self,
        name: &'static str,
        permission: &'static Expression,
        headers: LeafHeaders,
        receive: ReceiveEvent,
    ) -> EventDescriptor {
        let EventType { name: type_name, arguments, path, fingerprint, .. } = self;
        EventDescriptor {
            name,
            permission,
            headers,
            type_name,
            type_arguments: arguments,
            type_path: path,
            fingerprint,
            receive,
        }
    }

    /// Returns whether the event may leave its machine.
    pub(super) const fn is_distributed(&self) -> bool {
        !self.is_local
    }
}

impl<E> fmt::Debug for EventType<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventType").field(&self.path).finish()
    }
}

/// Checks at compile time that a group which is not local carries no local event.
///
/// # Panics
///
/// Panics with `message` if the event is local.
#[track_caller]
pub const fn check_distributed(is_distributed: bool, message: &'static str) {
    assert!(is_distributed, "{}", message);
}
