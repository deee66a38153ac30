//! `#[derive(Group)]`: the evaluation of who may join and who may publish, and the events that the group carries.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Generics, LitStr};

use super::codec::{self, Encoded};
use super::evaluation::NamedExpression;
use super::event::expression_constant;
use super::history;
use super::leaf;
use super::paths::{self, Locals};
use super::tokens::string_literal;
use crate::model::expression::Expression;
use crate::model::group::{Group, Publish};
use crate::model::{PublicNamePart, print, respan};

/// The role of the expression that guards joining.
const JOIN_ROLE: &str = "Group";

/// The role of the expression that guards publishing.
const PUBLISH_ROLE: &str = "Publish";

/// The role of the expression that says who may see which member.
const PRESENCE_ROLE: &str = "Presence";

/// One expression of the group in generated code.
struct GroupExpression {
    /// The static of the expression, and the aliases of its leaves.
    items: TokenStream,
    /// Refers to the static.
    reference: TokenStream,
    /// The method that evaluates the expression.
    method: TokenStream,
    /// The headers that the leaves read.
    headers: TokenStream,
}

/// Returns the impls of the group and its registration.
pub(crate) fn group(group: &Group) -> TokenStream {
    let (Some(permission), Some(publish)) = (&group.permission, &group.publish) else { return TokenStream::new() };
    let locals = Locals::at_attribute();
    let join = group_expression(group, permission, JOIN_ROLE, &format_ident!("authorize_join"), &locals);
    let mut headers = join.headers;
    let (publish_items, publish_rule, authorize_publish) = match publish {
        Publish::Members => (None, publish_members(), None),
        Publish::Expression(expression) => {
            let name = format_ident!("authorize_publish");
            let GroupExpression { items, reference, method, headers: read } =
                group_expression(group, expression, PUBLISH_ROLE, &name, &locals);
            headers.extend(read);
            (Some(items), publish_expression(&reference), Some(method))
        }
    };
    let presence = group.presence.as_ref().map(|expression| presence(group, expression, &locals));
    let (presence_items, presence_members) = match presence {
        Some(GroupExpression { items, reference, method, headers: read }) => {
            headers.extend(read);
            (Some(items), Some(presence_constants(group, &reference, &method)))
        }
        None => (None, None),
    };
    let history = group.history.as_ref().map(|written| {
        let (consumer, user) = group_user(group);
        let (constant, method) = (history::constant(written), history::method(written, &consumer, &user));
        quote!(#constant #method)
    });
    let (register, self_type) = (paths::register_group(Span::call_site()), &group.ty);
    let (public_name, items, reference, method) =
        (public_name(group, &locals), join.items, join.reference, join.method);
    let leaf_headers = paths::leaf_headers(Span::call_site());
    let codec = (!group.is_local).then(|| codec::codec(&group.body, Encoded::GroupKey));
    let reaches = (!group.is_local).then(|| reach_checks(group));
    group_impls(
        group,
        &quote!(#items #publish_items #presence_items #register!(#self_type); #reaches),
        &reference,
        &publish_rule,
        &quote!(const HEADERS: #leaf_headers = &[#headers]; #codec #public_name #method #authorize_publish #presence_members #history),
    )
}

fn group_expression(
    group: &Group,
    expression: &Expression,
    role: &str,
    method: &Ident,
    locals: &Locals,
) -> GroupExpression {
    let generics = Generics::default();
    let named = NamedExpression::new(expression, role, &generics);
    let Locals { call, consumer, group: this, .. } = locals;
    let evaluated = named.evaluate_group(consumer_alias, locals);
    let body = quote! {
        let #this = self;
        #evaluated
    };
    GroupExpression {
        items: named.items(role, &generics, &[]),
        reference: named.reference(),
        method: authorize_method(group, method, &quote!(#consumer), &quote!(#call), &body),
        headers: named.group_headers(consumer_alias),
    }
}

/// Returns the `presence` expression. Its method evaluates it for a viewer and a member.
fn presence(group: &Group, expression: &Expression, locals: &Locals) -> GroupExpression {
    let generics = Generics::default();
    let named = NamedExpression::new(expression, PRESENCE_ROLE, &generics);
    let Locals { consumer, group: this, member, subscriber, site, .. } = locals;
    let evaluated = named.evaluate_member(consumer_alias, locals);
    let (ty, user) = group_user(group);
    let (subscriber_type, option, bool) = (paths::subscriber_type(*site), paths::option(*site), paths::bool(*site));
    let method = quote! {
        fn may_see_member(
            &self,
            #consumer: &#ty,
            #subscriber: &#subscriber_type<'_, #user>,
            #member: &#user,
        ) -> #option<#bool> {
            let #this = self;
            #evaluated
        }
    };
    GroupExpression {
        items: named.items(PRESENCE_ROLE, &generics, &[]),
        reference: named.reference(),
        method,
        headers: named.member_headers(consumer_alias),
    }
}

/// Returns the items of a group with presence.
fn presence_constants(group: &Group, expression: &TokenStream, method: &TokenStream) -> TokenStream {
    let site = Span::call_site();
    let (option, some, bool) = (paths::option(site), paths::some(site), paths::bool(site));
    let (type_, announces) = (paths::expression(site), group.announce.is_some());
    quote! {
        const PRESENCE: #option<&'static #type_> = #some(#expression);
        const ANNOUNCES: #bool = #announces;
        #method
    }
}

/// Returns the checks that the group, which is not local, carries no local event. Each is reported at the event.
fn reach_checks(group: &Group) -> TokenStream {
    let checks = group.events.iter().map(|event| {
        let (at, written) = (paths::type_span(event), print(event.to_token_stream()));
        let (check, reach, consumer) = (paths::check_distributed(at), paths::reach(at), consumer_alias(at));
        let message = format!(
            "`{written}` is a local event, but the group `{}` is not local; write `local` in `#[group(…)]`, or remove \
             `#[event(local)]` from `{written}`",
            group.ty
        );
        let message = string_literal(&message, at);
        quote_spanned!(at=> const _: () = #check(#reach::<#consumer, #event>::IS_DISTRIBUTED, #message);)
    });
    let unknown_reach = paths::unknown_reach(Span::call_site());
    quote!(#unknown_reach #(#checks)*)
}

fn publish_members() -> TokenStream {
    let members = paths::publish_members(Span::call_site());
    quote!(#members)
}

fn publish_expression(expression: &TokenStream) -> TokenStream {
    let rule = paths::publish_expression(Span::call_site());
    quote!(#rule(#expression))
}

/// Returns impls that deny every join and publication. They accompany the errors, so that no further errors follow.
pub(crate) fn group_fallback(group: &Group) -> TokenStream {
    if !group.generics.params.is_empty() || group.consumer.is_none() {
        return TokenStream::new();
    }
    let expressions = [
        (group.permission.as_ref(), JOIN_ROLE),
        (group.publish_expression(), PUBLISH_ROLE),
        (group.presence.as_ref(), PRESENCE_ROLE),
    ];
    let aliases: TokenStream = expressions
        .into_iter()
        .filter_map(|(expression, role)| Some(leaf::leaf_aliases(expression?, role, &Generics::default(), &[])))
        .collect();
    let (deny_all, denied) = (paths::deny_all(Span::call_site()), paths::unknown_leaf(Span::call_site()));
    let authorize_join = authorize_method(group, &format_ident!("authorize_join"), &quote!(_), &quote!(_), &denied);
    // With it, code that resumes by the history is no error as well.
    let history = group.history.as_ref().map(history::constant);
    // The aliases are named only so that nothing seems unused.
    let unused = quote!(#[allow(dead_code)]);
    let generated =
        group_impls(group, &aliases, &deny_all, &publish_expression(&deny_all), &quote!(#authorize_join #history));
    quote!(#unused #generated)
}

fn group_impls(
    group: &Group,
    items: &TokenStream,
    expression: &TokenStream,
    publish: &TokenStream,
    methods: &TokenStream,
) -> TokenStream {
    let Some(consumer) = &group.consumer else { return TokenStream::new() };
    let (site, self_type, name) = (Span::call_site(), &group.ty, &group.name);
    let settings = group.history.as_ref().map(history::settings).unwrap_or_default();
    let identity = codec::identity(&group.body, self_type, name, &settings);
    let (alias, defaults, string) = (paths::alias(&group.runtime), paths::leaf_defaults(), paths::string(site));
    // A missing supertrait of the key, for example `Hash`, is reported at the type's name.
    let (trait_, permission) = (paths::group_trait(self_type.span()), expression_constant(expression));
    let consumer_type = consumer_alias(paths::type_span(consumer));
    // A consumer that is more private than the group is reported where it is written.
    let consumer_item = quote_spanned!(paths::type_span(consumer)=> type Consumer = #consumer_type;);
    let publish_rule = paths::publish_rule(site);
    let body = quote! {
        #consumer_item
        type Events = Self;
        const NAME: &'static #string = #name;
        #identity
        #permission
        const PUBLISH: #publish_rule = #publish;
        #methods
    };
    let impl_ = quote_spanned!(self_type.span()=> #[automatically_derived] impl #trait_ for #self_type { #body });
    let carried_events = group.events.iter().map(|event| {
        // An event that the consumer does not declare is reported here.
        let span = paths::type_span(event);
        let (carried_event, self_type) = (paths::carried_event(span), respan(quote!(#self_type), span));
        let consumer_type = consumer_alias(span);
        quote_spanned! {span=>
            #[automatically_derived]
            impl #carried_event<#event> for #self_type {
                type Consumer = #consumer_type;
            }
        }
    });
    // A group with errors in its expressions has it too, so that its users can be listed.
    let presence = group.presence.as_ref().map(|_| {
        let presence = paths::presence(self_type.span());
        quote_spanned!(self_type.span()=> #[automatically_derived] impl #presence for #self_type {})
    });
    let keeps_history = group.history.as_ref().map(|_| {
        let keeps_history = paths::keeps_history(self_type.span());
        quote_spanned!(self_type.span()=> #[automatically_derived] impl #keeps_history for #self_type {})
    });
    quote! {
        #[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
        const _: () = {
            #alias
            #defaults
            #items
            type #consumer_type = #consumer;
            #impl_
            #presence
            #keeps_history
            #(#carried_events)*
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

/// Returns the method that evaluates an expression of the group.
fn authorize_method(
    group: &Group,
    name: &Ident,
    consumer: &TokenStream,
    call: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let (call_type, result) = (paths::call_type(Span::call_site()), paths::result(Span::call_site()));
    let (ty, user) = group_user(group);
    quote! {
        async fn #name(&self, #consumer: &#ty, #call: &#call_type<'_, #user>) -> #result<()> {
            #body
        }
    }
}

/// Returns the types of the group's consumer and of its users. One that is not a consumer is reported where it is written.
fn group_user(group: &Group) -> (TokenStream, TokenStream) {
    let span = group.consumer.as_ref().map_or_else(Span::call_site, paths::type_span);
    let (ty, handler) = (consumer_alias(span), paths::handler_trait(span));
    let user = quote_spanned!(span=> <#ty as #handler>::User);
    (ty, user)
}
