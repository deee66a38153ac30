//! The parameters that are loaded: begun before the leaves about them are asked, taken once all has held.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Attribute;

use super::arguments::Key;
use super::leaf::{respanned, without_self};
use super::paths::{self, Locals};
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::object::{Object, ObjectSource};
use crate::model::parameter::{Parameter, ParameterKind};
use crate::model::{respan, unraw_name};

/// One such parameter.
pub(super) struct Loaded<'a> {
    position: usize,
    parameter: &'a Parameter,
    object: &'a Object,
    /// All that is written about it is shown here: a type that cannot be loaded is told once.
    span: Span,
}

pub(super) fn all(action: &Action) -> Vec<Loaded<'_>> {
    let loaded = action.parameters.iter().enumerate().filter_map(|(position, parameter)| {
        let ParameterKind::Object(object) = &parameter.kind else { return None };
        Some(Loaded { position, parameter, object, span: paths::shown(&object.ty) })
    });
    loaded.collect()
}

/// `<Object<Message> as Held>`, all at the type: a misspelled one is told there, and only there.
pub(super) fn held(parameter: &Parameter, object: &Object) -> TokenStream {
    let span = paths::shown(&object.ty);
    let (ty, held) = (respan(parameter.ty.to_token_stream(), span), paths::held(span));
    quote_spanned!(span=> <#ty as #held>)
}

impl Loaded<'_> {
    fn by(&self) -> String {
        format!("object `{}`", unraw_name(&self.parameter.name))
    }

    /// The row for the captures that it must lie under.
    pub(super) fn need(&self) -> TokenStream {
        let (need, by, own) = (paths::need(Span::call_site()), self.by(), quote_spanned!(self.span=> Self));
        let captures = self.captures(&own);
        quote!(#need { by: #by, captures: #captures },)
    }

    /// `<Object<Message> as Objects<Self>>`
    fn itself(&self, handler: &TokenStream) -> TokenStream {
        let (ty, objects) = (respan(self.parameter.ty.to_token_stream(), self.span), paths::objects(self.span));
        quote_spanned!(self.span=> <#ty as #objects<#handler>>)
    }

    fn captures(&self, handler: &TokenStream) -> TokenStream {
        let (itself, load) = (self.itself(handler), paths::load(self.span));
        quote_spanned!(self.span=> <#itself::Item as #load<#handler>>::CAPTURES)
    }

    /// Checks that it need not lie under captures where there are none.
    pub(super) fn no_captures_here(&self, block: &Block, cfgs: &[Attribute]) -> TokenStream {
        let (check, by) = (paths::no_captures_here(self.span), respanned(&self.by(), self.span));
        let handler = block.ty.to_token_stream();
        let captures = without_self(self.captures(&handler), &respan(handler.clone(), self.span));
        let checked = quote_spanned!(self.span=> #check(#by, #captures));
        quote!(#(#cfgs)* const _: () = #checked;)
    }

    /// Begins: its key is there, or its keys are, and nothing is loaded yet.
    pub(super) fn begun(&self, locals: &Locals) -> TokenStream {
        let Locals { call, gate, .. } = locals;
        let (span, local) = (self.span, paths::parameter(self.position, &self.object.ty));
        let itself = self.itself(&quote_spanned!(span=> Self));
        let keys = match &self.object.source {
            ObjectSource::Key(_) => Key::of(self.position, self.parameter).map(|key| key.read(span, locals)),
            ObjectSource::Nested(place) => {
                let (nested, text, steps) = (paths::nested(span), &place.text, &place.steps);
                Some(quote_spanned!(span=> #nested(#call, &#gate, #text, &[#(#steps),*])?))
            }
            ObjectSource::Capture { name, .. } => {
                let path = paths::path(span);
                // The turbofish puts an error about the type onto the type.
                Some(quote_spanned!(span=> #path::<#itself::Keys, _>(#call, #name)?))
            }
        };
        let text = self.object.source.text();
        quote_spanned!(span=> let mut #local = #itself::loading(#keys, #call, #text)?;)
    }

    /// The parameter itself.
    pub(super) fn taken(&self, locals: &Locals) -> TokenStream {
        let Locals { admitted, call, handler, .. } = locals;
        let (local, take) = (paths::parameter(self.position, &self.object.ty), paths::loading_take(self.span));
        quote_spanned!(self.span=> let #local = #take(#local, #handler, #call, &#admitted).await?;)
    }
}
