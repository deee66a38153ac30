//! Permission expressions as they are written, quoted or bare: one grammar for both.
//!
//! `expr = all ("|" all)*`, `all = unary ("&" unary)*`, `unary = "!" unary | "(" expr ")" | leaf`,
//! `leaf = path | path "(" args ")"`.

use proc_macro2::{Punct, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Lit, LitStr, Path, PathArguments, PathSegment, Result, Token, parenthesized, token};

use super::keyed::refuse;
use super::quoted;

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

/// One permission: a type, or the call of its constructor.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) path: Path,
    pub(crate) arguments: Punctuated<Expr, Token![,]>,
    /// As an audit prints it; two leaves with one text are one leaf.
    pub(crate) text: String,
    /// The literal, or the last word of the path.
    pub(crate) span: Span,
}

const SHAPE: &str =
    "a permission is a type such as `IsAuthenticated` or a constructor call such as `HasRole(\"admin\")`";

impl Written {
    /// Reads a string literal, or the bare expression up to the next comma.
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Lit) && !input.peek(LitStr) {
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
        let tokens = quoted::tokens(&literal).map_err(|reason| wrong(&reason))?;
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
}

const EMPTY: &str =
    "the expression is empty; name a permission such as `IsAuthenticated`, or write `AllowAny` to let everybody in";

fn bare(input: ParseStream<'_>) -> Result<Written> {
    if input.peek(Ident) && input.fork().parse::<Ident>()? == "inherited" && ends(input, 1) {
        return Ok(Written::Inherited(input.parse::<Ident>()?.to_token_stream()));
    }
    let start = input.cursor();
    let tree = whole(input)?;
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
    // A bare expression ends at the comma before the next key; a quoted one has no business with commas.
    if input.is_empty() || (input.peek(Token![,]) && key_follows(input)) {
        return Ok(tree);
    }
    Err(unexpected(input))
}

fn key_follows(input: ParseStream<'_>) -> bool {
    let mut rest = input.cursor().token_stream().into_iter().skip(1);
    match (rest.next(), rest.next()) {
        (None, _) | (Some(TokenTree::Ident(_)), None) => true,
        (Some(TokenTree::Ident(_)), Some(TokenTree::Punct(punct))) => matches!(punct.as_char(), '=' | ','),
        _ => false,
    }
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
        return leaf(input).map(Tree::Leaf);
    }
    Err(unexpected(input))
}

fn dangling(operator: &Punct) -> syn::Error {
    let name = operator.as_char();
    refuse(operator, format_args!("`{name}` has nothing after it; name a permission there, or remove the `{name}`"))
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

fn leaf(input: ParseStream<'_>) -> Result<Leaf> {
    if let Some(error) = word(input) {
        return Err(error);
    }
    let path = path(input)?;
    let mut arguments = Punctuated::new();
    let mut text = quoted::print(path.to_token_stream());
    if input.peek(token::Paren) {
        let inside;
        parenthesized!(inside in input);
        arguments = inside.parse_terminated(Expr::parse, Token![,])?;
        text = format!("{text}({})", quoted::print(arguments.to_token_stream()));
    }
    let span = path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span());
    let leaf = Leaf { path, arguments, text, span };
    refuse_function(&leaf)?;
    Ok(leaf)
}

/// `HasRole::new("admin")` reads well, but a leaf names a type, and `new` is none.
fn refuse_function(leaf: &Leaf) -> Result<()> {
    let mut words = leaf.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let (Some(last), Some(owner)) = (words.next(), words.next()) else { return Ok(()) };
    if last.starts_with(char::is_lowercase) && owner.starts_with(char::is_uppercase) {
        let message = format_args!("`{last}` is a function of `{owner}`, not a permission; write `{owner}(…)` itself");
        return Err(refuse(&leaf.path, message));
    }
    Ok(())
}

/// A path with generics, without the `Fn(A) -> B` form, whose parentheses are a constructor's here.
fn path(input: ParseStream<'_>) -> Result<Path> {
    let mut path = Path { leading_colon: input.parse()?, segments: Punctuated::new() };
    loop {
        let mut segment = PathSegment::from(input.call(Ident::parse_any)?);
        if input.peek(Token![<]) || (input.peek(Token![::]) && input.peek3(Token![<])) {
            segment.arguments = PathArguments::AngleBracketed(input.parse()?);
        }
        path.segments.push_value(segment);
        if !input.peek(Token![::]) {
            return Ok(path);
        }
        path.segments.push_punct(input.parse()?);
    }
}

/// Words that other languages use for the operators, or that mean nothing inside an expression.
fn word(input: ParseStream<'_>) -> Option<syn::Error> {
    let word = input.fork().call(Ident::parse_any).ok()?;
    let message = match word.to_string().as_str() {
        "and" | "AND" => "`and` is not an operator; write `&`",
        "or" | "OR" => "`or` is not an operator; write `|`",
        "not" | "NOT" => "`not` is not an operator; write `!`",
        "inherited" => "`inherited` stands alone; write `permission = inherited`, or the whole expression without it",
        "true" => "`true` is no permission; write `AllowAny` to let everybody in",
        "false" => "`false` is no permission; write `DenyAll` to refuse everybody",
        _ => return None,
    };
    Some(refuse(word, message))
}

/// What to say about the next token, which cannot stand where it does.
fn unexpected(input: ParseStream<'_>) -> syn::Error {
    let at = input.span();
    let say = |message: &dyn std::fmt::Display| syn::Error::new(at, message);
    if input.peek(Token![&&]) {
        return doubled(input, "`&&` is not an operator of permission expressions; write `&`");
    }
    if input.peek(Token![||]) {
        return doubled(input, "`||` is not an operator of permission expressions; write `|`");
    }
    if let Some(error) = word(input) {
        return error;
    }
    match input.fork().parse::<TokenTree>() {
        Ok(TokenTree::Punct(punct)) => punctuation(&punct),
        Ok(TokenTree::Ident(word)) => say(&format_args!("expected `&` or `|` before `{word}`")),
        Ok(TokenTree::Group(group)) if group.delimiter() == proc_macro2::Delimiter::Parenthesis => {
            say(&"expected `&` or `|` before `(`")
        }
        Ok(other) => say(&format_args!("`{other}` is no permission; {SHAPE}")),
        Err(error) => error,
    }
}

fn doubled(input: ParseStream<'_>, message: &str) -> syn::Error {
    let tokens: TokenStream = input.cursor().token_stream().into_iter().take(2).collect();
    refuse(tokens, message)
}

fn punctuation(punct: &Punct) -> syn::Error {
    match punct.as_char() {
        '.' => refuse(punct, format_args!("`.` is not part of an expression; {SHAPE}")),
        ',' => refuse(punct, "`,` joins nothing; write `&` where both must hold, `|` where one is enough"),
        operator @ ('&' | '|') => refuse(
            punct,
            format_args!("`{operator}` has nothing before it; name a permission there, or remove the `{operator}`"),
        ),
        '~' | '-' => refuse(punct, format_args!("`{}` is not an operator; write `!`", punct.as_char())),
        '+' => refuse(punct, "`+` is not an operator; write `&`"),
        other => {
            refuse(punct, format_args!("`{other}` is not an operator; permissions are joined by `&`, `|` and `!`"))
        }
    }
}

impl Leaf {
    /// What to underline.
    pub(crate) fn at(&self) -> Span {
        self.path.span()
    }
}
