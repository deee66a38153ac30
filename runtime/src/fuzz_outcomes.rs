//! What the inputs of a fuzz target have led to: [`Outcomes`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Counts the outcomes of inputs, so that a target fails if its inputs hardly reach what it compares.
#[derive(Debug)]
pub(crate) struct Outcomes(Mutex<BTreeMap<&'static str, usize>>);

impl Outcomes {
    pub(crate) const fn new() -> Outcomes {
        Outcomes(Mutex::new(BTreeMap::new()))
    }

    /// Counts an outcome.
    pub(crate) fn record(&self, outcome: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome).or_default() += 1;
    }

    /// Prints the numbers, and compares each with a minimum, in thousandths of all that were counted. The minima are far below
    /// what random inputs reach on average. Compares nothing if a run of a fuzzer has stored inputs beside the source file of
    /// the target: these are tried too, and are not random.
    pub(crate) fn assert_shares(&self, file: &str, minima: &[(&'static str, usize)]) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{counts:?}");
        let total: usize = counts.values().sum();
        // The path is relative to the workspace.
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("").join(file);
        if target.with_file_name("__fuzz__").exists() {
            return println!("the shares are not compared: there are stored inputs");
        }
        for (outcome, thousandths) in minima {
            let count = counts.get(outcome).copied().unwrap_or(0);
            assert!(count > 0 && count * 1000 >= thousandths * total, "{count} times `{outcome}`: {counts:?}");
        }
    }
}
