//! One action: its row in the node, and the way from an admitted message to its reply.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Generics};

use super::paths::{self, Locals};
use super::permission::Gate;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::parameter::{Kind, Parameter};

/// An action and its expression, if it has one of its own.
pub(super) struct Row<'a> {
    action: &'a Action,
    gate: Option<Gate<'a>>,
    role: String,
    generics: &'a Generics,
}

pub(super) fn rows(block: &Block) -> Vec<Row<'_>> {
    let rows = block.actions.iter().enumerate().map(|(position, action)| {
        let role = format!("Action{position}");
        let gate = action.permission.as_ref().map(|expression| Gate::new(expression, &role, &block.generics));
        Row { action, gate, role, generics: &block.generics }
    });
    rows.collect()
}

impl Row<'_> {
    /// What stands beside the impls.
    pub(super) fn items(&self) -> TokenStream {
        self.gate.as_ref().map(|gate| gate.items(&self.role, self.generics, &self.action.cfgs)).unwrap_or_default()
    }

    /// The row in the node.
    pub(super) fn node(&self) -> TokenStream {
        let (action, cfgs) = (self.action, &self.action.cfgs);
        let node = paths::action_node(Span::call_site());
        let permission = optional(self.gate.as_ref().map(Gate::reference));
        let (name, blocking) = (&action.name, action.blocking.is_some());
        let needs = self.needs();
        quote! {
            #(#cfgs)*
            #node { name: #name, permission: #permission, blocking: #blocking, needs: &[#needs] },
        }
    }

    /// A consumer's own actions have no captures: checks that no leaf reads one.
    pub(super) fn check(&self, block: &Block) -> TokenStream {
        let gate = self.gate.as_ref();
        gate.map(|gate| gate.no_captures_here(block, &self.action.cfgs)).unwrap_or_default()
    }

    fn needs(&self) -> TokenStream {
        let mut needs = TokenStream::new();
        let captures = self.action.captures();
        if !captures.is_empty() {
            let (need, by) = (paths::need(Span::call_site()), format!("action `{}`", self.action.name));
            needs.extend(quote!(#need { by: #by, captures: &[#(#captures),*] },));
        }
        needs.extend(self.gate.as_ref().map(Gate::needs));
        needs
    }

    /// The row in the table of calls: a closure inside the impl, so that `Self` means what the user meant.
    pub(super) fn call(&self, locals: &Locals) -> TokenStream {
        let cfgs = &self.action.cfgs;
        let Locals { admitted, call, handler, reply, .. } = locals;
        let gate = self.gate.as_ref().map(|gate| {
            let ask = gate.ask(locals);
            quote!(let #admitted = { #ask? };)
        });
        let captures = self.captures(locals);
        let arguments = self.arguments(locals);
        let extracted = self.extracted(locals);
        let outcome = self.outcome(locals);
        // A future that is not `Send` is reported where the box becomes a trait object: at the method's name.
        let name = self.action.method.span();
        let boxed = paths::box_pin(name);
        let future = quote!({ #gate #captures #arguments #extracted #outcome });
        let future = quote_spanned!(name=> #boxed(async move #future));
        quote!(#(#cfgs)* |#handler, #call, #admitted, #reply| #future,)
    }

    fn captures(&self, locals: &Locals) -> TokenStream {
        let call = &locals.call;
        let lines = self.parameters().filter_map(|(position, parameter)| {
            let Kind::Capture { name, .. } = &parameter.kind else { return None };
            let (ty, local) = (&parameter.ty, paths::parameter(position));
            let span = paths::shown(ty);
            let path = paths::path(span);
            // The turbofish puts an error about the type onto the type.
            let read = quote_spanned!(span=> #path::<#ty, _>(#call, #name)?);
            Some(quote!(let #local: #ty = #read;))
        });
        lines.collect()
    }

    fn extracted(&self, locals: &Locals) -> TokenStream {
        let Locals { call, handler, .. } = locals;
        let whole_context = paths::whole_context(Span::call_site());
        let lines = self.parameters().filter_map(|(position, parameter)| {
            let Kind::Extract = parameter.kind else { return None };
            let (ty, local, span) = (&parameter.ty, paths::parameter(position), paths::shown(&parameter.ty));
            let trait_ = paths::from_context(span);
            let make = quote_spanned! {span=>
                <#ty as #trait_<Self>>::from_context(#handler, &#whole_context(#call)).await?
            };
            Some(quote!(let #local: #ty = #make;))
        });
        lines.collect()
    }

    /// The message's keys: one struct, one pass.
    fn arguments(&self, locals: &Locals) -> TokenStream {
        let Locals { admitted, arguments, call, .. } = locals;
        let keys: Vec<Key<'_>> = self.keys().collect();
        if keys.is_empty() && !self.action.deny_unknown {
            let none = paths::no_arguments(Span::call_site());
            return quote!(#none(#admitted););
        }
        let declared: Vec<_> = keys.iter().filter_map(Key::generic).collect();
        let inferred: Vec<_> = declared.iter().map(|_| quote!(_)).collect();
        let (declared, inferred) = (angled(&declared), angled(&inferred));
        let fields = keys.iter().map(Key::field);
        let deny = self.action.deny_unknown.then(|| quote!(#[serde(deny_unknown_fields)]));
        let serde = paths::SERDE;
        let read = paths::arguments(Span::call_site());
        quote! {
            #[derive(__rt::serde::Deserialize)]
            #[serde(crate = #serde)]
            #deny
            struct __Arguments #declared { #(#fields,)* }
            let #arguments: __Arguments #inferred = #read(#call, #admitted)?;
        }
    }

    /// Calls the method and writes what it returned.
    fn outcome(&self, locals: &Locals) -> TokenStream {
        let Locals { handler, reply, .. } = locals;
        let method = &self.action.method;
        let given = self.given(locals);
        let wait = self.action.is_async().then(|| quote!(.await));
        let span = self.action.output().map_or_else(|| method.span(), paths::shown);
        let (output, error) = (paths::output(span), paths::error(span));
        let into_reply = paths::into_reply(span);
        let written = quote_spanned!(span=> #into_reply(#output, #reply));
        let call = quote!(let #output = Self::#method(#handler, #(#given),*)#wait;);
        // A `Result` is taken apart here, under whatever name it was written: one whose error can be serialized would
        // else be answered as plain data.
        let (ok, err, into, returned) = (paths::ok(span), paths::err(span), paths::into(span), paths::returned(span));
        quote! {
            #call
            match #returned(&#output).__settle(#output) {
                #ok(#output) => #written,
                #err(#error) => #err(#into(#error)),
            }
        }
    }

    fn given(&self, locals: &Locals) -> Vec<TokenStream> {
        let Locals { arguments, call, .. } = locals;
        let given = self.parameters().map(|(position, parameter)| match &parameter.kind {
            Kind::Context => {
                // A context of another user type is told at the type.
                let span = paths::shown(&parameter.ty);
                let call = paths::shown_at(call, span);
                let whole_context = paths::whole_context(span);
                quote_spanned!(span=> &#whole_context(#call))
            }
            Kind::Capture { .. } | Kind::Extract => paths::parameter(position).to_token_stream(),
            Kind::Key { serde } => Key { position, parameter, serde }.taken(arguments),
        });
        given.collect()
    }

    fn parameters(&self) -> impl Iterator<Item = (usize, &Parameter)> {
        self.action.parameters.iter().enumerate()
    }

    fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        self.parameters().filter_map(|(position, parameter)| match &parameter.kind {
            Kind::Key { serde } => Some(Key { position, parameter, serde }),
            _ => None,
        })
    }
}

/// A parameter that is a key of the message.
struct Key<'a> {
    position: usize,
    parameter: &'a Parameter,
    serde: &'a [Attribute],
}

impl Key<'_> {
    /// The field of the argument struct. A local struct cannot name `Self` or the block's generics, so the type is a
    /// parameter of it, unless an attribute names a function, which is for that very type.
    fn field(&self) -> TokenStream {
        let (serde, name) = (self.serde, &self.parameter.name);
        let ty = match self.generic() {
            Some(ident) => ident.to_token_stream(),
            None => self.parameter.ty.to_token_stream(),
        };
        quote!(#(#serde)* #name: #ty)
    }

    fn generic(&self) -> Option<Ident> {
        (!self.parameter.names_function()).then(|| format_ident!("__A{}", self.position))
    }

    /// The field as the parameter. A type that cannot be deserialized is told here, at the type, and only here: as long
    /// as this fails, the struct's own parameter stays open.
    fn taken(&self, arguments: &Ident) -> TokenStream {
        let (name, ty, span) = (&self.parameter.name, &self.parameter.ty, paths::shown(&self.parameter.ty));
        if self.generic().is_none() {
            return quote!(#arguments.#name);
        }
        let (argument, arguments) = (paths::argument(span), paths::shown_at(arguments, span));
        let name = paths::shown_at(name, span);
        quote_spanned!(span=> <#ty as #argument<'_, _>>::take(#arguments.#name))
    }
}

fn angled<T: ToTokens>(list: &[T]) -> Option<TokenStream> {
    (!list.is_empty()).then(|| quote!(<#(#list),*>))
}

/// `Some(…)` or `None`.
pub(super) fn optional(value: Option<TokenStream>) -> TokenStream {
    let (some, none) = (paths::some(Span::call_site()), paths::none(Span::call_site()));
    value.map_or(none, |value| quote!(#some(#value)))
}
