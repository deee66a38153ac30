//! One action: its row in the node, and the way from an admitted message to its reply.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Generics;

use super::arguments::{self, MessageKey};
use super::evaluation::NamedExpression;
use super::object_parameters::{self, ObjectExpansion};
use super::paths::{self, Locals};
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::parameter::{Kind, Parameter};

/// An action and its expression, if it has one of its own.
pub(super) struct ActionExpansion<'a> {
    action: &'a Action,
    permission: Option<NamedExpression<'a>>,
    objects: Vec<ObjectExpansion<'a>>,
    role: String,
    generics: &'a Generics,
}

pub(super) fn expansions(block: &Block) -> Vec<ActionExpansion<'_>> {
    let expansions = block.actions.iter().enumerate().map(|(position, action)| {
        let role = format!("Action{position}");
        let permission = action.permission.as_ref();
        let permission =
            permission.map(|expression| NamedExpression::for_action(expression, &role, &block.generics, action));
        let objects = object_parameters::all(action);
        ActionExpansion { action, permission, objects, role, generics: &block.generics }
    });
    expansions.collect()
}

impl ActionExpansion<'_> {
    /// What stands beside the impls.
    pub(super) fn items(&self) -> TokenStream {
        let permission =
            self.permission.as_ref().map(|permission| permission.items(&self.role, self.generics, &self.action.cfgs));
        permission.unwrap_or_default()
    }

    /// The row in the node.
    pub(super) fn descriptor(&self) -> TokenStream {
        let (action, cfgs) = (self.action, &self.action.cfgs);
        let descriptor = paths::action_descriptor(Span::call_site());
        let permission = optional(self.permission.as_ref().map(NamedExpression::reference));
        let (name, blocking, detached) = (&action.name, action.blocking.is_some(), action.detached);
        let (capture_uses, keys) = (self.capture_uses(), action.message_keys());
        quote! {
            #(#cfgs)*
            #descriptor {
                name: #name,
                permission: #permission,
                is_blocking: #blocking,
                is_detached: #detached,
                capture_uses: &[#capture_uses],
                message_keys: &[#(#keys),*],
            },
        }
    }

    /// A consumer's own actions have no captures: checks that no leaf reads one, and that no object lies under one.
    pub(super) fn captures_check(&self, block: &Block) -> TokenStream {
        let cfgs = &self.action.cfgs;
        let permission = self.permission.as_ref().map(|permission| permission.check_consumer_captures(block, cfgs));
        let objects = self.objects.iter().map(|object| object.check_consumer_captures(block, cfgs));
        quote!(#permission #(#objects)*)
    }

    fn capture_uses(&self) -> TokenStream {
        let mut capture_uses = TokenStream::new();
        let captures = self.action.captures();
        if !captures.is_empty() {
            let (need, by) = (paths::capture_use(Span::call_site()), format!("action `{}`", self.action.name));
            capture_uses.extend(quote!(#need { reader: #by, captures: &[#(#captures),*] },));
        }
        capture_uses.extend(self.permission.as_ref().map(NamedExpression::capture_uses));
        capture_uses.extend(self.objects.iter().map(ObjectExpansion::capture_use));
        capture_uses
    }

    /// The row in the table of calls: a closure inside the impl, so that `Self` means what the user meant.
    pub(super) fn call(&self, locals: &Locals) -> TokenStream {
        let cfgs = &self.action.cfgs;
        let Locals { authorized, call, handler, reply, .. } = locals;
        let evaluated_before_arguments = match &self.permission {
            Some(permission) if permission.has_parameter_leaves() || !self.objects.is_empty() => {
                self.evaluated_with_parameters(permission, locals)
            }
            permission => self.evaluated_before_arguments(permission.as_ref(), locals),
        };
        let extracted = self.extracted(locals);
        let outcome = self.outcome(locals);
        // A future that is not `Send` is reported where the box becomes a trait object: at the method's name.
        let name = self.action.method.span();
        let boxed = paths::box_pin(name);
        let future = quote!({ #evaluated_before_arguments #extracted #outcome });
        let future = quote_spanned!(name=> #boxed(async move #future));
        quote!(#(#cfgs)* |#handler, #call, #authorized, #reply| #future,)
    }

    /// What is asked of the message itself, and then its arguments.
    fn evaluated_before_arguments(&self, permission: Option<&NamedExpression<'_>>, locals: &Locals) -> TokenStream {
        let Locals { authorized, call, .. } = locals;
        let permission = permission.map(|permission| {
            let evaluate = permission.evaluate(locals);
            quote!(let #authorized = { #evaluate? };)
        });
        let captures = self.captures(locals);
        let (read, none) = (paths::read_arguments(Span::call_site()), paths::check_execution(Span::call_site()));
        let arguments = self.arguments(&read, &authorized.to_token_stream(), locals);
        let arguments = arguments.unwrap_or_else(|| quote!(#none(#call, &#authorized)?;));
        quote!(#permission #captures #arguments)
    }

    /// The same where leaves are about parameters: what needs none is asked before the arguments are read, and an object
    /// is loaded only while the answer still depends on it.
    fn evaluated_with_parameters(&self, permission: &NamedExpression<'_>, locals: &Locals) -> TokenStream {
        let Locals { authorized, call, evaluation, .. } = locals;
        let (beforehand, captures) = (permission.evaluate_before_loading(locals), self.captures(locals));
        let (read, none) =
            (paths::read_arguments_for_evaluation(Span::call_site()), paths::check_execution(Span::call_site()));
        let arguments = self.arguments(&read, &quote!(&#evaluation), locals);
        let named = self.parameters().filter_map(|(position, parameter)| {
            let key = MessageKey::new(position, parameter).filter(|_| self.is_taken_early(position, parameter))?;
            let (ty, taken) = (&parameter.ty, key.converted(locals));
            let local = paths::parameter(position, ty);
            Some(quote!(let #local: #ty = #taken;))
        });
        let started = self.objects.iter().map(|object| object.started(locals));
        let about = permission.evaluate_with_parameters(locals);
        let loaded = self.objects.iter().map(|object| object.loaded(locals));
        quote! {
            #beforehand
            #captures
            #arguments
            #(#named)*
            #(#started)*
            #about
            #none(#call, &#authorized)?;
            #(#loaded)*
        }
    }

    fn arguments(&self, read: &TokenStream, proof: &TokenStream, locals: &Locals) -> Option<TokenStream> {
        arguments::read(&self.action.parameters, self.action.deny_unknown, read, proof, locals)
    }

    /// Is it a plain argument that a leaf is about?
    fn is_taken_early(&self, position: usize, parameter: &Parameter) -> bool {
        matches!(parameter.kind, Kind::Key { .. })
            && self.permission.as_ref().is_some_and(|permission| permission.has_leaf_for(position))
    }

    fn captures(&self, locals: &Locals) -> TokenStream {
        let call = &locals.call;
        let lines = self.parameters().filter_map(|(position, parameter)| {
            let Kind::Capture { name, .. } = &parameter.kind else { return None };
            let (ty, local) = (&parameter.ty, paths::parameter(position, &parameter.ty));
            let span = paths::type_span(ty);
            let path = paths::read_capture(span);
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
            let (ty, span) = (&parameter.ty, paths::type_span(&parameter.ty));
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
        let (method, start) = (&self.action.method, paths::start_action(Span::call_site()));
        let given = self.given(locals);
        let wait = self.action.is_async().then(|| quote!(.await));
        let span = self.action.output().map_or_else(|| method.span(), paths::type_span);
        let (output, error) = (paths::output(span), paths::error(span));
        let into_reply = paths::into_reply(span);
        let written = quote_spanned!(span=> #into_reply(#output, #reply));
        let started = quote!(#start(#call)?;);
        let called = quote!(let #output = Self::#method(#handler, #(#given),*)#wait;);
        // A `Result` is taken apart here, under whatever name it was written: one whose error can be serialized would
        // else be answered as plain data.
        let (ok, err, into, returned) =
            (paths::ok(span), paths::err(span), paths::into(span), paths::output_conversion(span));
        quote! {
            #started
            #called
            match #returned(&#output).__into_result(#output) {
                #ok(#output) => #written,
                #err(#error) => #err(#into(#error)),
            }
        }
    }

    fn given(&self, locals: &Locals) -> Vec<TokenStream> {
        let given = self.parameters().map(|(position, parameter)| match &parameter.kind {
            Kind::Context => arguments::context(parameter, locals),
            Kind::Key { .. } if !self.is_taken_early(position, parameter) => {
                MessageKey::new(position, parameter).map(|key| key.converted(locals)).unwrap_or_default()
            }
            Kind::Object(object) => paths::parameter(position, &object.ty).to_token_stream(),
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
