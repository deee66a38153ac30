//! What to say about tokens that cannot stand where they do in a permission expression: mostly operators of other
//! languages.

use proc_macro2::{Delimiter, Punct, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::key_value::refuse;

pub(super) const SHAPE: &str =
    "a permission is a type such as `IsAuthenticated` or a constructor call such as `HasRole(\"admin\")`";

pub(super) const CODENAME: &str = "a codename is written `chat.can_use_chat`";

pub(super) const EMPTY: &str =
    "the expression is empty; name a permission such as `IsAuthenticated`, or write `AllowAny` to let everybody in";

pub(super) fn dangling(operator: &Punct) -> syn::Error {
    let name = operator.as_char();
    refuse(operator, format_args!("`{name}` has nothing after it; name a permission there, or remove the `{name}`"))
}

/// Words that other languages use for the operators, or that mean nothing inside an expression.
pub(super) fn word(input: ParseStream<'_>) -> Option<syn::Error> {
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
pub(super) fn unexpected(input: ParseStream<'_>) -> syn::Error {
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
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
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
        '.' => refuse(punct, format_args!("`.` cannot stand here; {CODENAME}")),
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
