//! The inside of `permissions! { … }`.
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

/// All codenames of one `permissions!`, as far as they could be read.
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
    /// Missing only beside an error.
    pub(crate) description: Option<LitStr>,
}

const EXAMPLE: &str = "write `chat { can_use_chat = \"Can use chat\" }`, say";

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
            errors.add(syn::Error::new(Span::call_site(), format_args!("no codename is declared here; {EXAMPLE}")));
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
                errors.add(input.error("groups follow each other without a separator; remove this"));
                skip_token(input);
            }
        }
        errors.0
    }

    /// Two groups of one name are told of, unless `cfg` may keep them apart.
    fn add_group(&mut self, group: CodenameGroup, errors: &mut ErrorList) {
        if group.name.unraw() == "portcullis" {
            errors.add(error_at(&group.name, "a group of this name would hide the crate; give it another"));
            return;
        }
        let mut earlier = self.groups.iter().filter(|earlier| earlier.name.unraw() == group.name.unraw());
        if earlier.any(|earlier| may_coexist(&earlier.attributes, &group.attributes)) {
            let name = &group.name;
            errors
                .add(error_at(name, format_args!("two groups are called `{name}`; put all of its codenames into one")));
        } else {
            self.groups.push(group);
        }
    }
}

/// Are both there at once, as far as can be seen?
fn may_coexist(one: &[Attribute], other: &[Attribute]) -> bool {
    cfgs(one).is_empty() || cfgs(other).is_empty()
}

/// `crate = ::path;`
fn parse_crate_path(input: ParseStream<'_>) -> Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style).inspect_err(|_| skip_statement(input))?;
    if input.parse::<Option<Token![;]>>()?.is_none() {
        return Err(error_at(&path, "`crate = …` ends with a `;`; write it before the first group"));
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
    let inside;
    braced!(inside in input);
    if inside.is_empty() {
        let message = format_args!("the group `{name}` is empty; declare a codename in it, or remove it");
        errors.add(error_at(&name, message));
    }
    let codenames = parse_codenames(&inside, &name, errors);
    Ok(CodenameGroup { attributes, visibility, name, codenames })
}

fn parse_codenames(input: ParseStream<'_>, group: &Ident, errors: &mut ErrorList) -> Vec<Codename> {
    let mut names: Vec<Codename> = Vec::new();
    while !input.is_empty() {
        match parse_codename(input, errors) {
            Ok(name) => {
                let mut earlier = names.iter().filter(|earlier| earlier.name.unraw() == name.name.unraw());
                if earlier.any(|earlier| may_coexist(&earlier.attributes, &name.attributes)) {
                    let name = &name.name;
                    errors.add(error_at(name, format_args!("`{group}.{name}` is declared twice; keep one")));
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
        errors.add(input.error("expected a `,` before this; it separates the codenames"));
        if input.peek(Ident) || input.peek(Token![#]) {
            return;
        }
        skip_codename(input);
    }
    if !input.is_empty() {
        skip_token(input);
    }
}

/// What stands on a group or a codename; a `cfg` must be in sight, as more than one item gets it.
fn parse_attributes(input: ParseStream<'_>, errors: &mut ErrorList) -> Result<Vec<Attribute>> {
    let mut attributes = input.call(Attribute::parse_outer)?;
    attributes.retain(|attribute| {
        let hides = cfg_attr_paths(attribute).iter().any(|path| path.is_ident("cfg"));
        if hides {
            let message = "`cfg` inside `cfg_attr` cannot be seen from here; write `#[cfg(…)]` itself";
            errors.add(error_at(attribute, message));
        }
        !hides
    });
    Ok(attributes)
}

/// What to say about a word of Rust's own where a name should stand.
fn reserved_word_error(input: ParseStream<'_>, fits: impl Fn(ParseStream<'_>) -> bool) -> Option<syn::Error> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok().filter(|_| fits(&ahead))?;
    Some(error_at(&word, format_args!("`{word}` is a word of Rust's own; write `r#{word}`, or another name")))
}

fn reject_reserved_prefix(name: &Ident, errors: &mut ErrorList) {
    if name.unraw().to_string().starts_with("__") {
        errors.add(error_at(name, "names that begin with `__` are for generated code; give it another"));
    }
}

fn parse_codename(input: ParseStream<'_>, errors: &mut ErrorList) -> Result<Codename> {
    let attributes = parse_attributes(input, errors)?;
    if input.peek(Token![pub]) {
        errors
            .add(input.error("a codename is as visible as its group; remove this `pub`, or write it before the group"));
        input.parse::<Visibility>()?;
    }
    if !input.peek(Ident) {
        return Err(reserved_word_error(input, |next| next.peek(Token![=]))
            .unwrap_or_else(|| input.error("expected a codename; write `can_use_chat = \"Can use chat\"`, say")));
    }
    let name: Ident = input.parse()?;
    reject_reserved_prefix(&name, errors);
    let description = errors.record(parse_description(input, &name));
    Ok(Codename { attributes, name, description })
}

fn parse_description(input: ParseStream<'_>, name: &Ident) -> Result<LitStr> {
    let instead = format!("write `{name} = \"…\"`, with what whoever has it may do");
    if !input.peek(Token![=]) {
        if input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]) {
            return Err(error_at(name, format_args!("`{name}` has no description; {instead}")));
        }
        let error = input.error(format_args!("expected a `=` before this; {instead}"));
        skip_codename(input);
        return Err(error);
    }
    let equals: Token![=] = input.parse()?;
    if !input.peek(LitStr) {
        let error = if input.is_empty() || input.peek(Token![,]) {
            error_at(equals, format_args!("`{name}` has no description; {instead}"))
        } else {
            input.error(format_args!("a description is a string; {instead}"))
        };
        skip_codename(input);
        return Err(error);
    }
    let literal: LitStr = input.parse()?;
    if literal.value().trim().is_empty() {
        return Err(error_at(&literal, format_args!("the description of `{name}` is empty; {instead}")));
    }
    Ok(literal)
}

/// Goes on behind the next `;`, or at the next braces.
fn skip_statement(input: ParseStream<'_>) {
    while !(input.is_empty() || input.peek(Token![;]) || input.peek(token::Brace)) {
        skip_token(input);
    }
    if input.peek(Token![;]) {
        skip_token(input);
    }
}

/// Goes on behind the next braces, where the next group may begin.
fn skip_group(input: ParseStream<'_>) {
    while !input.is_empty() {
        let last = input.peek(token::Brace);
        skip_token(input);
        if last {
            return;
        }
    }
}

/// Goes on to the end of this codename.
fn skip_codename(input: ParseStream<'_>) {
    while !(input.is_empty() || input.peek(Token![,]) || input.peek(Token![;])) {
        skip_token(input);
    }
}

/// Of what is not empty, a token can always be taken.
fn skip_token(input: ParseStream<'_>) {
    let skipped: Result<TokenTree> = input.parse();
    drop(skipped);
}

#[cfg(test)]
mod tests {
    use super::Codenames;

    /// The codenames that were read, and what was told.
    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let (codenames, error) = Codenames::read(text.parse().unwrap());
        let names = codenames.groups.iter().flat_map(|group| {
            let names = group.codenames.iter().map(|name| {
                let described = if name.description.is_some() { "" } else { "?" };
                format!("{}.{}{described}", group.name, name.name)
            });
            names.collect::<Vec<_>>()
        });
        let told = error.into_iter().flatten().map(|error| error.to_string());
        (names.collect(), told.collect())
    }

    #[test]
    fn groups_and_names_are_read_with_what_stands_on_them() {
        let text = "crate = ::renamed; /// Text\n pub(crate) chat { #[cfg(a)] read = \"Reads\", write = \"Writes\", } \
                    r#type { a = \"A\" }";
        let (names, told) = read(text);
        assert_eq!(told, [""; 0]);
        assert_eq!(names, ["chat.read", "chat.write", "r#type.a"]);
        let (codenames, _) = Codenames::read(text.parse().unwrap());
        assert!(codenames.runtime.is_some());
        assert_eq!(codenames.groups[0].attributes.len(), 1);
        assert_eq!(codenames.groups[0].codenames[0].attributes.len(), 1);
    }

    #[test]
    fn each_mistake_has_its_words_and_leaves_the_rest() {
        for (text, words, rest) in [
            ("", "no codename is declared", &[][..]),
            ("crate = ::a;", "no codename is declared", &[]),
            ("crate = ::a b { c = \"C\" }", "ends with a `;`", &["b.c"]),
            ("crate = 5; a { b = \"B\" }", "expected identifier", &["a.b"]),
            ("a { } b { c = \"C\" }", "the group `a` is empty", &["b.c"]),
            ("a { b }", "`b` has no description", &["a.b?"]),
            ("a { b = , c = \"C\" }", "`b` has no description", &["a.b?", "a.c"]),
            ("a { b = \" \", c = \"C\" }", "is empty", &["a.b?", "a.c"]),
            ("a { b = 3, c = \"C\" }", "a description is a string", &["a.b?", "a.c"]),
            ("a { b: \"B\", c = \"C\" }", "expected a `=`", &["a.b?", "a.c"]),
            ("a { b = \"B\"; c = \"C\" }", "separates the codenames", &["a.b", "a.c"]),
            ("a { b = \"B\" c = \"C\" }", "separates the codenames", &["a.b", "a.c"]),
            ("a { b = \"B\" + 1, c = \"C\" }", "separates the codenames", &["a.b", "a.c"]),
            ("a { b = \"B\", b = \"C\" }", "`a.b` is declared twice", &["a.b"]),
            ("a { pub b = \"B\" }", "as visible as its group", &["a.b"]),
            ("a { 5 = \"B\", c = \"C\" }", "expected a codename", &["a.c"]),
            ("a { b = \"B\" } a { c = \"C\" }", "two groups are called `a`", &["a.b"]),
            ("a { b = \"B\" }, c { d = \"D\" }", "without a separator", &["a.b", "c.d"]),
            ("a = { b = \"B\" } c { d = \"D\" }", "expected `{ … }`", &["c.d"]),
            ("a b = \"B\"", "expected `{ … }`", &[]),
            ("a { __b = \"B\" }", "begin with `__`", &["a.__b"]),
            ("__a { b = \"B\" }", "begin with `__`", &["__a.b"]),
            ("portcullis { b = \"B\" } c { d = \"D\" }", "would hide the crate", &["c.d"]),
            ("a { fn = \"B\", c = \"C\" }", "write `r#fn`", &["a.c"]),
            ("type { b = \"B\" } c { d = \"D\" }", "write `r#type`", &["c.d"]),
            ("a { #[cfg_attr(x, cfg(y))] b = \"B\" }", "`cfg` inside `cfg_attr`", &["a.b"]),
            ("mod a { b = \"B\" } c { d = \"D\" }", "expected the name of a group", &["c.d"]),
        ] {
            let (names, told) = read(text);
            assert_eq!(told.len(), 1, "{text}: {told:?}");
            assert!(told[0].contains(words), "{text}: {told:?}");
            assert_eq!(names, rest, "{text}");
        }
    }

    #[test]
    fn what_cfg_keeps_apart_may_have_one_name() {
        let text = "#[cfg(a)] a { b = \"B\" } #[cfg(not(a))] a { #[cfg(c)] b = \"B\", #[cfg(not(c))] b = \"B\" }";
        assert_eq!(read(text).1, [""; 0]);
    }

    #[test]
    fn all_mistakes_are_told_in_one_run() {
        let (names, told) = read("a { b, c = 5, d = \"\" } a { } e { f = \"F\"; f = \"F\" } ;");
        assert_eq!(told.len(), 8, "{told:?}");
        assert_eq!(names, ["a.b?", "a.c?", "a.d?", "e.f"]);
    }
}
