//! Permission expressions: the tree that the runtime evaluates, and the code that evaluates the leaves.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Generics};

use super::leaf::{self, NamedLeaf};
use super::paths::{self, Locals};
use super::tokens::index_literal;
use crate::model::action::Action;
use crate::model::expression::{Expression, Tree};

/// An expression with the names of its generated items.
pub(super) struct NamedExpression<'a> {
    expression: &'a Expression,
    /// The static that the descriptor and the evaluation share.
    name: Ident,
    leaves: Vec<NamedLeaf<'a>>,
}

impl<'a> NamedExpression<'a> {
    /// Creates the expression. `role` makes the names unique within the block, for example `Route0` or `Connect`.
    pub(super) fn new(expression: &'a Expression, role: &str, generics: &Generics) -> Self {
        Self::build(expression, role, leaf::named_leaves(expression, role, generics, None))
    }

    /// Creates the expression of an action, whose leaves may name parameters.
    pub(super) fn for_action(expression: &'a Expression, role: &str, generics: &Generics, action: &'a Action) -> Self {
        Self::build(expression, role, leaf::named_leaves(expression, role, generics, Some(action)))
    }

    fn build(expression: &'a Expression, role: &str, leaves: Vec<NamedLeaf<'a>>) -> Self {
        Self { expression, name: format_ident!("__{}", role.to_uppercase()), leaves }
    }

    /// Returns the items that accompany the impls: the tree, and one alias per leaf.
    pub(super) fn items(&self, role: &str, generics: &Generics, cfgs: &[Attribute]) -> TokenStream {
        let aliases = leaf::leaf_aliases(self.expression, role, generics, cfgs);
        let (name, expression) = (&self.name, paths::expression(Span::call_site()));
        let tree = expression_tree(&self.expression.tree);
        let texts = self.expression.leaves.iter().map(|leaf| &leaf.text);
        let codenames = self.expression.leaves.iter().any(|leaf| leaf.is_codename);
        let combinable = (!matches!(self.expression.tree, Tree::Leaf(_)))
            .then(|| self.leaves.iter().filter_map(NamedLeaf::check_combinable).collect());
        let checks = combinable.and_then(|checks| leaf::constant_checks(&checks, cfgs));
        quote! {
            #aliases
            #checks
            #(#cfgs)*
            static #name: #expression =
                #expression { tree: #tree, leaves: &[#(#texts),*], has_codenames: #codenames };
        }
    }

    /// Returns the check that the expression of an action restricts it, in a block whose permission must hold as well.
    pub(super) fn check_restricts(&self, cfgs: &[Attribute]) -> Option<TokenStream> {
        self.single_leaf()?.check_restricts().and_then(|check| leaf::constant_checks(&check, cfgs))
    }

    /// Returns `&EXPRESSION` for the descriptor.
    pub(super) fn reference(&self) -> TokenStream {
        let name = &self.name;
        quote!(&#name)
    }

    /// Returns one `CaptureUse` per leaf that names captures. `action` is the name of the action whose expression it is.
    pub(super) fn capture_uses(&self, action: Option<&str>) -> TokenStream {
        self.leaves.iter().filter_map(|leaf| leaf.capture_use(action)).collect()
    }

    /// Returns the bit set of the leaves that are evaluated once per message, in code at `site`.
    pub(super) fn kept_leaves(&self, site: Span) -> TokenStream {
        if self.leaves.iter().all(|leaf| leaf.leaf.is_codename) {
            return quote_spanned!(site=> 0);
        }
        let (kept, reevaluate) = (paths::kept_leaves(site), self.leaves.iter().map(NamedLeaf::reevaluate));
        quote_spanned!(site=> #kept(&[#(#reevaluate),*]))
    }

    /// Returns the headers that the leaves read, for the descriptor.
    pub(super) fn headers(&self) -> TokenStream {
        let headers = self.leaves.iter().filter_map(NamedLeaf::headers);
        quote!(#(#headers)*)
    }

    /// As [`headers`](Self::headers), for the leaves of an event; `ty` returns the type of the event at a span.
    pub(super) fn event_headers(&self, ty: impl Fn(Span) -> TokenStream) -> TokenStream {
        let headers = self.leaves.iter().filter_map(|leaf| leaf.event_headers(&ty(leaf.leaf.span)));
        quote!(#(#headers)*)
    }

    /// As [`headers`](Self::headers), for the leaves of a group; `consumer` returns the type of its consumer at a span.
    pub(super) fn group_headers(&self, consumer: impl Fn(Span) -> TokenStream) -> TokenStream {
        let headers = self.leaves.iter().filter_map(|leaf| leaf.group_headers(&consumer(leaf.leaf.span)));
        quote!(#(#headers)*)
    }

    /// Returns whether any leaf names a parameter.
    pub(super) fn has_parameter_leaves(&self) -> bool {
        self.expression.has_subjects()
    }

    /// Returns whether any leaf names the parameter at `position`.
    pub(super) fn has_leaf_for(&self, position: usize) -> bool {
        self.leaves.iter().any(|leaf| leaf.is_for_parameter(position))
    }

    /// Evaluates the expression for a message. Returns an expression whose value is `Result<Authorized>`.
    pub(super) fn evaluate(&self, locals: &Locals) -> TokenStream {
        let Locals { authorized, call, site, .. } = locals;
        if let Some(answer) = self.single_leaf().and_then(|leaf| leaf.evaluate_single(locals)) {
            return self.finish_single(&answer, &authorized.to_token_stream(), locals);
        }
        if self.is_conjunction() {
            return self.evaluate_conjunction(locals);
        }
        let (evaluate, name, kept) = (paths::evaluate(*site), self.name_at(locals), self.kept_leaves(*site));
        let leaves = self.async_leaves(|leaf| leaf.evaluate(locals), locals);
        quote_spanned!(*site=> #evaluate(#call, &#name, #kept, #authorized, #leaves).await)
    }

    /// Evaluates a conjunction of leaves for a message, leaf after leaf.
    fn evaluate_conjunction(&self, locals: &Locals) -> TokenStream {
        let Locals { answer, authorized, call, evaluation, site, .. } = locals;
        let (start, begin) = (paths::conjunction_start(*site), paths::conjunction_begin(*site));
        let (record, finish) = (paths::conjunction_record(*site), paths::conjunction_finish(*site));
        let (name, kept) = (self.name_at(locals), self.kept_leaves(*site));
        let leaves = self.leaves.iter().enumerate().filter_map(|(position, leaf)| {
            let (position, evaluate) = (index_literal(position, *site), leaf.evaluate(locals)?);
            Some(quote_spanned! {*site=>
                if #begin(&mut #evaluation, #position) {
                    let #answer = #evaluate;
                    #record(&mut #evaluation, #answer)?;
                }
            })
        });
        quote_spanned! {*site=> {
            let mut #evaluation = #start(#call, &#name, #kept);
            #(#leaves)*
            #finish(&mut #evaluation, #authorized)
        }}
    }

    /// Evaluates an expression of a group; `consumer` returns the type of the group's consumer at a span.
    pub(super) fn evaluate_group(&self, consumer: impl Fn(Span) -> TokenStream, locals: &Locals) -> TokenStream {
        let Locals { call, site, .. } = locals;
        let evaluate_leaf = |leaf: &NamedLeaf<'_>| Some(leaf.evaluate_group(&consumer(leaf.leaf.span), locals));
        let proof = quote_spanned!(*site=> ());
        if let Some(answer) = self.single_leaf().and_then(evaluate_leaf) {
            return self.finish_single(&answer, &proof, locals);
        }
        let (evaluate, name, leaves) =
            (paths::evaluate(*site), self.name_at(locals), self.async_leaves(evaluate_leaf, locals));
        quote_spanned!(*site=> #evaluate(#call, &#name, 0, #proof, #leaves).await)
    }

    /// Evaluates an expression that is a single leaf, with the answer of the leaf.
    fn finish_single(&self, answer: &TokenStream, proof: &TokenStream, locals: &Locals) -> TokenStream {
        let (name, Locals { call, site, .. }) = (self.name_at(locals), locals);
        let (start, finish) = (paths::single_leaf_start(*site), paths::single_leaf_finish(*site));
        quote_spanned!(*site=> #finish(#start(#call, &#name), #answer, #proof))
    }

    /// Evaluates the leaves that need no object, and starts the evaluation of the remaining leaves.
    pub(super) fn evaluate_before_loading(&self, locals: &Locals) -> TokenStream {
        let (name, Locals { call, evaluation, site, .. }) = (self.name_at(locals), locals);
        let (evaluate, kept) = (paths::evaluate_before_loading(locals.site), self.kept_leaves(locals.site));
        let leaves = self.async_leaves(|leaf| leaf.evaluate_before_loading(locals), locals);
        quote_spanned!(*site=> let #evaluation = #evaluate(#call, &#name, #kept, #leaves).await?;)
    }

    /// Evaluates the leaves for their parameters, and binds the result to `__authorized`.
    pub(super) fn evaluate_with_parameters(&self, locals: &Locals) -> TokenStream {
        let Locals { authorized, evaluation, .. } = locals;
        let evaluate = paths::evaluate_objects(locals.site);
        let leaves = self.async_leaves(|leaf| leaf.evaluate_parameter(locals), locals);
        // The closure moves references to the parameters into the future of a leaf.
        let mut parameters: Vec<&Ident> = self.leaves.iter().filter_map(NamedLeaf::parameter).collect();
        parameters.sort();
        parameters.dedup();
        quote_spanned! {locals.site=>
            let #authorized = {
                #(let #parameters = &#parameters;)*
                #evaluate(#evaluation, #authorized, #leaves).await?
            };
        }
    }

    /// Evaluates the expression for a connect check. Returns an expression whose value is `Result<()>`.
    pub(super) fn evaluate_connect(&self, locals: &Locals) -> TokenStream {
        let (name, site, cx) = (self.name_at(locals), locals.site, &locals.cx);
        if let Some(answer) = self.single_leaf().and_then(|leaf| leaf.evaluate_connect(locals)) {
            let (start, finish) = (paths::single_leaf_start_connect(site), paths::single_leaf_finish_connect(site));
            return quote_spanned!(site=> #finish(#start(#cx, &#name), #answer));
        }
        let leaves = self.async_leaves(|leaf| leaf.evaluate_connect(locals), locals);
        let evaluate = paths::evaluate_connect(site);
        quote_spanned!(site=> #evaluate(#cx, &#name, #leaves).await)
    }

    /// Evaluates the expression for a strict connect check: without a connect opinion, a leaf is evaluated as for a message.
    pub(super) fn evaluate_strict_connect(&self, locals: &Locals) -> TokenStream {
        let (name, site, cx) = (self.name_at(locals), locals.site, &locals.cx);
        if let Some(answer) = self.single_leaf().and_then(|leaf| leaf.evaluate_strict_connect(locals)) {
            let (start, finish) = (paths::single_leaf_start_connect(site), paths::single_leaf_finish(site));
            return quote_spanned!(site=> #finish(#start(#cx, &#name), #answer, ()));
        }
        let leaves = self.async_leaves(|leaf| leaf.evaluate_strict_connect(locals), locals);
        let evaluate = paths::evaluate_strict_connect(site);
        quote_spanned!(site=> #evaluate(#cx, &#name, #leaves).await)
    }

    /// Evaluates the expression for an event; `ty` returns the type of the event at a span.
    pub(super) fn evaluate_event(&self, ty: impl Fn(Span) -> TokenStream, locals: &Locals) -> TokenStream {
        let (name, leaf, site) = (self.name_at(locals), &locals.leaf, locals.site);
        if let Some(only) = self.single_leaf() {
            let (answer, decision) = (only.evaluate_event(&ty(only.leaf.span), locals), paths::event_decision(site));
            return quote_spanned!(site=> #decision(#answer));
        }
        let (evaluate, ok, denied) = (paths::evaluate_event(site), paths::ok(site), paths::denied(site));
        let arms = self.arms(|leaf| Some(leaf.evaluate_event(&ty(leaf.leaf.span), locals)), locals);
        quote_spanned!(site=> #evaluate(&#name, |#leaf| match #leaf { #arms _ => #ok(#denied) }))
    }

    /// Evaluates the `presence` expression of a group for a viewer and a member; `consumer` returns the type of the group's
    /// consumer at a span.
    pub(super) fn evaluate_member(&self, consumer: impl Fn(Span) -> TokenStream, locals: &Locals) -> TokenStream {
        let (name, leaf, site) = (self.name_at(locals), &locals.leaf, locals.site);
        let (evaluate, ok, denied) = (paths::evaluate_event(site), paths::ok(site), paths::denied(site));
        let arms = self.arms(|leaf| Some(leaf.evaluate_member(&consumer(leaf.leaf.span), locals)), locals);
        quote_spanned!(site=> #evaluate(&#name, |#leaf| match #leaf { #arms _ => #ok(#denied) }))
    }

    /// As [`headers`](Self::headers), for the leaves of a `presence` expression.
    pub(super) fn member_headers(&self, consumer: impl Fn(Span) -> TokenStream) -> TokenStream {
        let headers = self.leaves.iter().filter_map(|leaf| leaf.member_headers(&consumer(leaf.leaf.span)));
        quote!(#(#headers)*)
    }

    /// Returns the name of the static in code at the place of `locals`.
    fn name_at(&self, locals: &Locals) -> Ident {
        paths::at_span(&self.name, locals.site)
    }

    /// Returns the leaf of an expression that is nothing else: it needs no evaluation loop, which takes longer than most
    /// permissions.
    fn single_leaf(&self) -> Option<&NamedLeaf<'a>> {
        match (&self.expression.tree, &self.leaves[..]) {
            (Tree::Leaf(_), [only]) => Some(only),
            _ => None,
        }
    }

    /// Returns whether the expression is a conjunction of its leaves, in their order.
    fn is_conjunction(&self) -> bool {
        let Tree::All(parts) = &self.expression.tree else { return false };
        parts.len() == self.leaves.len()
            && parts.iter().enumerate().all(|(position, part)| matches!(part, Tree::Leaf(leaf) if *leaf == position))
    }

    /// Returns the closure that evaluates the leaf with a given index. All that it captures is a reference, because the
    /// future of a leaf outlives the call of the closure.
    fn async_leaves(
        &self,
        evaluate_leaf: impl Fn(&NamedLeaf<'a>) -> Option<TokenStream>,
        locals: &Locals,
    ) -> TokenStream {
        let (leaf, unknown, arms) = (&locals.leaf, paths::unknown_leaf(locals.site), self.arms(evaluate_leaf, locals));
        quote_spanned!(locals.site=> move |#leaf| async move { match #leaf { #arms _ => #unknown } })
    }

    /// Returns one match arm per leaf. A leaf that does not apply has none.
    fn arms(&self, evaluate_leaf: impl Fn(&NamedLeaf<'a>) -> Option<TokenStream>, locals: &Locals) -> TokenStream {
        let arms = self.leaves.iter().enumerate().filter_map(|(position, leaf)| {
            let (position, arm) = (index_literal(position, locals.site), evaluate_leaf(leaf)?);
            Some(quote_spanned!(locals.site=> #position => #arm,))
        });
        arms.collect()
    }
}

fn expression_tree(tree: &Tree) -> TokenStream {
    let expr = paths::expr(Span::call_site());
    let each = |parts: &[Tree]| parts.iter().map(expression_tree).collect::<Vec<_>>();
    match tree {
        Tree::Any(parts) => {
            let parts = each(parts);
            quote!(#expr::Any(&[#(#parts),*]))
        }
        Tree::All(parts) => {
            let parts = each(parts);
            quote!(#expr::All(&[#(#parts),*]))
        }
        Tree::Not(part) => {
            let part = expression_tree(part);
            quote!(#expr::Not(&#part))
        }
        Tree::Leaf(leaf) => {
            let leaf = Literal::usize_unsuffixed(*leaf);
            quote!(#expr::Leaf(#leaf))
        }
    }
}

/// Returns the bit set of the leaves of a descriptor's own expression that are evaluated once per message.
pub(super) fn kept_leaves(expression: Option<&NamedExpression<'_>>) -> TokenStream {
    expression.map_or(quote!(0), |expression| expression.kept_leaves(Span::call_site()))
}
