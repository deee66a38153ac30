//! The expansion of a block with errors: the same impls with empty tables, so that no further errors follow from it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ItemImpl;

use super::block::block_types;
use super::{event, leaf, paths};
use crate::model::BlockKind;
use crate::model::block::Block;

/// Returns the user's block and impls without actions.
pub(crate) fn fallback(block: &Block, item: &ItemImpl) -> TokenStream {
    let impls = fallback_impls(block);
    quote!(#item #impls)
}

/// Returns impls without actions. They are never registered, because the program does not compile.
pub(crate) fn fallback_impls(block: &Block) -> TokenStream {
    if block.generics.lifetimes().next().is_some() {
        // A borrowing type cannot have these impls.
        return TokenStream::new();
    }
    let aliases = aliases(block);
    let (cfgs, alias, types) =
        (&block.cfgs, paths::alias(&block.runtime), block_types(block, &block.user.to_token_stream()));
    let (generics, ty, where_clause) = (&block.generics, &block.ty, &block.generics.where_clause);
    let (dispatch, descriptor) = (paths::dispatch(Span::call_site()), paths::handler_descriptor(Span::call_site()));
    let (action_fn, none) = (paths::action_fn(Span::call_site()), paths::none(Span::call_site()));
    let (name, consumer, string) = (&block.name, paths::consumer(Span::call_site()), paths::string(Span::call_site()));
    let consumer = (block.kind == BlockKind::Consumer).then(|| {
        quote! {
            #[automatically_derived]
            impl #generics #consumer for #ty #where_clause {
                const NAME: &'static #string = #name;
            }
        }
    });
    let emits = (block.kind == BlockKind::Consumer).then(|| event::fallback(block));
    quote! {
        #(#cfgs)*
        #[allow(dead_code)]
        const _: () = {
            #alias
            #aliases
            #[automatically_derived]
            impl #generics #dispatch for #ty #where_clause {
                #types
                const DESCRIPTOR: &'static #descriptor = &#descriptor {
                    name: #name,
                    permission: #none,
                    kept_leaves: 0,
                    headers: &[],
                    is_inherited: false,
                    capture_uses: &[],
                    actions: &[],
                    routes: &[],
                };
                const ACTION_FNS: &'static [#action_fn<Self>] = &[];
            }
            #consumer
            #emits
        };
    }
}

/// Returns aliases of the permissions that could be parsed, so that misspelled ones are reported and none seems unused.
fn aliases(block: &Block) -> TokenStream {
    let name = |expression, role: &str, cfgs: &[_]| leaf::leaf_aliases(expression, role, &block.generics, cfgs);
    let block_permission = block.permission.expression().into_iter().map(|expression| name(expression, "Block", &[]));
    let connect = block.connect.iter().map(|expression| name(expression, "Connect", &[]));
    let actions = block.actions.iter().enumerate().filter_map(|(position, action)| {
        action.permission.as_ref().map(|expression| name(expression, &format!("Action{position}"), &action.cfgs))
    });
    let routes = block.routes.iter().filter_map(|route| {
        route.permission.as_ref().map(|expression| name(expression, &format!("Route{}", route.id), &route.cfgs))
    });
    let events = block.events.iter().enumerate().filter_map(|(position, event)| {
        event.permission.as_ref().map(|expression| name(expression, &format!("Event{position}"), &event.cfgs))
    });
    block_permission.chain(connect).chain(actions).chain(routes).chain(events).collect()
}
