//! What must not compile, and with which words; what must compile under the strictest lints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

#[test]
fn ui_fail() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/**/*.rs");
}

/// All errors and warnings of all cases, by the path of the case. The text that trybuild compares has no repetitions and says
/// nothing of quick fixes; an editor shows each error that the compiler emits.
static EMITTED: LazyLock<BTreeMap<String, Vec<Value>>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    check_cases(root, &find_cases(&root.join(CASES)))
});

const CASES: &str = "tests/ui";

/// The errors of the cases that must not compile.
fn errors() -> impl Iterator<Item = (&'static String, Vec<&'static Value>)> {
    let fail = EMITTED.iter().filter(|(case, _)| case.starts_with("fail/"));
    fail.map(|(case, messages)| (case, messages.iter().filter(|message| message["level"] == "error").collect()))
}

#[test]
fn ui_pass() {
    let pass: Vec<_> = EMITTED.iter().filter(|(case, _)| case.starts_with("pass/")).collect();
    assert!(pass.len() > 15, "{pass:?}");
    let reported: Vec<_> = pass.into_iter().filter(|(_, messages)| !messages.is_empty()).collect();
    assert!(reported.is_empty(), "cases with errors or warnings: {reported:#?}");
}

#[test]
fn mistake_is_reported_once() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASES);
    let count_expected =
        |case: &str| count_distinct(&fs::read_to_string(cases.join(case).with_extension("stderr")).unwrap());
    let counted: Vec<_> = errors().map(|(case, errors)| (case, errors.len(), count_expected(case))).collect();
    let compiling: Vec<_> = counted.iter().filter(|(_, emitted, _)| *emitted == 0).collect();
    assert!(counted.len() > 500 && compiling.is_empty(), "{} cases, without an error: {compiling:#?}", counted.len());
    let differing: Vec<_> = counted.iter().filter(|(_, emitted, expected)| emitted != expected).collect();
    assert!(differing.is_empty(), "cases whose number of errors is not that of their `.stderr`: {differing:#?}");
}

/// A suggestion for a name in a quoted expression has the span of the literal: as a quick fix it would drop the rest.
#[test]
fn suggestion_never_changes_a_quoted_expression() {
    let mut changed = Vec::new();
    for (case, errors) in errors() {
        let messages = errors.into_iter().flat_map(|error| std::iter::once(error).chain(children(error)));
        for span in messages.flat_map(|message| message["spans"].as_array().unwrap()) {
            if span["suggested_replacement"].is_string() && touches_quoted_expression(span) {
                changed.push((case, &span["suggested_replacement"]));
            }
        }
    }
    assert!(changed.is_empty(), "suggestions that change a quoted expression: {changed:#?}");
    let quoted = errors().flat_map(|(_, errors)| errors).flat_map(|error| error["spans"].as_array().unwrap());
    assert!(
        quoted.filter(|span| touches_quoted_expression(span)).count() > 20,
        "few errors are at a quoted expression"
    );
}

fn children(message: &Value) -> &[Value] {
    message["children"].as_array().unwrap()
}

/// Returns whether the span contains or borders on a string literal that is the value of a key for permissions.
fn touches_quoted_expression(span: &Value) -> bool {
    span["text"].as_array().unwrap().iter().any(|line| {
        let text = line["text"].as_str().unwrap();
        let column = |name: &str| usize::try_from(line[name].as_u64().unwrap()).unwrap() - 1;
        let (start, end) = (column("highlight_start"), column("highlight_end"));
        ["permission = \"", "connect = \"", "publish = \""].iter().any(|key| {
            let literals = text.match_indices(key).map(|(position, _)| position + key.len() - 1);
            literals
                .map(|first| (first, first + text[first..].rfind('"').unwrap_or(0)))
                .any(|(first, last)| start <= last + 1 && end >= first)
        })
    })
}

/// Returns the paths of all cases without their extension, relative to `folder`.
fn find_cases(folder: &Path) -> Vec<String> {
    let (mut folders, mut cases) = (vec![folder.to_owned()], Vec::new());
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                cases.push(path.strip_prefix(folder).unwrap().with_extension("").to_str().unwrap().to_owned());
            }
        }
    }
    cases.sort();
    cases
}

/// Counts the errors in a `.stderr` file.
fn count_distinct(stderr: &str) -> usize {
    stderr.lines().filter(|line| line.starts_with("error:") || line.starts_with("error[")).count()
}

/// Checks all cases, as the programs of one package, and returns what the compiler reports of each.
fn check_cases(root: &Path, cases: &[String]) -> BTreeMap<String, Vec<Value>> {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    write_package(root, &package, cases);
    let mut check = Command::new(env!("CARGO"));
    check.args(["check", "--offline", "--quiet", "--keep-going", "--message-format=json"]).current_dir(&package);
    // With `-D warnings`, warnings would count as errors.
    check.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = check.env("CARGO_TARGET_DIR", package.join("target")).output().unwrap();
    let mut emitted: BTreeMap<String, Vec<Value>> = cases.iter().map(|case| (case.clone(), Vec::new())).collect();
    let mut finished = BTreeSet::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let case = line["target"]["name"].as_str().unwrap_or_default().replace("--", "/");
        if line["reason"] == "compiler-artifact" {
            finished.insert(case);
            continue;
        }
        let message = line["message"].take();
        let text = message["message"].as_str().unwrap_or_default();
        let is_summary = text.starts_with("aborting due to") || text.ends_with("emitted");
        if matches!(message["level"].as_str(), Some("error" | "warning")) && !is_summary {
            // A warning about the library concerns no case.
            match emitted.get_mut(&case) {
                Some(messages) => messages.push(message),
                None => assert!(message["level"] == "warning", "{message:#}"),
            }
        }
    }
    let is_unchecked = |case: &&String| !finished.contains(*case) && emitted[*case].is_empty();
    let unchecked: Vec<_> = cases.iter().filter(is_unchecked).collect();
    assert!(unchecked.is_empty(), "{}\nnot checked: {unchecked:#?}", String::from_utf8_lossy(&output.stderr));
    emitted
}

fn write_package(root: &Path, package: &Path, cases: &[String]) {
    let quoted = |path: PathBuf| format!("{:?}", path.to_str().unwrap());
    let runtime = quoted(root.join("runtime"));
    let mut manifest = format!(
        "[package]\nname = \"ui\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n[workspace]\n[dependencies]\n\
         portcullis = {{ path = {runtime}, features = [\"anyhow\", \"axum\", \"registry\", \"testing\", \"validate\"] }}\n\
         anyhow = \"1\"\naxum = \"0.8\"\nfutures-util = \"0.3\"\ngarde = {{ version = \"0.23\", features = [\"derive\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n"
    );
    for case in cases {
        let (name, path) = (case.replace('/', "--"), root.join(CASES).join(case).with_extension("rs"));
        writeln!(manifest, "[[bin]]\nname = {name:?}\npath = {}", quoted(path)).unwrap();
    }
    fs::create_dir_all(package).unwrap();
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
}
