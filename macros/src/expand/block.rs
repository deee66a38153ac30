//! The whole expansion: the user's block, followed by one `const _` with everything that is generated for it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ItemImpl;

use super::evaluation::{self, NamedExpression};
use super::paths::{self, Locals};
use super::user_type::{user_alias, user_type};
use super::{action, consumer, event, route};
use crate::model::block::{Block, BlockPermission};
use crate::model::{BlockKind, respan};

/// Returns the user's block and the generated code.
pub(crate) fn block(block: &Block, item: &ItemImpl) -> TokenStream {
    let generated = Generated::new(block);
    let (cfgs, alias, lints) = (&block.cfgs, paths::alias(&block.runtime), lints(item));
    let defaults = paths::leaf_defaults();
    let user_alias = user_alias(block);
    let (items, dispatch) = (generated.items(), generated.dispatch());
    let consumer = (block.kind == BlockKind::Consumer)
        .then(|| consumer::consumer(block, generated.permission.as_ref(), &generated.events));
    let emits = generated.emits();
    let check = block.is_concrete().then(|| check(block));
    let in_order_checks = block.is_concrete().then(|| generated.in_order_checks());
    let checks = (block.kind == BlockKind::Consumer && block.is_concrete()).then(|| generated.checks());
    quote! {
        #item

        #(#cfgs)*
        #lints
        const _: () = {
            #alias
            #defaults
            #user_alias
            #items
            #dispatch
            #consumer
            #emits
            #check
            #in_order_checks
            #checks
        };
    }
}

/// Turns off style lints for generated code, because lints treat tokens with the user's spans as hand-written:
/// `unused_qualifications` for paths that the user's imports make redundant, clippy for repeated shapes, and `deprecated` if
/// the block contains that word, because the author cannot avoid the generated call of a deprecated action. Without that
/// word the lint stays on, since a crate may forbid `deprecated`.
fn lints(item: &ItemImpl) -> TokenStream {
    let deprecated = mentions(item.to_token_stream(), "deprecated").then(|| quote!(deprecated,));
    quote!(#[allow(#deprecated unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)])
}

fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

/// Returns the associated types of the block: the user type, and one that distinguishes a handler block from a consumer block,
/// because only a handler can be mounted by a route.
pub(super) fn block_types(block: &Block, user: &TokenStream) -> TokenStream {
    let kind = match block.kind {
        BlockKind::Consumer => paths::consumer_block(Span::call_site()),
        BlockKind::Handler => paths::handler_block(Span::call_site()),
    };
    quote! {
        type BlockUser = #user;
        type Block = #kind;
    }
}

/// Returns the check of the descriptor itself, after `cfg`. A generic block is checked with the consumer that mounts it.
fn check(block: &Block) -> TokenStream {
    let span = paths::type_span(&block.ty);
    let (check, dispatch, self_type) =
        (paths::check_descriptor(span), paths::dispatch(span), respan(block.ty.to_token_stream(), span));
    quote_spanned!(span=> const _: () = #check(<#self_type as #dispatch>::DESCRIPTOR);)
}

struct Generated<'a> {
    block: &'a Block,
    permission: Option<NamedExpression<'a>>,
    actions: Vec<action::ActionExpansion<'a>>,
    routes: Vec<route::RouteExpansion<'a>>,
    events: Vec<event::EventExpansion<'a>>,
    locals: Locals,
}

const ROLE: &str = "Block";

impl<'a> Generated<'a> {
    fn new(block: &'a Block) -> Self {
        let permission =
            block.permission.expression().map(|expression| NamedExpression::new(expression, ROLE, &block.generics));
        let (actions, routes, events) = (action::expansions(block), route::expansions(block), event::expansions(block));
        Self { block, permission, actions, routes, events, locals: Locals::at_attribute() }
    }

    /// Returns the expressions and aliases.
    fn items(&self) -> TokenStream {
        let own = self.permission.iter().map(|permission| permission.items(ROLE, &self.block.generics, &[]));
        let actions = self.actions.iter().map(action::ActionExpansion::items);
        let routes = self.routes.iter().map(route::RouteExpansion::items);
        own.chain(actions).chain(routes).chain(self.events.iter().map(event::EventExpansion::items)).collect()
    }

    /// Returns the checks of a consumer without generics.
    fn checks(&self) -> TokenStream {
        let actions = self.actions.iter().map(|action| action.captures_check(self.block));
        actions.chain(self.routes.iter().map(|route| route.mount_check(self.block))).collect()
    }

    /// Returns the checks of a block without generics that its actions with `in_order` stream.
    fn in_order_checks(&self) -> TokenStream {
        self.actions.iter().filter_map(|action| action.in_order_check(self.block)).collect()
    }

    /// Returns one impl per event.
    fn emits(&self) -> TokenStream {
        self.events.iter().map(event::EventExpansion::emits).collect()
    }

    fn dispatch(&self) -> TokenStream {
        let (generics, ty, where_clause) = (&self.block.generics, &self.block.ty, &self.block.generics.where_clause);
        let (dispatch, action_fn) = (paths::dispatch(Span::call_site()), paths::action_fn(Span::call_site()));
        let (types, descriptor) =
            (block_types(self.block, &user_type(self.block, paths::type_span(&self.block.user))), self.descriptor());
        // With the user's own `impl` token, equal suggestions of the compiler are reported once.
        let impl_token = self.block.impl_token;
        let entries = self.actions.iter().map(action::ActionExpansion::function_entry);
        let functions = self.actions.iter().map(|action| {
            let (function, streams) = (action.function(self.block), action.streams_function(self.block));
            quote!(#function #streams)
        });
        let unshared_action = paths::unshared_action(Span::call_site());
        let has_return_type = self.actions.iter().any(action::ActionExpansion::has_return_type);
        let find_reply = has_return_type.then(|| paths::find_reply(Span::call_site()));
        let functions = (!self.actions.is_empty()).then(|| {
            quote! {
                #unshared_action
                #find_reply
                #impl_token #generics #ty #where_clause { #(#functions)* }
            }
        });
        let (authorize, descend) = (self.authorize(), self.descend());
        let unknown_mount = (!self.routes.is_empty()).then(|| paths::unknown_mount(Span::call_site()));
        quote! {
            #unknown_mount
            #[automatically_derived]
            #impl_token #generics #dispatch for #ty #where_clause {
                #types
                #descriptor
                const ACTION_FNS: &'static [#action_fn<Self>] = &[#(#entries)*];
                #authorize
                #descend
            }

            #functions
        }
    }

    fn descriptor(&self) -> TokenStream {
        let descriptor = paths::handler_descriptor(Span::call_site());
        let name = &self.block.name;
        let permission = action::optional(self.permission.as_ref().map(NamedExpression::reference));
        let inherited = matches!(self.block.permission, BlockPermission::Inherited);
        let capture_uses = self.permission.as_ref().map(|permission| permission.capture_uses(None));
        let kept_leaves = evaluation::kept_leaves(self.permission.as_ref());
        let headers = self.permission.as_ref().map(NamedExpression::headers);
        let actions = self.actions.iter().map(action::ActionExpansion::descriptor);
        let routes = self.routes.iter().map(route::RouteExpansion::descriptor);
        quote! {
            const DESCRIPTOR: &'static #descriptor = &#descriptor {
                name: #name,
                permission: #permission,
                kept_leaves: #kept_leaves,
                headers: &[#headers],
                is_inherited: #inherited,
                capture_uses: &[#capture_uses],
                actions: &[#(#actions)*],
                routes: &[#(#routes)*],
            };
        }
    }

    fn authorize(&self) -> Option<TokenStream> {
        let permission = self.permission.as_ref()?;
        let Locals { authorized, call, handler, .. } = &self.locals;
        let (call_type, authorized_type, result) = (
            paths::call_type(Span::call_site()),
            paths::authorized_type(Span::call_site()),
            paths::result(Span::call_site()),
        );
        let evaluate = permission.evaluate(&self.locals);
        Some(quote! {
            async fn authorize(
                &self,
                #call: &#call_type<'_, Self::User>,
                #authorized: #authorized_type,
            ) -> #result<#authorized_type> {
                let #handler = self;
                #evaluate
            }
        })
    }

    fn descend(&self) -> Option<TokenStream> {
        if self.routes.is_empty() {
            return None;
        }
        let Locals { authorized, handler, route, traversal, .. } = &self.locals;
        let arms = self.routes.iter().map(route::RouteExpansion::arm);
        let (traversal_type, authorized_type) =
            (paths::traversal_type(Span::call_site()), paths::authorized_type(Span::call_site()));
        let (id, result) = (paths::route_id(Span::call_site()), paths::result(Span::call_site()));
        let unknown = paths::unknown_route(Span::call_site());
        Some(quote! {
            async fn descend(
                &self,
                #route: #id,
                #traversal: &mut #traversal_type<'_, Self::User>,
                #authorized: #authorized_type,
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
