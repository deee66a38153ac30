//! The keys of the message that an action or `#[authenticate]` reads: one struct, deserialized in one pass.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Attribute;

use super::paths::{self, Locals};
use super::tokens::{string_literal, token_spans};
use crate::model::object::{Object, ObjectSource};
use crate::model::parameter::{Parameter, ParameterKind, is_renamed_by_serde};
use crate::model::unraw_name;

/// Reads the arguments by calling `read` with the call and `proof`. Returns `None` if nothing is to be read.
pub(super) fn read(
    parameters: &[Parameter],
    deny_unknown: bool,
    read: &TokenStream,
    proof: &TokenStream,
    locals: &Locals,
) -> Option<TokenStream> {
    let Locals { arguments, call, site, .. } = locals;
    let keys: Vec<MessageKey<'_>> = keys(parameters).collect();
    if keys.is_empty() && !deny_unknown {
        return None;
    }
    let declared: Vec<_> = keys.iter().filter_map(|key| key.type_parameter(*site)).collect();
    let inferred: Vec<_> = declared.iter().map(|_| quote_spanned!(*site=> _)).collect();
    let (declared, inferred) = (angled(&declared, *site), angled(&inferred, *site));
    let fields = keys.iter().map(|key| key.field(*site));
    let deny = deny_unknown.then(|| quote_spanned!(*site=> #[serde(deny_unknown_fields)]));
    let others = if deny_unknown { nested_keys(parameters, *site) } else { Vec::new() };
    let serde = string_literal(paths::SERDE, *site);
    Some(quote_spanned! {*site=>
        #[derive(__rt::serde::Deserialize)]
        #[serde(crate = #serde)]
        #deny
        struct __Arguments #declared { #(#fields,)* #(#others,)* }
        let #arguments: __Arguments #inferred = #read(#call, #proof)?;
    })
}

/// A parameter that is a key of the message, or an object whose key is one.
pub(super) struct MessageKey<'a> {
    pub(super) position: usize,
    pub(super) parameter: &'a Parameter,
    serde: &'a [Attribute],
    /// The name of the key in the message, if it differs from the parameter.
    renamed: Option<&'a str>,
}

fn keys(parameters: &[Parameter]) -> impl Iterator<Item = MessageKey<'_>> {
    parameters.iter().enumerate().filter_map(|(position, parameter)| MessageKey::new(position, parameter))
}

impl<'a> MessageKey<'a> {
    pub(super) fn new(position: usize, parameter: &'a Parameter) -> Option<Self> {
        let (serde, key): (&[Attribute], _) = match &parameter.kind {
            ParameterKind::Key { key, serde } => (serde, key),
            ParameterKind::Object(Object { source: ObjectSource::Key(key), .. }) => (&[], key),
            _ => return None,
        };
        let is_renamed =
            *key != unraw_name(&parameter.name) && !is_renamed_by_serde(serde) && !parameter.wire_names().is_empty();
        Some(Self { position, parameter, serde, renamed: is_renamed.then_some(key.as_str()) })
    }

    /// Returns the field of the argument struct. A local struct cannot name `Self` or generics of the block, so the type is
    /// a type parameter of the struct, unless a serde attribute names a function for that very type.
    fn field(&self, site: Span) -> TokenStream {
        let (serde, name) = (self.serde, &self.parameter.name);
        let renamed = self.renamed.map(|name| {
            let name = string_literal(name, site);
            quote_spanned!(site=> #[serde(rename(deserialize = #name))])
        });
        let ty = match self.type_parameter(site) {
            Some(ident) => ident.to_token_stream(),
            None => self.parameter.ty.to_token_stream(),
        };
        quote_spanned!(site=> #(#serde)* #renamed #name: #ty)
    }

    fn type_parameter(&self, site: Span) -> Option<Ident> {
        (!self.parameter.has_serde_function()).then(|| format_ident!("__A{}", self.position, span = site))
    }

    /// Returns the field as read.
    pub(super) fn read(&self, span: Span, locals: &Locals) -> TokenStream {
        let arguments = paths::at_span(&locals.arguments, span);
        let name = paths::at_span(&self.parameter.name, span);
        quote_spanned!(span=> #arguments.#name)
    }

    /// Returns the field converted into the parameter. A type that cannot be deserialized is reported here, at the type, and
    /// only here: until this conversion compiles, the type parameter of the struct is not inferred.
    pub(super) fn converted(&self, locals: &Locals) -> TokenStream {
        let (ty, span) = (&self.parameter.ty, paths::type_span(&self.parameter.ty));
        let read = self.read(span, locals);
        if self.parameter.has_serde_function() {
            return read;
        }
        // The whole path spans the tokens of the type, as errors about the type itself do: they are then reported once.
        let (first, last) = token_spans(&ty.to_token_stream()).unwrap_or((span, span));
        let (open, argument) = (quote_spanned!(first=> <), paths::argument(last));
        let rest = quote_spanned!(last=> as #argument<'_, _>>::into_parameter);
        quote_spanned!(span=> #open #ty #rest(#read))
    }
}

/// Returns the statement that validates a parameter, which is in its local. A type that cannot be validated is reported at
/// the type.
pub(super) fn validated(position: usize, parameter: &Parameter, locals: &Locals) -> TokenStream {
    let (ty, span) = (&parameter.ty, paths::type_span(&parameter.ty));
    let (local, validation) = (paths::parameter(position, ty), paths::at_span(&locals.validation, span));
    let key = parameter.wire_names().first().map_or_else(String::new, Clone::clone);
    let key = string_literal(&key, span);
    let (first, last) = token_spans(&ty.to_token_stream()).unwrap_or((span, span));
    let (open, trait_) = (quote_spanned!(first=> <), paths::validated_argument(last));
    let rest = quote_spanned!(last=> as #trait_<_>>::validate_into);
    quote_spanned!(span=> #open #ty #rest(&#local, #key, &mut #validation);)
}

/// Returns the context argument of a method. A different user type is reported at the type.
pub(super) fn context(parameter: &Parameter, locals: &Locals) -> TokenStream {
    let span = paths::type_span(&parameter.ty);
    let (whole_context, call) = (paths::whole_context(span), paths::at_span(&locals.call, span));
    quote_spanned!(span=> &#whole_context(#call))
}

/// Returns fields for the keys that contain objects and are no parameters of their own: `deny_unknown` must accept them.
fn nested_keys(parameters: &[Parameter], site: Span) -> Vec<TokenStream> {
    let mut known: Vec<String> = parameters.iter().flat_map(Parameter::wire_names).collect();
    let ignored = paths::ignored(site);
    let mut fields = Vec::new();
    for (position, parameter) in parameters.iter().enumerate() {
        let ParameterKind::Object(Object { source: ObjectSource::Nested(place), .. }) = &parameter.kind else {
            continue;
        };
        let top = place.top_level_key();
        if !known.iter().any(|name| name == top) {
            let (name, top) = (format_ident!("__n{position}", span = site), string_literal(top, site));
            fields.push(quote_spanned!(site=> #[serde(default, rename = #top)] #name: #ignored));
        }
        known.push(top.to_owned());
    }
    fields
}

fn angled<T: ToTokens>(list: &[T], site: Span) -> Option<TokenStream> {
    (!list.is_empty()).then(|| quote_spanned!(site=> <#(#list),*>))
}
