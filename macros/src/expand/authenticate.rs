//! `#[authenticate]`: from an authorized message to the user that its credentials identify.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::arguments::{self, MessageKey};
use super::paths::{self, Locals};
use crate::model::authenticate::Authenticate;
use crate::model::parameter::ParameterKind;

/// Returns the items in `impl Consumer for …`.
pub(super) fn items(authenticate: &Authenticate) -> TokenStream {
    let (cfgs, bool) = (&authenticate.cfgs, paths::bool(Span::call_site()));
    let method = method(authenticate, &Locals::at(authenticate.method.span()));
    quote! {
        #(#cfgs)*
        const AUTHENTICATES: #bool = true;
        #(#cfgs)*
        #method
    }
}

/// Returns the method. Its name has the span of the user's method, so that a future that is not `Send` is reported there.
fn method(authenticate: &Authenticate, locals: &Locals) -> TokenStream {
    let Locals { authorized, call, handler, .. } = locals;
    let (method, span) = (&authenticate.method, authenticate.method.span());
    let (call_type, authorized_type) = (paths::call_type(span), paths::authorized_type(span));
    let (result, option) = (paths::result(span), paths::option(span));
    let (arguments, given) = (arguments(authenticate, locals), given(authenticate, locals));
    let wait = authenticate.signature.asyncness.map(|_| quote_spanned!(locals.site=> .await));
    // An invalid output type is reported at the return type.
    let at = authenticate.return_type().map_or(span, paths::type_span);
    let (output, identity) = (paths::output(at), paths::into_identity(at));
    let converted = quote_spanned!(at=> #identity(#output));
    quote_spanned! {span=>
        async fn authenticate(
            &self,
            #call: &#call_type<'_, Self::User>,
            #authorized: #authorized_type,
        ) -> #result<#option<Self::User>> {
            let #handler = self;
            #arguments
            let #output = Self::#method(#handler, #(#given),*)#wait;
            #converted
        }
    }
}

fn arguments(authenticate: &Authenticate, locals: &Locals) -> TokenStream {
    let Locals { authorized, call, .. } = locals;
    let (read, none) = (paths::read_arguments(locals.site), paths::check_execution(locals.site));
    let arguments = arguments::read(&authenticate.parameters, false, &read, &authorized.to_token_stream(), locals);
    arguments.unwrap_or_else(|| quote_spanned!(locals.site=> #none(#call, &#authorized)?;))
}

fn given(authenticate: &Authenticate, locals: &Locals) -> Vec<TokenStream> {
    let given = authenticate.parameters.iter().enumerate().map(|(position, parameter)| match &parameter.kind {
        ParameterKind::Context => arguments::context(parameter, locals),
        _ => MessageKey::new(position, parameter).map(|key| key.converted(locals)).unwrap_or_default(),
    });
    given.collect()
}
