//! Checks that leaves are not `AllowAny` or `DenyAll` under another name. The compiler evaluates them, because a macro sees
//! only names.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Attribute;

use super::named_leaf::NamedLeaf;
use crate::expand::paths;
use crate::expand::tokens::string_literal;

impl NamedLeaf<'_> {
    /// Checks that the leaf may be combined with others.
    pub(in crate::expand) fn check_combinable(&self) -> Option<TokenStream> {
        let (answer, text, span) = (self.constant_answer()?, &self.leaf.text, self.leaf.span);
        let message = |name: &str| {
            let text = format!(
                "`{text}` is `{name}`, which cannot be combined with other permissions; remove it, or write `{name}` alone"
            );
            string_literal(&text, span)
        };
        let (allow_any, deny_all, check) = (message("AllowAny"), message("DenyAll"), paths::check_not_constant(span));
        Some(quote_spanned!(span=> #check(#answer, #allow_any, #deny_all);))
    }

    /// Checks that the leaf, which is the whole expression of an action in a block with a permission, is not `AllowAny`.
    pub(in crate::expand) fn check_restricts(&self) -> Option<TokenStream> {
        let (answer, text, span) = (self.constant_answer()?, &self.leaf.text, self.leaf.span);
        let message = format!(
            "`{text}` is `AllowAny`, which has no effect, because the permission of the block must hold as well; remove it"
        );
        let (message, check) = (string_literal(&message, span), paths::check_restricts(span));
        Some(quote_spanned!(span=> #check(#answer, #message);))
    }

    /// Returns the answer of the leaf if it is always the same. Returns `None` for a leaf about an object, which has a check
    /// of its own, and for a type that depends on generics of the block, which a constant cannot name.
    fn constant_answer(&self) -> Option<TokenStream> {
        if self.leaf.is_codename || self.leaf.subject.is_some() || !self.has_alias() {
            return None;
        }
        let (span, name) = (self.leaf.span, &self.name);
        let constant_answer = paths::constant_answer(span);
        Some(quote_spanned!(span=> <#constant_answer<#name>>::__ANSWER))
    }
}

/// Returns a constant whose evaluation runs the checks, or `None` if there are none.
pub(in crate::expand) fn constant_checks(checks: &TokenStream, cfgs: &[Attribute]) -> Option<TokenStream> {
    (!checks.is_empty()).then(|| quote!(#(#cfgs)* const _: () = { #checks };))
}
