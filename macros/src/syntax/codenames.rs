//! The inside of `permissions! { … }`.
//!
//! `all = ("crate" "=" path ";")? group*`, `group = attribute* visibility ident "{" name ("," name)* ","? "}"`,
//! `name = attribute* ident "=" string`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Path, Result, Token, Visibility, braced, token};

use super::Read;
use super::attribute::{cfgs, hidden};
use super::key_value::{Errors, refuse};

/// All codenames of one `permissions!`, as far as they could be read.
#[derive(Default)]
pub(crate) struct Codenames {
    pub(crate) runtime: Option<Path>,
    pub(crate) groups: Vec<Group>,
}

pub(crate) struct Group {
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

const SHAPE: &str = "write `chat { can_use_chat = \"Can use chat\" }`, say";

impl Codenames {
    pub(crate) fn read(tokens: TokenStream) -> Read<Self> {
        let mut codenames = Self::default();
        let all = |input: ParseStream<'_>| Ok(codenames.all(input));
        let error = all.parse2(tokens).unwrap_or_else(Some);
        (codenames, error)
    }

    fn all(&mut self, input: ParseStream<'_>) -> Option<syn::Error> {
        let mut errors = Errors(None);
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            self.runtime = errors.note(runtime(input));
        }
        if input.is_empty() && errors.0.is_none() {
            errors.add(syn::Error::new(Span::call_site(), format_args!("no codename is declared here; {SHAPE}")));
        }
        while !input.is_empty() {
            match group(input, &mut errors) {
                Ok(group) => self.add(group, &mut errors),
                Err(error) => {
                    errors.add(error);
                    skip_group(input);
                }
            }
            if input.peek(Token![,]) || input.peek(Token![;]) {
                errors.add(input.error("groups follow each other without a separator; remove this"));
                skip_one(input);
            }
        }
        errors.0
    }

    /// Two groups of one name are told of, unless `cfg` may keep them apart.
    fn add(&mut self, group: Group, errors: &mut Errors) {
        if group.name.unraw() == "portcullis" {
            errors.add(refuse(&group.name, "a group of this name would hide the crate; give it another"));
            return;
        }
        let mut earlier = self.groups.iter().filter(|earlier| earlier.name.unraw() == group.name.unraw());
        if earlier.any(|earlier| together(&earlier.attributes, &group.attributes)) {
            let name = &group.name;
            errors.add(refuse(name, format_args!("two groups are called `{name}`; put all of its codenames into one")));
        } else {
            self.groups.push(group);
        }
    }
}

/// Are both there at once, as far as can be seen?
fn together(one: &[Attribute], other: &[Attribute]) -> bool {
    cfgs(one).is_empty() || cfgs(other).is_empty()
}

/// `crate = ::path;`
fn runtime(input: ParseStream<'_>) -> Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style).inspect_err(|_| skip_statement(input))?;
    if input.parse::<Option<Token![;]>>()?.is_none() {
        return Err(refuse(&path, "`crate = …` ends with a `;`; write it before the first group"));
    }
    Ok(path)
}

fn group(input: ParseStream<'_>, errors: &mut Errors) -> Result<Group> {
    let attributes = attributes(input, errors)?;
    let visibility = input.parse()?;
    if !input.peek(Ident) {
        return Err(reserved(input, |next| next.peek(token::Brace))
            .unwrap_or_else(|| input.error(format_args!("expected the name of a group; {SHAPE}"))));
    }
    let name: Ident = input.parse()?;
    not_ours(&name, errors);
    if !input.peek(token::Brace) {
        return Err(input.error(format_args!("expected `{{ … }}` with the codenames of `{name}`; {SHAPE}")));
    }
    let inside;
    braced!(inside in input);
    if inside.is_empty() {
        let message = format_args!("the group `{name}` is empty; declare a codename in it, or remove it");
        errors.add(refuse(&name, message));
    }
    let codenames = names(&inside, &name, errors);
    Ok(Group { attributes, visibility, name, codenames })
}

fn names(input: ParseStream<'_>, group: &Ident, errors: &mut Errors) -> Vec<Codename> {
    let mut names: Vec<Codename> = Vec::new();
    while !input.is_empty() {
        match codename(input, errors) {
            Ok(name) => {
                let mut earlier = names.iter().filter(|earlier| earlier.name.unraw() == name.name.unraw());
                if earlier.any(|earlier| together(&earlier.attributes, &name.attributes)) {
                    let name = &name.name;
                    errors.add(refuse(name, format_args!("`{group}.{name}` is declared twice; keep one")));
                } else {
                    names.push(name);
                }
            }
            Err(error) => {
                errors.add(error);
                skip_name(input);
            }
        }
        separator(input, errors);
    }
    names
}

fn separator(input: ParseStream<'_>, errors: &mut Errors) {
    if !(input.is_empty() || input.peek(Token![,])) {
        errors.add(input.error("expected a `,` before this; it separates the codenames"));
        if input.peek(Ident) || input.peek(Token![#]) {
            return;
        }
        skip_name(input);
    }
    if !input.is_empty() {
        skip_one(input);
    }
}

/// What stands on a group or a codename; a `cfg` must be in sight, as more than one item gets it.
fn attributes(input: ParseStream<'_>, errors: &mut Errors) -> Result<Vec<Attribute>> {
    let mut attributes = input.call(Attribute::parse_outer)?;
    attributes.retain(|attribute| {
        let hides = hidden(attribute).iter().any(|path| path.is_ident("cfg"));
        if hides {
            let message = "`cfg` inside `cfg_attr` cannot be seen from here; write `#[cfg(…)]` itself";
            errors.add(refuse(attribute, message));
        }
        !hides
    });
    Ok(attributes)
}

/// What to say about a word of Rust's own where a name should stand.
fn reserved(input: ParseStream<'_>, fits: impl Fn(ParseStream<'_>) -> bool) -> Option<syn::Error> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok().filter(|_| fits(&ahead))?;
    Some(refuse(&word, format_args!("`{word}` is a word of Rust's own; write `r#{word}`, or another name")))
}

fn not_ours(name: &Ident, errors: &mut Errors) {
    if name.unraw().to_string().starts_with("__") {
        errors.add(refuse(name, "names that begin with `__` are for generated code; give it another"));
    }
}

fn codename(input: ParseStream<'_>, errors: &mut Errors) -> Result<Codename> {
    let attributes = attributes(input, errors)?;
    if input.peek(Token![pub]) {
        errors
            .add(input.error("a codename is as visible as its group; remove this `pub`, or write it before the group"));
        input.parse::<Visibility>()?;
    }
    if !input.peek(Ident) {
        return Err(reserved(input, |next| next.peek(Token![=]))
            .unwrap_or_else(|| input.error("expected a codename; write `can_use_chat = \"Can use chat\"`, say")));
    }
    let name: Ident = input.parse()?;
    not_ours(&name, errors);
    let description = errors.note(description(input, &name));
    Ok(Codename { attributes, name, description })
}

fn description(input: ParseStream<'_>, name: &Ident) -> Result<LitStr> {
    let instead = format!("write `{name} = \"…\"`, with what whoever has it may do");
    if !input.peek(Token![=]) {
        if input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]) {
            return Err(refuse(name, format_args!("`{name}` has no description; {instead}")));
        }
        let error = input.error(format_args!("expected a `=` before this; {instead}"));
        skip_name(input);
        return Err(error);
    }
    let equals: Token![=] = input.parse()?;
    if !input.peek(LitStr) {
        let error = if input.is_empty() || input.peek(Token![,]) {
            refuse(equals, format_args!("`{name}` has no description; {instead}"))
        } else {
            input.error(format_args!("a description is a string; {instead}"))
        };
        skip_name(input);
        return Err(error);
    }
    let literal: LitStr = input.parse()?;
    if literal.value().trim().is_empty() {
        return Err(refuse(&literal, format_args!("the description of `{name}` is empty; {instead}")));
    }
    Ok(literal)
}

/// Goes on behind the next `;`, or at the next braces.
fn skip_statement(input: ParseStream<'_>) {
    while !(input.is_empty() || input.peek(Token![;]) || input.peek(token::Brace)) {
        skip_one(input);
    }
    if input.peek(Token![;]) {
        skip_one(input);
    }
}

/// Goes on behind the next braces, where the next group may begin.
fn skip_group(input: ParseStream<'_>) {
    while !input.is_empty() {
        let last = input.peek(token::Brace);
        skip_one(input);
        if last {
            return;
        }
    }
}

/// Goes on to the end of this codename.
fn skip_name(input: ParseStream<'_>) {
    while !(input.is_empty() || input.peek(Token![,]) || input.peek(Token![;])) {
        skip_one(input);
    }
}

/// Of what is not empty, a token can always be taken.
fn skip_one(input: ParseStream<'_>) {
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
