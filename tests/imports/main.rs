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
    &["session"],
    &["pubsub"],
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

/// Returns the modules that the `crate::` paths of a file name, without its unit tests.
fn imported(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines
        // A path with `$crate` belongs to the caller of the macro.
        .map(|line| line.replace("$crate::", ""))
        .flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>())
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|name| name.starts_with(char::is_lowercase))
        .collect()
}

#[test]
fn runtime_modules_import_downward_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime/src");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for path in sources(&source) {
        let inside = path.strip_prefix(&source).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        // The models of a session deliver real events, so they import what is above them, as unit tests may.
        if matches!(module, "lib" | "__private") || inside.starts_with("session/loom_tests") {
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
fn upward_import_is_found() {
    assert_eq!(imported("use crate::dispatch::Dispatcher;\n//! crate::server\nuse super::x;"), ["dispatch"]);
    assert!(row("dispatch") > row("permission"));
}
