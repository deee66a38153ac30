//! The syntax of permission expressions. Quoted and bare expressions have the same grammar.
//!
//! `expr = all ("|" all)*`, `all = unary ("&" unary)*`, `unary = "!" unary | "(" expr ")" | leaf`. The grammar of a leaf is
//! in [`leaf`](super::leaf).

use proc_macro2::{Punct, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitBool, LitStr, Result, Token, parenthesized, token};

use super::key_value::error_at;
use super::leaf::Leaf;
use super::permission_errors::{EMPTY_EXPRESSION, PERMISSION_HINT, dangling_operator_error, unexpected_token_error};
use super::token_string;

/// The value of a `permission` key.
pub(crate) enum PermissionValue {
    /// `inherited`: the permission in effect where the handler is mounted applies.
    Inherited(TokenStream),
    Expression(Box<PermissionSyntax>),
}

/// A parsed expression. Errors about the whole expression underline `tokens`.
#[derive(Clone)]
pub(crate) struct PermissionSyntax {
    pub(crate) tree: SyntaxTree,
    pub(crate) tokens: TokenStream,
}

/// The operators of an expression. Chains are flat: `A & B & C` is one `All` with three operands.
#[derive(Clone)]
pub(crate) enum SyntaxTree {
    Any(Vec<SyntaxTree>),
    All(Vec<SyntaxTree>),
    Not(Box<SyntaxTree>),
    Leaf(Leaf),
}

impl PermissionValue {
    /// Parses a string literal, or a bare expression up to the next comma.
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Lit) && !input.peek(LitStr) && !input.peek(LitBool) {
            let literal: Lit = input.parse()?;
            return Err(error_at(
                &literal,
                format_args!("`{}` is not a permission; {PERMISSION_HINT}", literal.to_token_stream()),
            ));
        }
        if !input.peek(LitStr) {
            return parse_bare(input);
        }
        let literal: LitStr = input.parse()?;
        let (text, tokens) = (literal.value(), literal.to_token_stream());
        if text.trim() == "inherited" {
            return Ok(Self::Inherited(tokens));
        }
        let error =
            |reason: &dyn std::fmt::Display| error_at(&literal, format_args!("{reason} (in `{}`)", text.trim()));
        let parsed = token_string::parse_tokens(&literal).map_err(|reason| error(&reason))?;
        if parsed.is_empty() {
            return Err(error_at(&literal, EMPTY_EXPRESSION));
        }
        let tree = parse_complete.parse2(parsed).map_err(|reason| error(&reason))?;
        Ok(Self::Expression(Box::new(PermissionSyntax { tree, tokens })))
    }

    /// Returns the expression of a key that may be left out.
    ///
    /// # Errors
    ///
    /// Fails for `inherited`.
    pub(crate) fn into_expression(self) -> Result<PermissionSyntax> {
        match self {
            Self::Expression(expression) => Ok(*expression),
            Self::Inherited(tokens) => Err(error_at(
                tokens,
                "`inherited` is only allowed in `#[handler]`; name a permission here, or remove the key",
            )),
        }
    }

    /// Returns the expression of a key that is required.
    ///
    /// # Errors
    ///
    /// Fails for `inherited`.
    pub(crate) fn into_required_expression(self) -> Result<PermissionSyntax> {
        match self {
            Self::Expression(expression) => Ok(*expression),
            Self::Inherited(tokens) => Err(error_at(
                tokens,
                "there is no permission to inherit here; name a permission, or write `AllowAny` to allow everyone",
            )),
        }
    }
}

fn parse_bare(input: ParseStream<'_>) -> Result<PermissionValue> {
    if input.peek(Ident) && input.fork().parse::<Ident>()? == "inherited" && ends_after(input, 1) {
        return Ok(PermissionValue::Inherited(input.parse::<Ident>()?.to_token_stream()));
    }
    let start = input.cursor();
    let tree = parse_until_comma(input)?;
    let tokens = start.token_stream().into_iter().take_while(|token| !is_comma(token)).collect();
    Ok(PermissionValue::Expression(Box::new(PermissionSyntax { tree, tokens })))
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// Returns whether the value ends after `count` more tokens.
fn ends_after(input: ParseStream<'_>, count: usize) -> bool {
    input.cursor().token_stream().into_iter().nth(count).is_none_or(|token| is_comma(&token))
}

fn parse_complete(input: ParseStream<'_>) -> Result<SyntaxTree> {
    let tree = parse_any(input, None)?;
    if input.is_empty() { Ok(tree) } else { Err(unexpected_token_error(input)) }
}

/// Parses an expression that ends at a comma or at the end of the input.
fn parse_until_comma(input: ParseStream<'_>) -> Result<SyntaxTree> {
    let tree = parse_any(input, None)?;
    if input.is_empty() || input.peek(Token![,]) { Ok(tree) } else { Err(unexpected_token_error(input)) }
}

fn parse_any(input: ParseStream<'_>, previous_operator: Option<&Punct>) -> Result<SyntaxTree> {
    let mut operands = vec![parse_all(input, previous_operator)?];
    while input.peek(Token![|]) && !input.peek(Token![||]) {
        let operator: Punct = input.parse()?;
        operands.push(parse_all(input, Some(&operator))?);
    }
    Ok(join_operands(operands, SyntaxTree::Any))
}

fn parse_all(input: ParseStream<'_>, previous_operator: Option<&Punct>) -> Result<SyntaxTree> {
    let mut operands = vec![parse_unary(input, previous_operator)?];
    while input.peek(Token![&]) && !input.peek(Token![&&]) {
        let operator: Punct = input.parse()?;
        operands.push(parse_unary(input, Some(&operator))?);
    }
    Ok(join_operands(operands, SyntaxTree::All))
}

fn join_operands(mut operands: Vec<SyntaxTree>, join: fn(Vec<SyntaxTree>) -> SyntaxTree) -> SyntaxTree {
    if operands.len() == 1 { operands.remove(0) } else { join(operands) }
}

fn parse_unary(input: ParseStream<'_>, previous_operator: Option<&Punct>) -> Result<SyntaxTree> {
    if input.peek(Token![!]) && !input.peek(Token![!=]) {
        let operator: Punct = input.parse()?;
        return Ok(SyntaxTree::Not(Box::new(parse_unary(input, Some(&operator))?)));
    }
    if input.peek(token::Paren) {
        return parse_parenthesized(input);
    }
    if input.is_empty() || input.peek(Token![,]) {
        return Err(match previous_operator {
            Some(operator) => dangling_operator_error(operator),
            None => input.error(EMPTY_EXPRESSION),
        });
    }
    if input.peek(Ident::peek_any) || input.peek(Token![::]) {
        return Leaf::parse(input).map(SyntaxTree::Leaf);
    }
    Err(unexpected_token_error(input))
}

fn parse_parenthesized(input: ParseStream<'_>) -> Result<SyntaxTree> {
    let content;
    let paren = parenthesized!(content in input);
    if content.is_empty() {
        return Err(syn::Error::new(paren.span.join(), format_args!("`()` is empty; {PERMISSION_HINT}")));
    }
    let tree = parse_any(&content, None)?;
    if content.is_empty() { Ok(tree) } else { Err(unexpected_token_error(&content)) }
}

#[cfg(test)]
mod tests {
    use super::{PermissionValue, SyntaxTree};
    use quote::ToTokens;
    use syn::LitStr;
    use syn::parse::Parser;

    fn read(tokens: proc_macro2::TokenStream) -> Result<PermissionValue, String> {
        PermissionValue::parse.parse2(tokens).map_err(|error| error.to_string())
    }

    fn bare(text: &str) -> Result<PermissionValue, String> {
        read(text.parse().unwrap())
    }

    fn quoted(text: &str) -> Result<PermissionValue, String> {
        read(LitStr::new(text, proc_macro2::Span::call_site()).to_token_stream())
    }

    /// Formats the tree with each operator before its operands.
    fn prefix_form(tree: &SyntaxTree) -> String {
        let operands = |operands: &[SyntaxTree]| operands.iter().map(prefix_form).collect::<Vec<_>>().join(" ");
        match tree {
            SyntaxTree::Any(inner) => format!("(| {})", operands(inner)),
            SyntaxTree::All(inner) => format!("(& {})", operands(inner)),
            SyntaxTree::Not(inner) => format!("!{}", prefix_form(inner)),
            SyntaxTree::Leaf(leaf) => leaf.text.clone(),
        }
    }

    fn shown(value: Result<PermissionValue, String>) -> String {
        prefix_form(&value.unwrap().into_expression().unwrap().tree)
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
            ("Any(5) & All(\"x\") & Not(ADMIN) & Or(b)", "(& Any(5) All(\"x\") Not(ADMIN) Or(b))"),
            ("Self::Owner & a::B", "(& Self::Owner a::B)"),
        ] {
            assert_eq!(shown(bare(text)), expected, "bare {text}");
            assert_eq!(shown(quoted(text)), expected, "quoted {text}");
        }
    }

    #[test]
    fn inherited_in_an_expression_is_rejected() {
        assert!(matches!(bare("inherited"), Ok(PermissionValue::Inherited(_))));
        assert!(matches!(quoted(" inherited "), Ok(PermissionValue::Inherited(_))));
        for text in ["inherited & A", "A | inherited", "!inherited"] {
            assert!(quoted(text).is_err_and(|error| error.contains("cannot be combined")), "{text}");
            assert!(bare(text).is_err_and(|error| error.contains("cannot be combined")), "{text}");
        }
    }

    #[test]
    fn malformed_expression_reports_the_error_and_quotes_the_text() {
        for (text, expected) in [
            ("", "the permission expression is empty"),
            ("A && B", "`&&` is not an operator"),
            ("A || B", "`||` is not an operator"),
            ("A and B", "write `&`"),
            ("A or B", "write `|`"),
            ("not A", "write `!`"),
            ("A &", "`&` has no operand after it"),
            ("& A", "`&` has no operand before it"),
            ("A | & B", "`&` has no operand before it"),
            ("A & !", "`!` has no operand after it"),
            ("A B", "expected `&` or `|` before `B`"),
            ("A (B)(C)", "expected `&` or `|` before `(`"),
            ("(A", "unclosed `(`"),
            ("A)", "unmatched `)`"),
            ("A & ()", "`()` is empty"),
            (".a", "`.` is not allowed here; a codename is written `chat.can_use_chat`"),
            ("A & .a", "`.` is not allowed here"),
            ("A(3).b", "`.` is not allowed here"),
            ("a.", "`.` has no name after it"),
            ("a. & B", "`.` has no name after it"),
            ("A.B()", "`()` is empty; write `A.B`"),
            ("a.b(c)(d)", "expected `&` or `|` before `(`"),
            ("A, B", "`,` is not an operator"),
            ("A + B", "`+` is not an operator"),
            ("~A", "write `!`"),
            ("A = B", "`=` is not an operator"),
            ("5", "`5` is not a permission"),
            ("true", "write `AllowAny`"),
            ("false", "write `DenyAll`"),
            ("Owner(return)", "`return` in an argument"),
            ("A & Owner(1, f(x?))", "`?` in an argument"),
            ("Owner(load().await)", "`.await` in an argument"),
            ("Owner(some!(if a { break }))", "`break` in an argument"),
            ("Owner::new(3)", "write `Owner(…)`"),
            ("A & Role::Admin", "`Admin` is a variant of `Role`"),
            ("model::Role::Admin", "for example `HasRole(Role::Admin)`"),
            ("Or(A, Owner(b))", "write `A | Owner(b)`"),
            ("And(A, B)", "write `A & B`"),
            ("Not(A)", "write `!A`"),
            ("Any(A, Staff, C)", "write `A | Staff | C`"),
            ("All(A, B)", "write `A & B`"),
        ] {
            let error = quoted(text).map(|_| ()).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(text.is_empty() || error.ends_with(&format!("(in `{text}`)")), "{text}: {error}");
        }
    }

    #[test]
    fn bare_expression_ends_at_the_comma() {
        let mut rest = String::new();
        let parser = |input: syn::parse::ParseStream<'_>| {
            let value = PermissionValue::parse(input)?;
            rest = input.parse::<proc_macro2::TokenStream>()?.to_string();
            Ok(value)
        };
        let value = parser.parse_str("A<B, C> & D(1, 2), name = \"x\"").map_err(|error| error.to_string());
        assert_eq!(shown(value), "(& A<B, C> D(1, 2))");
        assert_eq!(rest, ", name = \"x\"");
    }
}
