//! Evaluation of a leaf for an event and its subscriber, and for a group and the connection that joins it or publishes to it.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::named_leaf::NamedLeaf;
use crate::expand::paths::{self, Locals};

impl NamedLeaf<'_> {
    /// Evaluates the leaf for an event of type `ty`. It does not wait; the answer is unknown while grants are not loaded. The
    /// value of the code is a `Result<Option<bool>, Refused>`.
    pub(in crate::expand) fn evaluate_event(&self, ty: &TokenStream, locals: &Locals) -> TokenStream {
        let Locals { event, handler, subscriber, .. } = locals;
        let (span, name, ok) = (self.leaf.span, &self.name, paths::ok(locals.site));
        if let Some((borrow, subject_field)) = self.subject_field(event) {
            let (at, may_on) = (subject_field.span(), paths::subscriber_may_on(subject_field.span()));
            let call = quote_spanned!(at=> #may_on(#subscriber, #name, #subject_field));
            return quote_spanned!(at=> { #borrow #ok(#call) });
        }
        if self.leaf.is_codename {
            let may = paths::subscriber_may(span);
            return quote_spanned!(span=> #ok(#may(#subscriber, #name)));
        }
        let (permission, value) = (paths::event_leaf(span), self.value());
        let scope = paths::subscriber_scope(locals.site);
        quote_spanned! {span=>
            <#name as #permission<#ty, Self, _>>::may_see(&#value, #handler, #scope(#subscriber), #event)
        }
    }

    /// Returns the headers that the leaf of an event of type `ty` reads, as elements of a list with commas. A codename reads
    /// none.
    pub(in crate::expand) fn event_headers(&self, ty: &TokenStream) -> Option<TokenStream> {
        let (span, options) = (self.leaf.span, paths::event_leaf_options(self.leaf.span));
        self.headers_of(&options, ty, &quote_spanned!(span=> Self))
    }

    /// Returns the headers that the leaf of a group reads, as elements of a list with commas. A codename reads none.
    pub(in crate::expand) fn group_headers(&self, consumer_type: &TokenStream) -> Option<TokenStream> {
        let (span, options) = (self.leaf.span, paths::group_leaf_options(self.leaf.span));
        self.headers_of(&options, &quote_spanned!(span=> Self), consumer_type)
    }

    fn headers_of(&self, options: &TokenStream, guarded: &TokenStream, consumer: &TokenStream) -> Option<TokenStream> {
        let (span, name, rule_options) = (self.leaf.span, &self.name, paths::rule_options(self.leaf.span));
        // One of the two is a default: a leaf is a permission or a rule.
        (!self.leaf.is_codename).then(|| {
            quote_spanned! {span=>
                <#options<#name, #guarded, #consumer>>::__HEADERS,
                <#rule_options<#name, #consumer>>::__HEADERS,
            }
        })
    }

    /// Evaluates the leaf for a group.
    pub(in crate::expand) fn evaluate_group(&self, consumer_type: &TokenStream, locals: &Locals) -> TokenStream {
        let Locals { call, consumer, group, .. } = locals;
        let (span, name) = (self.leaf.span, &self.name);
        if let Some((borrow, subject_field)) = self.subject_field(group) {
            let at = subject_field.span();
            let (may_on, keys) = (paths::may_join_on(at), paths::collect_keys(at));
            let call = quote_spanned!(at=> #may_on(#call, #name, #keys(#subject_field)).await);
            return quote_spanned!(at=> { #borrow #call });
        }
        if self.leaf.is_codename {
            let may = paths::call_may(span);
            return quote_spanned!(span=> #may(#call, #name).await);
        }
        let permission = paths::group_leaf(span);
        let value = self.group_value(group);
        let scope = paths::call_scope(locals.site);
        quote_spanned! {span=>
            <#name as #permission<Self, #consumer_type, _>>::may_join(&#value, #consumer, #scope(#call), #group).await
        }
    }

    /// Returns the field that a codename names, and the local that borrows it. A field that does not exist, or is not a key
    /// of an object, is reported at its name.
    pub(super) fn subject_field(&self, subject: &Ident) -> Option<(TokenStream, Ident)> {
        let subject_field = self.leaf.subject.as_ref()?;
        let local = paths::subject(subject_field.span());
        let borrow = quote_spanned!(subject_field.span()=> let #local = &#subject.#subject_field;);
        Some((borrow, local))
    }
}
