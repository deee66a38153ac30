//! One route: its descriptor, the call into its handler, and the checks at its literal.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Generics;

use super::action::optional;
use super::evaluation::{self, NamedExpression};
use super::paths::{self, Locals};
use super::tokens::index_literal;
use crate::model::block::Block;
use crate::model::route::Route;
use crate::model::{Segment, respan};

/// A route and its permission expression, if it has one.
pub(super) struct RouteExpansion<'a> {
    route: &'a Route,
    permission: Option<NamedExpression<'a>>,
    role: String,
    generics: &'a Generics,
}

pub(super) fn expansions(block: &Block) -> Vec<RouteExpansion<'_>> {
    let expansions = block.routes.iter().map(|route| {
        let role = format!("Route{}", route.id);
        let permission =
            route.permission.as_ref().map(|expression| NamedExpression::new(expression, &role, &block.generics));
        RouteExpansion { route, permission, role, generics: &block.generics }
    });
    expansions.collect()
}

impl RouteExpansion<'_> {
    /// Returns the items that accompany the impls: the expression and the aliases of its leaves.
    pub(super) fn items(&self) -> TokenStream {
        self.permission
            .as_ref()
            .map(|permission| permission.items(&self.role, self.generics, &self.route.cfgs))
            .unwrap_or_default()
    }

    /// Returns the route descriptor.
    pub(super) fn descriptor(&self) -> TokenStream {
        let (route, cfgs) = (self.route, &self.route.cfgs);
        let (descriptor, pattern) = (paths::route_descriptor(Span::call_site()), paths::pattern(Span::call_site()));
        let (text, slash) = (&route.pattern.text, route.pattern.has_trailing_slash);
        let segments = route.pattern.segments.iter().map(segment);
        let id = Literal::usize_unsuffixed(route.id);
        let permission = optional(self.permission.as_ref().map(NamedExpression::reference));
        let capture_uses = self.permission.as_ref().map(|permission| permission.capture_uses(None));
        let kept_leaves = evaluation::kept_leaves(self.permission.as_ref());
        let headers = self.permission.as_ref().map(NamedExpression::headers);
        let (ty, span) = (&route.handler, paths::type_span(&route.handler));
        let (dispatch, mountable) = (paths::dispatch(span), paths::mountable(span));
        // A type that cannot be mounted is reported here, and only here.
        let handler_descriptor =
            quote_spanned!(span=> <<#ty as #dispatch>::Block as #mountable<#ty, Self>>::DESCRIPTOR);
        quote! {
            #(#cfgs)*
            #descriptor {
                id: #id,
                pattern: #pattern { text: #text, segments: &[#(#segments),*], has_trailing_slash: #slash },
                permission: #permission,
                kept_leaves: #kept_leaves,
                headers: &[#headers],
                capture_uses: &[#capture_uses],
                handler: #handler_descriptor,
            },
        }
    }

    /// Returns the match arm that enters the handler.
    pub(super) fn arm(&self) -> TokenStream {
        let locals = &Locals::at(self.route.signature.ident.span());
        let Locals { authorized, call, handler, traversal, site, .. } = locals;
        let (route, cfgs) = (self.route, &self.route.cfgs);
        let permission = self.permission.as_ref().map(|permission| {
            let evaluate = permission.evaluate(locals);
            let traversal_call = paths::traversal_call(*site);
            quote_spanned! {*site=>
                let #call = #traversal_call(#traversal);
                let #authorized = #evaluate?;
            }
        });
        let id = index_literal(route.id, *site);
        let (method, ty, span) = (&route.signature.ident, &route.handler, paths::type_span(&route.handler));
        let mount = paths::mount(span);
        let enter = quote_spanned! {span=>
            <#mount<#ty, Self>>::__enter(Self::#method(#handler), #traversal, #authorized).await
        };
        quote_spanned!(*site=> #(#cfgs)* #id => { #permission #enter })
    }

    /// Returns the check, at the route, that it provides all captures read below it.
    pub(super) fn mount_check(&self, block: &Block) -> TokenStream {
        let (span, cfgs) = (self.route.pattern.span(), &self.route.cfgs);
        let (check, dispatch) = (paths::check_mount(span), paths::dispatch(span));
        let self_type = respan(block.ty.to_token_stream(), span);
        let id = index_literal(self.route.id, span);
        quote_spanned!(span=> #(#cfgs)* const _: () = #check(<#self_type as #dispatch>::DESCRIPTOR, #id);)
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
