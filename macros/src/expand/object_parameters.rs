//! Object parameters: their keys are read before leaves are evaluated, and the objects are passed on after authorization.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Attribute;

use super::arguments::MessageKey;
use super::paths::{self, Locals};
use super::tokens::{replace_self, string_literal};
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::object::{Object, ObjectSource};
use crate::model::parameter::{Parameter, ParameterKind};
use crate::model::{respan, unraw_name};

/// One object parameter.
pub(super) struct ObjectExpansion<'a> {
    position: usize,
    parameter: &'a Parameter,
    object: &'a Object,
    /// The span of all tokens about the parameter, so that a type that cannot be loaded is reported once.
    span: Span,
}

pub(super) fn all(action: &Action) -> Vec<ObjectExpansion<'_>> {
    let loaded = action.parameters.iter().enumerate().filter_map(|(position, parameter)| {
        let ParameterKind::Object(object) = &parameter.kind else { return None };
        Some(ObjectExpansion { position, parameter, object, span: paths::type_span(&object.ty) })
    });
    loaded.collect()
}

/// Returns `<Object<Message> as LoadedParameter>` at the span of the type, so that a misspelled type is reported once.
pub(super) fn loaded_parameter(parameter: &Parameter, object: &Object) -> TokenStream {
    let span = paths::type_span(&object.ty);
    let (ty, loaded_parameter) = (respan(parameter.ty.to_token_stream(), span), paths::loaded_parameter(span));
    quote_spanned!(span=> <#ty as #loaded_parameter>)
}

/// Returns `<Object<Message> as ObjectParameter<Self>>`, likewise.
fn object_parameter(parameter: &Parameter, object: &Object) -> TokenStream {
    let span = paths::type_span(&object.ty);
    let (ty, object_parameter) = (respan(parameter.ty.to_token_stream(), span), paths::object_parameter(span));
    quote_spanned!(span=> <#ty as #object_parameter<Self>>)
}

/// Returns the future that loads the objects of the parameter, whose state is `local`.
pub(super) fn fetch(local: &Ident, parameter: &Parameter, object: &Object, locals: &Locals) -> TokenStream {
    let (Locals { call, handler, .. }, object_parameter) = (locals, object_parameter(parameter, object));
    quote_spanned!(local.span()=> #object_parameter::fetch(&#local, #handler, #call))
}

impl ObjectExpansion<'_> {
    fn reader(&self) -> String {
        format!("object `{}`", unraw_name(&self.parameter.name))
    }

    /// Returns the `CaptureUse` of the captures that the object must belong to.
    pub(super) fn capture_use(&self) -> TokenStream {
        let (capture_use, reader, self_type) =
            (paths::capture_use(Span::call_site()), self.reader(), quote_spanned!(self.span=> Self));
        let captures = self.captures(&self_type);
        quote!(#capture_use { reader: #reader, captures: #captures },)
    }

    /// Returns the captures that the object must belong to. They are read without a bound on the object's type: one that
    /// cannot be loaded is reported where the keys are read.
    fn captures(&self, handler: &TokenStream) -> TokenStream {
        let (loaded, options) = (loaded_parameter(self.parameter, self.object), paths::load_options(self.span));
        quote_spanned!(self.span=> <#options<#loaded::Item, #handler>>::__CAPTURES)
    }

    /// Returns a check that the object needs no captures, for actions that have none.
    pub(super) fn check_consumer_captures(&self, block: &Block, cfgs: &[Attribute]) -> TokenStream {
        let (check, reader) = (paths::check_consumer_captures(self.span), string_literal(&self.reader(), self.span));
        let handler = block.ty.to_token_stream();
        let captures = replace_self(self.captures(&handler), &respan(handler.clone(), self.span));
        let checked = quote_spanned!(self.span=> #check(#reader, #captures));
        quote!(#(#cfgs)* const _: () = #checked;)
    }

    /// Returns the statement that reads the key or keys. Nothing is loaded yet.
    pub(super) fn started(&self, locals: &Locals) -> TokenStream {
        let Locals { call, evaluation, .. } = locals;
        let (span, local) = (self.span, paths::parameter(self.position, &self.object.ty));
        let as_object_parameter = object_parameter(self.parameter, self.object);
        let keys = match &self.object.source {
            ObjectSource::Key(_) => MessageKey::new(self.position, self.parameter).map(|key| key.read(span, locals)),
            ObjectSource::Nested(place) => {
                let (nested, text) = (paths::read_nested(span), string_literal(&place.text, span));
                let steps = place.steps.iter().map(|step| string_literal(step, span));
                Some(quote_spanned!(span=> #nested(#call, &#evaluation, #text, &[#(#steps),*])?))
            }
            ObjectSource::Capture { name, .. } => {
                let (path, name) = (paths::read_capture(span), string_literal(name, span));
                // The turbofish reports an error about the type at the type.
                Some(quote_spanned!(span=> #path::<#as_object_parameter::Keys, _>(#call, #name)?))
            }
        };
        let text = string_literal(self.object.source.text(), span);
        quote_spanned!(span=> let #local = #as_object_parameter::start_loading(#keys, #call, #text)?;)
    }

    /// Returns the statement that binds the loaded parameter.
    pub(super) fn loaded(&self, locals: &Locals) -> TokenStream {
        let (local, authorized) = (paths::parameter(self.position, &self.object.ty), &locals.authorized);
        let (load, fetch) =
            (paths::loading_objects_load(self.span), fetch(&local, self.parameter, self.object, locals));
        let object_parameter = object_parameter(self.parameter, self.object);
        quote_spanned! {self.span=>
            #load(&#local, #fetch).await?;
            let #local = #object_parameter::into_parameter(#local, &#authorized)?;
        }
    }
}
