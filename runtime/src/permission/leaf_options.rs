//! The constants of permission traits. Generated code reads them without a bound on the leaf's type, so that a type that is
//! not a permission is reported where the leaf is evaluated, and nowhere else.
//!
//! If the type is a permission, the items here are inherent. The compiler prefers an inherent item to one of a trait, so the
//! items of [`LeafDefaults`] apply to all other types. The names begin with underscores, so that a trait of the application
//! which every type implements has none of the same name.

use std::future::{Future, Ready, ready};
use std::marker::PhantomData;

use super::{AllowAny, DenyAll, ObjectPermission, Permission, Rule};
use crate::context::{ConnectContext, Handler};
use crate::error::Result;

/// Has the answer of a leaf `P` if it is always the same: `ConstantAnswer::<P>::__ANSWER`.
#[derive(Debug)]
pub struct ConstantAnswer<P>(PhantomData<P>);

impl ConstantAnswer<AllowAny> {
    /// `AllowAny` permits every caller.
    pub const __ANSWER: Option<bool> = Some(true);
}

impl ConstantAnswer<DenyAll> {
    /// `DenyAll` denies every caller.
    pub const __ANSWER: Option<bool> = Some(false);
}

/// Has the items with a default of a permission `P` in an expression of handler `H`.
#[derive(Debug)]
pub struct LeafOptions<P, H>(PhantomData<(P, H)>);

impl<P: Permission<H>, H: Handler> LeafOptions<P, H> {
    /// Whether the leaf is evaluated again for the same message.
    pub const __REEVALUATE: bool = P::REEVALUATE;
    /// The headers that the leaf reads.
    pub const __HEADERS: &'static [&'static str] = P::HEADERS;

    /// Evaluates the leaf for a client that connects.
    #[inline]
    pub fn __can_connect(
        leaf: &P,
        handler: &H,
        cx: &ConnectContext<'_, H::User>,
    ) -> impl Future<Output = Result<Option<bool>>> + Send {
        leaf.can_connect(handler, cx)
    }
}

/// Has the items with a default of a rule `R` in an expression of handler `H`. Apart from [`LeafOptions`], because for the
/// compiler a type may be both a permission and a rule, so that inherent items of both would overlap.
#[derive(Debug)]
pub struct RuleOptions<R, H>(PhantomData<(R, H)>);

impl<R: Rule<H>, H: Handler> RuleOptions<R, H> {
    /// The headers that the leaf reads.
    pub const __HEADERS: &'static [&'static str] = R::HEADERS;
}

/// Has the constants of an object permission `P` about `T` in an expression of handler `H`.
#[derive(Debug)]
pub struct ObjectLeafOptions<P, T, H>(PhantomData<(P, T, H)>);

impl<P: ObjectPermission<T, H>, T, H: Handler> ObjectLeafOptions<P, T, H> {
    /// Whether the leaf is evaluated again for the same message.
    pub const __REEVALUATE: bool = P::REEVALUATE;
    /// The headers that the leaf reads.
    pub const __HEADERS: &'static [&'static str] = P::HEADERS;
    /// The answer for every object, if it does not depend on the object.
    pub const __ANSWER: Option<bool> = P::ALWAYS;
}

/// The defaults, which apply to every type without inherent items.
pub trait LeafDefaults {
    /// The answer is not always the same.
    const __ANSWER: Option<bool> = None;
    /// The leaf is evaluated again.
    const __REEVALUATE: bool = true;
    /// The leaf reads no header.
    const __HEADERS: &'static [&'static str] = &[];
    /// The object belongs to no capture.
    const __CAPTURES: &'static [&'static str] = &[];

    /// The leaf has no opinion on connecting.
    #[inline]
    fn __can_connect<P, H, U>(_: &P, _: &H, _: &ConnectContext<'_, U>) -> Ready<Result<Option<bool>>> {
        ready(Ok(None))
    }
}

impl<P> LeafDefaults for ConstantAnswer<P> {}

impl<P, H> LeafDefaults for LeafOptions<P, H> {}

impl<R, H> LeafDefaults for RuleOptions<R, H> {}

impl<P, T, H> LeafDefaults for ObjectLeafOptions<P, T, H> {}

/// Checks at compile time that a leaf is neither `AllowAny` nor `DenyAll`, also under another name.
///
/// # Panics
///
/// Panics with `allow_any` or `deny_all` if the leaf is that permission.
#[track_caller]
pub const fn check_not_constant(answer: Option<bool>, allow_any: &'static str, deny_all: &'static str) {
    match answer {
        Some(true) => panic!("{}", allow_any),
        Some(false) => panic!("{}", deny_all),
        None => {}
    }
}

/// Checks at compile time that the expression of an action is not `AllowAny`, also under another name.
///
/// # Panics
///
/// Panics with `message` if it is.
#[track_caller]
pub const fn check_restricts(answer: Option<bool>, message: &'static str) {
    assert!(!matches!(answer, Some(true)), "{}", message);
}
