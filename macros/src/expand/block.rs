//! The whole: the user's block first, then one `const _` with everything that is generated for it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ItemImpl;

use super::evaluation::Evaluation;
use super::paths::{self, Locals};
use super::{action, consumer, event, route};
use crate::model::block::{Block, BlockPermission};
use crate::model::{BlockKind, respan};

/// The user's block and what is generated for it.
pub(crate) fn block(block: &Block, item: &ItemImpl) -> TokenStream {
    let generated = Generated::new(block);
    let (cfgs, alias, lints) = (&block.cfgs, paths::alias(&block.runtime), lints(item));
    let (items, dispatch) = (generated.items(), generated.dispatch());
    let handler = handler(block);
    let consumer = (block.kind == BlockKind::Consumer)
        .then(|| consumer::consumer(block, generated.gate.as_ref(), &generated.events));
    let emits = generated.emits();
    let check = block.is_concrete().then(|| check(block));
    let checks = (block.kind == BlockKind::Consumer && block.is_concrete()).then(|| generated.checks());
    quote! {
        #item

        #(#cfgs)*
        #lints
        const _: () = {
            #alias
            #items
            #handler
            #dispatch
            #consumer
            #emits
            #check
            #checks
        };
    }
}

/// Tokens with the user's spans look hand-written to lints, so what they say about style is turned off in here:
/// `unused_qualifications` for paths that the user's imports make redundant, clippy for shapes that repeat, and
/// `deprecated` where the block speaks of it, because the call of a deprecated action is nothing that its author can
/// change. Elsewhere the crate may forbid that one.
fn lints(item: &ItemImpl) -> TokenStream {
    let deprecated = says(item.to_token_stream(), "deprecated").then(|| quote!(deprecated,));
    quote!(#[allow(#deprecated unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)])
}

fn says(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == word,
        TokenTree::Group(group) => says(group.stream(), word),
        _ => false,
    })
}

/// `impl Handler for …`: the type and its user.
pub(super) fn handler(block: &Block) -> TokenStream {
    let (generics, where_clause) = (&block.generics, &block.generics.where_clause);
    let (ty, user) = (&block.ty, &block.user);
    let handler = paths::handler_trait(Span::call_site());
    quote! {
        #[automatically_derived]
        impl #generics #handler for #ty #where_clause {
            type User = #user;
        }

        impl #generics #ty #where_clause {
            // Two blocks of one type clash anyway; this name says so in words that help.
            #[doc(hidden)]
            fn _a_type_has_one_handler_or_consumer_block() {}
        }
    }
}

/// Which attribute the block has: a route leads to handlers only.
pub(super) fn kind(block: &Block) -> TokenStream {
    let kind = match block.kind {
        BlockKind::Consumer => paths::consumer_block(Span::call_site()),
        BlockKind::Handler => paths::handler_block(Span::call_site()),
    };
    quote!(type Block = #kind;)
}

/// Weighs the rows themselves, after `cfg`. Those of a generic block are weighed with the consumer that leads to them.
fn check(block: &Block) -> TokenStream {
    let span = paths::shown(&block.ty);
    let (check, dispatch, own) =
        (paths::check_node(span), paths::dispatch(span), respan(block.ty.to_token_stream(), span));
    quote_spanned!(span=> const _: () = #check(<#own as #dispatch>::NODE);)
}

struct Generated<'a> {
    block: &'a Block,
    gate: Option<Evaluation<'a>>,
    actions: Vec<action::Row<'a>>,
    routes: Vec<route::Row<'a>>,
    events: Vec<event::Row<'a>>,
    locals: Locals,
}

const ROLE: &str = "Block";

impl<'a> Generated<'a> {
    fn new(block: &'a Block) -> Self {
        let gate = block.permission.expression().map(|expression| Evaluation::new(expression, ROLE, &block.generics));
        let (actions, routes, events) = (action::rows(block), route::rows(block), event::rows(block));
        Self { block, gate, actions, routes, events, locals: Locals::new() }
    }

    /// The expressions.
    fn items(&self) -> TokenStream {
        let own = self.gate.iter().map(|gate| gate.items(ROLE, &self.block.generics, &[]));
        let actions = self.actions.iter().map(action::Row::items);
        let routes = self.routes.iter().map(route::Row::items);
        own.chain(actions).chain(routes).chain(self.events.iter().map(event::Row::items)).collect()
    }

    /// What the compiler can check of a consumer that is one type.
    fn checks(&self) -> TokenStream {
        let own = self.gate.iter().map(|gate| gate.no_captures_here(self.block, &[]));
        let actions = self.actions.iter().map(|row| row.check(self.block));
        own.chain(actions).chain(self.routes.iter().map(|row| row.check(self.block))).collect()
    }

    /// One impl an event.
    fn emits(&self) -> TokenStream {
        self.events.iter().map(|row| row.emits(&self.locals)).collect()
    }

    fn dispatch(&self) -> TokenStream {
        let (generics, ty, where_clause) = (&self.block.generics, &self.block.ty, &self.block.generics.where_clause);
        let (dispatch, action_fn) = (paths::dispatch(Span::call_site()), paths::action_fn(Span::call_site()));
        let (kind, node) = (kind(self.block), self.node());
        let calls = self.actions.iter().map(|row| row.call(&self.locals));
        let (admit, descend) = (self.admit(), self.descend());
        // The user's own `impl`: what the compiler suggests to write there is then the same, and told once.
        let impl_token = self.block.impl_token;
        quote! {
            #[automatically_derived]
            #impl_token #generics #dispatch for #ty #where_clause {
                #kind
                #node
                const CALLS: &'static [#action_fn<Self>] = &[#(#calls)*];
                #admit
                #descend
            }
        }
    }

    fn node(&self) -> TokenStream {
        let node = paths::node(Span::call_site());
        let name = &self.block.name;
        let permission = action::optional(self.gate.as_ref().map(Evaluation::reference));
        let inherited = matches!(self.block.permission, BlockPermission::Inherited);
        let needs = self.gate.as_ref().map(Evaluation::needs);
        let actions = self.actions.iter().map(action::Row::node);
        let routes = self.routes.iter().map(route::Row::node);
        quote! {
            const NODE: &'static #node = &#node {
                name: #name,
                permission: #permission,
                inherited: #inherited,
                needs: &[#needs],
                actions: &[#(#actions)*],
                routes: &[#(#routes)*],
            };
        }
    }

    fn admit(&self) -> Option<TokenStream> {
        let gate = self.gate.as_ref()?;
        let Locals { admitted, call, handler, .. } = &self.locals;
        let (call_type, admitted_type, result) = (
            paths::call_type(Span::call_site()),
            paths::admitted_type(Span::call_site()),
            paths::result(Span::call_site()),
        );
        let ask = gate.ask(&self.locals);
        Some(quote! {
            async fn admit(
                &self,
                #call: &#call_type<'_, Self::User>,
                #admitted: #admitted_type,
            ) -> #result<#admitted_type> {
                let #handler = self;
                #ask
            }
        })
    }

    fn descend(&self) -> Option<TokenStream> {
        if self.routes.is_empty() {
            return None;
        }
        let Locals { admitted, handler, route, walk, .. } = &self.locals;
        let arms = self.routes.iter().map(|row| row.arm(&self.locals));
        let (walk_type, admitted_type) = (paths::walk_type(Span::call_site()), paths::admitted_type(Span::call_site()));
        let (id, result) = (paths::route_id(Span::call_site()), paths::result(Span::call_site()));
        let unknown = paths::unknown_route(Span::call_site());
        Some(quote! {
            async fn descend(
                &self,
                #route: #id,
                #walk: &mut #walk_type<'_, Self::User>,
                #admitted: #admitted_type,
            ) -> #result<()> {
                let #handler = self;
                match #route {
                    #(#arms)*
                    _ => #unknown(),
                }
            }
        })
    }
}
