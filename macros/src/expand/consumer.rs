//! What only a consumer has: the door, the hooks, the registration.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::action::optional;
use super::evaluation::Evaluation;
use super::paths::{self, Locals};
use super::{authenticate, event};
use crate::model::MethodKind;
use crate::model::block::Block;
use crate::model::hook::Hook;

const ROLE: &str = "Connect";

/// `impl Consumer for …`, and the registration of a consumer without generics.
pub(super) fn consumer(block: &Block, own: Option<&Evaluation<'_>>, events: &[event::Row<'_>]) -> TokenStream {
    let locals = Locals::new();
    let (generics, ty, where_clause) = (&block.generics, &block.ty, &block.generics.where_clause);
    let (consumer, string, name) = (paths::consumer(Span::call_site()), paths::string(Span::call_site()), &block.name);
    let strict = block.connect.as_ref().map(|expression| Evaluation::new(expression, ROLE, generics));
    let items = strict.as_ref().map(|gate| gate.items(ROLE, generics, &[]));
    let connect = strict.as_ref().map(|gate| connect_const(gate));
    let events = events_const(events);
    let may_connect = may_connect(own, strict.as_ref(), &locals);
    let hooks = block.hooks.iter().map(|hook| hook_method(hook, &locals));
    let authenticates = block.authenticates.iter().map(|one| authenticate::items(one, &locals));
    let checked = (!block.is_concrete()).then(|| checked(strict.as_ref()));
    let register = block.is_concrete().then(|| {
        let register = paths::register(Span::call_site());
        let strict = strict.as_ref().map(|gate| gate.no_captures_at_the_door(block));
        quote!(#strict #register!(#ty);)
    });
    quote! {
        #items
        #[automatically_derived]
        impl #generics #consumer for #ty #where_clause {
            const NAME: &'static #string = #name;
            #connect
            #events
            #checked
            #may_connect
            #(#hooks)*
            #(#authenticates)*
        }
        #register
    }
}

fn connect_const(gate: &Evaluation<'_>) -> TokenStream {
    let (option, expression) = (paths::option(Span::call_site()), paths::expression(Span::call_site()));
    let value = optional(Some(gate.reference()));
    quote!(const CONNECT: #option<&'static #expression> = #value;)
}

/// What may leave it, where anything may.
fn events_const(events: &[event::Row<'_>]) -> Option<TokenStream> {
    if events.is_empty() {
        return None;
    }
    let (node, rows) = (paths::event_node(Span::call_site()), events.iter().map(event::Row::node));
    Some(quote!(const EVENTS: &'static [#node] = &[#(#rows)*];))
}

/// A generic consumer is known only where it is mounted, and so is what its leaves read: the check goes along.
fn checked(strict: Option<&Evaluation<'_>>) -> TokenStream {
    let (check, dispatch) = (paths::check(Span::call_site()), paths::dispatch(Span::call_site()));
    let strict = strict.map(Evaluation::no_captures_when_mounted);
    quote! {
        const CHECKED: () = {
            #check(<Self as #dispatch>::NODE);
            #strict
        };
    }
}

fn may_connect(own: Option<&Evaluation<'_>>, strict: Option<&Evaluation<'_>>, locals: &Locals) -> Option<TokenStream> {
    let asked = match (own.map(|gate| gate.ask_connect(locals)), strict.map(|gate| gate.ask_strictly(locals))) {
        (None, None) => return None,
        (Some(own), None) => own,
        (None, Some(strict)) => strict,
        (Some(own), Some(strict)) => quote!({ #own }?; #strict),
    };
    let (connect, result) = (paths::connect_type(Span::call_site()), paths::result(Span::call_site()));
    let Locals { cx, handler, .. } = locals;
    Some(quote! {
        async fn may_connect(&self, #cx: &#connect<'_, Self::User>) -> #result<()> {
            let #handler = self;
            #asked
        }
    })
}

/// The method's own name carries the span, so that a future that is not `Send` is reported there.
fn hook_method(hook: &Hook, locals: &Locals) -> TokenStream {
    let Locals { cx, handler, scope, .. } = locals;
    let (cfgs, method, span) = (&hook.cfgs, &hook.method, hook.method.span());
    let wait = hook.signature.asyncness.map(|_| quote!(.await));
    let takes = !hook.parameters().is_empty();
    if hook.kind == MethodKind::Connect {
        let (given, connect, result) = (takes.then(|| quote!(#cx)), paths::connect_type(span), paths::result(span));
        // What is wrong with the outcome is told at the return type.
        let at = hook.return_type().map_or(span, paths::shown);
        let (output, outcome) = (paths::output(at), paths::hook_outcome(at));
        let told = quote_spanned!(at=> #outcome(#output));
        return quote_spanned! {span=>
            #(#cfgs)*
            async fn connected(&self, #cx: &#connect<'_, Self::User>) -> #result<()> {
                let #handler = self;
                let #output = Self::#method(#handler, #given)#wait;
                #told
            }
        };
    }
    let given = takes.then(|| quote!(#scope));
    let scope_type = paths::scope_type(span);
    quote_spanned! {span=>
        #(#cfgs)*
        async fn disconnected(&self, #scope: &#scope_type<Self::User>) {
            let #handler = self;
            Self::#method(#handler, #given)#wait
        }
    }
}
