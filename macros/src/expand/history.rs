//! The `history` of a group: how much is kept, and the call of the function that says since when a user may see it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::paths::{self, Locals};
use crate::model::{History, Since, print, respan};

/// Returns the constant of the group.
pub(super) fn constant(history: &History) -> TokenStream {
    let span = Span::call_site();
    let (option, some) = (paths::option(span), paths::some(span));
    let (type_, new) = (paths::history(span), paths::history_new(span));
    let (events, millis) = (history.max_events, u64::try_from(history.max_age.as_millis()).unwrap_or(u64::MAX));
    let since = match &history.since {
        Since::AllowAny => "AllowAny".to_owned(),
        Since::Function(path) => print(path.to_token_stream()),
    };
    quote!(const HISTORY: #option<#type_> = #some(#new(#events, #millis, #since));)
}

/// Returns what must be equal on all machines: with other bounds, a machine may keep the events in another log.
pub(super) fn settings(history: &History) -> String {
    format!(" history {} {}ms", history.max_events, history.max_age.as_millis())
}

/// Returns the method that calls the function of `since`, for a consumer and its users of these types. `None` if every user may
/// see all events that are kept.
///
/// All its tokens stand at the path, where a function with another signature is reported, and a future that is not `Send`.
pub(super) fn method(history: &History, consumer_type: &TokenStream, user: &TokenStream) -> Option<TokenStream> {
    let Since::Function(path) = &history.since else { return None };
    let at = path.path.segments.last().map_or_else(|| path.span(), |segment| segment.ident.span());
    let [consumer_type, user] = [consumer_type, user].map(|tokens| respan(tokens.clone(), at));
    let Locals { consumer, scope, .. } = &Locals::at(at);
    let (scope_type, result, option) = (paths::scope_type(at), paths::result(at), paths::option(at));
    let (time, call) = (paths::system_time(at), paths::call_history_function(at));
    Some(quote_spanned! {at=>
        async fn history_since(
            &self,
            #consumer: &#consumer_type,
            #scope: &#scope_type<#user>,
        ) -> #result<#option<#time>> {
            #call::<Self, #consumer_type, #user, _, _, _>(#path, self, #consumer, #scope).await
        }
    })
}
