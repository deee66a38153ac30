//! One parameter of an action or of `#[authenticate]`: the context, an object, a capture, an extracted value, or a key of
//! the message.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprLit, FnArg, Lit, LitStr, Meta, MetaNameValue, Pat, PatType, Signature, Token, Type,
    TypeReference,
};

use super::object::{Object, ObjectSource, parse_object_type};
use super::{RenameRule, unraw_name};
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute::{self, Role};
use crate::syntax::json_path::JsonPath;

/// A named parameter. Parameters with other patterns are reported and left out.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) kind: ParameterKind,
    /// Other attributes. They stay on the method, except for a `cfg_attr` that contains a role.
    pub(crate) attributes: Vec<Attribute>,
    /// The roles with their attributes, for errors to underline.
    pub(crate) roles: Vec<(Role, Attribute)>,
}

pub(crate) enum ParameterKind {
    Context,
    Capture {
        name: String,
        span: Span,
    },
    Extract,
    Key {
        /// The key in the message, unless a serde attribute renames it.
        key: String,
        serde: Vec<Attribute>,
    },
    Object(Object),
}

impl Parameter {
    /// Reads a parameter and removes the Portcullis attributes from it.
    pub(crate) fn read(typed: &mut PatType, rename_all: RenameRule, diagnostics: &mut Diagnostics) -> Option<Self> {
        let roles = attribute::take_roles(&mut typed.attrs);
        let attributes = typed.attrs.clone();
        attribute::remove_conditional_roles(&mut typed.attrs);
        let name = match &*typed.pat {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => name.ident.clone(),
            pattern => {
                diagnostics.error(pattern, pattern_message(pattern));
                // Called to report errors in its attributes.
                read_kind(&typed.ty, &Ident::new("_", pattern.span()), &roles, rename_all, diagnostics);
                return None;
            }
        };
        let kind = read_kind(&typed.ty, &name, &roles, rename_all, diagnostics);
        Some(Self { name, ty: (*typed.ty).clone(), kind, attributes, roles })
    }
}

impl Parameter {
    pub(crate) fn has_role(&self, role: Role) -> bool {
        self.roles.iter().any(|(found, _)| *found == role)
    }

    /// Returns the tokens of the last attribute with this role, for errors to underline.
    pub(crate) fn role_tokens(&self, role: Role) -> TokenStream {
        let mut attributes = self.roles.iter().rev().filter(|(found, _)| *found == role);
        let span = self.name.span();
        attributes.next().map_or_else(|| quote_spanned!(span=> _), |(_, attribute)| attribute.to_token_stream())
    }

    /// Returns whether a serde attribute names a function, which accepts only the declared type.
    pub(crate) fn has_serde_function(&self) -> bool {
        let ParameterKind::Key { serde, .. } = &self.kind else { return false };
        serde.iter().flat_map(serde_entries).any(|(key, value)| {
            matches!(key.as_str(), "with" | "deserialize_with") || (key == "default" && value.is_some())
        })
    }

    /// Returns the keys from which the parameter can be read in the message. The list is empty if it has no key of its own.
    pub(crate) fn wire_names(&self) -> Vec<String> {
        let (key, serde) = match &self.kind {
            ParameterKind::Key { key, serde } => (key, serde),
            ParameterKind::Object(Object { source: ObjectSource::Key(name), .. }) => return vec![name.clone()],
            _ => return Vec::new(),
        };
        let mut names = vec![key.clone()];
        for (key, value) in serde.iter().flat_map(serde_entries) {
            match (key.as_str(), value) {
                ("rename", Some(name)) => names[0] = name,
                ("alias", Some(name)) => names.push(name),
                ("flatten" | "skip" | "skip_deserializing", _) => return Vec::new(),
                _ => {}
            }
        }
        names
    }

    /// Returns the top-level message keys that the parameter is read from, as a client writes them. For an object whose key
    /// is nested, this is the outermost key. A parameter that the block's `rename_all` renames is listed under its own name
    /// too, since it must not stand in for a capture of that name either.
    pub(crate) fn message_keys(&self) -> Vec<String> {
        if let ParameterKind::Object(Object { source: ObjectSource::Nested(path), .. }) = &self.kind {
            return vec![path.top_level_key().to_owned()];
        }
        let mut keys = self.wire_names();
        let name = unraw_name(&self.name);
        if self.is_renamed_by_block() && !keys.contains(&name) {
            keys.push(name);
        }
        keys
    }

    fn is_renamed_by_block(&self) -> bool {
        match &self.kind {
            ParameterKind::Key { serde, .. } => !is_renamed_by_serde(serde) && !self.wire_names().is_empty(),
            ParameterKind::Object(Object { source: ObjectSource::Key(_), .. }) => !self.has_role(Role::Object),
            _ => false,
        }
    }
}

/// Returns whether a serde attribute gives the key in the message.
pub(crate) fn is_renamed_by_serde(attributes: &[Attribute]) -> bool {
    attributes.iter().flat_map(serde_entries).any(|(key, value)| key == "rename" && value.is_some())
}

/// Returns the error message for a pattern that is not a name.
fn pattern_message(pattern: &Pat) -> String {
    let extractor = match pattern {
        Pat::TupleStruct(pattern) => pattern.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    };
    match extractor.as_deref() {
        Some(name @ ("State" | "Json" | "Path" | "Query" | "Extension" | "Form")) => format!(
            "`{name}` is an extractor of axum, and an action takes none; shared state is in `self`, a capture of the route \
             is `#[path] id: u32`, and each key of the message is a parameter of its own"
        ),
        _ => "a parameter must be a name, because it is the key in the message; write a name here and destructure the \
              value in the body"
            .to_owned(),
    }
}

/// Returns the keys of `#[serde(…)]` with their string values. Other values and syntax errors are left to serde.
fn serde_entries(attribute: &Attribute) -> Vec<(String, Option<String>)> {
    metas_or_empty(attribute.parse_args_with(Punctuated::parse_terminated))
        .iter()
        .map(|meta| (meta_name(meta), meta_value(meta)))
        .collect()
}

fn metas_or_empty(read: syn::Result<Punctuated<Meta, Token![,]>>) -> Punctuated<Meta, Token![,]> {
    read.unwrap_or_default()
}

fn meta_name(meta: &Meta) -> String {
    meta.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// Returns the string after `=`. For `rename(serialize = "…", deserialize = "…")`, returns the value for deserialization.
fn meta_value(meta: &Meta) -> Option<String> {
    match meta {
        Meta::NameValue(MetaNameValue { value, .. }) => string_value(value),
        Meta::List(list) => {
            let nested = metas_or_empty(list.parse_args_with(Punctuated::parse_terminated));
            nested.iter().find(|meta| meta_name(meta) == "deserialize").and_then(meta_value)
        }
        Meta::Path(_) => None,
    }
}

/// Returns the text of a string literal. A literal from a `macro_rules` macro is inside of a group.
fn string_value(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Group(group) => string_value(&group.expr),
        _ => None,
    }
}

fn read_kind(
    ty: &Type,
    name: &Ident,
    roles: &[(Role, Attribute)],
    rename_all: RenameRule,
    diagnostics: &mut Diagnostics,
) -> ParameterKind {
    let attribute_with = |role: Role| roles.iter().find(|(found, _)| *found == role).map(|(_, attribute)| attribute);
    let path = attribute_with(Role::Object).and_then(|attribute| diagnostics.record(JsonPath::read(attribute)));
    let capture = attribute_with(Role::Path).map(|attribute| {
        let literal = diagnostics.record(attribute::parse_capture_name(attribute)).flatten();
        let span = literal.as_ref().map_or_else(|| name.span(), LitStr::span);
        (literal.map_or_else(|| unraw_name(name), |literal| literal.value()), span)
    });
    if let Some((shape, loaded_type)) = parse_object_type(ty) {
        let source = match capture {
            Some((name, span)) => ObjectSource::Capture { name, span },
            None => ObjectSource::new(path, rename_all.apply(&unraw_name(name))),
        };
        return ParameterKind::Object(Object { shape, ty: Box::new(loaded_type.clone()), source });
    }
    if let Some((name, span)) = capture {
        return ParameterKind::Capture { name, span };
    }
    if let Some(attribute) = attribute_with(Role::Extract) {
        diagnostics.record(attribute::require_bare(attribute));
        return ParameterKind::Extract;
    }
    // An alias of the context's type is recognized by the name of the parameter.
    if is_type_named(ty, "Context") || name == "cx" && matches!(ty, Type::Reference(_)) {
        return ParameterKind::Context;
    }
    let serde = roles.iter().filter(|(role, _)| *role == Role::Serde).map(|(_, attribute)| attribute.clone());
    ParameterKind::Key { key: rename_all.apply(&unraw_name(name)), serde: serde.collect() }
}

/// Reads the parameters after `&self` and removes the Portcullis attributes from them.
pub(crate) fn read_parameters(
    signature: &mut Signature,
    rename_all: RenameRule,
    diagnostics: &mut Diagnostics,
) -> Vec<Parameter> {
    let typed = signature.inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed.filter_map(|typed| Parameter::read(typed, rename_all, diagnostics)).collect()
}

/// Returns whether the type is `Name<…>` or a reference to it.
pub(crate) fn is_type_named(ty: &Type, name: &str) -> bool {
    match ty {
        Type::Reference(TypeReference { elem, .. }) => is_type_named(elem, name),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == name),
        Type::Group(group) => is_type_named(&group.elem, name),
        Type::Paren(paren) => is_type_named(&paren.elem, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, Group, TokenStream};
    use quote::quote;
    use syn::parse_quote;

    use super::{RenameRule, read_parameters};
    use crate::diagnostics::Diagnostics;

    fn keys(parameter: &TokenStream) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        let read = read_parameters(&mut parse_quote!(fn act(#parameter)), RenameRule::None, &mut diagnostics);
        diagnostics.finish().unwrap();
        read[0].message_keys()
    }

    #[test]
    fn message_keys_with_serde_attributes_are_the_wire_names() {
        for (parameter, expected) in [
            ("room_id: u32", &["room_id"][..]),
            ("r#type: u32", &["type"]),
            ("#[serde(default)] a: u8", &["a"]),
            ("#[serde(rename = \"b\")] a: u8", &["b"]),
            ("#[serde(rename(serialize = \"b\", deserialize = \"c\"))] a: u8", &["c"]),
            ("#[serde(rename(serialize = \"b\"))] a: u8", &["a"]),
            ("#[serde(alias = \"b\")] #[serde(alias = \"c\")] a: u8", &["a", "b", "c"]),
            ("#[serde(alias = \"b\", rename = \"c\")] a: u8", &["c", "b"]),
            ("#[serde(skip)] a: u8", &[]),
            ("#[serde(flatten)] a: Rest", &[]),
            ("a: Object<T>", &["a"]),
            ("#[object(\"b\")] a: Object<T>", &["b"]),
            ("#[object(\"b.c[].d\")] a: Vec<Object<T>>", &["b"]),
            ("#[path] a: u8", &[]),
            ("#[path] a: Object<T>", &[]),
            ("#[extract] a: u8", &[]),
            ("cx: &Context<'_, ()>", &[]),
        ] {
            assert_eq!(keys(&parameter.parse().unwrap()), expected, "{parameter}");
        }
    }

    #[test]
    fn message_key_from_a_macro_rules_literal_is_read() {
        let literal = Group::new(Delimiter::None, quote!("b"));
        assert_eq!(keys(&quote!(#[serde(rename = #literal)] a: u8)), ["b"]);
    }
}
