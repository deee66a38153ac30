//! The README, the architecture page and the tables of the chapters match the repository.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn readme_has_at_most_150_lines() {
    assert!(read("README.md").lines().count() <= 150);
}

#[test]
fn readme_echo_server_is_the_echo_example() {
    let (readme, example) = (read("README.md"), read("examples/echo.rs"));
    assert!(readme.contains(&format!("```rust\n{example}```\n")), "copy examples/echo.rs into README.md");
}

/// Returns the value of a key in a table of a manifest.
fn value<'a>(manifest: &'a str, table: &str, key: &str) -> &'a str {
    let table = manifest.split_once(&format!("[{table}]\n")).unwrap().1;
    let table = table.split("\n[").next().unwrap();
    let line = table.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
    line.unwrap_or_else(|| panic!("no `{key}` in {table}"))
}

/// Returns the quoted texts of a value: the version first, then the features.
fn quoted(value: &str) -> Vec<&str> {
    value.split('"').skip(1).step_by(2).collect()
}

#[test]
fn readme_dependencies_match_the_workspace() {
    let (readme, workspace, runtime) = (read("README.md"), read("Cargo.toml"), read("runtime/Cargo.toml"));
    let snippet = readme.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    for (name, version) in [
        ("portcullis", quoted(value(&workspace, "workspace.package", "version"))[0]),
        ("axum", quoted(value(&workspace, "workspace.dependencies", "axum"))[0]),
        ("serde", quoted(value(&workspace, "workspace.dependencies", "serde"))[0]),
        ("tokio", quoted(value(&workspace, "workspace.dependencies", "tokio"))[0]),
    ] {
        let shown = quoted(value(snippet, "dependencies", name))[0];
        assert!(format!("{version}.").starts_with(&format!("{shown}.")), "{name} {shown} is not {version}");
    }
    let used = ["workspace.dependencies", "dev-dependencies"].map(|table| quoted(value(&workspace, table, "tokio")));
    for feature in &quoted(value(snippet, "dependencies", "tokio"))[1..] {
        assert!(used.iter().flatten().any(|used| used == feature), "the tests do not use tokio's `{feature}`");
    }
    for feature in &quoted(value(snippet, "dependencies", "serde"))[1..] {
        assert!(quoted(value(&workspace, "workspace.dependencies", "serde")).contains(feature), "serde's `{feature}`");
    }
    let shown = quoted(value(snippet, "dev-dependencies", "portcullis"));
    assert_eq!(shown[0], quoted(value(snippet, "dependencies", "portcullis"))[0]);
    for feature in &shown[1..] {
        value(&runtime, "features", feature);
    }
}

#[test]
fn readme_compiler_message_is_a_blessed_one() {
    let message = read("tests/ui/fail/types/capture_not_provided_two_levels.stderr");
    assert!(read("README.md").contains(message.trim_end()), "the message in README.md is not the compiler's");
}

#[test]
fn readme_links_exist() {
    let readme = read("README.md");
    let links: Vec<_> = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 8);
    for link in links {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(), "{link}");
    }
}

/// Returns the paths of the files and folders below `folder`, each with a slash in front.
fn paths(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(paths(&path));
        }
        found.push(format!("/{}", path.display()));
    }
    found
}

#[test]
fn architecture_paths_exist() {
    let (architecture, root) = (read("ARCHITECTURE.md"), Path::new(env!("CARGO_MANIFEST_DIR")));
    let folders = ["runtime", "macros", "tests", "examples", ".github", ".ci"];
    let known: Vec<_> = folders.iter().flat_map(|folder| paths(&root.join(folder))).collect();
    let words = architecture.split(|c: char| c.is_whitespace() || "`,;()[]|".contains(c));
    let is_file = |word: &str| Path::new(word).extension().is_some_and(|extension| extension == "rs");
    let named: Vec<_> = words.filter(|word| is_file(word) || (word.ends_with('/') && word.len() > 1)).collect();
    assert!(named.len() > 80, "only {} paths were found", named.len());
    for path in named {
        let end = format!("/{}", path.trim_end_matches('/'));
        assert!(known.iter().any(|known| known.ends_with(&end)), "{path} does not exist");
    }
}

/// Adds the text of all source files below a folder.
fn read_sources(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn tests_that_chapters_name_exist() {
    let mut sources = String::new();
    for folder in ["tests", "runtime/src"] {
        read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
    }
    for chapter in ["limits", "security"] {
        let text = read(&format!("runtime/src/docs/{chapter}.md"));
        let rows = text.lines().filter(|line| line.starts_with("| "));
        let last_cells = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next());
        let names: Vec<&str> = last_cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .filter(|name| name.contains('_') && !name.contains(['[', ':']))
            .collect();
        assert!(names.len() > 10, "only these were found in {chapter}: {names:?}");
        for name in names {
            assert!(sources.contains(&format!("fn {name}(")), "{chapter}.md names a test that does not exist: {name}");
        }
    }
}

/// Returns the names of the public fields of a struct that is written in a source file.
fn public_fields(source: &str) -> Vec<&str> {
    source.lines().filter_map(|line| line.strip_prefix("    pub ")?.split_once(": ")).map(|(name, _)| name).collect()
}

#[test]
fn limits_chapter_has_every_limit() {
    let (source, chapter) = (read("runtime/src/connection/limits.rs"), read("runtime/src/docs/limits.md"));
    let fields = public_fields(source.split_once("pub struct Limits {").unwrap().1.split("\n}").next().unwrap());
    assert!(fields.len() > 20, "only these were found: {fields:?}");
    let rows: Vec<_> = chapter.lines().filter(|line| line.starts_with("| ")).collect();
    for field in fields {
        let link = format!("[`Limits::{field}`]");
        assert!(rows.iter().any(|row| row.contains(&link)), "no row of limits.md has {link}");
    }
}
