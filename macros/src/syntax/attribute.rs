//! Which attributes of a method or a parameter are ours, and taking them off.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitStr, Meta, Path, Result, Token};

use super::key_value::error_at;

/// What a method in a block is marked as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MethodKind {
    Action,
    Route,
    Event,
    Connect,
    Disconnect,
    Authenticate,
}

/// What a parameter is marked as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Path,
    Extract,
    Object,
    Serde,
}

const METHOD_ATTRIBUTES: &[(&str, MethodKind)] = &[
    ("action", MethodKind::Action),
    ("route", MethodKind::Route),
    ("event", MethodKind::Event),
    ("connect", MethodKind::Connect),
    ("disconnect", MethodKind::Disconnect),
    ("authenticate", MethodKind::Authenticate),
];
const PARAMETER_ATTRIBUTES: &[(&str, Role)] =
    &[("path", Role::Path), ("extract", Role::Extract), ("object", Role::Object), ("serde", Role::Serde)];

/// Takes the marks off a method.
pub(crate) fn take_method_attributes(attributes: &mut Vec<Attribute>, runtime: &Path) -> Vec<(MethodKind, Attribute)> {
    take_matching(attributes, |path| method_kind(path, METHOD_ATTRIBUTES, runtime))
}

/// Takes the roles off a parameter.
pub(crate) fn take_roles(attributes: &mut Vec<Attribute>) -> Vec<(Role, Attribute)> {
    take_matching(attributes, |path| {
        let word = path.get_ident()?;
        PARAMETER_ATTRIBUTES.iter().find(|(name, _)| word == name).map(|(_, role)| *role)
    })
}

fn take_matching<T>(attributes: &mut Vec<Attribute>, find: impl Fn(&Path) -> Option<T>) -> Vec<(T, Attribute)> {
    let mut taken = Vec::new();
    attributes.retain(|attribute| match find(attribute.path()) {
        Some(found) => {
            taken.push((found, attribute.clone()));
            false
        }
        None => true,
    });
    taken
}

/// `action`, `portcullis::action`, or under the name that `crate = …` gives.
fn method_kind(path: &Path, names: &[(&str, MethodKind)], runtime: &Path) -> Option<MethodKind> {
    let mut words = path.segments.iter().rev().map(|segment| &segment.ident);
    let last = words.next()?;
    let renamed = runtime.segments.last().map(|segment| &segment.ident);
    if words.next().is_some_and(|owner| owner != "portcullis" && Some(owner) != renamed) {
        return None;
    }
    names.iter().find(|(name, _)| last == name).map(|(_, mark)| *mark)
}

/// Takes off each `cfg_attr` that hides a mark, with the mark.
pub(crate) fn take_conditional_method_attributes(
    attributes: &mut Vec<Attribute>,
    runtime: &Path,
) -> Vec<(Path, Attribute)> {
    let hidden = |attribute: &Attribute| conditional_method_attribute(attribute, runtime);
    let found = attributes.iter().filter_map(|attribute| Some((hidden(attribute)?, attribute.clone()))).collect();
    attributes.retain(|attribute| hidden(attribute).is_none());
    found
}

/// The mark that a `cfg_attr` hides, if it does.
fn conditional_method_attribute(attribute: &Attribute, runtime: &Path) -> Option<Path> {
    cfg_attr_paths(attribute).into_iter().find(|path| method_kind(path, METHOD_ATTRIBUTES, runtime).is_some())
}

/// Drops each `cfg_attr` that hides a role: nobody else knows what it means.
pub(crate) fn remove_conditional_roles(attributes: &mut Vec<Attribute>) {
    let hides = |path: &Path| PARAMETER_ATTRIBUTES.iter().any(|(name, _)| path.is_ident(name));
    attributes.retain(|attribute| !cfg_attr_paths(attribute).iter().any(hides));
}

/// What a `cfg_attr` puts on its item.
pub(super) fn cfg_attr_paths(attribute: &Attribute) -> Vec<Path> {
    if !attribute.path().is_ident("cfg_attr") {
        return Vec::new();
    }
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    let inside = attribute.parse_args_with(parser).unwrap_or_default();
    inside.iter().skip(1).map(Meta::path).cloned().collect()
}

/// The `#[cfg]`s, to be copied to everything generated for the item.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// Parses what stands in the parentheses, which may be missing.
pub(crate) fn parse_args<T>(attribute: &Attribute, parser: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<T> {
    match &attribute.meta {
        Meta::Path(_) => parser.parse2(TokenStream::new()),
        Meta::List(_) => attribute.parse_args_with(parser),
        Meta::NameValue(_) => {
            let name = attribute_name(attribute);
            Err(error_at(attribute, format_args!("`#[{name} = …]` is not understood; write `#[{name}(…)]`")))
        }
    }
}

/// An attribute that takes nothing.
pub(crate) fn require_bare(attribute: &Attribute) -> Result<()> {
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(());
    }
    let name = attribute_name(attribute);
    Err(error_at(attribute, format_args!("`#[{name}]` takes no keys; write `#[{name}]` alone")))
}

/// The name in `#[path("name")]`, where the parameter has another.
pub(crate) fn parse_capture_name(attribute: &Attribute) -> Result<Option<LitStr>> {
    parse_args(attribute, |input| {
        if input.is_empty() {
            return Ok(None);
        }
        input.parse().map(Some).map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected the name of a capture; write `#[path(\"room_id\")]`, or `#[path]` alone",
            )
        })
    })
}

fn attribute_name(attribute: &Attribute) -> String {
    attribute.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}
