//! Which attributes of a method or a parameter are ours, and taking them off.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitStr, Meta, Path, Result, Token};

use super::key_value::refuse;

/// What a method in a block is marked as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
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

const MARKS: &[(&str, Mark)] = &[
    ("action", Mark::Action),
    ("route", Mark::Route),
    ("event", Mark::Event),
    ("connect", Mark::Connect),
    ("disconnect", Mark::Disconnect),
    ("authenticate", Mark::Authenticate),
];
const ROLES: &[(&str, Role)] =
    &[("path", Role::Path), ("extract", Role::Extract), ("object", Role::Object), ("serde", Role::Serde)];

/// Takes the marks off a method.
pub(crate) fn take_marks(attributes: &mut Vec<Attribute>, runtime: &Path) -> Vec<(Mark, Attribute)> {
    take(attributes, |path| ours(path, MARKS, runtime))
}

/// Takes the roles off a parameter.
pub(crate) fn take_roles(attributes: &mut Vec<Attribute>) -> Vec<(Role, Attribute)> {
    take(attributes, |path| {
        let word = path.get_ident()?;
        ROLES.iter().find(|(name, _)| word == name).map(|(_, role)| *role)
    })
}

fn take<T>(attributes: &mut Vec<Attribute>, find: impl Fn(&Path) -> Option<T>) -> Vec<(T, Attribute)> {
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
fn ours(path: &Path, names: &[(&str, Mark)], runtime: &Path) -> Option<Mark> {
    let mut words = path.segments.iter().rev().map(|segment| &segment.ident);
    let last = words.next()?;
    let renamed = runtime.segments.last().map(|segment| &segment.ident);
    if words.next().is_some_and(|owner| owner != "portcullis" && Some(owner) != renamed) {
        return None;
    }
    names.iter().find(|(name, _)| last == name).map(|(_, mark)| *mark)
}

/// Takes off each `cfg_attr` that hides a mark, with the mark.
pub(crate) fn take_hidden_marks(attributes: &mut Vec<Attribute>, runtime: &Path) -> Vec<(Path, Attribute)> {
    let hidden = |attribute: &Attribute| hidden_mark(attribute, runtime);
    let found = attributes.iter().filter_map(|attribute| Some((hidden(attribute)?, attribute.clone()))).collect();
    attributes.retain(|attribute| hidden(attribute).is_none());
    found
}

/// The mark that a `cfg_attr` hides, if it does.
fn hidden_mark(attribute: &Attribute, runtime: &Path) -> Option<Path> {
    hidden(attribute).into_iter().find(|path| ours(path, MARKS, runtime).is_some())
}

/// Drops each `cfg_attr` that hides a role: nobody else knows what it means.
pub(crate) fn drop_hidden_roles(attributes: &mut Vec<Attribute>) {
    let hides = |path: &Path| ROLES.iter().any(|(name, _)| path.is_ident(name));
    attributes.retain(|attribute| !hidden(attribute).iter().any(hides));
}

/// What a `cfg_attr` puts on its item.
pub(super) fn hidden(attribute: &Attribute) -> Vec<Path> {
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
pub(crate) fn inside<T>(attribute: &Attribute, parser: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<T> {
    match &attribute.meta {
        Meta::Path(_) => parser.parse2(TokenStream::new()),
        Meta::List(_) => attribute.parse_args_with(parser),
        Meta::NameValue(_) => {
            let name = name(attribute);
            Err(refuse(attribute, format_args!("`#[{name} = …]` is not understood; write `#[{name}(…)]`")))
        }
    }
}

/// An attribute that takes nothing.
pub(crate) fn bare(attribute: &Attribute) -> Result<()> {
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(());
    }
    let name = name(attribute);
    Err(refuse(attribute, format_args!("`#[{name}]` takes no keys; write `#[{name}]` alone")))
}

/// The name in `#[path("name")]`, where the parameter has another.
pub(crate) fn renamed(attribute: &Attribute) -> Result<Option<LitStr>> {
    inside(attribute, |input| {
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

fn name(attribute: &Attribute) -> String {
    attribute.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}
