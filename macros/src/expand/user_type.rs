//! The user type of a block in generated code.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::paths;
use super::tokens::{mentions_generics, relocate};
use crate::model::block::Block;

/// Returns the alias of the user type, whose path is resolved once, unless the type names generics of the block.
pub(super) fn user_alias(block: &Block) -> Option<TokenStream> {
    let (user, name) = (&block.user, user_type(block, paths::type_span(&block.user)));
    has_user_alias(block).then(|| quote!(type #name = #user;))
}

fn has_user_alias(block: &Block) -> bool {
    !mentions_generics(block.user.to_token_stream(), &block.generics)
}

/// Returns the user type with all tokens at one span.
pub(super) fn user_type(block: &Block, span: Span) -> TokenStream {
    if has_user_alias(block) {
        return quote_spanned!(span=> __User);
    }
    relocate(block.user.to_token_stream(), span)
}
