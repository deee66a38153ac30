//! Permission expressions as the tree that the runtime evaluates, and the loops that ask their leaves.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Generics};

use super::leaf::{self, Named};
use super::paths::{self, Locals};
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::expression::{Expression, Tree};

/// An expression with the names of what is generated for it.
pub(super) struct Evaluation<'a> {
    expression: &'a Expression,
    /// The static that node and gate share.
    name: Ident,
    leaves: Vec<Named<'a>>,
}

impl<'a> Evaluation<'a> {
    /// `role` makes the names unique within the block: `Route0`, `Connect`.
    pub(super) fn new(expression: &'a Expression, role: &str, generics: &Generics) -> Self {
        Self::build(expression, role, leaf::named(expression, role, generics, None))
    }

    /// Of an action, whose parameters leaves may be about.
    pub(super) fn of_action(expression: &'a Expression, role: &str, generics: &Generics, action: &'a Action) -> Self {
        Self::build(expression, role, leaf::named(expression, role, generics, Some(action)))
    }

    fn build(expression: &'a Expression, role: &str, leaves: Vec<Named<'a>>) -> Self {
        Self { expression, name: format_ident!("__{}", role.to_uppercase()), leaves }
    }

    /// What stands beside the impls: the tree, and one alias a leaf.
    pub(super) fn items(&self, role: &str, generics: &Generics, cfgs: &[Attribute]) -> TokenStream {
        let aliases = leaf::aliases(self.expression, role, generics, cfgs);
        let (name, expression) = (&self.name, paths::expression(Span::call_site()));
        let tree = tree(&self.expression.tree);
        let texts = self.expression.leaves.iter().map(|leaf| &leaf.text);
        let codenames = self.expression.leaves.iter().any(|leaf| leaf.is_codename);
        quote! {
            #aliases
            #(#cfgs)*
            static #name: #expression =
                #expression { tree: #tree, leaves: &[#(#texts),*], codenames: #codenames };
        }
    }

    /// `&EXPRESSION`, as the node holds it.
    pub(super) fn reference(&self) -> TokenStream {
        let name = &self.name;
        quote!(&#name)
    }

    /// One row a leaf: the captures it reads.
    pub(super) fn needs(&self) -> TokenStream {
        self.leaves.iter().filter_map(Named::need).collect()
    }

    /// Is anything asked about a parameter?
    pub(super) fn has_subjects(&self) -> bool {
        self.expression.has_subjects()
    }

    /// Is anything asked about that one?
    pub(super) fn names(&self, position: usize) -> bool {
        self.leaves.iter().any(|leaf| leaf.is_about(position))
    }

    /// Asks the leaves about a message; ends with `finish(__admitted)`.
    pub(super) fn ask(&self, locals: &Locals) -> TokenStream {
        let Locals { admitted, call, gate, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_call(Span::call_site()), call, locals);
        let asked = self.ask_each(&OF_A_GATE, locals, |leaf| leaf.ask(locals));
        let finish = paths::finish(Span::call_site());
        quote!(#begin #asked #finish(&#gate, #admitted))
    }

    /// Asks the leaves that need no object, and goes on to those that do.
    pub(super) fn ask_beforehand(&self, locals: &Locals) -> TokenStream {
        let Locals { call, gate, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_call(Span::call_site()), call, locals);
        let asked = self.ask_each(&OF_A_GATE, locals, |leaf| leaf.ask_beforehand(locals));
        let objects = paths::objects_of_a_gate(Span::call_site());
        quote!(#begin #asked let mut #gate = #objects(#gate)?;)
    }

    /// Asks the leaves about the parameters; `__admitted` is what comes of it.
    pub(super) fn ask_about(&self, locals: &Locals) -> TokenStream {
        let Locals { admitted, gate, .. } = locals;
        let asked = self.ask_each(&OF_THE_OBJECTS, locals, |leaf| leaf.ask_about(locals));
        let finish = paths::asking_finish(Span::call_site());
        quote!(#asked let #admitted = #finish(#gate, #admitted)?;)
    }

    /// Asks the leaves at the door.
    pub(super) fn ask_connect(&self, locals: &Locals) -> TokenStream {
        let Locals { cx, gate, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_connection(Span::call_site()), cx, locals);
        let asked = self.ask_each(&OF_A_GATE, locals, |leaf| leaf.ask_connect(locals));
        let finish = paths::finish_connect(Span::call_site());
        quote!(#begin #asked #finish(&#gate))
    }

    /// Asks the leaves at the door, and those without opinion what they say to messages.
    pub(super) fn ask_strictly(&self, locals: &Locals) -> TokenStream {
        let Locals { cx, gate, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_connection(Span::call_site()), cx, locals);
        let asked = self.ask_each(&OF_A_GATE, locals, |leaf| leaf.ask_strictly(locals));
        let finish = paths::finish_connect_strictly(Span::call_site());
        quote!(#begin #asked #finish(&#gate))
    }

    /// Asks the leaves about a group; `consumer` is the type of its consumer at a span.
    pub(super) fn ask_join(&self, consumer: impl Fn(Span) -> TokenStream, locals: &Locals) -> TokenStream {
        let Locals { call, gate, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_call(Span::call_site()), call, locals);
        let asked = self.ask_each(&OF_A_GATE, locals, |leaf| Some(leaf.ask_join(&consumer(leaf.leaf.span), locals)));
        let finish = paths::finish_join(Span::call_site());
        quote!(#begin #asked #finish(&#gate))
    }

    /// Asks the leaves about an event; `ty` is its type at a span.
    pub(super) fn ask_sight(&self, ty: impl Fn(Span) -> TokenStream, locals: &Locals) -> TokenStream {
        let Locals { gate, seeing, .. } = locals;
        // What one leaf says by itself is the answer. It is asked for every member of a group.
        if let (Tree::Leaf(_), [only]) = (&self.expression.tree, &self.leaves[..]) {
            return only.ask_sight(&ty(only.leaf.span), locals);
        }
        let begin = self.begin(&paths::sight(Span::call_site()), seeing, locals);
        let asked = self.ask_each(&OF_A_SIGHT, locals, |leaf| Some(leaf.ask_sight(&ty(leaf.leaf.span), locals)));
        let finish = paths::sight_finish(Span::call_site());
        quote!(#begin #asked #finish(&#gate))
    }

    /// What generated code calls is called by its path: a trait of the user's may have methods of the same names.
    fn begin(&self, begin: &TokenStream, asked: &Ident, locals: &Locals) -> TokenStream {
        let (name, gate) = (&self.name, &locals.gate);
        quote!(let mut #gate = #begin(#asked, &#name);)
    }

    /// Asks leaf after leaf until the gate has heard enough. One that has nothing to say here has no arm.
    fn ask_each<'s>(
        &'s self,
        calls: &Calls,
        locals: &Locals,
        ask: impl Fn(&'s Named<'a>) -> Option<TokenStream>,
    ) -> TokenStream {
        let Locals { answer, gate, leaf, .. } = locals;
        let (some, unknown) = (paths::some(Span::call_site()), (calls.unknown)(Span::call_site()));
        let stops = calls.stops.then(|| quote!(?));
        let (next, tell) = ((calls.next)(Span::call_site()), (calls.tell)(Span::call_site()));
        let arms = self.leaves.iter().enumerate().filter_map(|(position, leaf)| {
            let (position, arm) = (Literal::usize_unsuffixed(position), ask(leaf)?);
            Some(quote!(#position => #arm,))
        });
        quote! {
            while let #some(#leaf) = #next(&mut #gate) {
                let #answer = match #leaf {
                    #(#arms)*
                    _ => #unknown,
                };
                #tell(&mut #gate, #answer) #stops;
            }
        }
    }

    /// Checks at each leaf of a consumer's own expressions that it reads no captures.
    pub(super) fn no_captures_here(&self, block: &Block, cfgs: &[Attribute]) -> TokenStream {
        self.leaves.iter().filter_map(|leaf| leaf.no_captures_here(block, cfgs)).collect()
    }

    /// Checks at each leaf of a strict connect expression that it reads no captures.
    pub(super) fn no_captures_at_the_door(&self, block: &Block) -> TokenStream {
        self.leaves.iter().filter_map(|leaf| leaf.no_captures_at_the_door(block)).collect()
    }

    /// The same as statements inside the impl of a generic consumer.
    pub(super) fn no_captures_when_mounted(&self) -> TokenStream {
        self.leaves.iter().filter_map(Named::no_captures_when_mounted).collect()
    }
}

/// Which leaf comes next, and what it said.
struct Calls {
    next: fn(Span) -> TokenStream,
    tell: fn(Span) -> TokenStream,
    /// What one says that is not there.
    unknown: fn(Span) -> TokenStream,
    /// Does an answer end it all?
    stops: bool,
}

const OF_A_GATE: Calls = Calls { next: paths::next, tell: paths::tell, unknown: paths::unknown_leaf, stops: true };
const OF_THE_OBJECTS: Calls =
    Calls { next: paths::asking_next, tell: paths::asking_tell, unknown: paths::unknown_leaf, stops: true };
const OF_A_SIGHT: Calls =
    Calls { next: paths::sight_next, tell: paths::sight_tell, unknown: paths::unseen, stops: false };

fn tree(tree: &Tree) -> TokenStream {
    let expr = paths::expr(Span::call_site());
    let each = |parts: &[Tree]| parts.iter().map(self::tree).collect::<Vec<_>>();
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
            let part = self::tree(part);
            quote!(#expr::Not(&#part))
        }
        Tree::Leaf(leaf) => {
            let leaf = Literal::usize_unsuffixed(*leaf);
            quote!(#expr::Leaf(#leaf))
        }
    }
}
