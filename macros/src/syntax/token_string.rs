//! Rust tokens inside a string literal, all with the literal's span, because stable Rust gives none inside it.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::LitStr;

/// The tokens of `literal`, or why there are none; the reason does not quote the text.
pub(crate) fn parse_tokens(literal: &LitStr) -> Result<TokenStream, String> {
    let text = literal.value();
    // Asked first: the compiler's own lexer reports such a text itself, far from the literal.
    check_balanced(&text)?;
    let tokens: TokenStream = text.parse().map_err(|_| "these are no Rust tokens".to_owned())?;
    Ok(respan(tokens, literal.span()))
}

/// The same tokens, all at `span`.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens.into_iter().map(|token| respan_token(token, span)).collect()
}

fn respan_token(token: TokenTree, span: Span) -> TokenTree {
    let mut token = match token {
        TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), respan(group.stream(), span))),
        other => other,
    };
    token.set_span(span);
    token
}

fn check_balanced(text: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => close_string(&mut characters)?,
            '(' => open.push(('(', ')')),
            '[' => open.push(('[', ']')),
            '{' => open.push(('{', '}')),
            ')' | ']' | '}' => match open.pop() {
                Some((_, expected)) if expected == character => {}
                _ => return Err(format!("`{character}` closes nothing; remove it, or open it before")),
            },
            _ => {}
        }
    }
    match open.pop() {
        Some((opened, expected)) => Err(format!("`{opened}` is never closed; add the `{expected}`")),
        None => Ok(()),
    }
}

fn close_string(characters: &mut std::str::Chars<'_>) -> Result<(), String> {
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '"' => return Ok(()),
            _ => {}
        }
    }
    Err("a string in it is never closed; add the `\"`".to_owned())
}

/// Tokens as a person would write them: the compiler's own printing differs between versions.
pub(crate) fn print(tokens: TokenStream) -> String {
    let mut out = String::new();
    print_into(tokens, &mut out);
    out
}

fn print_into(tokens: TokenStream, out: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                out.push_str(open);
                print_into(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => {
                out.push(punct.as_char());
                out.push(' ');
            }
            TokenTree::Punct(punct) => out.push(punct.as_char()),
            word => {
                let word = word.to_string();
                if out.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '"') {
                    out.push(' ');
                }
                out.push_str(&word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check_balanced, print};
    use proc_macro2::TokenStream;

    #[test]
    fn prints_as_written_by_hand() {
        for text in [
            "HasRole(\"admin\", 3)",
            "crate::perms::Owner<Room, 'static>",
            "A(&mut x[1])",
            "Limit(5)",
            "A(b as u8)",
            "[u8; 4]",
        ] {
            let tokens: TokenStream = text.parse().unwrap();
            assert_eq!(print(tokens), text);
        }
    }

    #[test]
    fn parentheses_in_strings_do_not_count() {
        assert_eq!(check_balanced(r#"HasRole("a)\")") & B"#), Ok(()));
        assert!(check_balanced("(A & B").unwrap_err().contains("never closed"));
        assert!(check_balanced("A & B)").unwrap_err().contains("closes nothing"));
        assert!(check_balanced("A(]").unwrap_err().contains("closes nothing"));
        assert!(check_balanced("HasRole(\"a)").unwrap_err().contains("string"));
    }
}
