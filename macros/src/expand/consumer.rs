//! Code for consumers only: connect checks, hooks, events, and registration.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::action::optional;
use super::evaluation::NamedExpression;
use super::paths::{self, Locals};
use super::{authenticate, event};
use crate::model::MethodKind;
use crate::model::block::Block;
use crate::model::hook::Hook;

const ROLE: &str = "Connect";

/// Returns `impl Consumer for …`, and the registration of a consumer without generics.
pub(super) fn consumer(
    block: &Block,
    block_permission: Option<&NamedExpression<'_>>,
    events: &[event::EventExpansion<'_>],
) -> TokenStream {
    let locals = Locals::at_attribute();
    let (generics, ty, where_clause) = (&block.generics, &block.ty, &block.generics.where_clause);
    let (consumer, string, name) = (paths::consumer(Span::call_site()), paths::string(Span::call_site()), &block.name);
    let strict = block.connect.as_ref().map(|expression| NamedExpression::new(expression, ROLE, generics));
    let items = strict.as_ref().map(|expression| expression.items(ROLE, generics, &[]));
    let connect = strict.as_ref().map(connect_consts);
    let events = events_const(events);
    let authorize_connect = authorize_connect(block_permission, strict.as_ref(), &locals);
    let hooks = block.hooks.iter().map(hook_method);
    let authenticates = block.authenticates.iter().map(authenticate::items);
    let check_const = (!block.is_concrete()).then(check_const);
    let register = block.is_concrete().then(|| {
        let register = paths::register(Span::call_site());
        quote!(#register!(#ty);)
    });
    quote! {
        #items
        #[automatically_derived]
        impl #generics #consumer for #ty #where_clause {
            const NAME: &'static #string = #name;
            #connect
            #events
            #check_const
            #authorize_connect
            #(#hooks)*
            #(#authenticates)*
        }
        #register
    }
}

fn connect_consts(connect: &NamedExpression<'_>) -> TokenStream {
    let (option, expression) = (paths::option(Span::call_site()), paths::expression(Span::call_site()));
    let (value, headers) = (optional(Some(connect.reference())), connect.headers());
    let leaf_headers = paths::leaf_headers(Span::call_site());
    quote! {
        const CONNECT_PERMISSION: #option<&'static #expression> = #value;
        const CONNECT_HEADERS: #leaf_headers = &[#headers];
    }
}

/// Returns the constant that lists the events, if there are any.
fn events_const(events: &[event::EventExpansion<'_>]) -> Option<TokenStream> {
    if events.is_empty() {
        return None;
    }
    let (descriptor, descriptors) =
        (paths::event_descriptor(Span::call_site()), events.iter().map(event::EventExpansion::descriptor));
    Some(quote!(const EVENTS: &'static [#descriptor] = &[#(#descriptors)*];))
}

/// Returns the constant that checks a generic consumer, whose captures are known only when it is mounted.
fn check_const() -> TokenStream {
    let (check, dispatch) = (paths::check_mounts(Span::call_site()), paths::dispatch(Span::call_site()));
    quote!(const CHECK: () = #check(<Self as #dispatch>::DESCRIPTOR);)
}

fn authorize_connect(
    block_permission: Option<&NamedExpression<'_>>,
    strict: Option<&NamedExpression<'_>>,
    locals: &Locals,
) -> Option<TokenStream> {
    let evaluated = match (
        block_permission.map(|expression| expression.evaluate_connect(locals)),
        strict.map(|expression| expression.evaluate_strict_connect(locals)),
    ) {
        (None, None) => return None,
        (Some(block_permission), None) => block_permission,
        (None, Some(strict)) => strict,
        (Some(block_permission), Some(strict)) => quote!(#block_permission?; #strict),
    };
    let (connect, result) = (paths::connect_context(Span::call_site()), paths::result(Span::call_site()));
    let Locals { cx, handler, .. } = locals;
    Some(quote! {
        async fn authorize_connect(&self, #cx: &#connect<'_, Self::User>) -> #result<()> {
            let #handler = self;
            #evaluated
        }
    })
}

/// Returns the hook. Its name has the span of the user's method, so that a future that is not `Send` is reported there.
fn hook_method(hook: &Hook) -> TokenStream {
    let (cfgs, method, span) = (&hook.cfgs, &hook.method, hook.method.span());
    let Locals { cx, handler, site, .. } = Locals::at(span);
    let wait = hook.signature.asyncness.map(|_| quote_spanned!(site=> .await));
    let takes = !hook.parameters().is_empty();
    if hook.kind == MethodKind::Connect {
        let (given, connect, result) = (takes.then(|| quote!(#cx)), paths::connect_context(span), paths::result(span));
        // An invalid output type is reported at the return type.
        let at = hook.return_type().map_or(span, paths::type_span);
        let (output, outcome) = (paths::output(at), paths::hook_outcome(at));
        let converted = quote_spanned!(at=> #outcome(#output));
        return quote_spanned! {span=>
            #(#cfgs)*
            async fn on_connect(&self, #cx: &#connect<'_, Self::User>) -> #result<()> {
                let #handler = self;
                let #output = Self::#method(#handler, #given)#wait;
                #converted
            }
        };
    }
    let given = takes.then(|| quote!(#cx));
    let (hook, context, constant) = if hook.kind == MethodKind::Gap {
        let (context, bool) = (paths::gap_context(span), paths::bool(span));
        let constant = quote_spanned!(span=> #(#cfgs)* const HANDLES_GAPS: #bool = true;);
        (quote_spanned!(span=> on_gap), quote_spanned!(span=> #context<'_, Self>), Some(constant))
    } else {
        let context = paths::disconnect_context(span);
        (quote_spanned!(span=> on_disconnect), quote_spanned!(span=> #context<'_, Self::User>), None)
    };
    quote_spanned! {span=>
        #constant
        #(#cfgs)*
        async fn #hook(&self, #cx: &#context) {
            let #handler = self;
            Self::#method(#handler, #given)#wait
        }
    }
}
