//! What a leaf is asked about an event by who would see it, and about a group by who would join it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::evaluate::Named;
use crate::expand::paths::{self, Locals};

impl Named<'_> {
    /// What it says of the event, whose type is `ty`. Nothing waits: it may be that some grants are not known yet.
    pub(in crate::expand) fn ask_sight(&self, ty: &TokenStream, locals: &Locals) -> TokenStream {
        let Locals { event, handler, seeing, .. } = locals;
        let (span, name) = (self.leaf.span, &self.name);
        if let Some((begun, field)) = self.field(event) {
            let (at, may_on) = (field.span(), paths::seeing_may_on(field.span()));
            let asked = quote_spanned!(at=> #may_on(#seeing, #name, #field));
            return quote!({ #begun #asked });
        }
        if self.leaf.is_codename {
            let may = paths::seeing_may(span);
            return quote_spanned!(span=> #may(#seeing, #name));
        }
        let (permission, value) = (paths::event_permission(span), self.value());
        let (some, scope) = (paths::some(Span::call_site()), paths::scope_of_seeing(Span::call_site()));
        let asked = quote_spanned! {span=>
            <#name as #permission<#ty, Self>>::may_see(&#value, #handler, #scope(#seeing), #event)
        };
        quote!(#some(#asked))
    }

    /// What it says of the group.
    pub(in crate::expand) fn ask_join(&self, consumer_type: &TokenStream, locals: &Locals) -> TokenStream {
        let Locals { call, consumer, group, .. } = locals;
        let (span, name) = (self.leaf.span, &self.name);
        if let Some((begun, field)) = self.field(group) {
            let (at, may_on) = (field.span(), paths::may_join_on(field.span()));
            let asked = quote_spanned!(at=> #may_on(#call, #name, #field).await);
            return quote!({ #begun #asked });
        }
        if self.leaf.is_codename {
            let may = paths::may(span);
            return quote_spanned!(span=> #may(#call, #name).await);
        }
        let (permission, value) = (paths::group_permission(span), self.value());
        let scope = paths::scope_of_a_call(Span::call_site());
        quote_spanned! {span=>
            <#name as #permission<Self, #consumer_type>>::may_join(&#value, #consumer, #scope(#call), #group).await
        }
    }

    /// The field that a codename is about, and the local that borrows it. One that is not there, or names no object, is
    /// told at its name.
    fn field(&self, of: &Ident) -> Option<(TokenStream, Ident)> {
        let field = self.leaf.subject.as_ref()?;
        let local = paths::subject(field.span());
        Some((quote!(let #local = &#of.#field;), local))
    }
}
