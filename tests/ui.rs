//! What must not compile, and with which words; what must compile under the strictest lints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/**/*.rs");
}

/// Mistakes that the compiler reports more than once, with the number of errors.
const REPEATED: [(&str, usize); 20] = [
    ("codename/no_key", 2),
    ("event/group_not_an_object", 2),
    ("event/group_of_a_handler", 7),
    ("event/group_publish_not_a_group_permission", 2),
    ("event/key_no_such_field", 2),
    ("event/key_no_such_field_quoted", 2),
    ("event/not_a_group_permission", 2),
    ("event/not_an_event_permission", 2),
    ("object/cannot_be_loaded", 3),
    ("object/leaf_without_an_object", 2),
    ("object/loads_another_type", 2),
    ("object/not_an_object_permission", 2),
    ("types/not_a_blocking_permission", 2),
    ("types/not_a_handler", 2),
    ("types/not_a_permission", 3),
    ("types/not_a_permission_in_a_generic_block", 2),
    ("types/not_a_permission_in_connect", 2),
    ("types/permission_for_another_handler", 2),
    ("types/permission_for_another_user", 2),
    ("types/user_types_differ", 2),
];

/// The text that trybuild compares has no repetitions; an editor shows each error that the compiler emits.
#[test]
fn mistake_is_reported_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = root.join("tests/ui/fail");
    let emitted = count_emitted(root, &find_cases(&cases));
    let expected = emitted.keys().map(|case| {
        let count = || count_distinct(&fs::read_to_string(cases.join(case).with_extension("stderr")).unwrap());
        let known = REPEATED.iter().find(|(name, _)| name == case).map(|(_, count)| *count);
        (case.clone(), known.unwrap_or_else(count))
    });
    let expected: BTreeMap<String, usize> = expected.collect();
    let differing: Vec<_> = emitted.iter().filter(|(case, count)| expected[*case] != **count).collect();
    assert!(differing.is_empty(), "these cases have another number of errors than their `.stderr`: {differing:#?}");
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

/// Checks all cases, as the programs of one package, and returns the number of errors of each.
fn count_emitted(root: &Path, cases: &[String]) -> BTreeMap<String, usize> {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    write_package(root, &package, cases);
    let mut check = Command::new(env!("CARGO"));
    check.args(["check", "--offline", "--quiet", "--keep-going", "--message-format=json"]).current_dir(&package);
    // With `-D warnings`, warnings would count as errors.
    check.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = check.env("CARGO_TARGET_DIR", package.join("target")).output().unwrap();
    let mut emitted: BTreeMap<String, usize> = cases.iter().map(|case| (case.clone(), 0)).collect();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let (level, text) = (&message["message"]["level"], message["message"]["message"].as_str().unwrap_or_default());
        if level == "error" && !text.starts_with("aborting due to") {
            let case = message["target"]["name"].as_str().unwrap().replace("--", "/");
            *emitted.get_mut(&case).unwrap_or_else(|| panic!("{message:#}")) += 1;
        }
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(emitted.values().all(|count| *count > 0), "{errors}\n{emitted:#?}");
    emitted
}

fn write_package(root: &Path, package: &Path, cases: &[String]) {
    let quoted = |path: PathBuf| format!("{:?}", path.to_str().unwrap());
    let runtime = quoted(root.join("runtime"));
    let mut manifest = format!(
        "[package]\nname = \"ui\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n[workspace]\n[dependencies]\n\
         portcullis = {{ path = {runtime}, features = [\"anyhow\", \"axum\", \"registry\", \"testing\"] }}\n\
         anyhow = \"1\"\naxum = \"0.8\"\nserde = {{ version = \"1\", features = [\"derive\"] }}\n"
    );
    for case in cases {
        let (name, path) = (case.replace('/', "--"), root.join("tests/ui/fail").join(case).with_extension("rs"));
        writeln!(manifest, "[[bin]]\nname = {name:?}\npath = {}", quoted(path)).unwrap();
    }
    fs::create_dir_all(package).unwrap();
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
}
