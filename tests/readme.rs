//! The README shows what is there.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_echo_server_is_the_example_itself() {
    let (readme, example) = (read("README.md"), read("examples/echo.rs"));
    assert!(readme.contains(&format!("```rust\n{example}```\n")), "copy examples/echo.rs into README.md");
}

#[test]
fn the_compiler_message_is_a_real_one() {
    let message = read("tests/ui/fail/types/capture_not_provided_two_levels.stderr");
    assert!(read("README.md").contains(message.trim_end()), "the message in README.md is not the compiler's");
}

#[test]
fn every_link_leads_somewhere() {
    let readme = read("README.md");
    let links: Vec<_> = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 8);
    for link in links {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(), "{link}");
    }
}
