//! One action: its descriptor, and the code from an authorized message to its reply.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Generics;

use super::arguments::{self, MessageKey};
use super::evaluation::{self, NamedExpression};
use super::object_parameters::{self, ObjectExpansion};
use super::paths::{self, Locals};
use super::rate::RateExpansion;
use super::tokens::string_literal;
use super::user_type::user_type;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::parameter::{Parameter, ParameterKind};
use crate::model::respan;

/// An action, its permission expression if it has its own, and its object parameters.
pub(super) struct ActionExpansion<'a> {
    action: &'a Action,
    permission: Option<NamedExpression<'a>>,
    objects: Vec<ObjectExpansion<'a>>,
    role: String,
    generics: &'a Generics,
    /// Whether the permission of the block must hold as well.
    is_restricted: bool,
}

pub(super) fn expansions(block: &Block) -> Vec<ActionExpansion<'_>> {
    let is_restricted = block.permission.restricts();
    let expansions = block.actions.iter().enumerate().map(|(position, action)| {
        let role = format!("Action{position}");
        let permission = action.permission.as_ref();
        let permission =
            permission.map(|expression| NamedExpression::for_action(expression, &role, &block.generics, action));
        let objects = object_parameters::all(action);
        ActionExpansion { action, permission, objects, role, generics: &block.generics, is_restricted }
    });
    expansions.collect()
}

impl ActionExpansion<'_> {
    /// Returns the items that accompany the impls: the expression and the aliases of its leaves.
    pub(super) fn items(&self) -> TokenStream {
        let cfgs = &self.action.cfgs;
        let items = self.permission.iter().map(|permission| permission.items(&self.role, self.generics, cfgs));
        let restricts = self
            .permission
            .iter()
            .filter(|_| self.is_restricted)
            .filter_map(|permission| permission.check_restricts(cfgs));
        let rate = self.rate().map(|rate| rate.item(cfgs));
        items.chain(restricts).chain(rate).collect()
    }

    fn rate(&self) -> Option<RateExpansion<'_>> {
        RateExpansion::new(self.action.rate.as_ref(), &self.role)
    }

    /// Counts the call, if the action has a rate.
    fn check_rate(&self, locals: &Locals) -> Option<TokenStream> {
        self.rate().map(|rate| rate.check(locals))
    }

    /// Returns the action descriptor.
    pub(super) fn descriptor(&self) -> TokenStream {
        let (action, cfgs) = (self.action, &self.action.cfgs);
        let descriptor = paths::action_descriptor(Span::call_site());
        let permission = optional(self.permission.as_ref().map(NamedExpression::reference));
        let (name, blocking, detached) = (&action.name, action.blocking.is_some(), action.detached.is_some());
        let (capture_uses, keys) = (self.capture_uses(), action.message_keys());
        let kept_leaves = evaluation::kept_leaves(self.permission.as_ref());
        let headers = self.permission.as_ref().map(NamedExpression::headers);
        let rate = optional(self.rate().map(|rate| rate.reference()));
        let in_order = action.in_order.is_some();
        let streams = if self.has_return_type() {
            let name = self.streams_name();
            quote!(Self::#name())
        } else {
            quote!(false)
        };
        let timeout = optional(action.timeout.map(|timeout| {
            let from_millis = paths::duration_from_millis(Span::call_site());
            // A day at most.
            let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            quote!(#from_millis(#millis))
        }));
        quote! {
            #(#cfgs)*
            #descriptor {
                name: #name,
                permission: #permission,
                kept_leaves: #kept_leaves,
                headers: &[#headers],
                is_blocking: #blocking,
                is_detached: #detached,
                is_stream: #streams,
                is_in_order: #in_order,
                timeout: #timeout,
                rate: #rate,
                capture_uses: &[#capture_uses],
                message_keys: &[#(#keys),*],
            },
        }
    }

    /// Returns checks for an action of a consumer: no object needs a capture, because a consumer has no route.
    pub(super) fn captures_check(&self, block: &Block) -> TokenStream {
        let cfgs = &self.action.cfgs;
        let objects = self.objects.iter().map(|object| object.check_consumer_captures(block, cfgs));
        quote!(#(#objects)*)
    }

    fn capture_uses(&self) -> TokenStream {
        let mut capture_uses = TokenStream::new();
        let captures = self.action.captures();
        if !captures.is_empty() {
            let (need, by) = (paths::capture_use(Span::call_site()), format!("action `{}`", self.action.name));
            capture_uses.extend(quote!(#need { reader: #by, captures: &[#(#captures),*] },));
        }
        let permission = self.permission.as_ref();
        capture_uses.extend(permission.map(|permission| permission.capture_uses(Some(&self.action.name))));
        capture_uses.extend(self.objects.iter().map(ObjectExpansion::capture_use));
        capture_uses
    }

    /// Returns the entry of the action in the table of action functions.
    pub(super) fn function_entry(&self) -> TokenStream {
        let (cfgs, name) = (&self.action.cfgs, self.function_name());
        quote!(#(#cfgs)* Self::#name,)
    }

    /// Returns the name of the action function, which is unique because method names are.
    fn function_name(&self) -> Ident {
        format_ident!("__portcullis_action_{}", self.action.method, span = Span::call_site())
    }

    /// Returns the action function. It is an associated function, so that `Self` has the meaning that it has in user code,
    /// and all its tokens stand at the method or in its signature, so that the compiler checks it again only after a change
    /// of that method.
    pub(super) fn function(&self, block: &Block) -> TokenStream {
        let (cfgs, locals) = (&self.action.cfgs, &Locals::at(self.action.method.span()));
        let Locals { authorized, call, handler, reply, site, .. } = locals;
        let name = paths::at_span(&self.function_name(), *site);
        let user = user_type(block, *site);
        let (call_type, authorized_type) = (paths::call_type(*site), paths::authorized_type(*site));
        let (reply_type, future_type) = (paths::reply_type(*site), paths::action_future(*site));
        let future = self.future(locals);
        quote_spanned! {*site=>
            #(#cfgs)*
            #[doc(hidden)]
            fn #name<'__a>(
                #handler: &'__a Self,
                #call: &'__a #call_type<'__a, #user>,
                #authorized: #authorized_type,
                #reply: &'__a mut #reply_type,
            ) -> #future_type<'__a> {
                #future
            }
        }
    }

    /// Returns whether the action has a [`streams_function`](Self::streams_function).
    pub(super) fn has_return_type(&self) -> bool {
        self.action.return_type().is_some()
    }

    fn streams_name(&self) -> Ident {
        format_ident!("__portcullis_streams_{}", self.action.method, span = Span::call_site())
    }

    /// Returns the function that returns whether the action streams. Like the action function, it stands at the method. An
    /// action without a return type has none.
    pub(super) fn streams_function(&self, block: &Block) -> Option<TokenStream> {
        self.action.return_type()?;
        let site = self.action.method.span();
        let (cfgs, method, name) = (&self.action.cfgs, &self.action.method, paths::at_span(&self.streams_name(), site));
        let (streams, infallible) = (paths::streams(site), paths::infallible(site));
        let (never, any) = (paths::never(site), paths::never_called(site));
        let given = std::iter::once(quote_spanned!(site=> #any(#never)))
            .chain(self.action.parameters.iter().map(|_| quote_spanned!(site=> #any(#never))));
        let output = if self.action.is_async() { paths::future_output(site) } else { paths::output_conversion(site) };
        let streams = quote_spanned! {site=>
            #streams(&|#never: #infallible| #output(&Self::#method(#(#given),*)).__value().__reply())
        };
        // Of a block without generics, `in_order_check` checks it, which the compiler reports at the key alone.
        let streams = match self.action.in_order.as_ref().filter(|_| !block.is_concrete()) {
            Some(key) => self.checked_in_order(&streams, key),
            None => streams,
        };
        let bool = paths::bool(site);
        Some(quote_spanned! {site=>
            #(#cfgs)*
            #[doc(hidden)]
            const fn #name() -> #bool {
                #streams
            }
        })
    }

    /// Returns the check that an action with `in_order` streams, for a block without generics.
    pub(super) fn in_order_check(&self, block: &Block) -> Option<TokenStream> {
        let key = self.action.in_order.as_ref()?;
        let span = key.span();
        let (ty, name) = (respan(block.ty.to_token_stream(), span), paths::at_span(&self.streams_name(), span));
        let (cfgs, bool) = (&self.action.cfgs, paths::bool(span));
        let checked = self.checked_in_order(&quote_spanned!(span=> <#ty>::#name()), key);
        Some(quote_spanned!(span=> #(#cfgs)* const _: #bool = #checked;))
    }

    fn checked_in_order(&self, streams: &TokenStream, key: &Ident) -> TokenStream {
        let check = paths::check_in_order(key.span());
        let message = string_literal(&self.action.in_order_message(), key.span());
        quote_spanned!(key.span()=> #check(#streams, #message))
    }

    fn future(&self, locals: &Locals) -> TokenStream {
        let evaluated_before_arguments = match &self.permission {
            Some(permission) if permission.has_parameter_leaves() || !self.objects.is_empty() => {
                self.evaluated_with_parameters(permission, locals)
            }
            permission => self.evaluated_before_arguments(permission.as_ref(), locals),
        };
        let extracted = self.extracted(locals);
        let outcome = self.outcome(locals);
        // The box becomes a trait object here, so a future that is not `Send` is reported at the method's name. Of a handler
        // that is not `Sync`, which no action can borrow, it is not reported: that would be an error per action.
        let name = self.action.method.span();
        let boxed = paths::box_action(name);
        let future = quote_spanned!(locals.site=> { #evaluated_before_arguments #extracted #outcome });
        quote_spanned!(name=> #boxed(async move #future))
    }

    /// Returns the evaluation of the permission, followed by reading the captures and arguments.
    fn evaluated_before_arguments(&self, permission: Option<&NamedExpression<'_>>, locals: &Locals) -> TokenStream {
        let Locals { authorized, call, .. } = locals;
        let permission = permission.map(|permission| {
            let evaluate = permission.evaluate(locals);
            quote_spanned!(locals.site=> let #authorized = #evaluate?;)
        });
        let (rate, captures) = (self.check_rate(locals), self.captures(locals));
        let (read, none) = (paths::read_arguments(locals.site), paths::check_execution(locals.site));
        let arguments = self.arguments(&read, &authorized.to_token_stream(), locals);
        let arguments = arguments.unwrap_or_else(|| quote_spanned!(locals.site=> #none(#call, &#authorized)?;));
        let (named, validated) = (self.taken_early(locals), self.validated(locals));
        quote!(#permission #rate #captures #arguments #named #validated)
    }

    /// Returns the same for a permission with parameters: leaves without parameters are evaluated before the arguments are
    /// read, and an object is loaded only while the outcome still depends on it.
    fn evaluated_with_parameters(&self, permission: &NamedExpression<'_>, locals: &Locals) -> TokenStream {
        let Locals { authorized, call, evaluation, .. } = locals;
        let (beforehand, rate) = (permission.evaluate_before_loading(locals), self.check_rate(locals));
        let captures = self.captures(locals);
        let (read, none) = (paths::read_arguments_for_evaluation(locals.site), paths::check_execution(locals.site));
        let arguments = self.arguments(&read, &quote_spanned!(locals.site=> &#evaluation), locals);
        let (named, validated) = (self.taken_early(locals), self.validated(locals));
        let started = self.objects.iter().map(|object| object.started(locals));
        let about = permission.evaluate_with_parameters(locals);
        let loaded = self.objects.iter().map(|object| object.loaded(locals));
        quote_spanned! {locals.site=>
            #beforehand
            #rate
            #captures
            #arguments
            #named
            #(#started)*
            #about
            #none(#call, &#authorized)?;
            #validated
            #(#loaded)*
        }
    }

    fn arguments(&self, read: &TokenStream, proof: &TokenStream, locals: &Locals) -> Option<TokenStream> {
        arguments::read(&self.action.parameters, self.action.deny_unknown, read, proof, locals)
    }

    /// Returns the statements that convert arguments before the method is called.
    fn taken_early(&self, locals: &Locals) -> TokenStream {
        let lines = self.parameters().filter_map(|(position, parameter)| {
            let key = MessageKey::new(position, parameter).filter(|_| self.is_taken_early(position, parameter))?;
            let (ty, taken) = (&parameter.ty, key.converted(locals));
            let local = paths::parameter(position, ty);
            Some(quote_spanned!(locals.site=> let #local: #ty = #taken;))
        });
        lines.collect()
    }

    /// Returns whether the parameter is a plain argument that a leaf names or that is validated, and so is converted before
    /// the method is called.
    fn is_taken_early(&self, position: usize, parameter: &Parameter) -> bool {
        let is_named = || self.permission.as_ref().is_some_and(|permission| permission.has_leaf_for(position));
        matches!(parameter.kind, ParameterKind::Key { .. }) && (self.action.validates(parameter) || is_named())
    }

    /// Returns the statements that validate arguments. They follow the whole expression, so that they reveal nothing to a
    /// caller without the right to the action, and come before objects that no leaf has loaded.
    fn validated(&self, locals: &Locals) -> Option<TokenStream> {
        self.action.validate.as_ref()?;
        let Locals { site, validation, .. } = locals;
        let (start, finish) = (paths::validation_start(*site), paths::validation_finish(*site));
        let lines = self.parameters().filter(|(_, parameter)| self.action.validates(parameter));
        let lines = lines.map(|(position, parameter)| arguments::validated(position, parameter, locals));
        Some(quote_spanned! {*site=>
            let mut #validation = #start();
            #(#lines)*
            #finish(#validation)?;
        })
    }

    fn captures(&self, locals: &Locals) -> TokenStream {
        let call = &locals.call;
        let lines = self.parameters().filter_map(|(position, parameter)| {
            let ParameterKind::Capture { name, .. } = &parameter.kind else { return None };
            let (ty, local) = (&parameter.ty, paths::parameter(position, &parameter.ty));
            let span = paths::type_span(ty);
            let (path, name) = (paths::read_capture(span), string_literal(name, span));
            // The turbofish reports an error about the type at the type.
            let read = quote_spanned!(span=> #path::<#ty, _>(#call, #name)?);
            Some(quote_spanned!(locals.site=> let #local: #ty = #read;))
        });
        lines.collect()
    }

    fn extracted(&self, locals: &Locals) -> TokenStream {
        let Locals { call, handler, .. } = locals;
        let whole_context = paths::whole_context(locals.site);
        let lines = self.parameters().filter_map(|(position, parameter)| {
            let ParameterKind::Extract = parameter.kind else { return None };
            let (ty, span) = (&parameter.ty, paths::type_span(&parameter.ty));
            let local = paths::parameter(position, ty);
            let trait_ = paths::from_context(span);
            let make = quote_spanned! {span=>
                <#ty as #trait_<Self>>::from_context(#handler, &#whole_context(#call)).await?
            };
            Some(quote_spanned!(locals.site=> let #local: #ty = #make;))
        });
        lines.collect()
    }

    /// Calls the method and writes its output as the reply.
    fn outcome(&self, locals: &Locals) -> TokenStream {
        let Locals { call, handler, reply, .. } = locals;
        let (method, start) = (&self.action.method, paths::start_action(locals.site));
        let given = self.given(locals);
        let wait = self.action.is_async().then(|| quote_spanned!(locals.site=> .await));
        let span = self.action.return_type().map_or_else(|| method.span(), paths::type_span);
        let (output, error) = (paths::output(span), paths::error(span));
        let into_reply = paths::into_reply(span);
        let written = quote_spanned!(span=> #into_reply(#output, #reply));
        let started = quote_spanned!(locals.site=> #start(#call)?;);
        let called = quote_spanned!(locals.site=> Self::#method(#handler, #(#given),*));
        let awaited = if self.action.cancel_drop.is_some() {
            let await_unless_cancelled = paths::await_unless_cancelled(locals.site);
            quote_spanned!(locals.site=> #await_unless_cancelled(#call, #called).await?)
        } else {
            quote_spanned!(locals.site=> #called #wait)
        };
        let called = quote_spanned!(locals.site=> let #output = #awaited;);
        // A `Result` is recognized under any name of the type: one whose error implements `Serialize` would otherwise be sent
        // as plain data.
        let (ok, err, returned) = (paths::ok(span), paths::err(span), paths::output_conversion(span));
        let conversion = paths::error_conversion(span);
        // An error type that has no conversion is reported at the return type.
        let converted = quote_spanned!(span=> #conversion(&#error).__into_error(#error));
        quote_spanned! {locals.site=>
            #started
            #called
            match #returned(&#output).__into_result(#output) {
                #ok(#output) => #written,
                #err(#error) => #err(#converted),
            }
        }
    }

    fn given(&self, locals: &Locals) -> Vec<TokenStream> {
        let given = self.parameters().map(|(position, parameter)| match &parameter.kind {
            ParameterKind::Context => arguments::context(parameter, locals),
            ParameterKind::Key { .. } if !self.is_taken_early(position, parameter) => {
                MessageKey::new(position, parameter).map(|key| key.converted(locals)).unwrap_or_default()
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

/// Returns `Some(…)` or `None` as tokens.
pub(super) fn optional(value: Option<TokenStream>) -> TokenStream {
    let (some, none) = (paths::some(Span::call_site()), paths::none(Span::call_site()));
    value.map_or(none, |value| quote!(#some(#value)))
}
