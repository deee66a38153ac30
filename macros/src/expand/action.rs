//! One action: its row in the node, and the way from an admitted message to its reply.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Generics;

use super::arguments::{self, Key};
use super::evaluation::Evaluation;
use super::object_parameters::{self, Loaded};
use super::paths::{self, Locals};
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::parameter::{Parameter, ParameterKind};

/// An action and its expression, if it has one of its own.
pub(super) struct Row<'a> {
    action: &'a Action,
    gate: Option<Evaluation<'a>>,
    objects: Vec<Loaded<'a>>,
    role: String,
    generics: &'a Generics,
}

pub(super) fn rows(block: &Block) -> Vec<Row<'_>> {
    let rows = block.actions.iter().enumerate().map(|(position, action)| {
        let role = format!("Action{position}");
        let gate = action.permission.as_ref();
        let gate = gate.map(|expression| Evaluation::of_action(expression, &role, &block.generics, action));
        let objects = object_parameters::all(action);
        Row { action, gate, objects, role, generics: &block.generics }
    });
    rows.collect()
}

impl Row<'_> {
    /// What stands beside the impls.
    pub(super) fn items(&self) -> TokenStream {
        let gate = self.gate.as_ref().map(|gate| gate.items(&self.role, self.generics, &self.action.cfgs));
        gate.unwrap_or_default()
    }

    /// The row in the node.
    pub(super) fn node(&self) -> TokenStream {
        let (action, cfgs) = (self.action, &self.action.cfgs);
        let node = paths::action_node(Span::call_site());
        let permission = optional(self.gate.as_ref().map(Evaluation::reference));
        let (name, blocking, detached) = (&action.name, action.blocking.is_some(), action.detached);
        let (needs, keys) = (self.needs(), action.message_keys());
        quote! {
            #(#cfgs)*
            #node {
                name: #name,
                permission: #permission,
                blocking: #blocking,
                detached: #detached,
                needs: &[#needs],
                keys: &[#(#keys),*],
            },
        }
    }

    /// A consumer's own actions have no captures: checks that no leaf reads one, and that no object lies under one.
    pub(super) fn check(&self, block: &Block) -> TokenStream {
        let cfgs = &self.action.cfgs;
        let gate = self.gate.as_ref().map(|gate| gate.no_captures_here(block, cfgs));
        let objects = self.objects.iter().map(|object| object.no_captures_here(block, cfgs));
        quote!(#gate #(#objects)*)
    }

    fn needs(&self) -> TokenStream {
        let mut needs = TokenStream::new();
        let captures = self.action.captures();
        if !captures.is_empty() {
            let (need, by) = (paths::need(Span::call_site()), format!("action `{}`", self.action.name));
            needs.extend(quote!(#need { by: #by, captures: &[#(#captures),*] },));
        }
        needs.extend(self.gate.as_ref().map(Evaluation::needs));
        needs.extend(self.objects.iter().map(Loaded::need));
        needs
    }

    /// The row in the table of calls: a closure inside the impl, so that `Self` means what the user meant.
    pub(super) fn call(&self, locals: &Locals) -> TokenStream {
        let cfgs = &self.action.cfgs;
        let Locals { admitted, call, handler, reply, .. } = locals;
        let asked = match &self.gate {
            Some(gate) if gate.has_subjects() || !self.objects.is_empty() => self.asked_about_parameters(gate, locals),
            gate => self.asked(gate.as_ref(), locals),
        };
        let extracted = self.extracted(locals);
        let outcome = self.outcome(locals);
        // A future that is not `Send` is reported where the box becomes a trait object: at the method's name.
        let name = self.action.method.span();
        let boxed = paths::box_pin(name);
        let future = quote!({ #asked #extracted #outcome });
        let future = quote_spanned!(name=> #boxed(async move #future));
        quote!(#(#cfgs)* |#handler, #call, #admitted, #reply| #future,)
    }

    /// What is asked of the message itself, and then its arguments.
    fn asked(&self, gate: Option<&Evaluation<'_>>, locals: &Locals) -> TokenStream {
        let Locals { admitted, call, .. } = locals;
        let gate = gate.map(|gate| {
            let ask = gate.ask(locals);
            quote!(let #admitted = { #ask? };)
        });
        let captures = self.captures(locals);
        let (read, none) = (paths::arguments(Span::call_site()), paths::no_arguments(Span::call_site()));
        let arguments = self.arguments(&read, &admitted.to_token_stream(), locals);
        let arguments = arguments.unwrap_or_else(|| quote!(#none(#call, &#admitted)?;));
        quote!(#gate #captures #arguments)
    }

    /// The same where leaves are about parameters: what needs none is asked before the arguments are read, and an object
    /// is loaded only while the answer still depends on it.
    fn asked_about_parameters(&self, gate: &Evaluation<'_>, locals: &Locals) -> TokenStream {
        let Locals { admitted, call, gate: asking, .. } = locals;
        let (beforehand, captures) = (gate.ask_beforehand(locals), self.captures(locals));
        let (read, none) = (paths::arguments_before(Span::call_site()), paths::no_arguments(Span::call_site()));
        let arguments = self.arguments(&read, &quote!(&#asking), locals);
        let named = self.parameters().filter_map(|(position, parameter)| {
            let key = Key::of(position, parameter).filter(|_| self.is_taken_early(position, parameter))?;
            let (ty, taken) = (&parameter.ty, key.taken(locals));
            let local = paths::parameter(position, ty);
            Some(quote!(let #local: #ty = #taken;))
        });
        let begun = self.objects.iter().map(|object| object.begun(locals));
        let about = gate.ask_about(locals);
        let taken = self.objects.iter().map(|object| object.taken(locals));
        quote! {
            #beforehand
            #captures
            #arguments
            #(#named)*
            #(#begun)*
            #about
            #none(#call, &#admitted)?;
            #(#taken)*
        }
    }

    fn arguments(&self, read: &TokenStream, proof: &TokenStream, locals: &Locals) -> Option<TokenStream> {
        arguments::read(&self.action.parameters, self.action.deny_unknown, read, proof, locals)
    }

    /// Is it a plain argument that a leaf is about?
    fn is_taken_early(&self, position: usize, parameter: &Parameter) -> bool {
        matches!(parameter.kind, ParameterKind::Key { .. })
            && self.gate.as_ref().is_some_and(|gate| gate.names(position))
    }

    fn captures(&self, locals: &Locals) -> TokenStream {
        let call = &locals.call;
        let lines = self.parameters().filter_map(|(position, parameter)| {
            let ParameterKind::Capture { name, .. } = &parameter.kind else { return None };
            let (ty, local) = (&parameter.ty, paths::parameter(position, &parameter.ty));
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
            let ParameterKind::Extract = parameter.kind else { return None };
            let (ty, span) = (&parameter.ty, paths::shown(&parameter.ty));
            let local = paths::parameter(position, ty);
            let trait_ = paths::from_context(span);
            let make = quote_spanned! {span=>
                <#ty as #trait_<Self>>::from_context(#handler, &#whole_context(#call)).await?
            };
            Some(quote!(let #local: #ty = #make;))
        });
        lines.collect()
    }

    /// Calls the method and writes what it returned.
    fn outcome(&self, locals: &Locals) -> TokenStream {
        let Locals { call, handler, reply, .. } = locals;
        let (method, start) = (&self.action.method, paths::start(Span::call_site()));
        let given = self.given(locals);
        let wait = self.action.is_async().then(|| quote!(.await));
        let span = self.action.return_type().map_or_else(|| method.span(), paths::shown);
        let (output, error) = (paths::output(span), paths::error(span));
        let into_reply = paths::into_reply(span);
        let written = quote_spanned!(span=> #into_reply(#output, #reply));
        let started = quote!(#start(#call)?;);
        let called = quote!(let #output = Self::#method(#handler, #(#given),*)#wait;);
        // A `Result` is taken apart here, under whatever name it was written: one whose error can be serialized would
        // else be answered as plain data.
        let (ok, err, into, returned) = (paths::ok(span), paths::err(span), paths::into(span), paths::returned(span));
        quote! {
            #started
            #called
            match #returned(&#output).__settle(#output) {
                #ok(#output) => #written,
                #err(#error) => #err(#into(#error)),
            }
        }
    }

    fn given(&self, locals: &Locals) -> Vec<TokenStream> {
        let given = self.parameters().map(|(position, parameter)| match &parameter.kind {
            ParameterKind::Context => arguments::context(parameter, locals),
            ParameterKind::Key { .. } if !self.is_taken_early(position, parameter) => {
                Key::of(position, parameter).map(|key| key.taken(locals)).unwrap_or_default()
            }
            ParameterKind::Object(object) => paths::parameter(position, &object.ty).to_token_stream(),
            _ => paths::parameter(position, &parameter.ty).to_token_stream(),
        });
        given.collect()
    }

    fn parameters(&self) -> impl Iterator<Item = (usize, &Parameter)> {
        self.action.parameters.iter().enumerate()
    }
}

/// `Some(…)` or `None`.
pub(super) fn optional(value: Option<TokenStream>) -> TokenStream {
    let (some, none) = (paths::some(Span::call_site()), paths::none(Span::call_site()));
    value.map_or(none, |value| quote!(#some(#value)))
}
