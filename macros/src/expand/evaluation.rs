//! Permission expressions: the tree that the runtime evaluates, and the loops that evaluate the leaves.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Generics};

use super::leaf::{self, NamedLeaf};
use super::paths::{self, Locals};
use crate::model::action::Action;
use crate::model::block::Block;
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
        quote! {
            #aliases
            #(#cfgs)*
            static #name: #expression =
                #expression { tree: #tree, leaves: &[#(#texts),*], has_codenames: #codenames };
        }
    }

    /// Returns `&EXPRESSION` for the descriptor.
    pub(super) fn reference(&self) -> TokenStream {
        let name = &self.name;
        quote!(&#name)
    }

    /// Returns one `CaptureUse` per leaf that reads captures.
    pub(super) fn capture_uses(&self) -> TokenStream {
        self.leaves.iter().filter_map(NamedLeaf::capture_use).collect()
    }

    /// Returns whether any leaf names a parameter.
    pub(super) fn has_parameter_leaves(&self) -> bool {
        self.expression.has_subjects()
    }

    /// Returns whether any leaf names the parameter at `position`.
    pub(super) fn has_leaf_for(&self, position: usize) -> bool {
        self.leaves.iter().any(|leaf| leaf.is_for_parameter(position))
    }

    /// Evaluates the leaves for a message; the tokens end with `finish(.., __authorized)`.
    pub(super) fn evaluate(&self, locals: &Locals) -> TokenStream {
        let Locals { authorized, call, evaluation, .. } = locals;
        let start = self.start(&paths::call_start_evaluation(Span::call_site()), call, locals);
        let evaluated = self.evaluation_loop(&MESSAGE_EVALUATION, locals, |leaf| leaf.evaluate(locals));
        let finish = paths::evaluation_finish(Span::call_site());
        quote!(#start #evaluated #finish(&#evaluation, #authorized))
    }

    /// Evaluates the leaves that need no object, and starts the evaluation of the remaining leaves.
    pub(super) fn evaluate_before_loading(&self, locals: &Locals) -> TokenStream {
        let Locals { call, evaluation, .. } = locals;
        let start = self.start(&paths::call_start_evaluation(Span::call_site()), call, locals);
        let evaluated = self.evaluation_loop(&MESSAGE_EVALUATION, locals, |leaf| leaf.evaluate_before_loading(locals));
        let objects = paths::evaluation_into_object_evaluation(Span::call_site());
        quote!(#start #evaluated let mut #evaluation = #objects(#evaluation)?;)
    }

    /// Evaluates the leaves for their parameters, and binds the result to `__authorized`.
    pub(super) fn evaluate_with_parameters(&self, locals: &Locals) -> TokenStream {
        let Locals { authorized, evaluation, .. } = locals;
        let evaluated = self.evaluation_loop(&OBJECT_EVALUATION, locals, |leaf| leaf.evaluate_parameter(locals));
        let finish = paths::object_evaluation_finish(Span::call_site());
        quote!(#evaluated let #authorized = #finish(#evaluation, #authorized)?;)
    }

    /// Evaluates the leaves for a connect check.
    pub(super) fn evaluate_connect(&self, locals: &Locals) -> TokenStream {
        let Locals { cx, evaluation, .. } = locals;
        let start = self.start(&paths::connect_start_evaluation(Span::call_site()), cx, locals);
        let evaluated = self.evaluation_loop(&MESSAGE_EVALUATION, locals, |leaf| leaf.evaluate_connect(locals));
        let finish = paths::evaluation_finish_connect(Span::call_site());
        quote!(#start #evaluated #finish(&#evaluation))
    }

    /// Evaluates the leaves for a strict connect check: without a connect opinion, a leaf is evaluated as for a message.
    pub(super) fn evaluate_strict_connect(&self, locals: &Locals) -> TokenStream {
        let Locals { cx, evaluation, .. } = locals;
        let start = self.start(&paths::connect_start_evaluation(Span::call_site()), cx, locals);
        let evaluated = self.evaluation_loop(&MESSAGE_EVALUATION, locals, |leaf| leaf.evaluate_strict_connect(locals));
        let finish = paths::evaluation_finish_strict_connect(Span::call_site());
        quote!(#start #evaluated #finish(&#evaluation))
    }

    /// Evaluates the leaves for joining a group; `consumer` returns the type of its consumer at a span.
    pub(super) fn evaluate_join(&self, consumer: impl Fn(Span) -> TokenStream, locals: &Locals) -> TokenStream {
        let Locals { call, evaluation, .. } = locals;
        let start = self.start(&paths::call_start_evaluation(Span::call_site()), call, locals);
        let evaluated = self.evaluation_loop(&MESSAGE_EVALUATION, locals, |leaf| {
            Some(leaf.evaluate_join(&consumer(leaf.leaf.span), locals))
        });
        let finish = paths::evaluation_finish_join(Span::call_site());
        quote!(#start #evaluated #finish(&#evaluation))
    }

    /// Evaluates the leaves for an event; `ty` returns the type of the event at a span.
    pub(super) fn evaluate_event(&self, ty: impl Fn(Span) -> TokenStream, locals: &Locals) -> TokenStream {
        let Locals { evaluation, subscriber, .. } = locals;
        // A single leaf needs no evaluation loop. This code runs for every member of a group.
        if let (Tree::Leaf(_), [only]) = (&self.expression.tree, &self.leaves[..]) {
            return only.evaluate_event(&ty(only.leaf.span), locals);
        }
        let start = self.start(&paths::subscriber_start_evaluation(Span::call_site()), subscriber, locals);
        let evaluated = self
            .evaluation_loop(&EVENT_EVALUATION, locals, |leaf| Some(leaf.evaluate_event(&ty(leaf.leaf.span), locals)));
        let finish = paths::event_evaluation_finish(Span::call_site());
        quote!(#start #evaluated #finish(&#evaluation))
    }

    /// Starts the evaluation. Generated code calls functions by path, because a user's trait may have the same methods.
    fn start(&self, start: &TokenStream, evaluated: &Ident, locals: &Locals) -> TokenStream {
        let (name, evaluation) = (&self.name, &locals.evaluation);
        quote!(let mut #evaluation = #start(#evaluated, &#name);)
    }

    /// Evaluates leaf after leaf until the outcome is settled. A leaf that does not apply here has no arm.
    fn evaluation_loop<'s>(
        &'s self,
        calls: &EvaluationPaths,
        locals: &Locals,
        evaluate: impl Fn(&'s NamedLeaf<'a>) -> Option<TokenStream>,
    ) -> TokenStream {
        let Locals { answer, evaluation, leaf, .. } = locals;
        let (some, unknown) = (paths::some(Span::call_site()), (calls.unknown)(Span::call_site()));
        let is_fallible = calls.is_fallible.then(|| quote!(?));
        let (next, record) = ((calls.next)(Span::call_site()), (calls.record)(Span::call_site()));
        let arms = self.leaves.iter().enumerate().filter_map(|(position, leaf)| {
            let (position, arm) = (Literal::usize_unsuffixed(position), evaluate(leaf)?);
            Some(quote!(#position => #arm,))
        });
        quote! {
            while let #some(#leaf) = #next(&mut #evaluation) {
                let #answer = match #leaf {
                    #(#arms)*
                    _ => #unknown,
                };
                #record(&mut #evaluation, #answer) #is_fallible;
            }
        }
    }

    /// Returns checks, at each leaf of a consumer's own expressions, that it reads no captures.
    pub(super) fn check_consumer_captures(&self, block: &Block, cfgs: &[Attribute]) -> TokenStream {
        self.leaves.iter().filter_map(|leaf| leaf.check_consumer_captures(block, cfgs)).collect()
    }

    /// Returns checks, at each leaf of a strict connect expression, that it reads no captures.
    pub(super) fn check_connect_captures(&self, block: &Block) -> TokenStream {
        self.leaves.iter().filter_map(|leaf| leaf.check_connect_captures(block)).collect()
    }

    /// Returns the same checks as statements inside the impl of a generic consumer.
    pub(super) fn check_connect_captures_when_mounted(&self) -> TokenStream {
        self.leaves.iter().filter_map(NamedLeaf::check_connect_captures_when_mounted).collect()
    }
}

/// Paths of the runtime functions that drive one kind of evaluation.
struct EvaluationPaths {
    next: fn(Span) -> TokenStream,
    record: fn(Span) -> TokenStream,
    /// The answer of a leaf that does not exist.
    unknown: fn(Span) -> TokenStream,
    /// Whether recording an answer can fail.
    is_fallible: bool,
}

const MESSAGE_EVALUATION: EvaluationPaths = EvaluationPaths {
    next: paths::evaluation_next,
    record: paths::evaluation_record,
    unknown: paths::unknown_leaf,
    is_fallible: true,
};
const OBJECT_EVALUATION: EvaluationPaths = EvaluationPaths {
    next: paths::object_evaluation_next,
    record: paths::object_evaluation_record,
    unknown: paths::unknown_leaf,
    is_fallible: true,
};
const EVENT_EVALUATION: EvaluationPaths = EvaluationPaths {
    next: paths::event_evaluation_next,
    record: paths::event_evaluation_record,
    unknown: paths::denied,
    is_fallible: false,
};

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
