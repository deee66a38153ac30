//! One leaf of a permission expression: a permission or a codename. Both may have a subject, the parameter that they
//! evaluate.
//!
//! `leaf = path | path "(" args ")" | path ("." ident)+ | path ("." ident)+ "(" ident ")"`,
//! `args = ident ("," expr)* | expr ("," expr)*`, where the single `ident` in lower case names the subject. An `expr` may
//! contain `"{" ident "}"`, which names a capture of the route.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Member, Path, PathArguments, PathSegment, Result, Token, parenthesized, parse_quote, token};

use super::key_value::error_at;
use super::leaf_argument;
use super::permission_errors::{CODENAME_HINT, foreign_function_error, foreign_operator_error};
use super::token_string;

/// A permission type, a call of its constructor, or a codename.
#[derive(Clone)]
pub(crate) struct Leaf {
    /// The path of the permission's type or of the codename's constant.
    pub(crate) path: Path,
    pub(crate) is_codename: bool,
    /// The name of the parameter that the leaf evaluates. For a codename in a group, the name of the field.
    pub(crate) subject: Option<Ident>,
    pub(crate) arguments: Punctuated<Expr, Token![,]>,
    /// What the arguments name in braces: captures of the route, or fields of a group.
    pub(crate) placeholders: Vec<Member>,
    /// The leaf as audits print it.
    pub(crate) text: String,
    /// The identity of the leaf: leaves with the same key are equal, even if they are written differently.
    pub(crate) key: String,
    /// The span of the last path segment, which in a quoted expression is the span of the literal.
    pub(crate) span: Span,
}

impl Leaf {
    pub(super) fn parse(input: ParseStream<'_>) -> Result<Self> {
        if let Some(error) = foreign_operator_error(input) {
            return Err(error);
        }
        let path = parse_path(input)?;
        if let Some(error) = foreign_function_error(&path, input) {
            return Err(error);
        }
        if input.peek(Token![.]) { parse_codename(input, path) } else { parse_permission(input, path) }
    }

    /// Returns the identifiers in the arguments that may name parameters.
    pub(crate) fn possible_parameters(&self) -> Vec<Ident> {
        self.arguments.iter().flat_map(leaf_argument::possible_parameters).filter(is_parameter_name).collect()
    }

    /// Returns the span that errors about the leaf underline.
    pub(crate) fn path_span(&self) -> Span {
        self.path.span()
    }
}

fn parse_permission(input: ParseStream<'_>, mut path: Path) -> Result<Leaf> {
    let mut text = token_string::print(path.to_token_stream());
    let (mut subject, mut arguments) = (None, Punctuated::new());
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        if let Err(error) = leaf_argument::check_placeholders(content.cursor().token_stream()) {
            // Otherwise syn reports the unread tokens instead.
            content.parse::<TokenStream>()?;
            return Err(error);
        }
        subject = parse_subject(&content)?;
        arguments = content.parse_terminated(Expr::parse, Token![,])?;
        arguments.pop_punct();
        arguments.iter().try_for_each(leaf_argument::reject_jumps)?;
        arguments.iter().try_for_each(|argument| reject_second_subject(argument, subject.as_ref(), &path))?;
        let printed = subject.iter().map(Ident::to_token_stream).chain(arguments.iter().map(Expr::to_token_stream));
        let printed: Vec<_> = printed.map(token_string::print).collect();
        if !printed.is_empty() {
            text = format!("{text}({})", printed.join(", "));
        }
        infer_blocking_type(&mut path, subject.as_ref(), &arguments);
    }
    let key = leaf_key(&path, false, subject.as_ref(), &arguments);
    let placeholders = arguments.iter().flat_map(leaf_argument::placeholders).collect();
    let span = last_segment_span(&path);
    let leaf = Leaf { span, path, is_codename: false, subject, arguments, placeholders, text, key };
    reject_function_path(&leaf)?;
    Ok(leaf)
}

/// Adds the type argument to `Blocking(InLedger)`, which is generic over the permission that it wraps.
fn infer_blocking_type(path: &mut Path, subject: Option<&Ident>, arguments: &Punctuated<Expr, Token![,]>) {
    let (Some(last), None, 1) = (path.segments.last_mut(), subject, arguments.len()) else { return };
    let inner = match arguments.first() {
        Some(Expr::Path(inner)) => inner,
        Some(Expr::Call(call)) => match &*call.func {
            Expr::Path(inner) => inner,
            _ => return,
        },
        _ => return,
    };
    if last.ident == "Blocking" && last.arguments.is_empty() {
        let inner = &inner.path;
        last.arguments = PathArguments::AngleBracketed(parse_quote!(<#inner>));
    }
}

/// Parses the first argument if it is the name of a parameter and nothing else.
fn parse_subject(content: ParseStream<'_>) -> Result<Option<Ident>> {
    let lookahead = content.fork();
    let is_name = lookahead.parse::<Ident>().is_ok_and(|name| is_parameter_name(&name));
    if !(is_name && (lookahead.is_empty() || lookahead.peek(Token![,]))) {
        return Ok(None);
    }
    let name = content.parse()?;
    content.parse::<Option<Token![,]>>()?;
    Ok(Some(name))
}

/// Returns whether an identifier in an argument names a parameter. Parameters are in lower case, constants in upper case.
fn is_parameter_name(name: &Ident) -> bool {
    is_lowercase(&name.unraw().to_string())
}

/// Returns whether the name is written as constants are: in upper case, and longer than a type parameter.
fn is_constant_name(name: &str) -> bool {
    name.len() > 1 && name.starts_with(char::is_uppercase) && !name.contains(char::is_lowercase)
}

fn is_lowercase(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(char::is_lowercase)
}

/// Checks that an argument after the subject is a value and not the name of another parameter.
fn reject_second_subject(argument: &Expr, subject: Option<&Ident>, path: &Path) -> Result<()> {
    let Expr::Path(argument) = argument else { return Ok(()) };
    let Some(name) = argument.path.get_ident().filter(|name| *name != "self" && is_parameter_name(name)) else {
        return Ok(());
    };
    let permission = token_string::print(path.to_token_stream());
    let message = match subject {
        None => format!("`{name}` names a parameter, and the parameter comes first; write `{permission}({name}, …)`"),
        Some(first) => format!(
            "`{permission}` already evaluates the parameter `{first}`; \
             write a value instead of `{name}`, or evaluate `{name}` in another permission"
        ),
    };
    Err(error_at(name, message))
}

/// Rejects paths that do not end with a type: a function as in `HasRole::new("admin")`, or a codename written
/// `uploads::read`.
fn reject_function_path(leaf: &Leaf) -> Result<()> {
    let mut idents = leaf.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let (Some(last), Some(owner)) = (idents.next(), idents.next()) else { return Ok(()) };
    if is_lowercase(&last) && is_lowercase(&owner) {
        let path = token_string::print(leaf.path.to_token_stream());
        let group = path.rsplit_once("::").map_or(owner.as_str(), |(group, _)| group);
        let subject = leaf.subject.as_ref().map(|subject| format!("({subject})")).unwrap_or_default();
        let message = format_args!("`{last}` is not a type; if it is a codename, write `{group}.{last}{subject}`");
        return Err(error_at(&leaf.path, message));
    }
    if owner.starts_with(char::is_uppercase) && is_constant_name(&last) {
        let message =
            format_args!("`{last}` is a constant, and a permission is a type with its arguments; write `{owner}(…)`");
        return Err(error_at(&leaf.path, message));
    }
    if owner.starts_with(char::is_uppercase) && owner != "Self" && last.starts_with(char::is_uppercase) {
        let message = format_args!(
            "`{last}` is a variant of `{owner}`, and a permission is a type; \
             write a permission that takes it, for example `HasRole({owner}::{last})`"
        );
        return Err(error_at(&leaf.path, message));
    }
    if last.starts_with(char::is_lowercase) && owner.starts_with(char::is_uppercase) {
        let message = format_args!("`{last}` is a function of `{owner}`, not a permission; write `{owner}(…)`");
        return Err(error_at(&leaf.path, message));
    }
    Ok(())
}

/// Parses the rest of a codename. Each `.` becomes a `::` in the path of its constant.
fn parse_codename(input: ParseStream<'_>, mut path: Path) -> Result<Leaf> {
    if path.is_ident("self") {
        return Err(error_at(path, format_args!("`self` has no codenames; {CODENAME_HINT}")));
    }
    if let Some(ident) = path.segments.iter().map(|segment| &segment.ident).find(|ident| is_reserved_word(ident)) {
        return Err(reserved_word_error(ident));
    }
    let mut text = token_string::print(path.to_token_stream());
    if let Some(generic) = path.segments.iter().find(|segment| !segment.arguments.is_empty()) {
        return Err(error_at(generic, format_args!("a codename has no type arguments; {CODENAME_HINT}")));
    }
    while input.peek(Token![.]) {
        let dot: Token![.] = input.parse()?;
        let name = parse_name_after_dot(dot, input)?;
        text = format!("{text}.{name}");
        path.segments.push_punct(Token![::](dot.span));
        path.segments.push_value(name.into());
    }
    if input.peek(Token![::]) || input.peek(Token![<]) {
        return Err(input.error(format_args!("the names of a codename are separated by `.`; {CODENAME_HINT}")));
    }
    let mut subject = None;
    if input.peek(token::Paren) {
        let name = parse_single_parameter(input, &text)?;
        text = format!("{text}({name})");
        subject = Some(name);
    }
    let arguments = Punctuated::new();
    let key = leaf_key(&path, true, subject.as_ref(), &arguments);
    let (span, placeholders) = (last_segment_span(&path), Vec::new());
    Ok(Leaf { span, path, is_codename: true, subject, arguments, placeholders, text, key })
}

/// Builds the identity of a leaf. It ignores how the leaf is written: raw prefixes, and the `::` before type arguments.
fn leaf_key(
    path: &Path,
    is_codename: bool,
    subject: Option<&Ident>,
    arguments: &Punctuated<Expr, Token![,]>,
) -> String {
    let mut path = path.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = None;
        }
    }
    let subject = subject.map(|name| name.unraw().to_string()).unwrap_or_default();
    let (path, arguments) =
        (strip_raw_prefixes(path.to_token_stream()), strip_raw_prefixes(arguments.to_token_stream()));
    format!("{is_codename} {} {subject} {}", token_string::print(path), token_string::print(arguments))
}

fn strip_raw_prefixes(tokens: TokenStream) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) => ident.unraw().into(),
        TokenTree::Group(group) => Group::new(group.delimiter(), strip_raw_prefixes(group.stream())).into(),
        other => other,
    });
    tokens.collect()
}

fn parse_name_after_dot(dot: Token![.], input: ParseStream<'_>) -> Result<Ident> {
    if input.peek(Ident) {
        return input.parse();
    }
    if input.peek(Ident::peek_any) {
        return Err(reserved_word_error(&input.call(Ident::parse_any)?));
    }
    Err(error_at(dot, format_args!("`.` has no name after it; {CODENAME_HINT}")))
}

/// Returns whether the word is a keyword that is not allowed in a path unless it is raw.
fn is_reserved_word(ident: &Ident) -> bool {
    ident != "crate" && ident != "super" && ident != "self" && syn::parse_str::<Ident>(&ident.to_string()).is_err()
}

fn reserved_word_error(ident: &Ident) -> syn::Error {
    let hint = match ident.to_string().as_str() {
        "Self" | "self" | "super" | "crate" => CODENAME_HINT.to_owned(),
        other => format!("write `r#{other}`"),
    };
    error_at(ident, format_args!("`{ident}` is a Rust keyword; {hint}"))
}

/// Parses the parameter in `uploads.read(channel)`.
fn parse_single_parameter(input: ParseStream<'_>, text: &str) -> Result<Ident> {
    let content;
    let paren = parenthesized!(content in input);
    let tokens: TokenStream = content.parse()?;
    if tokens.is_empty() {
        let message = format_args!("`()` is empty; write `{text}`, or `{text}(channel)` to evaluate a parameter");
        return Err(syn::Error::new(paren.span.join(), message));
    }
    let error = || {
        let message = "a codename takes only the name of one parameter";
        error_at(&tokens, format_args!("{message}; write, for example, `{text}(channel)`, or `{text}` alone"))
    };
    syn::parse2::<Ident>(tokens.clone()).ok().filter(is_parameter_name).ok_or_else(error)
}

/// Parses a path with type arguments. The `Fn(A) -> B` form is left out, since parentheses belong to a constructor call
/// here.
fn parse_path(input: ParseStream<'_>) -> Result<Path> {
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

fn last_segment_span(path: &Path) -> Span {
    path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span())
}

#[cfg(test)]
mod tests;
