//! `#[derive(Group)]`: the evaluation of the join permission, and the events that the group carries.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, LitStr};

use super::evaluation::NamedExpression;
use super::event::expression_constant;
use super::leaf;
use super::paths::{self, Locals};
use crate::model::group::Group;
use crate::model::{PublicNamePart, respan};

const ROLE: &str = "Group";

/// Returns the impls of the group and its registration.
pub(crate) fn group(group: &Group) -> TokenStream {
    let (Some(expression), generics) = (&group.permission, Generics::default()) else { return TokenStream::new() };
    let (permission, locals) = (NamedExpression::new(expression, ROLE, &generics), Locals::at_attribute());
    let items = permission.items(ROLE, &generics, &[]);
    let Locals { call, consumer, group: this, .. } = &locals;
    let evaluated = permission.evaluate_group(consumer_alias, &locals);
    let authorize_join = authorize_join(
        group,
        &quote!(#consumer),
        &quote!(#call),
        &quote! {
            let #this = self;
            #evaluated
        },
    );
    let (register, self_type) = (paths::register_group(Span::call_site()), &group.ty);
    let public_name = public_name(group, &locals);
    group_impls(
        group,
        &quote!(#items #register!(#self_type);),
        &permission.reference(),
        &quote!(#public_name #authorize_join),
    )
}

/// Returns impls that deny every join. They accompany the errors, so that no further errors follow.
pub(crate) fn group_fallback(group: &Group) -> TokenStream {
    if !group.generics.params.is_empty() || group.consumer.is_none() {
        return TokenStream::new();
    }
    let aliases =
        group.permission.as_ref().map(|expression| leaf::leaf_aliases(expression, ROLE, &Generics::default(), &[]));
    let (deny_all, denied) = (paths::deny_all(Span::call_site()), paths::unknown_leaf(Span::call_site()));
    let authorize_join = authorize_join(group, &quote!(_), &quote!(_), &denied);
    // The aliases are named only so that nothing seems unused.
    let unused = quote!(#[allow(dead_code)]);
    let generated = group_impls(group, &aliases.unwrap_or_default(), &deny_all, &authorize_join);
    quote!(#unused #generated)
}

fn group_impls(
    group: &Group,
    items: &TokenStream,
    expression: &TokenStream,
    authorize_join: &TokenStream,
) -> TokenStream {
    let Some(consumer) = &group.consumer else { return TokenStream::new() };
    let (site, self_type, name) = (Span::call_site(), &group.ty, group.name());
    let (alias, string) = (paths::alias(&group.runtime), paths::string(site));
    // A missing supertrait of the key, for example `Hash`, is reported at the type's name.
    let (trait_, permission) = (paths::group_trait(self_type.span()), expression_constant(expression));
    let consumer_type = consumer_alias(paths::type_span(consumer));
    // A consumer that is more private than the group is reported where it is written.
    let consumer_item = quote_spanned!(paths::type_span(consumer)=> type Consumer = #consumer_type;);
    let body = quote! {
        #consumer_item
        const NAME: &'static #string = #name;
        #permission
        #authorize_join
    };
    let impl_ = quote_spanned!(self_type.span()=> #[automatically_derived] impl #trait_ for #self_type { #body });
    let carries = group.events.iter().map(|event| {
        // An event that the consumer does not declare is reported here.
        let span = paths::type_span(event);
        let (carries, self_type) = (paths::carries(span), respan(quote!(#self_type), span));
        quote_spanned!(span=> #[automatically_derived] impl #carries<#event> for #self_type {})
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

/// Returns the method for the public name. A field that does not implement `Display` is reported at the literal.
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
    let (text, group) = (LitStr::new(&text, at), paths::at_span(this, at));
    let fields = written.fields().map(|field| quote_spanned!(at=> , #group.#field));
    let (format, some) = (paths::format(at), paths::some(site));
    let name = quote_spanned!(at=> #format!(#text #(#fields)*));
    let (option, string) = (paths::option(site), paths::owned_string(site));
    // The local is unused if there are no fields.
    let binding = written.fields().next().map(|_| quote!(let #this = self;));
    Some(quote! {
        fn public_name(&self) -> #option<#string> {
            #binding
            #some(#name)
        }
    })
}

/// Returns the alias of the consumer's type, whose path is resolved once.
fn consumer_alias(span: Span) -> TokenStream {
    quote_spanned!(span=> __GroupConsumer)
}

fn authorize_join(group: &Group, consumer: &TokenStream, call: &TokenStream, body: &TokenStream) -> TokenStream {
    let span = group.consumer.as_ref().map_or_else(Span::call_site, paths::type_span);
    let (call_type, handler) = (paths::call_type(Span::call_site()), paths::handler_trait(span));
    let result = paths::result(Span::call_site());
    // A type that is not a consumer is reported where it is written.
    let ty = consumer_alias(span);
    let user = quote_spanned!(span=> <#ty as #handler>::User);
    quote! {
        async fn authorize_join(&self, #consumer: &#ty, #call: &#call_type<'_, #user>) -> #result<()> {
            #body
        }
    }
}
