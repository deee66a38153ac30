//! Evaluation of a leaf of `presence` for a viewer and a member of a group.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::named_leaf::{NamedLeaf, placeholder_span};
use crate::expand::paths::{self, Locals};

impl NamedLeaf<'_> {
    /// Evaluates the leaf for a viewer and a member. It does not wait; the answer is unknown while grants are not loaded. The
    /// value of the code is a `Result<Option<bool>, Refused>`.
    pub(in crate::expand) fn evaluate_member(&self, consumer_type: &TokenStream, locals: &Locals) -> TokenStream {
        let Locals { consumer, group, leaf, member, subscriber, .. } = locals;
        let (span, name, ok) = (self.leaf.span, &self.name, paths::ok(locals.site));
        if self.leaf.is_codename {
            let Some((borrow, subject_field)) = self.subject_field(group) else {
                let may = paths::subscriber_may(span);
                return quote_spanned!(span=> #ok(#may(#subscriber, #name)));
            };
            let (at, may_on) = (subject_field.span(), paths::subscriber_may_on(subject_field.span()));
            let call = quote_spanned!(at=> #may_on(#subscriber, #name, #subject_field));
            return quote_spanned!(at=> { #borrow #ok(#call) });
        }
        let (value, scope) = (self.group_value(group), paths::subscriber_scope(locals.site));
        if self.leaf.subject.is_none() {
            let (viewer_leaf, answer) = (paths::viewer_leaf(span), paths::viewer_answer(locals.site));
            return quote_spanned! {span=> {
                let #leaf = #value;
                #answer(#subscriber, &#leaf, <#name as #viewer_leaf<#consumer_type, _>>::holds_for(&#leaf, #consumer, #scope(#subscriber)))
            }};
        }
        let (permission, answer) = (paths::member_permission(span), paths::member_answer(locals.site));
        quote_spanned! {span=>
            #answer::<#name, _>(#subscriber, <#name as #permission<#consumer_type>>::may_see_member(
                &#value, #consumer, #scope(#subscriber), #member,
            ))
        }
    }

    /// Returns the headers that the leaf reads, as elements of a list with commas. A codename reads none.
    pub(in crate::expand) fn member_headers(&self, consumer_type: &TokenStream) -> Option<TokenStream> {
        let (span, name) = (self.leaf.span, &self.name);
        let options = match self.leaf.subject {
            _ if self.leaf.is_codename => return None,
            None => paths::rule_options(span),
            Some(_) => paths::member_leaf_options(span),
        };
        Some(quote_spanned!(span=> <#options<#name, #consumer_type>>::__HEADERS,))
    }

    /// Returns the leaf as a value, with clones of the fields of the group that its arguments name.
    pub(super) fn group_value(&self, group: &Ident) -> TokenStream {
        self.value_with(|field| {
            let at = placeholder_span(&field);
            // The local has the span of the placeholder, where a type that cannot be cloned is reported.
            let (clone, local) = (paths::clone(at), paths::subject(at));
            quote_spanned!(at=> { let #local = &#group.#field; #clone(#local) })
        })
    }
}
