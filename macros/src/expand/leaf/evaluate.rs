//! One leaf in generated code: what it is called there, and the calls that ask it.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Generics, PathArguments, Token};

use crate::expand::object_parameters;
use crate::expand::paths::{self, Locals};
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::expression::{Expression, object_permission_name};
use crate::model::object::Object;
use crate::model::parameter::{Parameter, ParameterKind};
use crate::model::{Leaf, respan};

/// A leaf with its name, and with the parameter that it is about.
pub(in crate::expand) struct Named<'a> {
    pub(in crate::expand) leaf: &'a Leaf,
    /// By its alias, or as it stands where it names the block's own generics.
    pub(in crate::expand) name: TokenStream,
    about: Option<About<'a>>,
    /// Does it stand under a `!`?
    denied: bool,
}

struct About<'a> {
    position: usize,
    /// The local that holds the parameter.
    local: Ident,
    parameter: &'a Parameter,
    /// Nothing of what is no object.
    object: Option<&'a Object>,
}

/// The leaves of an expression; `role` makes the names unique within the block: `Action0`, `Connect`.
pub(in crate::expand) fn named<'a>(
    expression: &'a Expression,
    role: &str,
    generics: &Generics,
    action: Option<&'a Action>,
) -> Vec<Named<'a>> {
    let leaves =
        expression.leaves.iter().zip(expression.negated_leaves()).enumerate().map(|(position, (leaf, denied))| {
            let name = if mentions(leaf.path.to_token_stream(), generics) {
                // All at one span, or the compiler tells twice that it is no permission.
                respan(leaf_path(leaf), leaf.span)
            } else {
                alias(leaf, role, position).to_token_stream()
            };
            let named = leaf.subject.as_ref().zip(action).and_then(|(about, action)| action.find_parameter(about));
            let about = named.map(|(position, parameter)| {
                let object = match &parameter.kind {
                    ParameterKind::Object(object) => Some(object),
                    _ => None,
                };
                let ty = object.map_or(&parameter.ty, |object| &object.ty);
                About { position, local: paths::parameter(position, ty), parameter, object }
            });
            Named { leaf, name, about, denied }
        });
    leaves.collect()
}

/// One alias a leaf: its path is resolved there and only there, so a misspelled one is told once.
pub(in crate::expand) fn aliases(
    expression: &Expression,
    role: &str,
    generics: &Generics,
    cfgs: &[Attribute],
) -> TokenStream {
    let leaves = expression.leaves.iter().enumerate();
    let nameable = leaves.filter(|(_, leaf)| !mentions(leaf.path.to_token_stream(), generics));
    let aliases = nameable.map(|(position, leaf)| {
        let (name, path) = (alias(leaf, role, position), &leaf.path);
        if leaf.is_codename {
            let codename = paths::codename(leaf.span);
            return quote!(#(#cfgs)* const #name: #codename = #path;);
        }
        quote!(#(#cfgs)* type #name = #path;)
    });
    aliases.collect()
}

/// A constant is written in upper case: lints look at a name with the user's span.
fn alias(leaf: &Leaf, role: &str, position: usize) -> Ident {
    if leaf.is_codename {
        let role = role.to_uppercase();
        return format_ident!("__{role}LEAF{position}", span = leaf.span);
    }
    format_ident!("__{role}Leaf{position}", span = leaf.span)
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
pub(in crate::expand) fn mentions(tokens: TokenStream, generics: &Generics) -> bool {
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

impl Named<'_> {
    /// Is it about that parameter?
    pub(in crate::expand) fn is_about(&self, position: usize) -> bool {
        self.about.as_ref().is_some_and(|about| about.position == position)
    }

    /// The row for the captures that it reads; a codename reads none.
    pub(in crate::expand) fn need(&self) -> Option<TokenStream> {
        let (need, by) = (paths::need(Span::call_site()), self.by());
        let captures = self.captures()?;
        let captures = match self.weighed() {
            Some(weighed) => quote!({ #weighed #captures }),
            None => captures,
        };
        Some(quote!(#need { by: #by, captures: #captures },))
    }

    /// What only the types can tell of a leaf about an object: that it asks anything, and that its opposite means what it
    /// says.
    fn weighed(&self) -> Option<TokenStream> {
        let (leaf, span) = (self.leaf, self.leaf.span);
        let about =
            self.about.as_ref().filter(|_| object_permission_name(leaf).is_some_and(|word| word != "AllowAny"))?;
        let (itself, asks, text, name) = (self.itself()?, paths::asks(span), &leaf.text, &about.parameter.name);
        let told = format!("`{text}` holds for every object there is; write `AllowAny({name})`");
        let told = respanned(&told, span);
        let asks = quote_spanned!(span=> #asks(#itself::ALWAYS, #told););
        let object = about.object.filter(|_| self.denied);
        let single = object.map(|object| {
            let (single, held) = (paths::single_only(span), object_parameters::held(about.parameter, object));
            let told = format!(
                "`{text}` is not about one object alone, so no `!` can stand over it; ask a permission that says the opposite instead"
            );
            let told = respanned(&told, span);
            quote_spanned!(span=> #single(#held::SINGLE, #told);)
        });
        Some(quote!(#asks #single))
    }

    fn by(&self) -> String {
        format!("permission `{}`", self.leaf.text)
    }

    /// The trait by which `handler` asks it.
    fn asked_by(&self, handler: &TokenStream) -> Option<TokenStream> {
        let (leaf, span) = (self.leaf, self.leaf.span);
        if leaf.is_codename {
            return None;
        }
        if leaf.subject.is_none() {
            let permission = paths::permission(span);
            return Some(quote_spanned!(span=> #permission<#handler>));
        }
        let about = self.about.as_ref()?;
        // By its type and not by what stands in it: what it is called says nothing of what it loads.
        let held = object_parameters::held(about.parameter, about.object?);
        let permission = paths::object_permission(span);
        Some(quote_spanned!(span=> #permission<#held::Item, #handler>))
    }

    /// `<Leaf as Permission<Self>>`
    fn itself(&self) -> Option<TokenStream> {
        let (span, name) = (self.leaf.span, &self.name);
        let asked_by = self.asked_by(&quote_spanned!(span=> Self))?;
        Some(quote_spanned!(span=> <#name as #asked_by>))
    }

    pub(in crate::expand) fn captures(&self) -> Option<TokenStream> {
        let itself = self.itself()?;
        Some(quote_spanned!(self.leaf.span=> #itself::CAPTURES))
    }

    /// What it says of a message; nothing where it is about a parameter.
    pub(in crate::expand) fn ask(&self, locals: &Locals) -> Option<TokenStream> {
        let Locals { call, handler, .. } = locals;
        let (span, name) = (self.leaf.span, &self.name);
        if self.leaf.subject.is_some() {
            return None;
        }
        if self.leaf.is_codename {
            let may = paths::may(span);
            return Some(quote_spanned!(span=> #may(#call, #name).await));
        }
        let (itself, value, captures) = (self.itself()?, self.value(), self.captures()?);
        let context = paths::context(Span::call_site());
        Some(quote_spanned! {span=>
            #itself::has_permission(&#value, #handler, &#context(#call, #captures)).await
        })
    }

    /// The same before objects are loaded, when one about an object may have nothing to say yet.
    pub(in crate::expand) fn ask_beforehand(&self, locals: &Locals) -> Option<TokenStream> {
        let (beforehand, none) = (paths::beforehand(Span::call_site()), paths::none(Span::call_site()));
        if self.leaf.subject.is_none() {
            return self.ask(locals).as_ref().map(mapped);
        }
        if self.leaf.is_codename {
            return Some(quote!(#beforehand(#none)));
        }
        let itself = self.itself()?;
        let always = quote_spanned!(self.leaf.span=> #itself::ALWAYS);
        Some(quote!(#beforehand(#always)))
    }

    /// What it says of the parameter that it is about.
    pub(in crate::expand) fn ask_about(&self, locals: &Locals) -> Option<TokenStream> {
        let Locals { call, handler, .. } = locals;
        let (span, name, about) = (self.leaf.span, &self.name, self.about.as_ref()?);
        if !self.leaf.is_codename {
            return self.ask_each(&about.local, locals);
        }
        if about.object.is_some() {
            let (may, subject) = (paths::loading_may(span), paths::shown_at(&about.local, span));
            return Some(quote_spanned!(span=> #may(&mut #subject, #handler, #call, #name).await));
        }
        // What cannot be such a parameter is told at its name.
        let at = self.leaf.subject.as_ref().map_or(span, Ident::span);
        let (may, subject) = (paths::may_on(at), paths::shown_at(&about.local, at));
        Some(quote_spanned!(at=> #may(#call, #name, &#subject).await))
    }

    /// Asks about one object after the other.
    fn ask_each(&self, subject: &Ident, locals: &Locals) -> Option<TokenStream> {
        let Locals { asked, call, handler, object, said, .. } = locals;
        let (span, site, at) = (self.leaf.span, Span::call_site(), subject.span());
        let (itself, value, captures) = (self.itself()?, self.value(), self.captures()?);
        let (context, some, begin) = (paths::context(site), paths::some(site), paths::loading_asked(at));
        let (next, tell, answer) = (paths::asked_next(site), paths::asked_tell(site), paths::asked_answer(site));
        let started = quote_spanned!(at=> #begin(&mut #subject, #handler, #call).await);
        let ask = quote_spanned! {span=>
            #itself::has_object_permission(&#value, #handler, &#context(#call, #captures), #object).await
        };
        Some(quote! {{
            let mut #asked = #started;
            while let #some(#object) = #next(&mut #asked) {
                let #said = #ask;
                #tell(&mut #asked, #said);
            }
            #answer(#asked)
        }})
    }

    /// What it says at the door.
    pub(in crate::expand) fn ask_connect(&self, locals: &Locals) -> Option<TokenStream> {
        let Locals { cx, handler, .. } = locals;
        if self.leaf.is_codename {
            let no_opinion = paths::no_opinion(Span::call_site());
            return Some(quote!(#no_opinion()));
        }
        let (itself, value) = (self.itself()?, self.value());
        Some(quote_spanned!(self.leaf.span=> #itself::can_connect(&#value, #handler, #cx).await))
    }

    /// The same, where one without opinion is asked what it says to messages.
    pub(in crate::expand) fn ask_strictly(&self, locals: &Locals) -> Option<TokenStream> {
        let Locals { answer, cx, handler, .. } = locals;
        let (span, name) = (self.leaf.span, &self.name);
        if self.leaf.is_codename {
            let may = paths::may_connect(span);
            return Some(mapped(&quote_spanned!(span=> #may(#cx, #name).await)));
        }
        let (ok, none) = (paths::ok(Span::call_site()), paths::none(Span::call_site()));
        let context = paths::as_context(Span::call_site());
        let (itself, value, first) = (self.itself()?, self.value(), self.ask_connect(locals)?);
        let second = mapped(&quote_spanned! {span=>
            #itself::has_permission(&#value, #handler, &#context(#cx)).await
        });
        Some(quote! {
            match #first {
                #ok(#none) => #second,
                #answer => #answer,
            }
        })
    }

    /// The leaf as a value: `Owner {}`, `HasRole { 0: "admin" }`. Braces take an alias, parentheses do not.
    pub(in crate::expand) fn value(&self) -> TokenStream {
        let (name, span) = (&self.name, self.leaf.span);
        let fields = self.leaf.arguments.iter().enumerate().map(|(position, argument)| {
            let mut position = Literal::usize_unsuffixed(position);
            position.set_span(span);
            quote_spanned!(span=> #position: #argument)
        });
        quote_spanned!(span=> #name { #(#fields),* })
    }

    /// Checks that it reads no captures where there are none.
    pub(in crate::expand) fn no_captures_here(&self, block: &Block, cfgs: &[Attribute]) -> Option<TokenStream> {
        self.no_captures(&paths::no_captures_here(self.leaf.span), &self.by(), block, cfgs)
    }

    /// The same at the door.
    pub(in crate::expand) fn no_captures_at_the_door(&self, block: &Block) -> Option<TokenStream> {
        self.no_captures(&paths::no_captures(self.leaf.span), &self.leaf.text, block, &[])
    }

    /// The same as a statement inside the impl of a generic consumer.
    pub(in crate::expand) fn no_captures_when_mounted(&self) -> Option<TokenStream> {
        let (check, by) = (paths::no_captures(self.leaf.span), respanned(&self.leaf.text, self.leaf.span));
        let captures = self.captures()?;
        Some(quote_spanned!(self.leaf.span=> #check(#by, #captures);))
    }

    fn no_captures(&self, check: &TokenStream, by: &str, block: &Block, cfgs: &[Attribute]) -> Option<TokenStream> {
        let (span, by) = (self.leaf.span, respanned(by, self.leaf.span));
        let handler = block.ty.to_token_stream();
        // It stands outside of the impl, where `Self` means nothing.
        let own = respan(handler.clone(), span);
        let (name, asked_by) = (without_self(self.name.clone(), &own), without_self(self.asked_by(&handler)?, &own));
        let checked = quote_spanned!(span=> #check(#by, <#name as #asked_by>::CAPTURES));
        Some(quote!(#(#cfgs)* const _: () = #checked;))
    }
}

/// A yes or no as an opinion.
fn mapped(answer: &TokenStream) -> TokenStream {
    let (map, some) = (paths::map(Span::call_site()), paths::some(Span::call_site()));
    quote!(#map(#answer, #some))
}

/// The tokens with the type itself for `Self`.
pub(in crate::expand) fn without_self(tokens: TokenStream, own: &TokenStream) -> TokenStream {
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

pub(in crate::expand) fn respanned(text: &str, span: Span) -> Literal {
    let mut literal = Literal::string(text);
    literal.set_span(span);
    literal
}
