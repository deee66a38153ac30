//! The log entries of the runtime. The subscriber of `tracing` that takes them is the application's code, which may panic.

use super::catch_unwind::{Panic, catch_unwind};

/// Writes a log entry: a level, such as `ERROR`, then the fields and the text as in [`tracing::event!`].
///
/// All entries of the runtime are written by this macro, so that a subscriber that panics loses the entry and nothing else.
/// An entry whose level is disabled costs as much as without containment: one comparison. The level is not compared here,
/// because the feature `log` of `tracing` writes entries for which no subscriber exists.
///
/// Write the entry after what it is about has taken effect: a subscriber may also block.
macro_rules! log_entry {
    ($level:ident, $($entry:tt)+) => {
        $crate::panic::contain_log(|| ::tracing::event!(::tracing::Level::$level, $($entry)+))
    };
}

/// Returns whether a subscriber may want log entries of a level, such as `INFO`. If it panics, it wants none.
macro_rules! is_log_enabled {
    ($level:ident) => {
        $crate::panic::catch_unwind(|| ::tracing::enabled!(::tracing::Level::$level)).unwrap_or(false)
    };
}

pub(crate) use {is_log_enabled, log_entry};

/// Calls the subscriber for [`log_entry!`].
#[inline]
pub(crate) fn contain_log(log: impl FnOnce()) {
    if let Err(panic) = catch_unwind(log) {
        discard(panic);
    }
}

/// A separate function, because there is a copy of [`contain_log`] per entry. The panic hook has reported the panic.
#[cold]
fn discard(panic: Panic) {
    drop(panic);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use regex::Regex;

    use super::*;

    fn source_files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { source_files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn panic_of_a_subscriber_is_contained() {
        contain_log(|| panic!("the log cannot be written"));
    }

    #[test]
    fn all_log_entries_are_contained() {
        let direct =
            Regex::new(r"\b((event|enabled|event_enabled|error|warn|info|debug|trace)!|use tracing::\*)").unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files = source_files(&source);
        assert!(files.len() > 100, "only {} files were found", files.len());
        let mut wrong = Vec::new();
        for file in files {
            if file.extension().is_none_or(|extension| extension != "rs")
                || file.ends_with(Path::new("panic/log_entry.rs"))
            {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let lines = code.filter(|line| direct.is_match(line));
            wrong.extend(lines.map(|line| format!("{}: {line}", file.display())));
        }
        assert!(wrong.is_empty(), "write `log_entry!` or `is_log_enabled!`:\n{}", wrong.join("\n"));
    }
}
