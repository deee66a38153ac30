//! `#[derive(Event)]`: the identity of the type on other machines, and its encoding.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, WherePredicate, parse_quote};

use super::codec::{self, Encoded};
use super::paths;
use crate::model::event_type::EventType;

/// Returns the impls of an event.
pub(crate) fn event_type(event: &EventType) -> TokenStream {
    let distributed = (!event.is_local).then(|| codec::codec(&event.body, Encoded::Event));
    let compare_fields = (!event.is_local).then(|| codec::compare_fields(&event.body)).flatten();
    event_impls(event, &quote!(#distributed #compare_fields))
}

/// Returns impls without an encoding. They accompany the errors, so that no further errors follow.
pub(crate) fn event_type_fallback(event: &EventType) -> TokenStream {
    if event.generics.lifetimes().next().is_some() {
        return TokenStream::new();
    }
    event_impls(event, &TokenStream::new())
}

fn event_impls(event: &EventType, body: &TokenStream) -> TokenStream {
    let (site, ty, name, at) = (Span::call_site(), &event.ty, &event.name, event.ty.span());
    let (alias, string, bool) = (paths::alias(&event.runtime), paths::string(site), paths::bool(site));
    let generics = bounded(event);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let identity = codec::identity(&event.body, ty, name, "");
    let is_local = event.is_local;
    // A type that is not `Send` is reported at its name.
    let (event_trait, distributed_trait) = (paths::event_trait(at), paths::distributed_event(site));
    let body = quote! {
        const NAME: &'static #string = #name;
        const IS_LOCAL: #bool = #is_local;
        #identity
        #body
    };
    let impl_ = quote_spanned! {at=>
        #[automatically_derived]
        impl #impl_generics #event_trait for #ty #type_generics #where_clause { #body }
    };
    let distributed = (!event.is_local).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #distributed_trait for #ty #type_generics #where_clause {}
        }
    });
    quote! {
        #[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
        const _: () = {
            #alias
            #impl_
            #distributed
        };
    }
}

/// Returns the generic parameters, with the bounds that every type in an event needs.
fn bounded(event: &EventType) -> Generics {
    let (site, mut generics) = (Span::call_site(), event.generics.clone());
    let (send, sync, field) = (paths::send(site), paths::sync(site), paths::event_field(site));
    let encoded = (!event.is_local).then(|| quote!(+ #field));
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    if !parameters.is_empty() {
        let predicates = &mut generics.make_where_clause().predicates;
        predicates.extend(
            parameters
                .iter()
                .map(|parameter| -> WherePredicate { parse_quote!(#parameter: #send + #sync + 'static #encoded) }),
        );
    }
    generics
}
