//! Checks that each route can be reached, and that no message matches two routes of which neither is more specific.
//!
//! Patterns are tried in the order written. A pattern matches a prefix of whole segments; the remaining segments go to its
//! handler, and if that has no match the next pattern is tried. So one pattern hides another only if both have the same
//! number of segments, or if it ends in `{*rest}`.

use std::fmt::Write as _;

use super::regex_match;
use super::signature;
use crate::diagnostics::Diagnostics;
use crate::model::block::Block;
use crate::model::route::Route;
use crate::model::{Pattern, Segment};

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    for (position, later) in block.routes.iter().enumerate() {
        check_method(later, diagnostics);
        let earlier = block.routes[..position].iter().filter(|earlier| !are_exclusive_by_cfg(earlier, later));
        for earlier in earlier.filter(|earlier| shape(&earlier.pattern) != shape(&later.pattern)) {
            if check_pair(&earlier.pattern, &later.pattern, diagnostics) {
                break;
            }
        }
    }
}

/// Returns whether both routes have a `#[cfg]`, so that possibly only one of them exists.
fn are_exclusive_by_cfg(one: &Route, other: &Route) -> bool {
    !one.cfgs.is_empty() && !other.cfgs.is_empty()
}

fn check_pair(earlier: &Pattern, later: &Pattern, diagnostics: &mut Diagnostics) -> bool {
    let (first, second) = (&earlier.text, &later.text);
    if covers(earlier, later) {
        let message = if covers(later, earlier) {
            format!("`{second}` is never reached, because `{first}` above matches the same routes; remove one of them")
        } else {
            format!(
                "`{second}` is never reached, because `{first}` above matches every route that it matches; put \
                 `{second}` first"
            )
        };
        diagnostics.error(&later.literal, message);
        return true;
    }
    if covers(later, earlier) {
        return false;
    }
    let Some(both) = overlap(earlier, later) else { return false };
    let message = format!(
        "`{both}` matches both `{first}` and `{second}`, and neither is more specific; distinguish them by a \
         fixed segment or a `{{name:REGEX}}`"
    );
    diagnostics.error(&later.literal, message);
    true
}

/// Returns the pattern without the names of its captures. Patterns with the same shape match the same routes.
pub(super) fn shape(pattern: &Pattern) -> String {
    let mut shape = String::new();
    for segment in &pattern.segments {
        // No segment contains a slash, so it separates the parts.
        let _ = match segment {
            Segment::Text(text) => write!(shape, "{text}/"),
            Segment::Capture(_) => write!(shape, "{{}}/"),
            Segment::Regex(_, regex) => write!(shape, "{{:{regex}}}/"),
            Segment::Rest(_) => write!(shape, "{{*}}/"),
        };
    }
    if !pattern.has_trailing_slash {
        shape.pop();
    }
    shape
}

/// Returns whether `one` matches every route that ends at `other`.
fn covers(one: &Pattern, other: &Pattern) -> bool {
    let (fixed, rest) = split(one);
    let fits = |upto: &[Segment]| fixed.iter().zip(upto).all(|(one, other)| segment_covers(one, other));
    if rest {
        // The tail is never empty.
        return other.segments.len() > fixed.len() && fits(&other.segments[..fixed.len()]);
    }
    other.segments.len() == fixed.len() && one.has_trailing_slash == other.has_trailing_slash && fits(&other.segments)
}

/// Returns the segments before a `{*rest}`, and whether there is one.
fn split(pattern: &Pattern) -> (&[Segment], bool) {
    match pattern.segments.split_last() {
        Some((Segment::Rest(_), fixed)) => (fixed, true),
        _ => (&pattern.segments, false),
    }
}

fn segment_covers(one: &Segment, other: &Segment) -> bool {
    match (one, other) {
        (_, Segment::Rest(_)) => matches!(one, Segment::Rest(_)),
        (Segment::Capture(_) | Segment::Rest(_), _) => true,
        (Segment::Regex(_, regex), Segment::Text(text)) => regex_match::matches(regex, text) == Some(true),
        (Segment::Text(one), Segment::Text(other)) | (Segment::Regex(_, one), Segment::Regex(_, other)) => one == other,
        (Segment::Text(_), _) | (Segment::Regex(..), Segment::Capture(_)) => false,
    }
}

/// Returns a route that ends at both patterns, if one can be determined.
fn overlap(one: &Pattern, other: &Pattern) -> Option<String> {
    if one.segments.len() != other.segments.len() || one.has_trailing_slash != other.has_trailing_slash {
        return None;
    }
    let both = one.segments.iter().zip(&other.segments).map(|(one, other)| segment_overlap(one, other));
    let both = both.collect::<Option<Vec<_>>>()?;
    Some(both.join("/") + if one.has_trailing_slash { "/" } else { "" })
}

/// Returns a segment that both match, as a text or as one of the captures. Two different regexes count as disjoint.
fn segment_overlap(one: &Segment, other: &Segment) -> Option<String> {
    match (one, other) {
        (Segment::Text(text), Segment::Regex(_, regex)) | (Segment::Regex(_, regex), Segment::Text(text)) => {
            (regex_match::matches(regex, text) == Some(true)).then(|| text.clone())
        }
        (Segment::Text(one), Segment::Text(other)) => (one == other).then(|| one.clone()),
        (Segment::Text(text), _) | (_, Segment::Text(text)) => Some(text.clone()),
        (Segment::Regex(name, one), Segment::Regex(_, other)) => (one == other).then(|| format!("{{{name}:{one}}}")),
        (Segment::Regex(name, regex), _) | (_, Segment::Regex(name, regex)) => Some(format!("{{{name}:{regex}}}")),
        (Segment::Rest(name), Segment::Rest(_)) => Some(format!("{{*{name}}}")),
        (Segment::Capture(name), _) | (_, Segment::Capture(name)) => Some(format!("{{{name}}}")),
    }
}

/// Checks the signature of the method, which only returns the handler.
fn check_method(route: &Route, diagnostics: &mut Diagnostics) {
    signature::check_client_method(&route.signature, diagnostics);
    if let Some(asyncness) = &route.signature.asyncness {
        diagnostics.error(asyncness, "a `#[route]` method cannot be `async`; remove `async`");
    }
    for parameter in route.signature.inputs.iter().skip(usize::from(route.signature.receiver().is_some())) {
        let message =
            "a `#[route]` method takes only `&self`; read captures in the actions of its handler with `#[path]`";
        diagnostics.error(parameter, message);
    }
}

#[cfg(test)]
mod tests {
    use super::{covers, overlap, shape};
    use crate::model::Pattern;
    use proc_macro2::Span;
    use syn::LitStr;

    fn pattern(text: &str) -> Pattern {
        Pattern::read(LitStr::new(text, Span::call_site())).unwrap()
    }

    #[test]
    fn pattern_covers_every_route_of_a_narrower_pattern() {
        for (one, other, expected) in [
            ("rooms/{id}/", "rooms/new/", true),
            ("rooms/new/", "rooms/{id}/", false),
            ("rooms/{id}/", "rooms/{slug:[a-z]+}/", true),
            ("rooms/{slug:[a-z]+}/", "rooms/{id}/", false),
            ("rooms/{slug:[a-z]+}/", "rooms/new/", true),
            ("rooms/{id:[0-9]+}/", "rooms/new/", false),
            ("rooms/{id}/", "rooms/{id}", false),
            ("rooms/{id}", "rooms/{id}/", false),
            // The remaining segments are tried at later routes.
            ("rooms/", "rooms/{id}/", false),
            ("{*rest}", "rooms/{id}/", true),
            ("rooms/{*rest}", "rooms/{id}", true),
            // The tail is never empty.
            ("rooms/{*rest}", "rooms/", false),
            ("rooms/{*rest}", "users/{id}/", false),
            ("rooms/{id}", "rooms/{*rest}", false),
            ("{a}/{*rest}", "x/{*rest}", true),
        ] {
            assert_eq!(covers(&pattern(one), &pattern(other)), expected, "{one} over {other}");
        }
    }

    #[test]
    fn overlap_of_two_patterns_is_a_common_route() {
        for (one, other, expected) in [
            ("{a}/x/", "x/{b}/", Some("x/x/")),
            ("{a}/x/", "y/z/", None),
            ("{a:[0-9]+}/x", "5/{b}", Some("5/x")),
            ("{a:[0-9]+}/x", "y/{b}", None),
            ("{a:[0-9]+}/{b}", "{a}/{b:[0-9]+}", Some("{a:[0-9]+}/{b:[0-9]+}")),
            ("{a}/x/", "x/{b}", None),
            ("{a}/{b}/x", "x/{b}", None),
            ("{a:[0-9]+}", "{a:[a-z]+}", None),
        ] {
            assert_eq!(overlap(&pattern(one), &pattern(other)).as_deref(), expected, "{one} and {other}");
        }
    }

    #[test]
    fn shape_ignores_the_names_of_captures() {
        assert_eq!(shape(&pattern("rooms/{id}/")), shape(&pattern("rooms/{room}/")));
        assert_ne!(shape(&pattern("rooms/{id}/")), shape(&pattern("rooms/{id}")));
        assert_ne!(shape(&pattern("rooms/{id:[0-9]}/")), shape(&pattern("rooms/{id}/")));
        assert_ne!(shape(&pattern("a/{*rest}")), shape(&pattern("a/{rest}")));
    }
}
