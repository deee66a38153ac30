//! Permission expressions as the tree that the runtime evaluates, and the calls of their leaves.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Generics, PathArguments, Token};

use super::paths::{self, Locals};
use crate::model::block::Block;
use crate::model::expression::{Expression, Tree};
use crate::model::{Leaf, respan};

/// An expression with the names of what is generated for it.
pub(super) struct Gate<'a> {
    expression: &'a Expression,
    /// The static that node and gate share.
    name: Ident,
    /// How to write each leaf's type: by its alias, or as it stands where it names the block's own generics.
    leaves: Vec<TokenStream>,
}

impl<'a> Gate<'a> {
    /// `role` makes the names unique within the block: `Action0`, `Connect`.
    pub(super) fn new(expression: &'a Expression, role: &str, generics: &Generics) -> Self {
        let leaves = expression.leaves.iter().enumerate();
        let leaves = leaves.map(|(position, leaf)| {
            if mentions(leaf.path.to_token_stream(), generics) {
                // All at one span, or the compiler tells twice that it is no permission.
                respan(leaf_path(leaf), leaf.span)
            } else {
                alias(role, position, leaf.span).to_token_stream()
            }
        });
        let name = format_ident!("__{}", role.to_uppercase());
        Self { expression, name, leaves: leaves.collect() }
    }

    /// What stands beside the impls: the tree, and one alias a leaf.
    pub(super) fn items(&self, role: &str, generics: &Generics, cfgs: &[Attribute]) -> TokenStream {
        let aliases = aliases(self.expression, role, generics, cfgs);
        let (name, expression) = (&self.name, paths::expression(Span::call_site()));
        let tree = tree(&self.expression.tree);
        let texts = self.expression.leaves.iter().map(|leaf| &leaf.text);
        quote! {
            #aliases
            #(#cfgs)*
            static #name: #expression = #expression { tree: #tree, leaves: &[#(#texts),*] };
        }
    }

    /// `&EXPRESSION`, as the node holds it.
    pub(super) fn reference(&self) -> TokenStream {
        let name = &self.name;
        quote!(&#name)
    }

    /// One row a leaf: the captures it reads.
    pub(super) fn needs(&self) -> TokenStream {
        let need = paths::need(Span::call_site());
        let rows = self.leaves().map(|(leaf, ty)| {
            let (by, captures) = (format!("permission `{}`", leaf.text), captures(leaf, ty));
            quote!(#need { by: #by, captures: #captures })
        });
        quote!(#(#rows,)*)
    }

    fn leaves(&self) -> impl Iterator<Item = (&Leaf, &TokenStream)> {
        self.expression.leaves.iter().zip(&self.leaves)
    }

    /// Asks the leaves about a message; ends with `finish(__admitted)`.
    pub(super) fn ask(&self, locals: &Locals) -> TokenStream {
        let Locals { admitted, call, gate, handler, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_call(Span::call_site()), call, locals);
        let (finish, context) = (paths::finish(Span::call_site()), paths::context(Span::call_site()));
        let arms = self.leaves().map(|(leaf, ty)| {
            let (span, permission, value) = (leaf.span, paths::permission(leaf.span), value(leaf, ty));
            let captures = captures(leaf, ty);
            quote_spanned! {span=>
                <#ty as #permission<Self>>::has_permission(&#value, #handler, &#context(#call, #captures)).await
            }
        });
        let asked = loop_over(arms, locals);
        quote!(#begin #asked #finish(#gate, #admitted))
    }

    /// Asks the leaves at the door.
    pub(super) fn ask_connect(&self, locals: &Locals) -> TokenStream {
        let Locals { cx, gate, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_connection(Span::call_site()), cx, locals);
        let arms = self.leaves().map(|(leaf, ty)| can_connect(leaf, ty, locals));
        let (asked, finish) = (loop_over(arms, locals), paths::finish_connect(Span::call_site()));
        quote!(#begin #asked #finish(#gate))
    }

    /// Asks the leaves at the door, and those without opinion what they say to messages.
    pub(super) fn ask_strictly(&self, locals: &Locals) -> TokenStream {
        let Locals { answer, cx, gate, handler, .. } = locals;
        let begin = self.begin(&paths::gate_of_a_connection(Span::call_site()), cx, locals);
        let (ok, none, some) =
            (paths::ok(Span::call_site()), paths::none(Span::call_site()), paths::some(Span::call_site()));
        let (context, map) = (paths::as_context(Span::call_site()), paths::map(Span::call_site()));
        let arms = self.leaves().map(|(leaf, ty)| {
            let (span, permission, value) = (leaf.span, paths::permission(leaf.span), value(leaf, ty));
            let first = can_connect(leaf, ty, locals);
            let second = quote_spanned! {span=>
                <#ty as #permission<Self>>::has_permission(&#value, #handler, &#context(#cx)).await
            };
            quote! {
                match #first {
                    #ok(#none) => #map(#second, #some),
                    #answer => #answer,
                }
            }
        });
        let (asked, finish) = (loop_over(arms, locals), paths::finish_connect_strictly(Span::call_site()));
        quote!(#begin #asked #finish(#gate))
    }

    /// What generated code calls is called by its path: a trait of the user's may have methods of the same names.
    fn begin(&self, begin: &TokenStream, asked: &Ident, locals: &Locals) -> TokenStream {
        let (name, gate) = (&self.name, &locals.gate);
        quote!(let mut #gate = #begin(#asked, &#name);)
    }

    /// Checks at each leaf of a consumer's own expressions that it reads no captures.
    pub(super) fn no_captures_here(&self, block: &Block, cfgs: &[Attribute]) -> TokenStream {
        let checks = self.leaves().map(|(leaf, ty)| {
            let (check, by) = (paths::no_captures_here(leaf.span), format!("permission `{}`", leaf.text));
            no_captures(&check, &by, leaf, ty, block, cfgs)
        });
        checks.collect()
    }

    /// Checks at each leaf of a strict connect expression that it reads no captures.
    pub(super) fn no_captures_at_the_door(&self, block: &Block) -> TokenStream {
        let checks = self
            .leaves()
            .map(|(leaf, ty)| no_captures(&paths::no_captures(leaf.span), &leaf.text, leaf, ty, block, &[]));
        checks.collect()
    }

    /// The same as statements inside the impl of a generic consumer.
    pub(super) fn no_captures_when_mounted(&self) -> TokenStream {
        let checks = self.leaves().map(|(leaf, ty)| {
            let (check, by) = (paths::no_captures(leaf.span), respanned(Literal::string(&leaf.text), leaf.span));
            let captures = captures(leaf, ty);
            quote_spanned!(leaf.span=> #check(#by, #captures);)
        });
        checks.collect()
    }
}

/// One alias a leaf: its path is resolved there and only there, so a misspelled one is told once.
pub(super) fn aliases(expression: &Expression, role: &str, generics: &Generics, cfgs: &[Attribute]) -> TokenStream {
    let leaves = expression.leaves.iter().enumerate();
    let nameable = leaves.filter(|(_, leaf)| !mentions(leaf.path.to_token_stream(), generics));
    let aliases = nameable.map(|(position, leaf)| {
        let (name, path) = (alias(role, position, leaf.span), &leaf.path);
        quote!(#(#cfgs)* type #name = #path;)
    });
    aliases.collect()
}

/// Asks leaf after leaf until the gate has heard enough.
fn loop_over(arms: impl Iterator<Item = TokenStream>, locals: &Locals) -> TokenStream {
    let Locals { answer, gate, leaf, .. } = locals;
    let (some, unknown) = (paths::some(Span::call_site()), paths::unknown_leaf(Span::call_site()));
    let (next, tell) = (paths::next(Span::call_site()), paths::tell(Span::call_site()));
    let arms = arms.enumerate().map(|(position, arm)| {
        let position = Literal::usize_unsuffixed(position);
        quote!(#position => #arm,)
    });
    quote! {
        while let #some(#leaf) = #next(&mut #gate) {
            let #answer = match #leaf {
                #(#arms)*
                _ => #unknown(),
            };
            #tell(&mut #gate, #answer)?;
        }
    }
}

fn no_captures(
    check: &TokenStream,
    by: &str,
    leaf: &Leaf,
    ty: &TokenStream,
    block: &Block,
    cfgs: &[Attribute],
) -> TokenStream {
    let (handler, permission, by) =
        (&block.ty, paths::permission(leaf.span), respanned(Literal::string(by), leaf.span));
    // It stands outside of the impl, where `Self` means nothing.
    let ty = without_self(ty.clone(), &respan(handler.to_token_stream(), leaf.span));
    quote_spanned!(leaf.span=> #(#cfgs)* const _: () = #check(#by, <#ty as #permission<#handler>>::CAPTURES);)
}

/// The tokens with the type itself for `Self`.
fn without_self(tokens: TokenStream, own: &TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "Self" => {
                let qualifies = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                out.extend(if qualifies { quote_spanned!(word.span()=> <#own>) } else { own.clone() });
            }
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), without_self(group.stream(), own));
                inside.set_span(group.span());
                out.extend([TokenTree::Group(inside)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

fn respanned(mut literal: Literal, span: Span) -> Literal {
    literal.set_span(span);
    literal
}

fn can_connect(leaf: &Leaf, ty: &TokenStream, locals: &Locals) -> TokenStream {
    let Locals { cx, handler, .. } = locals;
    let (span, permission, value) = (leaf.span, paths::permission(leaf.span), value(leaf, ty));
    quote_spanned!(span=> <#ty as #permission<Self>>::can_connect(&#value, #handler, #cx).await)
}

fn captures(leaf: &Leaf, ty: &TokenStream) -> TokenStream {
    let permission = paths::permission(leaf.span);
    quote_spanned!(leaf.span=> <#ty as #permission<Self>>::CAPTURES)
}

/// The leaf as a value: `Owner {}`, `HasRole { 0: "admin" }`. Braces take an alias, parentheses do not.
fn value(leaf: &Leaf, ty: &TokenStream) -> TokenStream {
    let fields = leaf.arguments.iter().enumerate().map(|(position, argument)| {
        let mut position = Literal::usize_unsuffixed(position);
        position.set_span(leaf.span);
        quote_spanned!(leaf.span=> #position: #argument)
    });
    let ty = ty.clone();
    quote_spanned!(leaf.span=> #ty { #(#fields),* })
}

fn alias(role: &str, position: usize, span: Span) -> Ident {
    format_ident!("__{role}Leaf{position}", span = span)
}

/// The path in a form that is a type and the head of a value alike.
fn leaf_path(leaf: &Leaf) -> TokenStream {
    let mut path = leaf.path.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token.get_or_insert(Token![::](leaf.span));
        }
    }
    path.to_token_stream()
}

/// Does it name `Self` or a parameter of the block?
pub(super) fn mentions(tokens: TokenStream, generics: &Generics) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "Self" || own(generics, &word),
        TokenTree::Group(group) => mentions(group.stream(), generics),
        _ => false,
    })
}

fn own(generics: &Generics, word: &Ident) -> bool {
    let types = generics.type_params().map(|parameter| &parameter.ident);
    types.chain(generics.const_params().map(|parameter| &parameter.ident)).any(|ident| ident == word)
}

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
