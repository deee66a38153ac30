//! The syntax of `permissions! { … }`.
//!
//! `all = ("crate" "=" path ";")? group*`, `group = attribute* visibility ident "{" name ("," name)* ","? "}"`,
//! `name = attribute* ident "=" string`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Path, Result, Token, Visibility, braced, token};

use super::Partial;
use super::attribute::{cfg_attr_paths, cfgs};
use super::key_value::{ErrorList, error_at};

/// The codenames of one `permissions!` call that could be parsed.
#[derive(Default)]
pub(crate) struct Codenames {
    pub(crate) runtime: Option<Path>,
    pub(crate) groups: Vec<CodenameGroup>,
}

pub(crate) struct CodenameGroup {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) codenames: Vec<Codename>,
}

pub(crate) struct Codename {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) name: Ident,
    /// `None` only if an error was reported.
    pub(crate) description: Option<LitStr>,
}

const EXAMPLE: &str = "write, for example, `chat { can_use_chat = \"Can use chat\" }`";

impl Codenames {
    pub(crate) fn read(tokens: TokenStream) -> Partial<Self> {
        let mut codenames = Self::default();
        let all = |input: ParseStream<'_>| Ok(codenames.parse(input));
        let error = all.parse2(tokens).unwrap_or_else(Some);
        (codenames, error)
    }

    fn parse(&mut self, input: ParseStream<'_>) -> Option<syn::Error> {
        let mut errors = ErrorList(None);
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            self.runtime = errors.record(parse_crate_path(input));
        }
        if input.is_empty() && errors.0.is_none() {
            errors.add(syn::Error::new(
                Span::call_site(),
                format_args!("`permissions!` declares no codename; {EXAMPLE}"),
            ));
        }
        while !input.is_empty() {
            match parse_group(input, &mut errors) {
                Ok(group) => self.add_group(group, &mut errors),
                Err(error) => {
                    errors.add(error);
                    skip_group(input);
                }
            }
            if input.peek(Token![,]) || input.peek(Token![;]) {
                errors.add(input.error("groups are not separated; remove this"));
                skip_token(input);
            }
        }
        errors.0
    }

    /// Adds a group. Reports it if its name is repeated, unless both groups have a `cfg`.
    fn add_group(&mut self, group: CodenameGroup, errors: &mut ErrorList) {
        if group.name.unraw() == "portcullis" {
            errors.add(error_at(&group.name, "a codename group named `portcullis` would hide the crate; rename it"));
            return;
        }
        let mut previous = self.groups.iter().filter(|previous| previous.name.unraw() == group.name.unraw());
        if previous.any(|previous| may_coexist(&previous.attributes, &group.attributes)) {
            let name = &group.name;
            errors.add(error_at(
                name,
                format_args!("two groups are named `{name}`; put all of their codenames into one"),
            ));
        } else {
            self.groups.push(group);
        }
    }
}

/// Returns whether two items may exist in the same build: unless both have a `cfg`, they do.
fn may_coexist(one: &[Attribute], other: &[Attribute]) -> bool {
    cfgs(one).is_empty() || cfgs(other).is_empty()
}

/// Parses `crate = ::path;`.
fn parse_crate_path(input: ParseStream<'_>) -> Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style).inspect_err(|_| skip_statement(input))?;
    if input.parse::<Option<Token![;]>>()?.is_none() {
        return Err(error_at(&path, "`crate = …` must end with `;`; add the `;` before the first group"));
    }
    Ok(path)
}

fn parse_group(input: ParseStream<'_>, errors: &mut ErrorList) -> Result<CodenameGroup> {
    let attributes = parse_attributes(input, errors)?;
    let visibility = input.parse()?;
    if !input.peek(Ident) {
        return Err(reserved_word_error(input, |next| next.peek(token::Brace))
            .unwrap_or_else(|| input.error(format_args!("expected the name of a group; {EXAMPLE}"))));
    }
    let name: Ident = input.parse()?;
    reject_reserved_prefix(&name, errors);
    if !input.peek(token::Brace) {
        return Err(input.error(format_args!("expected `{{ … }}` with the codenames of `{name}`; {EXAMPLE}")));
    }
    let content;
    braced!(content in input);
    if content.is_empty() {
        let message = format_args!("the group `{name}` is empty; declare a codename in it, or remove the group");
        errors.add(error_at(&name, message));
    }
    let codenames = parse_codenames(&content, &name, errors);
    Ok(CodenameGroup { attributes, visibility, name, codenames })
}

fn parse_codenames(input: ParseStream<'_>, group: &Ident, errors: &mut ErrorList) -> Vec<Codename> {
    let mut names: Vec<Codename> = Vec::new();
    while !input.is_empty() {
        match parse_codename(input, errors) {
            Ok(name) => {
                let mut previous = names.iter().filter(|previous| previous.name.unraw() == name.name.unraw());
                if previous.any(|previous| may_coexist(&previous.attributes, &name.attributes)) {
                    let name = &name.name;
                    errors.add(error_at(name, format_args!("`{group}.{name}` is declared twice; remove one of them")));
                } else {
                    names.push(name);
                }
            }
            Err(error) => {
                errors.add(error);
                skip_codename(input);
            }
        }
        parse_separator(input, errors);
    }
    names
}

fn parse_separator(input: ParseStream<'_>, errors: &mut ErrorList) {
    if !(input.is_empty() || input.peek(Token![,])) {
        errors.add(input.error("expected a `,` before this, to separate two codenames"));
        if input.peek(Ident) || input.peek(Token![#]) {
            return;
        }
        skip_codename(input);
    }
    if !input.is_empty() {
        skip_token(input);
    }
}

/// Parses the attributes of a group or a codename. Rejects a `cfg` inside of `cfg_attr`, since `cfg` attributes are copied
/// to several generated items.
fn parse_attributes(input: ParseStream<'_>, errors: &mut ErrorList) -> Result<Vec<Attribute>> {
    let mut attributes = input.call(Attribute::parse_outer)?;
    attributes.retain(|attribute| {
        let hides = cfg_attr_paths(attribute).iter().any(|path| path.is_ident("cfg"));
        if hides {
            let message = "`cfg` inside of `cfg_attr` is not supported here; write `#[cfg(…)]`";
            errors.add(error_at(attribute, message));
        }
        !hides
    });
    Ok(attributes)
}

/// Returns an error if a Rust keyword is used as a name. `fits` checks the token after it.
fn reserved_word_error(input: ParseStream<'_>, fits: impl Fn(ParseStream<'_>) -> bool) -> Option<syn::Error> {
    let lookahead = input.fork();
    let keyword = lookahead.call(Ident::parse_any).ok().filter(|_| fits(&lookahead))?;
    Some(error_at(&keyword, format_args!("`{keyword}` is a Rust keyword; write `r#{keyword}`, or another name")))
}

fn reject_reserved_prefix(name: &Ident, errors: &mut ErrorList) {
    if name.unraw().to_string().starts_with("__") {
        errors.add(error_at(
            name,
            format_args!("`{name}` begins with `__`, which is reserved for generated code; rename it"),
        ));
    }
}

fn parse_codename(input: ParseStream<'_>, errors: &mut ErrorList) -> Result<Codename> {
    let attributes = parse_attributes(input, errors)?;
    if input.peek(Token![pub]) {
        errors.add(
            input.error("a codename has the visibility of its group; remove this `pub`, or write it before the group"),
        );
        input.parse::<Visibility>()?;
    }
    if !input.peek(Ident) {
        return Err(reserved_word_error(input, |next| next.peek(Token![=])).unwrap_or_else(|| {
            input.error("expected a codename; write, for example, `can_use_chat = \"Can use chat\"`")
        }));
    }
    let name: Ident = input.parse()?;
    reject_reserved_prefix(&name, errors);
    let description = errors.record(parse_description(input, &name));
    Ok(Codename { attributes, name, description })
}

fn parse_description(input: ParseStream<'_>, name: &Ident) -> Result<LitStr> {
    let hint = format!("write `{name} = \"…\"` with a description of what the codename allows");
    if !input.peek(Token![=]) {
        if input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]) {
            return Err(error_at(name, format_args!("`{name}` has no description; {hint}")));
        }
        let error = input.error(format_args!("expected a `=` before this; {hint}"));
        skip_codename(input);
        return Err(error);
    }
    let equals: Token![=] = input.parse()?;
    if !input.peek(LitStr) {
        let error = if input.is_empty() || input.peek(Token![,]) {
            error_at(equals, format_args!("`{name}` has no description; {hint}"))
        } else {
            input.error(format_args!("the description of `{name}` is not a string; {hint}"))
        };
        skip_codename(input);
        return Err(error);
    }
    let literal: LitStr = input.parse()?;
    if literal.value().trim().is_empty() {
        return Err(error_at(&literal, format_args!("the description of `{name}` is empty; {hint}")));
    }
    Ok(literal)
}

/// Skips all tokens up to and including the next `;`, but stops before braces.
fn skip_statement(input: ParseStream<'_>) {
    while !(input.is_empty() || input.peek(Token![;]) || input.peek(token::Brace)) {
        skip_token(input);
    }
    if input.peek(Token![;]) {
        skip_token(input);
    }
}

/// Skips all tokens up to and including the next braces, after which the next group may begin.
fn skip_group(input: ParseStream<'_>) {
    while !input.is_empty() {
        let last = input.peek(token::Brace);
        skip_token(input);
        if last {
            return;
        }
    }
}

/// Skips the rest of this codename.
fn skip_codename(input: ParseStream<'_>) {
    while !(input.is_empty() || input.peek(Token![,]) || input.peek(Token![;])) {
        skip_token(input);
    }
}

/// Skips one token. Parsing a token tree cannot fail unless the input is empty.
fn skip_token(input: ParseStream<'_>) {
    let skipped: Result<TokenTree> = input.parse();
    drop(skipped);
}

#[cfg(test)]
mod tests {
    use super::Codenames;

    /// Returns the codenames that were read, with `?` for a missing description, and the errors.
    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let (codenames, error) = Codenames::read(text.parse().unwrap());
        let names = codenames.groups.iter().flat_map(|group| {
            let names = group.codenames.iter().map(|name| {
                let described = if name.description.is_some() { "" } else { "?" };
                format!("{}.{}{described}", group.name, name.name)
            });
            names.collect::<Vec<_>>()
        });
        let messages = error.into_iter().flatten().map(|error| error.to_string());
        (names.collect(), messages.collect())
    }

    #[test]
    fn codenames_with_attributes_are_read_with_them() {
        let text = "crate = ::renamed; /// Text\n pub(crate) chat { #[cfg(a)] read = \"Reads\", write = \"Writes\", } \
                    r#type { a = \"A\" }";
        let (names, messages) = read(text);
        assert_eq!(messages, [""; 0]);
        assert_eq!(names, ["chat.read", "chat.write", "r#type.a"]);
        let (codenames, _) = Codenames::read(text.parse().unwrap());
        assert!(codenames.runtime.is_some());
        assert_eq!(codenames.groups[0].attributes.len(), 1);
        assert_eq!(codenames.groups[0].codenames[0].attributes.len(), 1);
    }

    #[test]
    fn codenames_with_one_error_report_it_and_keep_the_rest() {
        for (text, expected, rest) in [
            ("", "declares no codename", &[][..]),
            ("crate = ::a;", "declares no codename", &[]),
            ("crate = ::a b { c = \"C\" }", "must end with `;`", &["b.c"]),
            ("crate = 5; a { b = \"B\" }", "expected identifier", &["a.b"]),
            ("a { } b { c = \"C\" }", "the group `a` is empty", &["b.c"]),
            ("a { b }", "`b` has no description", &["a.b?"]),
            ("a { b = , c = \"C\" }", "`b` has no description", &["a.b?", "a.c"]),
            ("a { b = \" \", c = \"C\" }", "is empty", &["a.b?", "a.c"]),
            ("a { b = 3, c = \"C\" }", "is not a string", &["a.b?", "a.c"]),
            ("a { b: \"B\", c = \"C\" }", "expected a `=`", &["a.b?", "a.c"]),
            ("a { b = \"B\"; c = \"C\" }", "separate two codenames", &["a.b", "a.c"]),
            ("a { b = \"B\" c = \"C\" }", "separate two codenames", &["a.b", "a.c"]),
            ("a { b = \"B\" + 1, c = \"C\" }", "separate two codenames", &["a.b", "a.c"]),
            ("a { b = \"B\", b = \"C\" }", "`a.b` is declared twice", &["a.b"]),
            ("a { pub b = \"B\" }", "has the visibility of its group", &["a.b"]),
            ("a { 5 = \"B\", c = \"C\" }", "expected a codename", &["a.c"]),
            ("a { b = \"B\" } a { c = \"C\" }", "two groups are named `a`", &["a.b"]),
            ("a { b = \"B\" }, c { d = \"D\" }", "groups are not separated", &["a.b", "c.d"]),
            ("a = { b = \"B\" } c { d = \"D\" }", "expected `{ … }`", &["c.d"]),
            ("a b = \"B\"", "expected `{ … }`", &[]),
            ("a { __b = \"B\" }", "begins with `__`", &["a.__b"]),
            ("__a { b = \"B\" }", "begins with `__`", &["__a.b"]),
            ("portcullis { b = \"B\" } c { d = \"D\" }", "would hide the crate", &["c.d"]),
            ("a { fn = \"B\", c = \"C\" }", "write `r#fn`", &["a.c"]),
            ("type { b = \"B\" } c { d = \"D\" }", "write `r#type`", &["c.d"]),
            ("a { #[cfg_attr(x, cfg(y))] b = \"B\" }", "`cfg` inside of `cfg_attr`", &["a.b"]),
            ("mod a { b = \"B\" } c { d = \"D\" }", "expected the name of a group", &["c.d"]),
        ] {
            let (names, messages) = read(text);
            assert_eq!(messages.len(), 1, "{text}: {messages:?}");
            assert!(messages[0].contains(expected), "{text}: {messages:?}");
            assert_eq!(names, rest, "{text}");
        }
    }

    #[test]
    fn codenames_with_cfg_may_share_a_name() {
        let text = "#[cfg(a)] a { b = \"B\" } #[cfg(not(a))] a { #[cfg(c)] b = \"B\", #[cfg(not(c))] b = \"B\" }";
        assert_eq!(read(text).1, [""; 0]);
    }

    #[test]
    fn codenames_with_several_errors_report_all() {
        let (names, messages) = read("a { b, c = 5, d = \"\" } a { } e { f = \"F\"; f = \"F\" } ;");
        assert_eq!(messages.len(), 8, "{messages:?}");
        assert_eq!(names, ["a.b?", "a.c?", "a.d?", "e.f"]);
    }
}
