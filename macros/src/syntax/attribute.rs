//! Finds and removes the attributes of methods and parameters that the macros define.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitStr, Meta, Path, Result, Token};

use super::block::BlockKind;
use super::key_value::error_at;

/// The kind of method that an attribute declares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MethodKind {
    Action,
    Route,
    Event,
    Connect,
    Disconnect,
    Gap,
    Authenticate,
}

impl MethodKind {
    /// Returns the name of the attribute.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Route => "route",
            Self::Event => "event",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Gap => "gap",
            Self::Authenticate => "authenticate",
        }
    }
}

/// The role that an attribute gives to a parameter.
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
    ("gap", MethodKind::Gap),
    ("authenticate", MethodKind::Authenticate),
];
const PARAMETER_ATTRIBUTES: &[(&str, Role)] =
    &[("path", Role::Path), ("extract", Role::Extract), ("object", Role::Object), ("serde", Role::Serde)];

/// Removes the Portcullis attributes of a method and returns them.
pub(crate) fn take_method_attributes(attributes: &mut Vec<Attribute>, runtime: &Path) -> Vec<(MethodKind, Attribute)> {
    take_matching(attributes, |path| method_kind(path, METHOD_ATTRIBUTES, runtime))
}

/// Removes the attributes of an impl block that make it a consumer or a handler, and returns them.
pub(crate) fn take_block_attributes(attributes: &mut Vec<Attribute>) -> Vec<(BlockKind, Attribute)> {
    take_matching(attributes, |path| {
        let mut idents = path.segments.iter().rev().map(|segment| &segment.ident);
        let (last, owner) = (idents.next()?, idents.next());
        let kinds = [BlockKind::Consumer, BlockKind::Handler];
        kinds.into_iter().find(|kind| last == kind.name() && owner.is_none_or(|owner| owner == "portcullis"))
    })
}

/// Removes the Portcullis and serde attributes of a parameter and returns them.
pub(crate) fn take_roles(attributes: &mut Vec<Attribute>) -> Vec<(Role, Attribute)> {
    take_matching(attributes, |path| {
        let ident = path.get_ident()?;
        PARAMETER_ATTRIBUTES.iter().find(|(name, _)| ident == name).map(|(_, role)| *role)
    })
}

fn take_matching<T>(attributes: &mut Vec<Attribute>, find: impl Fn(&Path) -> Option<T>) -> Vec<(T, Attribute)> {
    let mut removed = Vec::new();
    attributes.retain(|attribute| match find(attribute.path()) {
        Some(found) => {
            removed.push((found, attribute.clone()));
            false
        }
        None => true,
    });
    removed
}

/// Returns the kind that `path` names: `action`, `portcullis::action`, or `action` in the crate that `crate = …` names.
fn method_kind(path: &Path, names: &[(&str, MethodKind)], runtime: &Path) -> Option<MethodKind> {
    let mut idents = path.segments.iter().rev().map(|segment| &segment.ident);
    let last = idents.next()?;
    let crate_name = runtime.segments.last().map(|segment| &segment.ident);
    if idents.next().is_some_and(|owner| owner != "portcullis" && Some(owner) != crate_name) {
        return None;
    }
    names.iter().find(|(name, _)| last == name).map(|(_, mark)| *mark)
}

/// Removes each `cfg_attr` that contains a method attribute. Returns it together with the path of that method attribute.
pub(crate) fn take_conditional_method_attributes(
    attributes: &mut Vec<Attribute>,
    runtime: &Path,
) -> Vec<(Path, Attribute)> {
    let find = |attribute: &Attribute| conditional_method_attribute(attribute, runtime);
    let found = attributes.iter().filter_map(|attribute| Some((find(attribute)?, attribute.clone()))).collect();
    attributes.retain(|attribute| find(attribute).is_none());
    found
}

/// Returns the path of a method attribute inside of `cfg_attr`.
fn conditional_method_attribute(attribute: &Attribute, runtime: &Path) -> Option<Path> {
    cfg_attr_paths(attribute).into_iter().find(|path| method_kind(path, METHOD_ATTRIBUTES, runtime).is_some())
}

/// Removes each `cfg_attr` that contains a parameter attribute, because the compiler would reject the attribute inside of
/// it.
pub(crate) fn remove_conditional_roles(attributes: &mut Vec<Attribute>) {
    let is_role = |path: &Path| PARAMETER_ATTRIBUTES.iter().any(|(name, _)| path.is_ident(name));
    attributes.retain(|attribute| !cfg_attr_paths(attribute).iter().any(is_role));
}

/// Returns the paths of the attributes inside of `cfg_attr`. The list is empty for any other attribute.
pub(super) fn cfg_attr_paths(attribute: &Attribute) -> Vec<Path> {
    if !attribute.path().is_ident("cfg_attr") {
        return Vec::new();
    }
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    let inside = attribute.parse_args_with(parser).unwrap_or_default();
    inside.iter().skip(1).map(Meta::path).cloned().collect()
}

/// Returns the `#[cfg]` attributes, which are copied to all code that is generated for the item.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// Parses the arguments in the parentheses of an attribute. Without parentheses, the parser gets no tokens.
pub(crate) fn parse_args<T>(attribute: &Attribute, parser: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<T> {
    match &attribute.meta {
        Meta::Path(_) => parser.parse2(TokenStream::new()),
        Meta::List(_) => attribute.parse_args_with(parser),
        Meta::NameValue(_) => {
            let name = attribute_name(attribute);
            Err(error_at(attribute, format_args!("`#[{name} = …]` is not supported; write `#[{name}(…)]`")))
        }
    }
}

/// Checks that an attribute has no arguments.
pub(crate) fn require_bare(attribute: &Attribute) -> Result<()> {
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(());
    }
    let name = attribute_name(attribute);
    Err(error_at(attribute, format_args!("`#[{name}]` takes no keys; write `#[{name}]` alone")))
}

/// Parses the capture name in `#[path("name")]`. Returns `None` for `#[path]`, where the parameter's name is the capture's.
pub(crate) fn parse_capture_name(attribute: &Attribute) -> Result<Option<LitStr>> {
    parse_args(attribute, |input| {
        if input.is_empty() {
            return Ok(None);
        }
        input.parse().map(Some).map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected the quoted name of a capture; write `#[path(\"room_id\")]`, or `#[path]` alone",
            )
        })
    })
}

fn attribute_name(attribute: &Attribute) -> String {
    attribute.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}
