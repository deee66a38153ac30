//! One event: what is asked of who would see it, and the frame that it becomes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::evaluation::Evaluation;
use super::leaf::mentions;
use super::paths::{self, Locals};
use crate::model::block::Block;
use crate::model::event::Event;
use crate::model::respan;

/// An event with its expression and its type.
pub(super) struct Row<'a> {
    block: &'a Block,
    event: &'a Event,
    gate: Evaluation<'a>,
    ty: &'a Type,
    role: String,
}

pub(super) fn rows(block: &Block) -> Vec<Row<'_>> {
    let rows = block.events.iter().enumerate().filter_map(|(position, event)| {
        let role = format!("Event{position}");
        let gate = Evaluation::new(event.permission.as_ref()?, &role, &block.generics);
        Some(Row { block, event, gate, ty: event.event_type()?, role })
    });
    rows.collect()
}

impl Row<'_> {
    /// What stands beside the impls: the expression, and the type under a name that is resolved once.
    pub(super) fn items(&self) -> TokenStream {
        let (cfgs, ty) = (&self.event.cfgs, self.ty);
        let gate = self.gate.items(&self.role, &self.block.generics, cfgs);
        let alias = self.nameable().then(|| {
            let name = self.alias(paths::shown(ty));
            quote!(#(#cfgs)* type #name = #ty;)
        });
        quote!(#gate #alias)
    }

    /// The row in the consumer's list.
    pub(super) fn node(&self) -> TokenStream {
        let (cfgs, name) = (&self.event.cfgs, &self.event.name);
        let (node, permission) = (paths::event_node(Span::call_site()), self.gate.reference());
        quote!(#(#cfgs)* #node { name: #name, permission: #permission },)
    }

    /// `impl Emits<E> for …`
    pub(super) fn emits(&self, locals: &Locals) -> TokenStream {
        let (cfgs, ty) = (&self.event.cfgs, self.named(paths::shown(self.ty)));
        let (name, permission) = (constant(&self.event.name), expression_constant(&self.gate.reference()));
        let (may_see, frame) = (self.may_see(locals), self.frame(locals));
        let key = self.key(locals);
        let emits = emits(self.block, &ty, self.ty, &quote!(#name #permission #may_see #key #frame));
        quote!(#(#cfgs)* #emits)
    }

    fn may_see(&self, locals: &Locals) -> TokenStream {
        let Locals { event, handler, seeing, .. } = locals;
        let (site, ty) = (Span::call_site(), self.named(paths::shown(self.ty)));
        let (seeing_type, option, bool) = (paths::seeing_type(site), paths::option(site), paths::bool(site));
        let asked = self.gate.ask_sight(|span| self.named(span), locals);
        quote! {
            fn may_see(&self, #seeing: &#seeing_type<'_, Self::User>, #event: &#ty) -> #option<#bool> {
                let #handler = self;
                #asked
            }
        }
    }

    /// What is wrong with the field is told where it is named.
    fn key(&self, locals: &Locals) -> Option<TokenStream> {
        let (field, event, site) = (self.event.key.as_ref()?, &locals.event, Span::call_site());
        let (ty, at) = (self.named(paths::shown(self.ty)), field.span());
        let (option, number) = (paths::option(site), paths::key_number(site));
        let (event_key, subject) = (paths::event_key(at), paths::subject(at));
        let hashed = quote_spanned!(at=> #event_key(#subject));
        Some(quote! {
            fn key(&self, #event: &#ty) -> #option<#number> {
                let #subject = &#event.#field;
                #hashed
            }
        })
    }

    /// The frame for all, or for each one. What is wrong with what the method returns is told at its type.
    fn frame(&self, locals: &Locals) -> TokenStream {
        let Locals { event, handler, scope, .. } = locals;
        let (site, name, method) = (Span::call_site(), &self.event.name, &self.event.method);
        let ty = self.named(paths::shown(self.ty));
        let at = self.event.return_type().map_or_else(|| method.span(), paths::shown);
        let output = paths::output(at);
        let (option, result, frame_type) = (paths::option(site), paths::result(site), paths::frame_type(site));
        let returns = quote!(#option<#result<#frame_type>>);
        let Some(takes) = self.event.scope_parameter() else {
            let (frame, some) = (paths::frame(at), paths::some(site));
            let framed = quote_spanned!(at=> #frame(#name, &#output));
            return quote! {
                fn shared(&self, #event: &#ty) -> #returns {
                    let #handler = self;
                    let #output = Self::#method(#handler, #event);
                    #some(#framed)
                }
            };
        };
        // A scope of another user type is told at the type.
        let (scope_type, given) = (paths::scope_type(site), paths::shown_at(scope, paths::shown(&takes.ty)));
        let personal_frame = paths::personal_frame(at);
        let framed = quote_spanned!(at=> #personal_frame(#name, #output));
        quote! {
            fn personal(&self, #scope: &#scope_type<Self::User>, #event: &#ty) -> #returns {
                let #handler = self;
                let #output = Self::#method(#handler, #event, #given);
                #framed
            }
        }
    }

    /// The event's type, all at one span.
    fn named(&self, span: Span) -> TokenStream {
        if self.nameable() { self.alias(span).to_token_stream() } else { respan(self.ty.to_token_stream(), span) }
    }

    fn alias(&self, span: Span) -> Ident {
        format_ident!("__{}Type", self.role, span = span)
    }

    fn nameable(&self) -> bool {
        !mentions(self.ty.to_token_stream(), &self.block.generics)
    }
}

/// `impl Emits<E> for …`, shown at the event's type: a consumer has one event of each type.
fn emits(block: &Block, ty: &impl ToTokens, shown: &Type, body: &TokenStream) -> TokenStream {
    let span = paths::shown(shown);
    let (generics, where_clause) = (&block.generics, &block.generics.where_clause);
    let (emits, own) = (paths::emits(span), respan(block.ty.to_token_stream(), span));
    quote_spanned!(span=> #[automatically_derived] impl #generics #emits<#ty> for #own #where_clause { #body })
}

fn constant(name: &str) -> TokenStream {
    let string = paths::string(Span::call_site());
    quote!(const NAME: &'static #string = #name;)
}

pub(super) fn expression_constant(value: &TokenStream) -> TokenStream {
    let expression = paths::expression(Span::call_site());
    quote!(const PERMISSION: &'static #expression = #value;)
}

/// Impls that nobody sees anything of, so that groups which carry the events do not break.
pub(super) fn fallback(block: &Block) -> TokenStream {
    let mut written: Vec<(String, bool)> = Vec::new();
    let impls = block.events.iter().filter_map(|event| {
        let (ty, always) = (event.event_type()?, event.cfgs.is_empty());
        let text = ty.to_token_stream().to_string();
        // One of two that would clash is enough.
        if text.contains(['\'', '&']) || written.iter().any(|(earlier, theirs)| *earlier == text && (always || *theirs))
        {
            return None;
        }
        written.push((text, always));
        let (site, cfgs) = (Span::call_site(), &event.cfgs);
        let (name, permission) = (constant(&event.name), expression_constant(&paths::nobody(site)));
        let (seeing, option) = (paths::seeing_type(site), paths::option(site));
        let (bool, unseen) = (paths::bool(site), paths::unseen(site));
        let may_see = quote! {
            fn may_see(&self, _: &#seeing<'_, Self::User>, _: &#ty) -> #option<#bool> {
                #unseen
            }
        };
        let emits = emits(block, ty, ty, &quote!(#name #permission #may_see));
        Some(quote!(#(#cfgs)* #emits))
    });
    impls.collect()
}
