//! Evaluation of a leaf for a message, for the objects of a message, and for a connection.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::named_leaf::{LeafSubject, NamedLeaf};
use crate::expand::paths::{self, Locals};

impl NamedLeaf<'_> {
    /// Evaluates the leaf for a message. Returns `None` if it names a parameter.
    pub(in crate::expand) fn evaluate(&self, locals: &Locals) -> Option<TokenStream> {
        let Locals { call, handler, .. } = locals;
        let (span, name) = (self.leaf.span, &self.name);
        if self.leaf.subject.is_some() {
            return None;
        }
        if self.leaf.is_codename {
            let may = paths::call_may(span);
            return Some(quote_spanned!(span=> #may(#call, #name).await));
        }
        let (as_permission, context) = (self.as_permission()?, paths::call_context(locals.site));
        let evaluate = |value: TokenStream| quote_spanned!(span=> #as_permission::has_permission(#value, #handler, &#context(#call)).await);
        Some(self.with_captures(evaluate, locals))
    }

    /// Evaluates the leaf of an expression that is a single leaf for a message. An answer that is kept with the message is
    /// used instead.
    pub(in crate::expand) fn evaluate_single(&self, locals: &Locals) -> Option<TokenStream> {
        let evaluate = self.evaluate(locals)?;
        if self.leaf.is_codename {
            return Some(evaluate);
        }
        let Locals { answer, call, site, .. } = locals;
        let (kept, keep, reevaluate) = (paths::kept_answer(*site), paths::keep_answer(*site), self.reevaluate());
        let (some, none, ok) = (paths::some(*site), paths::none(*site), paths::ok(*site));
        Some(quote_spanned! {*site=>
            match #kept(#call, #reevaluate) {
                #some(#answer) => #ok(#answer),
                #none => #keep(#call, #reevaluate, #evaluate),
            }
        })
    }

    /// Evaluates the leaf before objects are loaded, when a leaf about an object may have no answer yet.
    pub(in crate::expand) fn evaluate_before_loading(&self, locals: &Locals) -> Option<TokenStream> {
        let (beforehand, none) = (paths::answer_before_loading(locals.site), paths::none(locals.site));
        if self.leaf.subject.is_none() {
            return self.evaluate(locals).map(|answer| map_to_some(&answer, locals));
        }
        if self.leaf.is_codename {
            return Some(quote_spanned!(locals.site=> #beforehand(#none)));
        }
        let answer = self.object_answer()?;
        Some(quote_spanned!(locals.site=> #beforehand(#answer)))
    }

    /// Evaluates the leaf for the parameter that it names.
    pub(in crate::expand) fn evaluate_parameter(&self, locals: &Locals) -> Option<TokenStream> {
        let call = &locals.call;
        let (span, name, subject) = (self.leaf.span, &self.name, self.subject.as_ref()?);
        if !self.leaf.is_codename {
            return self.evaluate_each_object(subject, locals);
        }
        if let Some(fetch) = subject.fetch(locals) {
            // A type without a key is reported at the leaf.
            let (grant_key, at, local) = (paths::grant_key(span), subject.local.span(), &subject.local);
            let (codename, may) = (quote_spanned!(span=> #name), paths::loading_objects_may(at));
            return Some(quote_spanned!(at=> #may(#local, #fetch, #call, #codename, #grant_key).await));
        }
        // A type that cannot be the parameter of a codename is reported at its name.
        let at = self.leaf.subject.as_ref().map_or(span, Ident::span);
        let (may, keys, subject) = (paths::may_on(at), paths::collect_keys(at), paths::at_span(&subject.local, at));
        Some(quote_spanned!(at=> #may(#call, #name, #keys(#subject)).await))
    }

    /// Evaluates the leaf for one object after the other.
    fn evaluate_each_object(&self, subject: &LeafSubject<'_>, locals: &Locals) -> Option<TokenStream> {
        let Locals { call, handler, object, .. } = locals;
        let (span, at, local) = (self.leaf.span, subject.local.span(), &subject.local);
        let as_permission = self.as_permission()?;
        let (context, evaluate_leaf) = (paths::call_context(locals.site), paths::loading_objects_evaluate_leaf(at));
        let fetch = subject.fetch(locals)?;
        // The captures are read once, before the objects are loaded: an error of one is not about an object.
        let evaluate = |value: TokenStream| {
            let evaluate = quote_spanned! {span=>
                #as_permission::has_object_permission(#value, #handler, &#context(#call), #object).await
            };
            quote_spanned! {at=>
                #evaluate_leaf(#local, #fetch, move |#object| async move { #evaluate }).await
            }
        };
        Some(self.with_captures(evaluate, locals))
    }

    /// Evaluates the leaf for a connect check.
    pub(in crate::expand) fn evaluate_connect(&self, locals: &Locals) -> Option<TokenStream> {
        let Locals { cx, handler, .. } = locals;
        if self.leaf.is_codename {
            let no_opinion = paths::no_opinion(locals.site);
            return Some(quote_spanned!(locals.site=> #no_opinion()));
        }
        let (options, value) = (self.options()?, self.value());
        Some(quote_spanned!(self.leaf.span=> #options::__can_connect(&#value, #handler, #cx).await))
    }

    /// Evaluates the leaf for a strict connect check: without a connect opinion it is evaluated as for a message.
    pub(in crate::expand) fn evaluate_strict_connect(&self, locals: &Locals) -> Option<TokenStream> {
        let Locals { answer, cx, handler, .. } = locals;
        let (span, name) = (self.leaf.span, &self.name);
        if self.leaf.is_codename {
            let may = paths::connect_may(span);
            return Some(map_to_some(&quote_spanned!(span=> #may(#cx, #name).await), locals));
        }
        let (ok, none) = (paths::ok(locals.site), paths::none(locals.site));
        let context = paths::connect_as_context(locals.site);
        let (as_permission, value, first) = (self.as_permission()?, self.value(), self.evaluate_connect(locals)?);
        let second = quote_spanned! {span=>
            #as_permission::has_permission(&#value, #handler, &#context(#cx)).await
        };
        let second = map_to_some(&second, locals);
        Some(quote_spanned! {locals.site=>
            match #first {
                #ok(#none) => #second,
                #answer => #answer,
            }
        })
    }
}

/// Maps a `Result<bool>` to a `Result<Option<bool>>`.
fn map_to_some(answer: &TokenStream, locals: &Locals) -> TokenStream {
    let (map, some) = (paths::map(locals.site), paths::some(locals.site));
    quote_spanned!(locals.site=> #map(#answer, #some))
}
