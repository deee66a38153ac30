//! One event: the evaluation of its permission for each subscriber, and its frame.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::evaluation::NamedExpression;
use super::paths::{self, Locals};
use super::tokens::{mentions_generics, string_literal};
use super::user_type::user_type;
use crate::model::block::Block;
use crate::model::event::Event;
use crate::model::{print, respan};

/// An event with its expression and its type.
pub(super) struct EventExpansion<'a> {
    block: &'a Block,
    event: &'a Event,
    permission: NamedExpression<'a>,
    ty: &'a Type,
    role: String,
}

pub(super) fn expansions(block: &Block) -> Vec<EventExpansion<'_>> {
    let expansions = block.events.iter().enumerate().filter_map(|(position, event)| {
        let role = format!("Event{position}");
        let permission = NamedExpression::new(event.permission.as_ref()?, &role, &block.generics);
        Some(EventExpansion { block, event, permission, ty: event.event_type()?, role })
    });
    expansions.collect()
}

impl EventExpansion<'_> {
    /// Returns the items that accompany the impls: the expression, and an alias of the type, so that its path is
    /// resolved once.
    pub(super) fn items(&self) -> TokenStream {
        let (cfgs, ty) = (&self.event.cfgs, self.ty);
        let permission = self.permission.items(&self.role, &self.block.generics, cfgs);
        let type_alias = self.has_alias().then(|| {
            let name = self.type_alias(paths::type_span(ty));
            quote!(#(#cfgs)* type #name = #ty;)
        });
        quote!(#permission #type_alias)
    }

    /// Returns the event descriptor.
    pub(super) fn descriptor(&self) -> TokenStream {
        let (cfgs, site) = (&self.event.cfgs, Span::call_site());
        let (emits, ty) = (paths::emits(site), self.type_at(site));
        quote!(#(#cfgs)* <Self as #emits<#ty>>::EVENT,)
    }

    /// Returns `impl Emits<E> for …`.
    pub(super) fn emits(&self) -> TokenStream {
        let locals = &Locals::at(self.event.method.span());
        let (cfgs, ty) = (&self.event.cfgs, self.type_at(paths::type_span(self.ty)));
        let (name, permission) = (constant(&self.event.name), expression_constant(&self.permission.reference()));
        let (authorize_event, frame) = (self.authorize_event(locals), self.frame(locals));
        let coalescing_key = self.coalescing_key(locals);
        let (event_type, headers) = (self.event_type(), self.permission.event_headers(|span| self.type_at(span)));
        let leaf_headers = paths::leaf_headers(Span::call_site());
        let headers = quote!(const HEADERS: #leaf_headers = &[#headers];);
        let receive = self.receive();
        let body = quote!(#name #permission #headers #event_type #receive #authorize_event #coalescing_key #frame);
        let emits = emits(self.block, &ty, self.ty, &body);
        quote!(#(#cfgs)* #emits)
    }

    /// Returns the constant that describes the event's type. A type without `#[derive(Event)]` is reported where it is
    /// written.
    fn event_type(&self) -> TokenStream {
        let at = paths::type_span(self.ty);
        let (of, arguments) = (paths::event_type_of(at), string_literal(&type_arguments(self.ty), at));
        event_type_constant(&self.type_at(at), &quote_spanned!(at=> #of(#arguments)), at)
    }

    /// Returns the constant that receives the event from other machines.
    fn receive(&self) -> TokenStream {
        let at = paths::type_span(self.ty);
        let (receive_event, receive, ty) = (paths::receive_event(at), paths::receive_event_type(at), self.type_at(at));
        quote_spanned!(at=> const RECEIVE: #receive = #receive_event::<Self, #ty>;)
    }

    fn authorize_event(&self, locals: &Locals) -> TokenStream {
        let Locals { event, handler, subscriber, .. } = locals;
        let (site, ty) = (locals.site, self.type_at(paths::type_span(self.ty)));
        let (subscriber_type, option, bool) = (paths::subscriber_type(site), paths::option(site), paths::bool(site));
        let (evaluated, user) =
            (self.permission.evaluate_event(|span| self.type_at(span), locals), user_type(self.block, site));
        quote_spanned! {site=>
            fn authorize_event(&self, #subscriber: &#subscriber_type<'_, #user>, #event: &#ty) -> #option<#bool> {
                let #handler = self;
                #evaluated
            }
        }
    }

    /// Returns the method for the coalescing key. A missing or unsuitable field is reported at its name.
    fn coalescing_key(&self, locals: &Locals) -> Option<TokenStream> {
        let (field, site) = (self.event.key.as_ref()?, locals.site);
        let Locals { event, query, .. } = locals;
        let (ty, at) = (self.type_at(paths::type_span(self.ty)), field.span());
        let (option, key_query, answer) = (paths::option(site), paths::key_query(site), paths::answer_key_query(at));
        let answered = quote_spanned!(at=> #answer(#query, |#event: &#ty| &#event.#field));
        Some(quote_spanned! {site=>
            fn query_coalescing_key<__Query: #key_query<#ty>>(#query: __Query) -> #option<__Query::Answer> {
                #answered
            }
        })
    }

    /// Returns the method that builds the frame, shared or per subscriber. An invalid output is reported at the return type.
    fn frame(&self, locals: &Locals) -> TokenStream {
        let Locals { event, handler, scope, .. } = locals;
        let (site, method) = (locals.site, &self.event.method);
        let name = string_literal(&self.event.name, site);
        let ty = self.type_at(paths::type_span(self.ty));
        let at = self.event.return_type().map_or_else(|| method.span(), paths::type_span);
        let output = paths::output(at);
        let (option, result, frame_type) = (paths::option(site), paths::result(site), paths::frame_type(site));
        let returns = quote_spanned!(site=> #option<#result<#frame_type>>);
        let receiver = self.event.has_receiver().then(|| quote_spanned!(site=> #handler,));
        let receiver_local = receiver.as_ref().map(|_| quote_spanned!(site=> let #handler = self;));
        let Some(scope_parameter) = self.event.scope_parameter() else {
            let (frame, some) = (paths::encode_frame(at), paths::some(site));
            let framed = quote_spanned!(at=> #frame(#name, &#output));
            return quote_spanned! {site=>
                fn shared_frame(&self, #event: &#ty) -> #returns {
                    #receiver_local
                    let #output = Self::#method(#receiver #event);
                    #some(#framed)
                }
            };
        };
        // A scope with a different user type is reported at the type.
        let (scope_type, scope_argument) =
            (paths::scope_type(site), paths::at_span(scope, paths::type_span(&scope_parameter.ty)));
        let personal_frame = paths::encode_personal_frame(at);
        let (framed, user) = (quote_spanned!(at=> #personal_frame(#name, #output)), user_type(self.block, site));
        quote_spanned! {site=>
            fn personal_frame(&self, #scope: &#scope_type<#user>, #event: &#ty) -> #returns {
                #receiver_local
                let #output = Self::#method(#receiver #event, #scope_argument);
                #framed
            }
        }
    }

    /// Returns the event's type with all tokens at one span.
    fn type_at(&self, span: Span) -> TokenStream {
        if self.has_alias() { self.type_alias(span).to_token_stream() } else { respan(self.ty.to_token_stream(), span) }
    }

    fn type_alias(&self, span: Span) -> Ident {
        format_ident!("__{}Type", self.role, span = span)
    }

    fn has_alias(&self) -> bool {
        !mentions_generics(self.ty.to_token_stream(), &self.block.generics)
    }
}

/// Returns `impl Emits<E> for …` at the span of the event's type: a consumer has one event per type.
fn emits(block: &Block, ty: &impl ToTokens, original: &Type, body: &TokenStream) -> TokenStream {
    let span = paths::type_span(original);
    let (generics, where_clause) = (&block.generics, &block.generics.where_clause);
    let (emits, self_type) = (paths::emits(span), respan(block.ty.to_token_stream(), span));
    quote_spanned!(span=> #[automatically_derived] impl #generics #emits<#ty> for #self_type #where_clause { #body })
}

/// Returns the type arguments as written, which are part of the identity of a generic event.
fn type_arguments(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| print(segment.arguments.to_token_stream())),
        Type::Group(group) => Some(type_arguments(&group.elem)),
        Type::Paren(paren) => Some(type_arguments(&paren.elem)),
        _ => None,
    }
    .unwrap_or_default()
}

fn event_type_constant(ty: &TokenStream, value: &TokenStream, span: Span) -> TokenStream {
    let event_type = paths::event_type(span);
    quote_spanned!(span=> const EVENT_TYPE: #event_type<#ty> = #value;)
}

fn constant(name: &str) -> TokenStream {
    let string = paths::string(Span::call_site());
    quote!(const NAME: &'static #string = #name;)
}

pub(super) fn expression_constant(value: &TokenStream) -> TokenStream {
    let expression = paths::expression(Span::call_site());
    quote!(const PERMISSION: &'static #expression = #value;)
}

/// Returns impls that deny every subscriber, so that groups which carry the events still compile.
pub(super) fn fallback(block: &Block) -> TokenStream {
    let mut written: Vec<(String, bool)> = Vec::new();
    let impls = block.events.iter().filter_map(|event| {
        let (ty, always) = (event.event_type()?, event.cfgs.is_empty());
        let text = ty.to_token_stream().to_string();
        // Of two conflicting impls, only the first is generated.
        if text.contains(['\'', '&']) || written.iter().any(|(earlier, theirs)| *earlier == text && (always || *theirs))
        {
            return None;
        }
        written.push((text, always));
        let (site, cfgs) = (Span::call_site(), &event.cfgs);
        let (name, permission) = (constant(&event.name), expression_constant(&paths::deny_all(site)));
        let (subscriber, option) = (paths::subscriber_type(site), paths::option(site));
        let (bool, denied) = (paths::bool(site), paths::denied(site));
        let authorize_event = quote! {
            fn authorize_event(&self, _: &#subscriber<'_, Self::User>, _: &#ty) -> #option<#bool> {
                #denied
            }
        };
        let event_type = event_type_constant(&quote!(#ty), &paths::event_type_unknown(site), site);
        let emits = emits(block, ty, ty, &quote!(#name #permission #event_type #authorize_event));
        Some(quote!(#(#cfgs)* #emits))
    });
    impls.collect()
}
