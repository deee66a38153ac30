//! `#[derive(Group)]`: what is asked of whoever joins, and the events that the group carries.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, LitStr};

use super::evaluation::Evaluation;
use super::event::expression_constant;
use super::leaf;
use super::paths::{self, Locals};
use crate::model::group::Group;
use crate::model::{PublicNamePart, respan};

const ROLE: &str = "Group";

/// All that is generated for it.
pub(crate) fn group(group: &Group) -> TokenStream {
    let (Some(expression), generics) = (&group.permission, Generics::default()) else { return TokenStream::new() };
    let (gate, locals) = (Evaluation::new(expression, ROLE, &generics), Locals::new());
    let items = gate.items(ROLE, &generics, &[]);
    let Locals { call, consumer, group: this, .. } = &locals;
    let asked = gate.ask_join(consumer_alias, &locals);
    let may_join = may_join(
        group,
        &quote!(#consumer),
        &quote!(#call),
        &quote! {
            let #this = self;
            #asked
        },
    );
    let (register, own) = (paths::register_group(Span::call_site()), &group.ty);
    let public_name = public_name(group, &locals);
    whole(group, &quote!(#items #register!(#own);), &gate.reference(), &quote!(#public_name #may_join))
}

/// Impls that let nobody in, beside the errors, so that nothing else breaks.
pub(crate) fn group_fallback(group: &Group) -> TokenStream {
    if !group.generics.params.is_empty() || group.consumer.is_none() {
        return TokenStream::new();
    }
    let aliases =
        group.permission.as_ref().map(|expression| leaf::aliases(expression, ROLE, &Generics::default(), &[]));
    let (nobody, refused) = (paths::nobody(Span::call_site()), paths::unknown_leaf(Span::call_site()));
    let may_join = may_join(group, &quote!(_), &quote!(_), &refused);
    // What is named only so that it seems used is not used after all.
    let unused = quote!(#[allow(dead_code)]);
    let generated = whole(group, &aliases.unwrap_or_default(), &nobody, &may_join);
    quote!(#unused #generated)
}

fn whole(group: &Group, items: &TokenStream, expression: &TokenStream, may_join: &TokenStream) -> TokenStream {
    let Some(consumer) = &group.consumer else { return TokenStream::new() };
    let (site, own, name) = (Span::call_site(), &group.ty, group.name());
    let (alias, string) = (paths::alias(&group.runtime), paths::string(site));
    // What a key needs besides, such as `Hash`, is told at the type's name.
    let (trait_, permission) = (paths::group_trait(own.span()), expression_constant(expression));
    let consumer_type = consumer_alias(paths::shown(consumer));
    // One that is more private than the group is told where it is written.
    let consumer_of_it = quote_spanned!(paths::shown(consumer)=> type Consumer = #consumer_type;);
    let body = quote! {
        #consumer_of_it
        const NAME: &'static #string = #name;
        #permission
        #may_join
    };
    let impl_ = quote_spanned!(own.span()=> #[automatically_derived] impl #trait_ for #own { #body });
    let carries = group.events.iter().map(|event| {
        // An event that the consumer does not name is told here.
        let span = paths::shown(event);
        let (carries, own) = (paths::carries(span), respan(quote!(#own), span));
        quote_spanned!(span=> #[automatically_derived] impl #carries<#event> for #own {})
    });
    quote! {
        #[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
        const _: () = {
            #alias
            #items
            type #consumer_type = #consumer;
            #impl_
            #(#carries)*
        };
    }
}

/// What frames call it. A field that cannot be shown is told at the literal.
fn public_name(group: &Group, locals: &Locals) -> Option<TokenStream> {
    let (written, this, site) = (group.public_name.as_ref()?, &locals.group, Span::call_site());
    let at = written.literal.span();
    let mut text = String::new();
    for part in &written.parts {
        match part {
            PublicNamePart::Text(plain) => text.push_str(&plain.replace('{', "{{").replace('}', "}}")),
            PublicNamePart::Field(_) => text.push_str("{}"),
        }
    }
    let (text, shown) = (LitStr::new(&text, at), paths::shown_at(this, at));
    let fields = written.fields().map(|field| quote_spanned!(at=> , #shown.#field));
    let (format, some) = (paths::format(at), paths::some(site));
    let name = quote_spanned!(at=> #format!(#text #(#fields)*));
    let (option, string) = (paths::option(site), paths::owned_string(site));
    // The local is not used where there are no fields.
    let begun = written.fields().next().map(|_| quote!(let #this = self;));
    Some(quote! {
        fn public_name(&self) -> #option<#string> {
            #begun
            #some(#name)
        }
    })
}

/// The consumer's type by a name that is resolved once.
fn consumer_alias(span: Span) -> TokenStream {
    quote_spanned!(span=> __GroupConsumer)
}

fn may_join(group: &Group, consumer: &TokenStream, call: &TokenStream, body: &TokenStream) -> TokenStream {
    let span = group.consumer.as_ref().map_or_else(Span::call_site, paths::shown);
    let (call_type, handler) = (paths::call_type(Span::call_site()), paths::handler_trait(span));
    let result = paths::result(Span::call_site());
    // A type that is no consumer is told where it is written.
    let ty = consumer_alias(span);
    let user = quote_spanned!(span=> <#ty as #handler>::User);
    quote! {
        async fn may_join(&self, #consumer: &#ty, #call: &#call_type<'_, #user>) -> #result<()> {
            #body
        }
    }
}
