//! The table of results.

use std::fmt;

use super::driver::{BUSY, IN_FLIGHT, Idle, LONE, Pairs, Window};
use super::measure::{error_of_median, median};
use super::server::{Kind, Placement};

/// Disturbance by other processes.
#[derive(Default)]
pub(crate) struct Noise {
    /// Windows that were measured again.
    pub(crate) repeated: u32,
    /// Windows that count although they were disturbed, because all attempts were disturbed.
    pub(crate) kept: u32,
}

/// All measurements, one pair per round.
pub(crate) struct Results {
    kinds: [Kind; 2],
    rounds: u32,
    held: u32,
    placement: Placement,
    pub(crate) lone: Pairs,
    pub(crate) busy: Pairs,
    pub(crate) idle: Vec<(Idle, Idle)>,
    pub(crate) noise: Noise,
}

impl Results {
    pub(crate) fn new(kinds: [Kind; 2], rounds: u32, held: u32, placement: Placement) -> Results {
        let (lone, busy, idle) = (Vec::new(), Vec::new(), Vec::new());
        Results { kinds, rounds, held, placement, lone, busy, idle, noise: Noise::default() }
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heading(f, self.kinds)?;
        let lone = format!("{LONE} connections, one message in flight each");
        let busy = format!("{BUSY} connections, {IN_FLIGHT} messages in flight each");
        for (what, windows) in [(lone, &self.lone), (busy, &self.busy)] {
            load_rows(f, &what, "message", "messages", windows)?;
        }
        let held = format!("{} connections", self.held);
        row(f, &format!("{held}: memory of each after one message, KiB"), 1, &self.idle, |idle| idle.memory)?;
        row(f, &format!("{held}: server CPU per connect, µs"), 1, &self.idle, |idle| idle.connect)?;
        notes(f, self.rounds, &self.noise, 2 * (self.lone.len() + self.busy.len() + self.idle.len()))?;
        let [lone, busy] = [&self.lone, &self.busy].map(|pairs| load_share(pairs));
        writeln!(f, "The load took {lone:.2} and {busy:.2} of its core: near 1.00 the messages per second")?;
        writeln!(f, "are a lower bound, while the CPU per message is unaffected.")?;
        shared_cores_note(f, self.placement)?;
        write!(f, "Allocations per message: `cargo test --test allocations -- --nocapture`.")
    }
}

/// The measurements of one load.
pub(crate) struct Load {
    pub(crate) what: String,
    pub(crate) windows: Pairs,
}

/// All measurements under several loads that count the same thing.
pub(crate) struct Comparison {
    pub(crate) kinds: [Kind; 2],
    pub(crate) rounds: u32,
    pub(crate) placement: Placement,
    /// What is counted, for one and for many.
    pub(crate) units: [&'static str; 2],
    pub(crate) loads: Vec<Load>,
    pub(crate) noise: Noise,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, many] = self.units;
        heading(f, self.kinds)?;
        for Load { what, windows } in &self.loads {
            load_rows(f, what, one, many, windows)?;
        }
        notes(f, self.rounds, &self.noise, self.loads.iter().map(|load| 2 * load.windows.len()).sum())?;
        let shares: Vec<String> = self.loads.iter().map(|load| format!("{:.2}", load_share(&load.windows))).collect();
        writeln!(f, "The load took {} of a core: near 1.00 the {many} per second", shares.join(", "))?;
        writeln!(f, "are a lower bound, while the CPU per {one} is unaffected.")?;
        shared_cores_note(f, self.placement)
    }
}

fn heading(f: &mut fmt::Formatter<'_>, kinds: [Kind; 2]) -> fmt::Result {
    let [first, second] = kinds.map(|kind| match kind {
        Kind::Ours => "Portcullis",
        Kind::Metrics => "with metrics",
        Kind::Observer => "with metrics and an observer",
        Kind::Hand => "by hand",
    });
    writeln!(f, "| | {first} | {second} | ratio |\n|---|---:|---:|---:|")
}

fn load_rows(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    one: &str,
    many: &str,
    windows: &[(Window, Window)],
) -> fmt::Result {
    row(f, &format!("{what}: server CPU per {one}, µs"), 2, windows, |window| window.cpu)?;
    row(f, &format!("the same: {many} per second"), 0, windows, |window| window.per_second)
}

fn notes(f: &mut fmt::Formatter<'_>, rounds: u32, noise: &Noise, all: usize) -> fmt::Result {
    writeln!(f, "\nMedians of {rounds} rounds; the ratio is the median of the ratios within a round,")?;
    writeln!(f, "± its standard error. A difference of less than two standard errors is not significant.")?;
    let Noise { repeated, kept } = noise;
    writeln!(f, "Windows repeated because other processes were busy: {repeated}; included anyway: {kept} of {all}.")
}

/// The median share of a core that the load used.
fn load_share(pairs: &[(Window, Window)]) -> f64 {
    let both: Vec<f64> = pairs.iter().flat_map(|(first, second)| [first.load, second.load]).collect();
    median(&both).unwrap_or_default()
}

fn shared_cores_note(f: &mut fmt::Formatter<'_>, placement: Placement) -> fmt::Result {
    match placement {
        Placement { core: Some(_), .. } => Ok(()),
        Placement { workers: Some(workers @ 2..), .. } => {
            writeln!(f, "The {workers} workers of each server shared the cores with the load.")
        }
        Placement { .. } => {
            writeln!(f, "Servers and load did not run on separate cores: one core only, or no `taskset`.")
        }
    }
}

fn row<T>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    digits: usize,
    pairs: &[(T, T)],
    value: impl Fn(&T) -> f64,
) -> fmt::Result {
    let middle = |pick: fn(&(T, T)) -> &T| {
        let values: Vec<f64> = pairs.iter().map(|pair| value(pick(pair))).collect();
        median(&values).unwrap_or_default()
    };
    let ratios: Vec<f64> = pairs.iter().map(|(first, second)| value(first) / value(second)).collect();
    let ratio = median(&ratios).unwrap_or_default();
    write!(f, "| {what} | {:.digits$} | {:.digits$} | {ratio:.2}", middle(|pair| &pair.0), middle(|pair| &pair.1))?;
    if let Some(error) = error_of_median(&ratios) {
        write!(f, " ±{error:.2}")?;
    }
    writeln!(f, " |")
}
