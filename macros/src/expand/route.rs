//! One route: its row in the node, the way into its handler, and the checks at its literal.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Generics;

use super::action::optional;
use super::evaluation::Evaluation;
use super::paths::{self, Locals};
use crate::model::block::Block;
use crate::model::route::Route;
use crate::model::{Segment, respan};

/// A route and its expression, if it has one.
pub(super) struct Row<'a> {
    route: &'a Route,
    gate: Option<Evaluation<'a>>,
    role: String,
    generics: &'a Generics,
}

pub(super) fn rows(block: &Block) -> Vec<Row<'_>> {
    let rows = block.routes.iter().map(|route| {
        let role = format!("Route{}", route.id);
        let gate = route.permission.as_ref().map(|expression| Evaluation::new(expression, &role, &block.generics));
        Row { route, gate, role, generics: &block.generics }
    });
    rows.collect()
}

impl Row<'_> {
    /// What stands beside the impls.
    pub(super) fn items(&self) -> TokenStream {
        self.gate.as_ref().map(|gate| gate.items(&self.role, self.generics, &self.route.cfgs)).unwrap_or_default()
    }

    /// The row in the node.
    pub(super) fn node(&self) -> TokenStream {
        let (route, cfgs) = (self.route, &self.route.cfgs);
        let (node, pattern) = (paths::route_node(Span::call_site()), paths::pattern(Span::call_site()));
        let (text, slash) = (&route.pattern.text, route.pattern.has_trailing_slash);
        let segments = route.pattern.segments.iter().map(segment);
        let id = Literal::usize_unsuffixed(route.id);
        let permission = optional(self.gate.as_ref().map(Evaluation::reference));
        let needs = self.gate.as_ref().map(Evaluation::needs);
        let (ty, span) = (&route.handler, paths::shown(&route.handler));
        let (handler, mountable) = (self.handler(), paths::mountable(span));
        // A consumer is refused here, at its type.
        let below = quote_spanned!(span=> <#handler::Block as #mountable<#ty>>::NODE);
        quote! {
            #(#cfgs)*
            #node {
                id: #id,
                pattern: #pattern { text: #text, segments: &[#(#segments),*], slash: #slash },
                permission: #permission,
                needs: &[#needs],
                node: #below,
            },
        }
    }

    /// The arm that goes on in the handler.
    pub(super) fn arm(&self, locals: &Locals) -> TokenStream {
        let Locals { admitted, call, handler, walk, .. } = locals;
        let (route, cfgs) = (self.route, &self.route.cfgs);
        let gate = self.gate.as_ref().map(|gate| {
            let ask = gate.ask(locals);
            let call_of_a_walk = paths::call_of_a_walk(Span::call_site());
            quote! {
                let #call = #call_of_a_walk(#walk);
                let #admitted = { #ask? };
            }
        });
        let id = Literal::usize_unsuffixed(route.id);
        let (method, mounted, span) = (&route.signature.ident, self.handler(), paths::shown(&route.handler));
        let go = quote_spanned! {span=>
            #mounted::enter::<Self>(Self::#method(#handler), #walk, #admitted).await
        };
        quote!(#(#cfgs)* #id => { #gate #go })
    }

    /// The handler, always by way of the same trait: where it is none, or has another user type, that is told once.
    fn handler(&self) -> TokenStream {
        let (ty, span) = (&self.route.handler, paths::shown(&self.route.handler));
        let dispatch = paths::dispatch(span);
        quote_spanned!(span=> <#ty as #dispatch>)
    }

    /// Checks where the route is written that it provides all captures that are read below it.
    pub(super) fn check(&self, block: &Block) -> TokenStream {
        let (span, cfgs) = (self.route.pattern.span(), &self.route.cfgs);
        let (check, dispatch) = (paths::check_mount(span), paths::dispatch(span));
        let own = respan(block.ty.to_token_stream(), span);
        let mut id = Literal::usize_unsuffixed(self.route.id);
        id.set_span(span);
        quote_spanned!(span=> #(#cfgs)* const _: () = #check(<#own as #dispatch>::NODE, #id);)
    }
}

fn segment(written: &Segment) -> TokenStream {
    let (segment, regex) = (paths::segment(Span::call_site()), paths::regex(Span::call_site()));
    match written {
        Segment::Text(text) => quote!(#segment::Text(#text)),
        Segment::Capture(name) => quote!(#segment::Capture(#name)),
        Segment::Rest(name) => quote!(#segment::Rest(#name)),
        Segment::Regex(name, text) => quote! {
            #segment::Regex(#name, || {
                static REGEX: #regex = #regex::new(#text);
                &REGEX
            })
        },
    }
}
