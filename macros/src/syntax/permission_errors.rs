//! Error messages for unexpected tokens in permission expressions, which are mostly operators of other languages.

use proc_macro2::{Delimiter, Punct, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Path, Token};

use super::key_value::error_at;
use super::token_string::print;

pub(super) const PERMISSION_HINT: &str =
    "a permission is a type such as `IsAuthenticated` or a constructor call such as `HasRole(\"admin\")`";

pub(super) const CODENAME_HINT: &str = "a codename is written `chat.can_use_chat`";

pub(super) const EMPTY_EXPRESSION: &str = "the permission expression is empty; \
                                           name a permission such as `IsAuthenticated`, \
                                           or write `AllowAny` to allow everyone";

pub(super) fn dangling_operator_error(operator: &Punct) -> syn::Error {
    let name = operator.as_char();
    error_at(
        operator,
        format_args!("`{name}` has no operand after it; name a permission there, or remove the `{name}`"),
    )
}

/// Returns an error if the next token is a word that other languages use for an operator, or that is not allowed inside of
/// an expression.
pub(super) fn foreign_operator_error(input: ParseStream<'_>) -> Option<syn::Error> {
    let ident = input.fork().call(Ident::parse_any).ok()?;
    let message = match ident.to_string().as_str() {
        "and" | "AND" => "`and` is not an operator; write `&`",
        "or" | "OR" => "`or` is not an operator; write `|`",
        "not" | "NOT" => "`not` is not an operator; write `!`",
        "inherited" => {
            "`inherited` cannot be combined with other permissions; \
             write `permission = inherited`, or an expression without `inherited`"
        }
        "true" => "`true` is not a permission; write `AllowAny` to allow everyone",
        "false" => "`false` is not a permission; write `DenyAll` to refuse everyone",
        _ => return None,
    };
    Some(error_at(ident, message))
}

/// Returns an error if the path and the tokens after it are a call that other frameworks use for an operator, or a macro.
pub(super) fn foreign_function_error(path: &Path, input: ParseStream<'_>) -> Option<syn::Error> {
    let tokens = &mut input.cursor().token_stream().into_iter();
    let text = print(path.to_token_stream());
    let error = |message: String| Some(error_at(path, message));
    match (tokens.next(), text.as_str()) {
        (Some(TokenTree::Punct(punct)), _) if punct.as_char() == '!' => {
            error(format!("`{text}!` is a macro, and a permission is a type; write the expression itself"))
        }
        (Some(TokenTree::Group(arguments)), "any" | "all") => {
            let operator = if text == "any" { " | " } else { " & " };
            let operands = split_at_commas(arguments.stream()).join(operator);
            error(format!("`{text}` is not an operator; write `{operands}`"))
        }
        (Some(TokenTree::Group(arguments)), "Any" | "All" | "Or" | "And" | "Not") => {
            let operands = split_at_commas(arguments.stream());
            // A permission of that name takes values.
            if operands.is_empty() || !operands.iter().all(|operand| is_permission_name(operand)) {
                return None;
            }
            let instead = match text.as_str() {
                "Not" => format!("!{}", operands[0]),
                "Any" | "Or" => operands.join(" | "),
                _ => operands.join(" & "),
            };
            error(format!("`{text}` is not an operator; write `{instead}`"))
        }
        (Some(TokenTree::Punct(punct)), _) if punct.as_char() == '.' && text.starts_with(char::is_uppercase) => {
            let (Some(TokenTree::Ident(method)), Some(TokenTree::Group(arguments))) = (tokens.next(), tokens.next())
            else {
                return None;
            };
            let operand = print(arguments.stream());
            let instead = match method.to_string().as_str() {
                "or" => format!("{text} | {operand}"),
                "and" => format!("{text} & {operand}"),
                "not" if arguments.stream().is_empty() => format!("!{text}"),
                _ => return None,
            };
            error(format!("`.{method}` is not an operator; write `{instead}`"))
        }
        (_, "inherit" | "inherits") => error(format!("`{text}` is not a permission; write `permission = inherited`")),
        _ => None,
    }
}

/// Returns whether an argument begins like a permission: with a capital letter, and not all in capitals as a constant is.
fn is_permission_name(operand: &str) -> bool {
    let name: String =
        operand.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
    name.starts_with(char::is_uppercase) && (name.len() == 1 || name.contains(char::is_lowercase))
}

fn split_at_commas(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let parts = tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','));
    let printed = parts.map(|part| print(part.iter().cloned().collect()));
    printed.filter(|part| !part.is_empty()).collect()
}

/// Returns the error for the next token, which is not allowed at this position.
pub(super) fn unexpected_token_error(input: ParseStream<'_>) -> syn::Error {
    let at = input.span();
    let error = |message: &dyn std::fmt::Display| syn::Error::new(at, message);
    if input.peek(Token![&&]) {
        return doubled_operator_error(input, "`&&` is not an operator of permission expressions; write `&`");
    }
    if input.peek(Token![||]) {
        return doubled_operator_error(input, "`||` is not an operator of permission expressions; write `|`");
    }
    if let Some(error) = foreign_operator_error(input) {
        return error;
    }
    match input.fork().parse::<TokenTree>() {
        Ok(TokenTree::Punct(punct)) => punctuation_error(&punct),
        Ok(TokenTree::Ident(ident)) => error(&format_args!("expected `&` or `|` before `{ident}`")),
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            error(&"expected `&` or `|` before `(`")
        }
        Ok(other) => error(&format_args!("`{other}` is not a permission; {PERMISSION_HINT}")),
        Err(error) => error,
    }
}

fn doubled_operator_error(input: ParseStream<'_>, message: &str) -> syn::Error {
    let tokens: TokenStream = input.cursor().token_stream().into_iter().take(2).collect();
    error_at(tokens, message)
}

fn punctuation_error(punct: &Punct) -> syn::Error {
    match punct.as_char() {
        '.' => error_at(punct, format_args!("`.` is not allowed here; {CODENAME_HINT}")),
        ',' => error_at(punct, "`,` is not an operator; write `&` if both must hold, or `|` if one is enough"),
        operator @ ('&' | '|') => error_at(
            punct,
            format_args!("`{operator}` has no operand before it; name a permission there, or remove the `{operator}`"),
        ),
        '~' | '-' => error_at(punct, format_args!("`{}` is not an operator; write `!`", punct.as_char())),
        '+' => error_at(punct, "`+` is not an operator; write `&`"),
        other => {
            error_at(punct, format_args!("`{other}` is not an operator; combine permissions with `&`, `|` and `!`"))
        }
    }
}
