//! The rate of an action: its static, and the call that counts.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Attribute;

use super::paths::{self, Locals};
use crate::model::action::{ActionRate, RateUnit};

/// The rate of an action, and the name of its static.
pub(super) struct RateExpansion<'a> {
    rate: &'a ActionRate,
    name: Ident,
}

impl<'a> RateExpansion<'a> {
    /// Returns `None` if the action has no rate. `role` names the action.
    pub(super) fn new(rate: Option<&'a ActionRate>, role: &str) -> Option<RateExpansion<'a>> {
        let name = format_ident!("__{}_RATE", role.to_uppercase(), span = Span::call_site());
        rate.map(|rate| RateExpansion { rate, name })
    }

    /// Returns the static, whose address is the identity of the rate.
    pub(super) fn item(&self, cfgs: &[Attribute]) -> TokenStream {
        let (RateExpansion { rate, name }, span) = (self, Span::call_site());
        let new = match rate.unit {
            RateUnit::Second => paths::rate_per_second(span),
            RateUnit::Minute => paths::rate_per_minute(span),
            RateUnit::Hour => paths::rate_per_hour(span),
        };
        let (rate_type, count, burst) = (paths::rate(span), rate.count, rate.burst);
        quote!(#(#cfgs)* static #name: #rate_type = #new(#count).burst(#burst);)
    }

    /// Returns a reference to the static, for the descriptor.
    pub(super) fn reference(&self) -> TokenStream {
        let name = &self.name;
        quote!(&#name)
    }

    /// Counts the call. Before it, every leaf is evaluated that needs no object and no argument; after it, arguments are read
    /// and objects are loaded.
    pub(super) fn check(&self, locals: &Locals) -> TokenStream {
        let (check, call) = (paths::check_rate(locals.site), &locals.call);
        let name = paths::at_span(&self.name, locals.site);
        quote_spanned!(locals.site=> #check(#call, &#name)?;)
    }
}
