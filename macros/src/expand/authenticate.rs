//! `#[authenticate]`: from an admitted message to who its credentials are.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::arguments::{self, Key};
use super::paths::{self, Locals};
use crate::model::authenticate::Authenticate;
use crate::model::parameter::ParameterKind;

/// What stands in `impl Consumer for …`.
pub(super) fn items(authenticate: &Authenticate, locals: &Locals) -> TokenStream {
    let (cfgs, bool) = (&authenticate.cfgs, paths::bool(Span::call_site()));
    let method = method(authenticate, locals);
    quote! {
        #(#cfgs)*
        const AUTHENTICATES: #bool = true;
        #(#cfgs)*
        #method
    }
}

/// The method's own name carries the span, so that a future that is not `Send` is reported there.
fn method(authenticate: &Authenticate, locals: &Locals) -> TokenStream {
    let Locals { admitted, call, handler, .. } = locals;
    let (method, span) = (&authenticate.method, authenticate.method.span());
    let (call_type, admitted_type) = (paths::call_type(span), paths::admitted_type(span));
    let (result, option) = (paths::result(span), paths::option(span));
    let (arguments, given) = (arguments(authenticate, locals), given(authenticate, locals));
    let wait = authenticate.signature.asyncness.map(|_| quote!(.await));
    // What is wrong with the outcome is told at the return type.
    let at = authenticate.return_type().map_or(span, paths::shown);
    let (output, identity) = (paths::output(at), paths::identity(at));
    let told = quote_spanned!(at=> #identity(#output));
    quote_spanned! {span=>
        async fn authenticate(
            &self,
            #call: &#call_type<'_, Self::User>,
            #admitted: #admitted_type,
        ) -> #result<#option<Self::User>> {
            let #handler = self;
            #arguments
            let #output = Self::#method(#handler, #(#given),*)#wait;
            #told
        }
    }
}

fn arguments(authenticate: &Authenticate, locals: &Locals) -> TokenStream {
    let Locals { admitted, call, .. } = locals;
    let (read, none) = (paths::arguments(Span::call_site()), paths::no_arguments(Span::call_site()));
    let arguments = arguments::read(&authenticate.parameters, false, &read, &admitted.to_token_stream(), locals);
    arguments.unwrap_or_else(|| quote!(#none(#call, &#admitted)?;))
}

fn given(authenticate: &Authenticate, locals: &Locals) -> Vec<TokenStream> {
    let given = authenticate.parameters.iter().enumerate().map(|(position, parameter)| match &parameter.kind {
        ParameterKind::Context => arguments::context(parameter, locals),
        _ => Key::of(position, parameter).map(|key| key.taken(locals)).unwrap_or_default(),
    });
    given.collect()
}
