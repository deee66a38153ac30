//! The tables of the chapter on observability: each span and each metric is in them, with its fields or labels.

use std::collections::{BTreeMap, BTreeSet};

use metrics::Unit;

use super::capture;
use super::metrics::exercise;
use super::recorder::Recording;

const CHAPTER: &str = include_str!("../../runtime/src/docs/observability.md");

/// Returns the cells of all rows of the table with this heading.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let table = CHAPTER.split_once(&format!("| {heading} |")).expect("there is no such table").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches(['|', ' ']).split('|').map(str::trim).collect()).collect()
}

/// Returns the texts in backquotes.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn name(cell: &str) -> String {
    quoted(cell).into_iter().next().expect("a name in backquotes")
}

#[tokio::test]
async fn metrics_of_the_chapter_are_those_that_are_emitted() {
    let recording = Recording::default();
    exercise(&recording).await;
    let row = |cells: Vec<&str>| (name(cells[0]), (cells[1].to_owned(), quoted(cells[3])));
    let documented: BTreeMap<String, (String, BTreeSet<String>)> = rows("metric").into_iter().map(row).collect();
    assert_eq!(documented, recording.metrics());
    let unit = |text: &str| if text == "seconds" { Unit::Seconds } else { Unit::Count };
    let units = rows("metric").into_iter().map(|cells| (name(cells[0]), Some(unit(cells[2]))));
    let described = recording.described().into_iter().map(|(name, (_, unit))| (name, unit));
    assert_eq!(units.collect::<BTreeMap<_, _>>(), described.collect());
    for (name, (kind, _)) in recording.described() {
        assert_eq!(documented[&name].0, kind, "{name}");
    }
}

#[tokio::test]
async fn spans_of_the_chapter_are_those_that_are_created() {
    capture::start();
    exercise(&Recording::default()).await;
    let row = |cells: Vec<&str>| (name(cells[0]), quoted(cells[2]));
    let documented: BTreeMap<String, BTreeSet<String>> = rows("span").into_iter().map(row).collect();
    let created = capture::span_fields().into_iter();
    let created = created.map(|(name, fields)| (name.to_owned(), fields.into_iter().map(str::to_owned).collect()));
    assert_eq!(documented, created.collect());
}

#[test]
fn metrics_in_the_queries_of_the_chapter_exist() {
    let known: Vec<String> = rows("metric").into_iter().map(|cells| name(cells[0]).replace('.', "_")).collect();
    let words = CHAPTER.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let used: BTreeSet<&str> = words.filter(|word| word.starts_with("portcullis_")).collect();
    assert!(used.len() > 5, "{used:?}");
    for word in used {
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
        assert!(known.iter().any(|name| name == base), "{word}");
    }
}
