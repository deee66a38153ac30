//! Rust tokens inside of a string literal. All of them get the literal's span, because stable Rust has no spans inside of
//! it.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::LitStr;

/// Parses the text of `literal` into tokens.
///
/// # Errors
///
/// Returns a message that does not quote the text; callers add it.
pub(crate) fn parse_tokens(literal: &LitStr) -> Result<TokenStream, String> {
    let text = literal.value();
    // Checked first because the compiler's lexer reports unbalanced delimiters itself, without the literal's span, and drops
    // comments: what somebody has written after `//` would not count.
    check_balanced(&text)?;
    let tokens: TokenStream = text.parse().map_err(|_| "the text does not consist of Rust tokens".to_owned())?;
    Ok(respan(tokens, literal.span()))
}

/// Returns the same tokens, all with the span `span`.
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

/// Checks delimiters, strings and that there are no comments.
fn check_balanced(text: &str) -> Result<(), String> {
    let mut unclosed = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => close_string(&mut characters)?,
            '/' if characters.as_str().starts_with(['/', '*']) => {
                return Err("a comment hides the text after it; remove the comment".to_owned());
            }
            '(' => unclosed.push(('(', ')')),
            '[' => unclosed.push(('[', ']')),
            '{' => unclosed.push(('{', '}')),
            ')' | ']' | '}' => match unclosed.pop() {
                Some((_, expected)) if expected == character => {}
                _ => return Err(format!("unmatched `{character}`; remove it, or add its opening delimiter")),
            },
            _ => {}
        }
    }
    match unclosed.pop() {
        Some((opening, expected)) => Err(format!("unclosed `{opening}`; add the `{expected}`")),
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
    Err("unclosed string; add the `\"`".to_owned())
}

/// Formats tokens as they are usually written. The compiler's own formatting differs between versions.
pub(crate) fn print(tokens: TokenStream) -> String {
    let mut output = String::new();
    print_into(tokens, &mut output);
    output
}

fn print_into(tokens: TokenStream, output: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (unclosed, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                output.push_str(unclosed);
                print_into(group.stream(), output);
                output.push_str(close);
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => {
                output.push(punct.as_char());
                output.push(' ');
            }
            TokenTree::Punct(punct) => output.push(punct.as_char()),
            other => {
                let text = other.to_string();
                if output.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '"') {
                    output.push(' ');
                }
                output.push_str(&text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check_balanced, print};
    use proc_macro2::TokenStream;

    #[test]
    fn print_of_parsed_tokens_returns_the_usual_form() {
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
    fn check_balanced_ignores_delimiters_in_strings() {
        assert_eq!(check_balanced(r#"HasRole("a)\")") & B"#), Ok(()));
        assert!(check_balanced("(A & B").unwrap_err().contains("unclosed `(`"));
        assert!(check_balanced("A & B)").unwrap_err().contains("unmatched"));
        assert!(check_balanced("A(]").unwrap_err().contains("unmatched"));
        assert!(check_balanced("HasRole(\"a)").unwrap_err().contains("string"));
    }
}
