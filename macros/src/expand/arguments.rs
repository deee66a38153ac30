//! The keys of the message that an action reads, or `#[authenticate]`: one struct, one pass.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Attribute;

use super::paths::{self, Locals};
use crate::model::object::{Object, ObjectSource};
use crate::model::parameter::{Parameter, ParameterKind};
use crate::model::unraw_name;

/// Reads them by calling `read` with the call and `proof`; nothing where nothing is to be read.
pub(super) fn read(
    parameters: &[Parameter],
    deny_unknown: bool,
    read: &TokenStream,
    proof: &TokenStream,
    locals: &Locals,
) -> Option<TokenStream> {
    let Locals { arguments, call, .. } = locals;
    let keys: Vec<Key<'_>> = keys(parameters).collect();
    if keys.is_empty() && !deny_unknown {
        return None;
    }
    let declared: Vec<_> = keys.iter().filter_map(Key::generic).collect();
    let inferred: Vec<_> = declared.iter().map(|_| quote!(_)).collect();
    let (declared, inferred) = (angled(&declared), angled(&inferred));
    let fields = keys.iter().map(Key::field);
    let deny = deny_unknown.then(|| quote!(#[serde(deny_unknown_fields)]));
    let others = if deny_unknown { read_elsewhere(parameters) } else { Vec::new() };
    let serde = paths::SERDE;
    Some(quote! {
        #[derive(__rt::serde::Deserialize)]
        #[serde(crate = #serde)]
        #deny
        struct __Arguments #declared { #(#fields,)* #(#others,)* }
        let #arguments: __Arguments #inferred = #read(#call, #proof)?;
    })
}

/// A parameter that is a key of the message, or an object whose key is one.
pub(super) struct Key<'a> {
    pub(super) position: usize,
    pub(super) parameter: &'a Parameter,
    serde: &'a [Attribute],
    /// Its name in the message, where that is another.
    renamed: Option<&'a str>,
}

fn keys(parameters: &[Parameter]) -> impl Iterator<Item = Key<'_>> {
    parameters.iter().enumerate().filter_map(|(position, parameter)| Key::of(position, parameter))
}

impl<'a> Key<'a> {
    pub(super) fn of(position: usize, parameter: &'a Parameter) -> Option<Self> {
        let (serde, renamed): (&[Attribute], _) = match &parameter.kind {
            ParameterKind::Key { serde } => (serde, None),
            ParameterKind::Object(Object { source: ObjectSource::Key(name), .. }) => {
                (&[], (*name != unraw_name(&parameter.name)).then_some(name.as_str()))
            }
            _ => return None,
        };
        Some(Self { position, parameter, serde, renamed })
    }

    /// The field of the argument struct. A local struct cannot name `Self` or the block's generics, so the type is a
    /// parameter of it, unless an attribute names a function, which is for that very type.
    fn field(&self) -> TokenStream {
        let (serde, name) = (self.serde, &self.parameter.name);
        let renamed = self.renamed.map(|name| quote!(#[serde(rename = #name)]));
        let ty = match self.generic() {
            Some(ident) => ident.to_token_stream(),
            None => self.parameter.ty.to_token_stream(),
        };
        quote!(#(#serde)* #renamed #name: #ty)
    }

    fn generic(&self) -> Option<Ident> {
        (!self.parameter.has_serde_function()).then(|| format_ident!("__A{}", self.position))
    }

    /// The field as it was read.
    pub(super) fn read(&self, span: Span, locals: &Locals) -> TokenStream {
        let arguments = paths::shown_at(&locals.arguments, span);
        let name = paths::shown_at(&self.parameter.name, span);
        quote_spanned!(span=> #arguments.#name)
    }

    /// The field as the parameter. A type that cannot be deserialized is told here, at the type, and only here: as long
    /// as this fails, the struct's own parameter stays open.
    pub(super) fn taken(&self, locals: &Locals) -> TokenStream {
        let (ty, span) = (&self.parameter.ty, paths::shown(&self.parameter.ty));
        let (argument, read) = (paths::argument(span), self.read(span, locals));
        if self.generic().is_none() {
            return read;
        }
        quote_spanned!(span=> <#ty as #argument<'_, _>>::take(#read))
    }
}

/// The context, as a method is given it. One of another user type is told at the type.
pub(super) fn context(parameter: &Parameter, locals: &Locals) -> TokenStream {
    let span = paths::shown(&parameter.ty);
    let (whole_context, call) = (paths::whole_context(span), paths::shown_at(&locals.call, span));
    quote_spanned!(span=> &#whole_context(#call))
}

/// Keys that objects stand in, and that no parameter of its own reads: they are not unknown.
fn read_elsewhere(parameters: &[Parameter]) -> Vec<TokenStream> {
    let mut known: Vec<String> = parameters.iter().flat_map(Parameter::wire_names).collect();
    let ignored = paths::ignored(Span::call_site());
    let mut fields = Vec::new();
    for (position, parameter) in parameters.iter().enumerate() {
        let ParameterKind::Object(Object { source: ObjectSource::Nested(place), .. }) = &parameter.kind else {
            continue;
        };
        let top = place.top_level_key();
        if !known.iter().any(|name| name == top) {
            let (name, top) = (format_ident!("__n{position}"), Literal::string(top));
            fields.push(quote!(#[serde(default, rename = #top)] #name: #ignored));
        }
        known.push(top.to_owned());
    }
    fields
}

fn angled<T: ToTokens>(list: &[T]) -> Option<TokenStream> {
    (!list.is_empty()).then(|| quote!(<#(#list),*>))
}
