//! Data flows one way through the files of each crate, and a reader who knows the flow can guess the file: a folder of the
//! runtime imports downward only, and no two files import each other.

mod import_graph;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use import_graph::ImportGraph;

/// The folders and files of the runtime, low to high. A folder imports from its own row and from rows before it.
const RUNTIME_ROWS: &[&[&str]] = &[
    &["error", "fuzz_outcomes", "random", "result_ext", "log", "time", "panic", "sync", "rate"],
    &["message", "grants"],
    &["context"],
    &["transport", "permission", "tickets", "broker"],
    &["dialect"],
    &["action"],
    &["consumer"],
    &["observe"],
    &["session"],
    &["pubsub"],
    &["dispatch"],
    &["connection"],
    &["server"],
    &["testing"],
];

/// The folders and files of the macros, each with those that it imports. `lib` imports all.
const MACRO_FOLDERS: &[(&str, &[&str])] = &[
    ("diagnostics", &[]),
    ("syntax", &[]),
    ("model", &["syntax", "diagnostics"]),
    ("check", &["model", "syntax", "diagnostics"]),
    ("expand", &["model"]),
];

/// Reads the import graph of a crate of the workspace.
fn graph(folder: &str) -> ImportGraph {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let graph = ImportGraph::new(&|file| fs::read_to_string(source.join(file)).ok());
    let count = graph.imports().count();
    assert!(count > 100, "only {count} imports were found");
    graph
}

/// Returns the imports between folders that `is_allowed` refuses. `lib.rs` may import everything.
fn wrong_imports(graph: &ImportGraph, is_allowed: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, imported) in graph.named_folders().filter(|(file, _)| *file != "lib.rs") {
        let folder = file.split('/').next().unwrap().trim_end_matches(".rs");
        if folder != imported && !is_allowed(folder, imported) {
            wrong.push(format!("{file} imports `{imported}`"));
        }
    }
    wrong
}

#[test]
fn runtime_files_do_not_import_each_other() {
    let circles: Vec<_> = graph("runtime/src").circles().into_iter().collect();
    assert!(circles.is_empty(), "files import each other:\n{}", circles.join("\n"));
}

#[test]
fn macro_files_do_not_import_each_other() {
    let circles: Vec<_> = graph("macros/src").circles().into_iter().collect();
    assert!(circles.is_empty(), "files import each other:\n{}", circles.join("\n"));
}

#[test]
fn runtime_folders_import_downward_only() {
    let row = |folder: &str| RUNTIME_ROWS.iter().position(|row| row.contains(&folder));
    // `__private` re-exports what generated code uses; nothing else imports it. The chapters of the guide import the crate.
    let is_allowed = |folder: &str, imported: &str| match (folder, imported) {
        ("__private" | "guide", _) => true,
        (folder, imported) => row(imported).zip(row(folder)).is_some_and(|(imported, own)| imported <= own),
    };
    let wrong = wrong_imports(&graph("runtime/src"), is_allowed);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn macro_folders_import_the_stages_before_them_only() {
    let is_allowed = |folder: &str, imported: &str| {
        MACRO_FOLDERS.iter().any(|(name, allowed)| *name == folder && allowed.contains(&imported))
    };
    let wrong = wrong_imports(&graph("macros/src"), is_allowed);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the graph of a crate with these files.
fn graph_of(files: &[(&str, &str)]) -> ImportGraph {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    ImportGraph::new(&|file| files.get(file).map(|text| (*text).to_owned()))
}

#[test]
fn circle_is_found_and_named_by_its_files() {
    let circle = BTreeSet::from(["a.rs -> b/mod.rs -> c.rs -> a.rs".to_owned()]);
    for (a, b) in [
        ("use crate::b::B;", "use super::c as d;"),
        ("use super::{b::{B}};", "struct B(crate::c::C);"),
        ("fn f() -> super::b::B {}", "use crate::c; type B = c::C;"),
        ("fn f() { log!(a = ?crate::b::B) }", "use crate::{c::{self}};"),
    ] {
        let c = "use crate::a::A;";
        let graph = graph_of(&[("lib.rs", "mod a; mod b; mod c;"), ("a.rs", a), ("b/mod.rs", b), ("c.rs", c)]);
        assert_eq!(graph.circles(), circle, "{a} {b}");
    }
}

#[test]
fn chain_of_imports_is_no_circle() {
    let graph = graph_of(&[
        // A re-export is an import of the file that defines the item.
        ("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::B; #[cfg(test)] mod tests { use crate::c::C; } #[cfg(test)] mod more;"),
        ("b.rs", "use crate::c::C; macro_rules! m { () => { $crate::a::A }; }"),
        ("c.rs", "use ::a::A; use std::b; /** crate::a::A */ pub(in crate::a) struct C;"),
    ]);
    assert_eq!(graph.imports().collect::<Vec<_>>(), [("a.rs", "b.rs"), ("b.rs", "c.rs")]);
    assert!(graph.circles().is_empty());
}

#[test]
fn import_between_folders_is_refused_unless_it_is_allowed() {
    let graph = graph_of(&[
        ("lib.rs", "mod a; mod b; mod c; use a::A; pub use c::C;"),
        ("a/mod.rs", "mod d; pub use super::b::D; struct A;"),
        ("a/d.rs", "use super::{A, D}; type C = crate::C;"),
        ("b.rs", "pub struct D;"),
        ("c.rs", "pub struct C;"),
    ]);
    assert_eq!(wrong_imports(&graph, |_, _| false), ["a/d.rs imports `c`", "a/mod.rs imports `b`"]);
    assert_eq!(wrong_imports(&graph, |folder, imported| (folder, imported) == ("a", "b")), ["a/d.rs imports `c`"]);
}
