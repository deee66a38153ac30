//! The runtime's modules import downward only: data flows one way, and a reader who knows the flow can guess the file.

use std::fs;
use std::path::{Path, PathBuf};

/// Low to high. A module imports from its own row and from rows below it.
const ROWS: &[&[&str]] = &[
    &["error", "log", "time", "panic", "sync"],
    &["message", "grants"],
    &["context"],
    &["transport", "permission"],
    &["dialect"],
    &["action"],
    &["consumer"],
    &["session", "pubsub"],
    &["dispatch"],
    &["connection"],
    &["server"],
    &["testing"],
];

fn row(module: &str) -> usize {
    ROWS.iter().position(|row| row.contains(&module)).unwrap_or_else(|| panic!("`{module}` has no row"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The modules that a line's `crate::` paths name, before any unit tests begin.
fn imported(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines
        // What a macro names is named by whoever uses it.
        .map(|line| line.replace("$crate::", ""))
        .flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>())
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|name| name.starts_with(char::is_lowercase))
        .collect()
}

#[test]
fn modules_import_downward_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime/src");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for path in sources(&source) {
        let inside = path.strip_prefix(&source).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "__private") {
            continue;
        }
        for name in imported(&fs::read_to_string(&path).unwrap()) {
            checked += 1;
            if name == "__private" || row(&name) > row(module) {
                wrong.push(format!("{} imports `{name}`", inside.display()));
            }
        }
    }
    assert!(checked > 50, "only {checked} imports were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_would_be_seen() {
    assert_eq!(imported("use crate::dispatch::walk;\n//! crate::server\nuse super::x;"), ["dispatch"]);
    assert!(row("dispatch") > row("permission"));
}
