//! The tables of the chapter "Wire protocol" list every error code and every close code that the runtime contains.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use http::StatusCode;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, FnArg, Lit, Pat, Signature};

/// The file that copies the code of another error.
const COPIES_CODES: &str = "grants/batch.rs";

fn runtime() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime/src")
}

/// Returns the cells of the rows of the table below a heading.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let chapter = fs::read_to_string(runtime().join("docs/wire_protocol.md")).unwrap();
    let section = chapter.split_once(&format!("\n# {heading}\n")).unwrap().1.split("\n# ").next().unwrap().to_owned();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

/// Returns the text in backticks of a cell.
fn quoted(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("no backticks in {cell}"))
}

/// Returns the source files of the runtime below a folder, without those of tests and of the testing client.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if ["tests", "loom_tests", "testing"].contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Returns the error codes in a source file, each with its status if that is written as a constant.
///
/// # Errors
///
/// Returns an expression whose code cannot be found.
fn error_codes(source: &str) -> Result<Vec<(String, Option<u16>)>, String> {
    let file = syn::parse_file(source).unwrap();
    let mut forwarders = Forwarders::default();
    forwarders.visit_file(&file);
    let mut codes = Codes { forwarders, ..Codes::default() };
    codes.visit_file(&file);
    let Codes { mut found, forwarded, forwarded_statuses, unknown, .. } = codes;
    if let Some(unknown) = unknown {
        return Err(unknown);
    }
    if forwarded.is_empty() && !forwarded_statuses.is_empty() {
        return Err("a variable `code` that no literal is passed to".to_owned());
    }
    let status = if let [status] = forwarded_statuses[..] { status } else { None };
    found.extend(forwarded.into_iter().map(|code| (code, status)));
    Ok(found)
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn literal(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the last segments of a path expression, at most `count`.
fn path_end(expression: &Expr, count: usize) -> Option<String> {
    let Expr::Path(path) = expression else { return None };
    let segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    Some(segments[segments.len().saturating_sub(count)..].join("::"))
}

/// Functions and closures with a parameter `code`, each with its index.
#[derive(Default)]
struct Forwarders(Vec<(String, usize)>);

impl<'a> Visit<'a> for Forwarders {
    fn visit_signature(&mut self, signature: &'a Signature) {
        let is_code = |input: &FnArg| matches!(input, FnArg::Typed(typed) if is_named_code(&typed.pat));
        if let Some(index) = signature.inputs.iter().position(is_code) {
            self.0.push((signature.ident.to_string(), index));
        }
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if let (Pat::Ident(name), Some(init)) = (&local.pat, &local.init)
            && let Expr::Closure(closure) = &*init.expr
            && let Some(index) = closure.inputs.iter().position(is_named_code)
        {
            self.0.push((name.ident.to_string(), index));
        }
        visit::visit_local(self, local);
    }
}

fn is_named_code(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(name) => name.ident == "code",
        Pat::Type(typed) => is_named_code(&typed.pat),
        _ => false,
    }
}

#[derive(Default)]
struct Codes {
    forwarders: Forwarders,
    found: Vec<(String, Option<u16>)>,
    /// The literals that become a variable `code`.
    forwarded: Vec<String>,
    /// The status of each error that is created with a variable `code`, if it is a constant.
    forwarded_statuses: Vec<Option<u16>>,
    unknown: Option<String>,
}

impl<'a> Visit<'a> for Codes {
    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        visit::visit_expr_call(self, call);
        if path_end(&call.func, 2).as_deref() == Some("Error::new") {
            let status = path_end(&call.args[0], 1).and_then(|name| status_of(&name));
            match (literal(&call.args[1]), path_end(&call.args[1], 1).as_deref()) {
                (Some(code), _) => self.found.push((code, status)),
                (None, Some("code")) => self.forwarded_statuses.push(status),
                (None, other) => self.unknown = Some(format!("`Error::new(.., {other:?}, ..)`")),
            }
            return;
        }
        let name = path_end(&call.func, 1);
        for (forwarder, index) in &self.forwarders.0 {
            if Some(forwarder) == name.as_ref()
                && let Some(code) = call.args.get(*index).and_then(literal)
            {
                self.forwarded.push(code);
            }
        }
    }

    fn visit_field_value(&mut self, field: &'a syn::FieldValue) {
        visit::visit_field_value(self, field);
        if matches!(&field.member, syn::Member::Named(name) if name == "code") {
            self.forwarded.extend(literal(&field.expr));
        }
    }
}

/// Returns the status of a constant of [`StatusCode`].
fn status_of(name: &str) -> Option<u16> {
    let is_named = |status: &u16| {
        let reason = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        reason.is_some_and(|reason| reason.to_uppercase().replace(' ', "_") == name)
    };
    (400..600).find(is_named)
}

#[test]
fn chapter_lists_every_error_code_with_its_status() {
    let table: Vec<_> = rows("Error codes")
        .into_iter()
        .map(|row| (quoted(&row[0]).to_owned(), row[1].parse::<u16>().unwrap()))
        .collect();
    let mut emitted = BTreeSet::new();
    for path in sources(&runtime()) {
        let codes = error_codes(&fs::read_to_string(&path).unwrap());
        let codes = codes.or_else(|error| if path.ends_with(COPIES_CODES) { Ok(Vec::new()) } else { Err(error) });
        for (code, status) in codes.unwrap_or_else(|error| panic!("{}: write the code of {error}", path.display())) {
            let row = table.iter().find(|row| row.0 == code);
            let (_, listed) = row.unwrap_or_else(|| panic!("{}: the chapter has no row for `{code}`", path.display()));
            assert!(status.is_none_or(|status| status == *listed), "`{code}` has the status {status:?}, not {listed}");
            emitted.insert(code);
        }
    }
    assert!(emitted.len() > 20, "only these codes were found: {emitted:?}");
    let listed: BTreeSet<_> = table.iter().map(|row| row.0.clone()).collect();
    assert_eq!(
        (listed.len(), listed),
        (table.len(), emitted),
        "the chapter lists codes that nothing emits, or one twice"
    );
}

#[test]
fn error_code_is_found_however_it_is_passed_on() {
    let codes = |source: &str| error_codes(source);
    let found = |code: &str, status| Ok(vec![(code.to_owned(), status)]);
    assert_eq!(codes(r#"fn f() { Error::new(StatusCode::GONE, "a", "") }"#), found("a", Some(410)));
    assert_eq!(codes(r#"fn f() { let x = GONE; Error::new(x, "a", "") }"#), found("a", None));
    let function = r#"fn f() { g(1, "a") } fn g(x: u8, code: &str) { Error::new(StatusCode::CONFLICT, code, "") }"#;
    assert_eq!(codes(function), found("a", Some(409)));
    let closure = r#"fn f() { let g = |code, x: u8| Error::new(StatusCode::CONFLICT, code, ""); g("a", 1) }"#;
    assert_eq!(codes(closure), found("a", Some(409)));
    let field = r#"fn f() { E { code: "a" } } fn g(E { code }: E) { Error::new(StatusCode::CONFLICT, code, "") }"#;
    assert_eq!(codes(field), found("a", Some(409)));
    assert_eq!(codes(r#"#[cfg(test)] mod tests { fn f() { Error::new(StatusCode::GONE, "a", "") } }"#), Ok(vec![]));
    for hidden in [
        r#"const A: &str = "a"; fn f() { Error::new(StatusCode::GONE, A, "") }"#,
        r#"fn f() { Error::new(StatusCode::GONE, format!("a"), "") }"#,
        r#"fn f() { let code = "a"; Error::new(StatusCode::GONE, code, "") }"#,
    ] {
        codes(hidden).unwrap_err();
    }
}

/// Returns what the arms of the match in a method of `CloseReason` give for each variant.
fn close_reason_arms(method: &str) -> Vec<(String, Lit)> {
    struct Arms<'m>(&'m str, Vec<(String, Lit)>);
    impl<'a> Visit<'a> for Arms<'_> {
        fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
            if function.sig.ident == self.0 {
                visit::visit_impl_item_fn(self, function);
            }
        }

        fn visit_arm(&mut self, arm: &'a syn::Arm) {
            let Expr::Lit(result) = &*arm.body else { panic!("an arm is not a literal") };
            let variants: Vec<_> = match &arm.pat {
                Pat::Or(patterns) => patterns.cases.iter().collect(),
                pattern => vec![pattern],
            };
            for variant in variants {
                let path = match variant {
                    Pat::Path(variant) => &variant.path,
                    Pat::TupleStruct(variant) => &variant.path,
                    _ => panic!("a pattern is not a variant"),
                };
                let variant = path.segments.last().unwrap().ident.to_string();
                self.1.push((variant, result.lit.clone()));
            }
        }
    }
    let source = fs::read_to_string(runtime().join("transport/close_reason.rs")).unwrap();
    let mut arms = Arms(method, Vec::new());
    arms.visit_file(&syn::parse_file(&source).unwrap());
    arms.1
}

#[test]
fn chapter_lists_every_close_code_with_its_reason() {
    let reasons = close_reason_arms("text");
    let mut sent = BTreeSet::new();
    for (variant, code) in close_reason_arms("as_u16") {
        let (_, reason) = reasons.iter().find(|(name, _)| *name == variant).unwrap();
        let (Lit::Int(code), Lit::Str(reason)) = (code, reason) else { panic!("wrong type of literal") };
        sent.insert((code.base10_digits().to_owned(), reason.value()));
    }
    assert!(sent.len() >= 10, "only these were found: {sent:?}");
    let listed: BTreeSet<_> =
        rows("Close codes").iter().map(|row| (row[0].clone(), quoted(&row[1]).to_owned())).collect();
    assert_eq!(listed, sent);
}
