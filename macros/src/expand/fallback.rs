//! What comes out beside the errors: the same impls with empty tables, so that nothing else breaks.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ItemImpl;

use super::block::handler;
use super::paths;
use crate::model::block::Block;
use crate::syntax::block::Kind;

/// The user's block and impls that serve nothing. They are never registered: the program does not compile.
pub(crate) fn fallback(block: &Block, item: &ItemImpl) -> TokenStream {
    let (cfgs, alias, handler) = (&block.cfgs, paths::alias(&block.runtime), handler(block));
    let (generics, ty, where_clause) = (&block.generics, &block.ty, &block.generics.where_clause);
    let (dispatch, rows) = (paths::dispatch(Span::call_site()), paths::node(Span::call_site()));
    let (action_fn, none) = (paths::action_fn(Span::call_site()), paths::none(Span::call_site()));
    let (name, consumer) = (&block.name, paths::consumer(Span::call_site()));
    let consumer = (block.kind == Kind::Consumer).then(|| {
        quote! {
            #[automatically_derived]
            impl #generics #consumer for #ty #where_clause {
                const NAME: &'static str = #name;
            }
        }
    });
    quote! {
        #item

        #(#cfgs)*
        const _: () = {
            #alias
            #handler
            #[automatically_derived]
            impl #generics #dispatch for #ty #where_clause {
                const NODE: &'static #rows = &#rows {
                    name: #name,
                    permission: #none,
                    inherited: false,
                    needs: &[],
                    actions: &[],
                    routes: &[],
                };
                const CALLS: &'static [#action_fn<Self>] = &[];
            }
            #consumer
        };
    }
}
