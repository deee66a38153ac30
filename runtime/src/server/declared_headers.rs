//! The headers that the permissions of a consumer declare, which its endpoint keeps.

use std::collections::HashSet;

use http::HeaderName;

use crate::consumer::{Consumer, LeafHeaders, group_headers};
use crate::context::KeptHeaders;

/// Returns the headers that the permissions of a consumer, of its handlers, groups and events declare.
///
/// # Panics
///
/// As [`header_name`].
pub(super) fn declared_headers<C: Consumer>() -> KeptHeaders {
    let mut names = HashSet::new();
    let mut visit =
        |headers: LeafHeaders| names.extend(headers.iter().copied().flatten().map(|name| header_name(name)));
    C::DESCRIPTOR.visit_headers(&mut visit);
    visit(C::CONNECT_HEADERS);
    C::EVENTS.iter().map(|event| event.headers).chain(group_headers(C::NAME)).for_each(visit);
    names.into_iter().collect()
}

/// Parses the name of a header.
///
/// # Panics
///
/// Panics if the text is not the name of a header.
pub(super) fn header_name(name: &str) -> HeaderName {
    name.parse().unwrap_or_else(|_| panic!("`{name}` is not the name of a header"))
}
