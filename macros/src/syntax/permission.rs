//! Permission expressions as they are written, quoted or bare: one grammar for both.
//!
//! `expr = all ("|" all)*`, `all = unary ("&" unary)*`, `unary = "!" unary | "(" expr ")" | leaf`; what a leaf is stands in
//! [`leaf`](super::leaf).

use proc_macro2::{Punct, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitBool, LitStr, Result, Token, parenthesized, token};

use super::key_value::refuse;
use super::leaf::Leaf;
use super::permission_errors::{EMPTY, SHAPE, dangling, unexpected};
use super::token_string;

/// The value of a `permission` key.
pub(crate) enum Written {
    /// `inherited`: what stands above the mount is in effect.
    Inherited(TokenStream),
    Asked(Expression),
}

/// An expression and what to underline when it makes no sense as a whole.
#[derive(Clone)]
pub(crate) struct Expression {
    pub(crate) tree: Tree,
    pub(crate) at: TokenStream,
}

/// The operators, flat: `A & B & C` is one `All` of three.
#[derive(Clone)]
pub(crate) enum Tree {
    Any(Vec<Tree>),
    All(Vec<Tree>),
    Not(Box<Tree>),
    Leaf(Leaf),
}

impl Written {
    /// Reads a string literal, or the bare expression up to the next comma.
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Lit) && !input.peek(LitStr) && !input.peek(LitBool) {
            let literal: Lit = input.parse()?;
            return Err(refuse(&literal, format_args!("`{}` is no permission; {SHAPE}", literal.to_token_stream())));
        }
        if !input.peek(LitStr) {
            return bare(input);
        }
        let literal: LitStr = input.parse()?;
        let (text, at) = (literal.value(), literal.to_token_stream());
        if text.trim() == "inherited" {
            return Ok(Self::Inherited(at));
        }
        let wrong = |reason: &dyn std::fmt::Display| refuse(&literal, format_args!("{reason} (in `{}`)", text.trim()));
        let tokens = token_string::tokens(&literal).map_err(|reason| wrong(&reason))?;
        if tokens.is_empty() {
            return Err(refuse(&literal, EMPTY));
        }
        let tree = whole.parse2(tokens).map_err(|error| wrong(&error))?;
        Ok(Self::Asked(Expression { tree, at }))
    }

    /// The expression, where `inherited` means nothing.
    pub(crate) fn asked(self) -> Result<Expression> {
        match self {
            Self::Asked(expression) => Ok(expression),
            Self::Inherited(at) => Err(refuse(
                at,
                "`inherited` goes on a `#[handler]` block only; name a permission here, or leave the key out",
            )),
        }
    }

    /// The expression of what must have one, and has nothing above it.
    pub(crate) fn of_its_own(self) -> Result<Expression> {
        match self {
            Self::Asked(expression) => Ok(expression),
            Self::Inherited(at) => Err(refuse(
                at,
                "there is nothing to inherit from here; name a permission, or write `AllowAny` if everybody may pass",
            )),
        }
    }
}

fn bare(input: ParseStream<'_>) -> Result<Written> {
    if input.peek(Ident) && input.fork().parse::<Ident>()? == "inherited" && ends(input, 1) {
        return Ok(Written::Inherited(input.parse::<Ident>()?.to_token_stream()));
    }
    let start = input.cursor();
    let tree = up_to_comma(input)?;
    let at = start.token_stream().into_iter().take_while(|token| !is_comma(token)).collect();
    Ok(Written::Asked(Expression { tree, at }))
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// Does the value end after `count` more tokens?
fn ends(input: ParseStream<'_>, count: usize) -> bool {
    input.cursor().token_stream().into_iter().nth(count).is_none_or(|token| is_comma(&token))
}

fn whole(input: ParseStream<'_>) -> Result<Tree> {
    let tree = any(input, None)?;
    if input.is_empty() { Ok(tree) } else { Err(unexpected(input)) }
}

/// Up to the comma before the next key.
fn up_to_comma(input: ParseStream<'_>) -> Result<Tree> {
    let tree = any(input, None)?;
    if input.is_empty() || input.peek(Token![,]) { Ok(tree) } else { Err(unexpected(input)) }
}

fn any(input: ParseStream<'_>, before: Option<&Punct>) -> Result<Tree> {
    let mut parts = vec![all(input, before)?];
    while input.peek(Token![|]) && !input.peek(Token![||]) {
        let operator: Punct = input.parse()?;
        parts.push(all(input, Some(&operator))?);
    }
    Ok(joined(parts, Tree::Any))
}

fn all(input: ParseStream<'_>, before: Option<&Punct>) -> Result<Tree> {
    let mut parts = vec![unary(input, before)?];
    while input.peek(Token![&]) && !input.peek(Token![&&]) {
        let operator: Punct = input.parse()?;
        parts.push(unary(input, Some(&operator))?);
    }
    Ok(joined(parts, Tree::All))
}

fn joined(mut parts: Vec<Tree>, join: fn(Vec<Tree>) -> Tree) -> Tree {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

fn unary(input: ParseStream<'_>, before: Option<&Punct>) -> Result<Tree> {
    if input.peek(Token![!]) && !input.peek(Token![!=]) {
        let operator: Punct = input.parse()?;
        return Ok(Tree::Not(Box::new(unary(input, Some(&operator))?)));
    }
    if input.peek(token::Paren) {
        return parentheses(input);
    }
    if input.is_empty() || input.peek(Token![,]) {
        return Err(match before {
            Some(operator) => dangling(operator),
            None => input.error(EMPTY),
        });
    }
    if input.peek(Ident::peek_any) || input.peek(Token![::]) {
        return Leaf::parse(input).map(Tree::Leaf);
    }
    Err(unexpected(input))
}

fn parentheses(input: ParseStream<'_>) -> Result<Tree> {
    let inside;
    let paren = parenthesized!(inside in input);
    if inside.is_empty() {
        return Err(syn::Error::new(paren.span.join(), format_args!("`()` is empty; {SHAPE}")));
    }
    let tree = any(&inside, None)?;
    if inside.is_empty() { Ok(tree) } else { Err(unexpected(&inside)) }
}

#[cfg(test)]
mod tests {
    use super::{Tree, Written};
    use quote::ToTokens;
    use syn::LitStr;
    use syn::parse::Parser;

    fn read(tokens: proc_macro2::TokenStream) -> Result<Written, String> {
        Written::parse.parse2(tokens).map_err(|error| error.to_string())
    }

    fn bare(text: &str) -> Result<Written, String> {
        read(text.parse().unwrap())
    }

    fn quoted(text: &str) -> Result<Written, String> {
        read(LitStr::new(text, proc_macro2::Span::call_site()).to_token_stream())
    }

    /// The tree with each operator in front of its parts.
    fn shape(tree: &Tree) -> String {
        let parts = |parts: &[Tree]| parts.iter().map(shape).collect::<Vec<_>>().join(" ");
        match tree {
            Tree::Any(inner) => format!("(| {})", parts(inner)),
            Tree::All(inner) => format!("(& {})", parts(inner)),
            Tree::Not(inner) => format!("!{}", shape(inner)),
            Tree::Leaf(leaf) => leaf.text.clone(),
        }
    }

    fn shown(written: Result<Written, String>) -> String {
        shape(&written.unwrap().asked().unwrap().tree)
    }

    #[test]
    fn quoted_and_bare_are_one_grammar() {
        for (text, expected) in [
            ("A", "A"),
            ("A & B & C", "(& A B C)"),
            ("A | B & C", "(| A (& B C))"),
            ("(A | B) & !C", "(& (| A B) !C)"),
            ("!(A & B) | !!C", "(| !(& A B) !!C)"),
            ("((A))", "A"),
            (
                "HasRole(\"a & b)\", 3) & crate::perms::Owner<Room>",
                "(& HasRole(\"a & b)\", 3) crate::perms::Owner<Room>)",
            ),
            ("::rules::A::<B, C>() | D", "(| ::rules::A::<B, C> D)"),
            ("A & B & (C & D)", "(& A B (& C D))"),
            ("A(b) | chat.read & !c::d.e(f)", "(| A(b) (& chat.read !c::d.e(f)))"),
            ("A(|x|return x)", "A(|x|return x)"),
        ] {
            assert_eq!(shown(bare(text)), expected, "bare {text}");
            assert_eq!(shown(quoted(text)), expected, "quoted {text}");
        }
    }

    #[test]
    fn inherited_is_a_word_alone() {
        assert!(matches!(bare("inherited"), Ok(Written::Inherited(_))));
        assert!(matches!(quoted(" inherited "), Ok(Written::Inherited(_))));
        for text in ["inherited & A", "A | inherited", "!inherited"] {
            assert!(quoted(text).is_err_and(|told| told.contains("stands alone")), "{text}");
            assert!(bare(text).is_err_and(|told| told.contains("stands alone")), "{text}");
        }
    }

    #[test]
    fn each_mistake_has_its_words_and_quotes_the_text() {
        for (text, words) in [
            ("", "the expression is empty"),
            ("A && B", "`&&` is not an operator"),
            ("A || B", "`||` is not an operator"),
            ("A and B", "write `&`"),
            ("A or B", "write `|`"),
            ("not A", "write `!`"),
            ("A &", "`&` has nothing after it"),
            ("& A", "`&` has nothing before it"),
            ("A | & B", "`&` has nothing before it"),
            ("A & !", "`!` has nothing after it"),
            ("A B", "expected `&` or `|` before `B`"),
            ("A (B)(C)", "expected `&` or `|` before `(`"),
            ("(A", "`(` is never closed"),
            ("A)", "`)` closes nothing"),
            ("A & ()", "`()` is empty"),
            (".a", "`.` cannot stand here; a codename is written `chat.can_use_chat`"),
            ("A & .a", "`.` cannot stand here"),
            ("A(3).b", "`.` cannot stand here"),
            ("a.", "`.` has no name after it"),
            ("a. & B", "`.` has no name after it"),
            ("A.B()", "`()` is empty; write `A.B`"),
            ("a.b(c)(d)", "expected `&` or `|` before `(`"),
            ("A, B", "`,` joins nothing"),
            ("A + B", "`+` is not an operator"),
            ("~A", "write `!`"),
            ("A = B", "`=` is not an operator"),
            ("5", "`5` is no permission"),
            ("true", "write `AllowAny`"),
            ("false", "write `DenyAll`"),
            ("Owner(return)", "`return` would leave the check"),
            ("A & Owner(1, { x?; 3 })", "`?` would leave the check"),
            ("Owner(load().await)", "`.await` would leave the check"),
            ("Owner(some!(if a { break }))", "`break` would leave the check"),
            ("Owner::new(3)", "write `Owner(…)` itself"),
        ] {
            let told = quoted(text).map(|_| ()).unwrap_err();
            assert!(told.contains(words), "{text}: {told}");
            assert!(text.is_empty() || told.ends_with(&format!("(in `{text}`)")), "{text}: {told}");
        }
    }

    #[test]
    fn a_bare_expression_ends_at_the_comma() {
        let mut rest = String::new();
        let parser = |input: syn::parse::ParseStream<'_>| {
            let written = Written::parse(input)?;
            rest = input.parse::<proc_macro2::TokenStream>()?.to_string();
            Ok(written)
        };
        let written = parser.parse_str("A<B, C> & D(1, 2), name = \"x\"").map_err(|error| error.to_string());
        assert_eq!(shown(written), "(& A<B, C> D(1, 2))");
        assert_eq!(rest, ", name = \"x\"");
    }
}
