//! The table of results.

use std::fmt;

use super::driver::{BUSY, IN_FLIGHT, Idle, LONE, Window};
use super::measure::{error_of_median, median};
use super::server::Kind;

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
    pinned: bool,
    pub(crate) lone: Vec<(Window, Window)>,
    pub(crate) busy: Vec<(Window, Window)>,
    pub(crate) idle: Vec<(Idle, Idle)>,
    pub(crate) noise: Noise,
}

impl Results {
    pub(crate) fn new(kinds: [Kind; 2], rounds: u32, held: u32, pinned: bool) -> Results {
        let (lone, busy, idle) = (Vec::new(), Vec::new(), Vec::new());
        Results { kinds, rounds, held, pinned, lone, busy, idle, noise: Noise::default() }
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.kinds.map(|kind| match kind {
            Kind::Ours => "Portcullis",
            Kind::Hand => "by hand",
        });
        writeln!(f, "| | {first} | {second} | ratio |\n|---|---:|---:|---:|")?;
        let lone = format!("{LONE} connections, one message in flight each");
        let busy = format!("{BUSY} connections, {IN_FLIGHT} messages in flight each");
        for (what, windows) in [(lone, &self.lone), (busy, &self.busy)] {
            row(f, &format!("{what}: server CPU per message, µs"), 2, windows, |window| window.cpu)?;
            row(f, "the same: messages per second", 0, windows, |window| window.requests_per_second)?;
        }
        let held = format!("{} connections", self.held);
        row(f, &format!("{held}: memory of each after one message, KiB"), 1, &self.idle, |idle| idle.memory)?;
        row(f, &format!("{held}: server CPU per connect, µs"), 1, &self.idle, |idle| idle.connect)?;
        self.notes(f)
    }
}

impl Results {
    fn notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nMedians of {} rounds; the ratio is the median of the ratios within a round,", self.rounds)?;
        writeln!(f, "± its standard error. A difference of less than two standard errors is not significant.")?;
        let Noise { repeated, kept } = self.noise;
        let all = 2 * (self.lone.len() + self.busy.len() + self.idle.len());
        writeln!(
            f,
            "Windows repeated because other processes were busy: {repeated}; included anyway: {kept} of {all}."
        )?;
        let windows = [&self.lone, &self.busy];
        let load = windows.map(|pairs| {
            let both: Vec<f64> = pairs.iter().flat_map(|(first, second)| [first.load, second.load]).collect();
            median(&both).unwrap_or_default()
        });
        writeln!(f, "The load took {:.2} and {:.2} of its core: near 1.00 the messages per second", load[0], load[1])?;
        writeln!(f, "are a lower bound, while the CPU per message is unaffected.")?;
        if !self.pinned {
            writeln!(f, "Servers and load did not run on separate cores: one core only, or no `taskset`.")?;
        }
        write!(f, "Allocations per message: `cargo test --test allocations -- --nocapture`.")
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
