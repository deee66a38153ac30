//! The fuzz target of permission expressions: any text goes through the whole macro. The user's block always comes back,
//! and an expression is accepted exactly if a plain parser reads it and its truth table has no mistake.
//!
//! `cargo test` runs it on some random inputs. libFuzzer cannot instrument a procedural macro; this tries more random
//! inputs:
//!
//! ```text
//! BOLERO_RANDOM_ITERATIONS=4000000 cargo test --profile fuzz --package portcullis-macros --lib fuzz_tests
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::parse::Parser;

use crate::diagnostics::Diagnostics;
use crate::expand_block;
use crate::model::expression::{Expression, Tree};
use crate::syntax::block::BlockKind;
use crate::syntax::permission::PermissionValue;

/// What most expressions consist of. The plain parser knows the first part of them.
const PARTS: [&str; 32] = [
    "A",
    "B",
    "C",
    "A",
    "B",
    "&",
    "|",
    "!",
    "(",
    ")",
    "&",
    "|",
    "(",
    ")",
    " ",
    "A & B",
    "!A",
    "D",
    "AllowAny",
    "DenyAll",
    "AllowAny(a)",
    "Owner(a)",
    "Has(\"x\")",
    "::",
    ".",
    "uploads.read",
    "r#A",
    "<",
    ">",
    ",",
    "inherited",
    "{a}",
];
const LEAVES: [char; 4] = ['A', 'B', 'C', 'D'];

/// What replaces a character of an expression.
const EDITS: [&str; 16] =
    ["//", "/* A */", "&", "|", "!", "(", ")", " ", "A", "D", "::", "é", "\"", "{a}", "&&", "not"];

/// How often each outcome of an input has occurred, to show that random inputs reach what is compared.
static OUTCOMES: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());

fn record(outcome: &'static str) {
    *OUTCOMES.lock().unwrap().entry(outcome).or_default() += 1;
}

/// An expression as the plain parser reads it.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Leaf(char),
    Not(Box<Plain>),
    All(Vec<Plain>),
    Any(Vec<Plain>),
}

/// Parses an expression over [`LEAVES`]. Returns `None` if the text is not an expression.
fn parse(text: &str) -> Option<Plain> {
    let mut rest: Vec<char> = text.chars().filter(|char| *char != ' ').rev().collect();
    let parsed = parse_any(&mut rest)?;
    rest.is_empty().then_some(parsed)
}

fn parse_any(rest: &mut Vec<char>) -> Option<Plain> {
    parse_chain(rest, '|', Plain::Any, |rest| parse_chain(rest, '&', Plain::All, parse_unary))
}

fn parse_chain(
    rest: &mut Vec<char>,
    operator: char,
    join: fn(Vec<Plain>) -> Plain,
    operand: impl Fn(&mut Vec<char>) -> Option<Plain>,
) -> Option<Plain> {
    let mut operands = vec![operand(rest)?];
    while rest.pop_if(|char| *char == operator).is_some() {
        operands.push(operand(rest)?);
    }
    Some(if operands.len() == 1 { operands.remove(0) } else { join(operands) })
}

fn parse_unary(rest: &mut Vec<char>) -> Option<Plain> {
    match rest.pop()? {
        '!' => Some(Plain::Not(Box::new(parse_unary(rest)?))),
        '(' => {
            let inner = parse_any(rest)?;
            rest.pop_if(|char| *char == ')').map(|_| inner)
        }
        leaf => LEAVES.contains(&leaf).then_some(Plain::Leaf(leaf)),
    }
}

impl Plain {
    /// Returns whether the expression holds if the leaves have the values of these bits.
    fn holds(&self, row: usize) -> bool {
        match self {
            Plain::Leaf(leaf) => row >> LEAVES.iter().position(|other| other == leaf).unwrap() & 1 == 1,
            Plain::Not(inner) => !inner.holds(row),
            Plain::All(parts) => parts.iter().all(|part| part.holds(row)),
            Plain::Any(parts) => parts.iter().any(|part| part.holds(row)),
        }
    }

    fn parts(&self) -> &[Plain] {
        match self {
            Plain::Leaf(_) => &[],
            Plain::Not(inner) => std::slice::from_ref(inner),
            Plain::All(parts) | Plain::Any(parts) => parts,
        }
    }

    fn contains(&self, leaf: char) -> bool {
        *self == Plain::Leaf(leaf) || self.parts().iter().any(|part| part.contains(leaf))
    }

    /// Returns whether a part of the expression is constant, repeated, or negated twice.
    fn has_mistake(&self) -> bool {
        let rows: Vec<_> = ROWS.map(|row| self.holds(row)).collect();
        let parts = self.parts();
        let is_repeated = |(position, part): (usize, &Plain)| parts[..position].contains(part);
        let is_negated_twice = matches!((self, parts), (Plain::Not(_), [Plain::Not(_)]));
        rows.iter().all(|holds| *holds == rows[0])
            || parts.iter().enumerate().any(is_repeated)
            || is_negated_twice
            || parts.iter().any(Plain::has_mistake)
    }

    /// Returns whether each leaf can change the result.
    fn depends_on_all_leaves(&self) -> bool {
        let can_change = |bit: usize| ROWS.into_iter().any(|row| self.holds(row) != self.holds(row ^ 1 << bit));
        LEAVES.iter().enumerate().all(|(bit, leaf)| !self.contains(*leaf) || can_change(bit))
    }
}

/// All combinations of the values of the leaves.
const ROWS: std::ops::Range<usize> = 0..1 << LEAVES.len();

/// Returns whether the plain parser knows everything in a text: no longer names, and no constructors.
fn is_plain_text(text: &str) -> bool {
    let is_known = text.chars().all(|char| LEAVES.contains(&char) || "&|!() ".contains(char));
    let packed: Vec<_> = text.chars().filter(|char| *char != ' ').collect();
    is_known
        && !packed.windows(2).any(|pair| LEAVES.contains(&pair[0]) && (pair[1] == '(' || LEAVES.contains(&pair[1])))
}

/// Expands a handler with an action that has this permission. Returns whether there is an error.
fn is_refused(permission: &TokenStream) -> bool {
    let block = quote! {
        impl Rooms {
            #[action(permission = #permission)]
            async fn list(&self, a: u8) -> u8 { 1 }
            #[action(permission = IsAuthenticated)]
            async fn ping(&self) {}
        }
    };
    let output = expand_block(BlockKind::Handler, quote!(user = Member), &block);
    let file: syn::File = syn::parse2(output.clone()).unwrap();
    let syn::Item::Impl(returned) = &file.items[0] else { panic!("the first item is not the impl block") };
    assert_eq!(returned.items.len(), 2);
    output.to_string().contains("compile_error !")
}

/// Evaluates the tree of the macro.
fn holds(expression: &Expression, tree: &Tree, row: usize) -> bool {
    match tree {
        Tree::Leaf(leaf) => parse(&expression.leaves[*leaf].text).unwrap().holds(row),
        Tree::Not(inner) => !holds(expression, inner, row),
        Tree::All(parts) => parts.iter().all(|part| holds(expression, part, row)),
        Tree::Any(parts) => parts.iter().any(|part| holds(expression, part, row)),
    }
}

/// Builds a text from an input. Most are expressions, of some of which one character is replaced; any text is possible too.
fn text(input: &[u8]) -> String {
    let (kind, mut bytes) = (input.first().copied().unwrap_or(0), input.iter().skip(1).copied());
    if kind % 8 > 1 {
        let (position, edit) = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0));
        let text = chain(&mut bytes, &mut LEAVES.to_vec(), 2);
        if kind % 8 > 2 {
            return text;
        }
        let position = usize::from(position) % text.len();
        let end = position + usize::from(edit / 128);
        return format!("{}{}{}", &text[..position], EDITS[usize::from(edit % 16)], &text[end..]);
    }
    let mut text = String::new();
    for byte in bytes.take(64) {
        match byte {
            0..160 if kind.is_multiple_of(2) => text.push_str(PARTS[usize::from(byte % 18)]),
            0..160 => text.push_str(PARTS[usize::from(byte % 32)]),
            _ => text.push(char::from(byte - 128)),
        }
    }
    text
}

/// Returns two to four operands with operators between them. Most leaves are used once: they are taken out of `unused`.
fn chain(bytes: &mut impl Iterator<Item = u8>, unused: &mut Vec<char>, depth: u8) -> String {
    let byte = bytes.next().unwrap_or(0);
    let mut text = operand(bytes, unused, depth);
    for position in 0..=byte % 4 % 3 {
        if position > 0 && unused.is_empty() {
            break;
        }
        text.push_str(if byte >> (position + 2) & 1 == 0 { " & " } else { "|" });
        text.push_str(&operand(bytes, unused, depth));
    }
    text
}

fn operand(bytes: &mut impl Iterator<Item = u8>, unused: &mut Vec<char>, depth: u8) -> String {
    let byte = bytes.next().unwrap_or(0);
    match byte % 8 {
        0 if depth > 0 => format!("!{}", operand(bytes, unused, depth - 1)),
        1..4 if depth > 0 && unused.len() > 1 => format!("({})", chain(bytes, unused, depth - 1)),
        _ if byte < 240 && !unused.is_empty() => unused.remove(usize::from(byte / 8) % unused.len()).to_string(),
        _ => LEAVES[usize::from(byte / 8 % 4)].to_string(),
    }
}

fn check(input: &[u8]) {
    let text = text(input);
    let quoted = Literal::string(&text);
    let is_quoted_refused = is_refused(&quote!(#quoted));
    let has_comment = text.contains("//") || text.contains("/*");
    assert!(is_quoted_refused || !has_comment || text.contains('"'), "the comment hides something: {text}");
    // A text that is not a list of tokens is refused by the compiler before the macro sees it. A comma ends the value.
    if let Ok(bare) = text.parse::<TokenStream>()
        && !text.contains(',')
        && !has_comment
    {
        let is_bare_refused = is_refused(&bare);
        assert!(is_bare_refused == is_quoted_refused || text.contains('"'), "quoted or not makes a difference: {text}");
    }
    if !is_plain_text(&text) {
        return record(if has_comment { "comment" } else { "other text" });
    }
    let Some(plain) = parse(&text) else {
        record("no expression");
        return assert!(is_quoted_refused, "{text}");
    };
    let is_leaf = matches!(plain, Plain::Leaf(_));
    let is_expected = is_leaf || (!plain.has_mistake() && plain.depends_on_all_leaves());
    record(match (is_leaf, is_expected) {
        (true, _) => "leaf",
        (false, true) => "accepted",
        (false, false) => "mistake in its truth table",
    });
    assert_eq!(!is_quoted_refused, is_expected, "{text}");
    let syntax = PermissionValue::parse.parse_str(&text).unwrap().into_expression().unwrap();
    let mut diagnostics = Diagnostics::new();
    let expression = Expression::new(&syntax, &mut diagnostics);
    diagnostics.finish().unwrap();
    for row in ROWS {
        assert_eq!(holds(&expression, &expression.tree, row), plain.holds(row), "{text}");
    }
}

#[test]
fn any_permission_is_accepted_or_refused_as_its_truth_table_says() {
    bolero::check!().with_iterations(3000).for_each(|input| {
        check(input);
        // Otherwise each parsed text is kept.
        proc_macro2::extra::invalidate_current_thread_spans();
    });
    // In thousandths; far below what random inputs reach on average.
    let minima = [
        ("accepted", 250),
        ("mistake in its truth table", 50),
        ("no expression", 30),
        ("comment", 3),
        ("other text", 50),
    ];
    let outcomes = OUTCOMES.lock().unwrap();
    println!("{outcomes:?}");
    // Inputs that a fuzzer has stored are tried too, and are not random.
    if Path::new(env!("CARGO_MANIFEST_DIR")).join("src/__fuzz__").exists() {
        return println!("the shares are not compared: there are stored inputs");
    }
    let total: usize = outcomes.values().sum();
    for (outcome, thousandths) in minima {
        let count = outcomes.get(outcome).copied().unwrap_or(0);
        assert!(count > 0 && count * 1000 >= thousandths * total, "{count} times `{outcome}`: {outcomes:?}");
    }
}
