//! One leaf of a permission expression: a permission or a codename, either of them perhaps about a parameter.
//!
//! `leaf = path | path "(" args ")" | path ("." ident)+ | path ("." ident)+ "(" ident ")"`,
//! `args = ident ("," expr)* | expr ("," expr)*`, where the lone `ident` in lower case names a parameter.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path, PathArguments, PathSegment, Result, Token, parenthesized, parse_quote, token};

use super::key_value::refuse;
use super::leaf_argument;
use super::permission_errors::{CODENAME, word};
use super::token_string;

/// One permission: a type, the call of its constructor, or a codename.
#[derive(Clone)]
pub(crate) struct Leaf {
    /// The permission's type, or the codename's constant.
    pub(crate) path: Path,
    /// Is it a codename?
    pub(crate) codename: bool,
    /// The parameter that it is about.
    pub(crate) about: Option<Ident>,
    pub(crate) arguments: Punctuated<Expr, Token![,]>,
    /// As an audit prints it.
    pub(crate) text: String,
    /// Two leaves with one key are one leaf, however each is written.
    pub(crate) key: String,
    /// The literal, or the last word of the path.
    pub(crate) span: Span,
}

impl Leaf {
    pub(super) fn parse(input: ParseStream<'_>) -> Result<Self> {
        if let Some(error) = word(input) {
            return Err(error);
        }
        let path = path(input)?;
        if input.peek(Token![.]) { codename(input, path) } else { permission(input, path) }
    }

    /// The words within its arguments that could name parameters.
    pub(crate) fn words(&self) -> Vec<Ident> {
        self.arguments.iter().flat_map(leaf_argument::words).filter(is_parameter).collect()
    }

    /// What to underline.
    pub(crate) fn at(&self) -> Span {
        self.path.span()
    }
}

fn permission(input: ParseStream<'_>, mut path: Path) -> Result<Leaf> {
    let mut text = token_string::print(path.to_token_stream());
    let (mut about, mut arguments) = (None, Punctuated::new());
    if input.peek(token::Paren) {
        let inside;
        parenthesized!(inside in input);
        about = subject(&inside)?;
        arguments = inside.parse_terminated(Expr::parse, Token![,])?;
        arguments.pop_punct();
        arguments.iter().try_for_each(leaf_argument::stays)?;
        arguments.iter().try_for_each(|argument| only_first(argument, about.as_ref(), &path))?;
        let written = about.iter().map(Ident::to_token_stream).chain(arguments.iter().map(Expr::to_token_stream));
        let written: Vec<_> = written.map(token_string::print).collect();
        if !written.is_empty() {
            text = format!("{text}({})", written.join(", "));
        }
        blocking(&mut path, about.as_ref(), &arguments);
    }
    let key = key(&path, false, about.as_ref(), &arguments);
    let leaf = Leaf { span: last(&path), path, codename: false, about, arguments, text, key };
    refuse_function(&leaf)?;
    Ok(leaf)
}

/// `Blocking(InLedger)` is generic over the permission in it, which need not be written twice.
fn blocking(path: &mut Path, about: Option<&Ident>, arguments: &Punctuated<Expr, Token![,]>) {
    let (Some(last), None, 1) = (path.segments.last_mut(), about, arguments.len()) else { return };
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

/// The name that stands first and alone: the parameter that the leaf is about.
fn subject(inside: ParseStream<'_>) -> Result<Option<Ident>> {
    let ahead = inside.fork();
    let named = ahead.parse::<Ident>().is_ok_and(|name| is_parameter(&name));
    if !(named && (ahead.is_empty() || ahead.peek(Token![,]))) {
        return Ok(None);
    }
    let name = inside.parse()?;
    inside.parse::<Option<Token![,]>>()?;
    Ok(Some(name))
}

/// Parameters are written in lower case, and constants are not.
fn is_parameter(name: &Ident) -> bool {
    is_lower(&name.unraw().to_string())
}

fn is_lower(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(char::is_lowercase)
}

/// Refuses a parameter's name where a value is expected.
fn only_first(argument: &Expr, about: Option<&Ident>, path: &Path) -> Result<()> {
    let Expr::Path(written) = argument else { return Ok(()) };
    let Some(name) = written.path.get_ident().filter(|name| *name != "self" && is_parameter(name)) else {
        return Ok(());
    };
    let permission = token_string::print(path.to_token_stream());
    let message = match about {
        None => format!("`{name}` names a parameter, and the object comes first; write `{permission}({name}, …)`"),
        Some(first) => format!(
            "`{permission}` is about `{first}` already, and the object comes first; write a value here, or ask about `{name}` in a leaf of its own"
        ),
    };
    Err(refuse(name, message))
}

/// `HasRole::new("admin")` reads well, but a leaf names a type, and `new` is none; neither is what `uploads::read` names.
fn refuse_function(leaf: &Leaf) -> Result<()> {
    let mut words = leaf.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let (Some(last), Some(owner)) = (words.next(), words.next()) else { return Ok(()) };
    if is_lower(&last) && is_lower(&owner) {
        let path = token_string::print(leaf.path.to_token_stream());
        let group = path.rsplit_once("::").map_or(owner.as_str(), |(group, _)| group);
        let about = leaf.about.as_ref().map(|about| format!("({about})")).unwrap_or_default();
        let message = format_args!("`{last}` is no type; if it is a codename, write `{group}.{last}{about}`");
        return Err(refuse(&leaf.path, message));
    }
    if last.starts_with(char::is_lowercase) && owner.starts_with(char::is_uppercase) {
        let message = format_args!("`{last}` is a function of `{owner}`, not a permission; write `{owner}(…)` itself");
        return Err(refuse(&leaf.path, message));
    }
    Ok(())
}

/// The rest of a codename; each `.` stands for a `::`.
fn codename(input: ParseStream<'_>, mut path: Path) -> Result<Leaf> {
    if path.is_ident("self") {
        return Err(refuse(path, format_args!("`self` has no codenames; {CODENAME}")));
    }
    if let Some(word) = path.segments.iter().map(|segment| &segment.ident).find(|word| is_reserved(word)) {
        return Err(reserved(word));
    }
    let mut text = token_string::print(path.to_token_stream());
    if let Some(generic) = path.segments.iter().find(|segment| !segment.arguments.is_empty()) {
        return Err(refuse(generic, format_args!("a codename belongs to no type; {CODENAME}")));
    }
    while input.peek(Token![.]) {
        let dot: Token![.] = input.parse()?;
        let name = name_after(dot, input)?;
        text = format!("{text}.{name}");
        path.segments.push_punct(Token![::](dot.span));
        path.segments.push_value(name.into());
    }
    if input.peek(Token![::]) || input.peek(Token![<]) {
        return Err(input.error(format_args!("nothing but a `.` can follow a `.` in a codename; {CODENAME}")));
    }
    let mut about = None;
    if input.peek(token::Paren) {
        let name = one_parameter(input, &text)?;
        text = format!("{text}({name})");
        about = Some(name);
    }
    let arguments = Punctuated::new();
    let key = key(&path, true, about.as_ref(), &arguments);
    Ok(Leaf { span: last(&path), path, codename: true, about, arguments, text, key })
}

/// What a leaf is, without the ways to write it: raw prefixes, and the `::` before generics.
fn key(path: &Path, codename: bool, about: Option<&Ident>, arguments: &Punctuated<Expr, Token![,]>) -> String {
    let mut path = path.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = None;
        }
    }
    let about = about.map(|name| name.unraw().to_string()).unwrap_or_default();
    let (path, arguments) = (unraw(path.to_token_stream()), unraw(arguments.to_token_stream()));
    format!("{codename} {} {about} {}", token_string::print(path), token_string::print(arguments))
}

fn unraw(tokens: TokenStream) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(word) => word.unraw().into(),
        TokenTree::Group(group) => Group::new(group.delimiter(), unraw(group.stream())).into(),
        other => other,
    });
    tokens.collect()
}

fn name_after(dot: Token![.], input: ParseStream<'_>) -> Result<Ident> {
    if input.peek(Ident) {
        return input.parse();
    }
    if input.peek(Ident::peek_any) {
        return Err(reserved(&input.call(Ident::parse_any)?));
    }
    Err(refuse(dot, format_args!("`.` has no name after it; {CODENAME}")))
}

/// A word that cannot stand in a path as it is.
fn is_reserved(word: &Ident) -> bool {
    word != "crate" && word != "super" && word != "self" && syn::parse_str::<Ident>(&word.to_string()).is_err()
}

fn reserved(word: &Ident) -> syn::Error {
    let instead = match word.to_string().as_str() {
        "Self" | "self" | "super" | "crate" => CODENAME.to_owned(),
        other => format!("write `r#{other}`"),
    };
    refuse(word, format_args!("`{word}` is a word of Rust's own; {instead}"))
}

/// The parameter in `uploads.read(channel)`.
fn one_parameter(input: ParseStream<'_>, text: &str) -> Result<Ident> {
    let inside;
    let paren = parenthesized!(inside in input);
    let written: TokenStream = inside.parse()?;
    if written.is_empty() {
        let message = format_args!("`()` is empty; write `{text}`, or `{text}(channel)` to ask about a parameter");
        return Err(syn::Error::new(paren.span.join(), message));
    }
    let wrong = || {
        let message = "a codename takes the name of one parameter and nothing else";
        refuse(&written, format_args!("{message}; write `{text}(channel)`, say, or `{text}` alone"))
    };
    syn::parse2::<Ident>(written.clone()).ok().filter(is_parameter).ok_or_else(wrong)
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

fn last(path: &Path) -> Span {
    path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span())
}

#[cfg(test)]
mod tests {
    use super::{Leaf, token_string};
    use quote::ToTokens;
    use syn::parse::Parser;

    fn read(text: &str) -> Result<Leaf, String> {
        Leaf::parse.parse_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_is_told_from_the_others() {
        for (text, codename, about, arguments) in [
            ("Owner", false, None, 0),
            ("HasRole(\"admin\")", false, None, 1),
            ("HasRole(ADMIN, Self::x, self::y, _X)", false, None, 4),
            ("Owner(room)", false, Some("room"), 0),
            ("Owner(r#type)", false, Some("r#type"), 0),
            ("Owner(_room)", false, Some("_room"), 0),
            ("HasRoleIn(room, \"admin\", 3)", false, Some("room"), 2),
            ("Owner(room.id)", false, None, 1),
            ("Owner((room))", false, None, 1),
            ("Owner(room())", false, None, 1),
            ("Owner(true)", false, None, 1),
            ("chat.read", true, None, 0),
            ("::shop::chat.admin.read", true, None, 0),
            ("chat.read(room)", true, Some("room"), 0),
            ("chat.r#type", true, None, 0),
            ("r#type.all", true, None, 0),
            ("crate.chat.read", true, None, 0),
            ("super::chat.read", true, None, 0),
        ] {
            let leaf = read(text).unwrap();
            assert_eq!(leaf.codename, codename, "{text}");
            assert_eq!(leaf.about.map(|name| name.to_string()).as_deref(), about, "{text}");
            assert_eq!(leaf.arguments.len(), arguments, "{text}");
            assert_eq!(leaf.text, text);
        }
    }

    #[test]
    fn what_blocks_is_named_once() {
        for (text, path) in [
            ("Blocking(InLedger)", "Blocking<InLedger>"),
            ("portcullis::Blocking(rules::Limit(5))", "portcullis::Blocking<rules::Limit>"),
            ("Blocking<InLedger>(InLedger)", "Blocking<InLedger>"),
            ("Other(InLedger)", "Other"),
        ] {
            let leaf = read(text).unwrap();
            assert_eq!(
                (token_string::print(leaf.path.to_token_stream()), leaf.text),
                (path.to_owned(), text.to_owned())
            );
        }
    }

    #[test]
    fn a_trailing_comma_does_not_make_another_leaf() {
        assert_eq!(read("Owner(room,)").unwrap().text, "Owner(room)");
        assert_eq!(read("HasRole(\"a\",)").unwrap().text, "HasRole(\"a\")");
        assert_eq!(read("IsAuthenticated()").unwrap().text, "IsAuthenticated");
    }

    #[test]
    fn a_codename_is_a_path_to_its_constant() {
        let path = read("a::b.c.d").unwrap().path;
        assert_eq!(token_string::print(path.to_token_stream()), "a::b::c::d");
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (text, words) in [
            ("HasRole(\"admin\", room)", "the object comes first; write `HasRole(room, …)`"),
            ("Owner(a, b)", "`Owner` is about `a` already"),
            ("chat.", "`.` has no name after it"),
            ("chat..read", "`.` has no name after it"),
            ("chat.5", "`.` has no name after it"),
            ("chat.type", "write `r#type`"),
            ("chat.read()", "`()` is empty"),
            ("chat.read(a, b)", "one parameter"),
            ("chat.read(3)", "one parameter"),
            ("chat.read(Room)", "one parameter"),
            ("chat.read(a.b)", "one parameter"),
            ("chat.a::b", "nothing but a `.`"),
            ("chat.a<B>", "nothing but a `.`"),
            ("Chat<B>.a", "belongs to no type"),
            ("self.a", "`self` has no codenames"),
            ("Owner::new(room)", "write `Owner(…)` itself"),
            ("uploads::read(channel)", "write `uploads.read(channel)`"),
            ("crate::uploads::read", "write `crate::uploads.read`"),
            ("type.all", "write `r#type`"),
            ("chat::fn.all", "write `r#fn`"),
            ("Self.all", "`Self` is a word of Rust's own; a codename is written"),
            ("chat.crate", "`crate` is a word of Rust's own; a codename is written"),
        ] {
            let told = read(text).map(|_| ()).unwrap_err();
            assert!(told.contains(words), "{text}: {told}");
        }
    }
}
