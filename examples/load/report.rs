//! The report, a table in Markdown.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis::DrainReport;

use crate::Options;
use crate::clients::Behavior;
use crate::idle::Idle;
use crate::ledger::{Ledger, Mistake, lock};
use crate::server::{DRAIN_WINDOW, Ended};

/// Allocated bytes of server and clients.
pub(crate) struct Memory {
    pub(crate) start: usize,
    pub(crate) peak: usize,
    pub(crate) end: usize,
}

pub(crate) struct Report {
    pub(crate) options: Options,
    pub(crate) idle: Option<Idle>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) ended: Ended,
    pub(crate) memory: Memory,
    /// The tasks of the server's runtime before and after.
    pub(crate) tasks: (usize, usize),
}

pub(crate) fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn kibibytes(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

fn mebibytes(bytes: usize) -> String {
    format!("{:.1} MiB", kibibytes(bytes) / 1024.0)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measured | value |\n|---|---|")?;
        if let Some(idle) = &self.idle {
            idle.fmt(f)?;
        }
        self.fmt_requests(f)?;
        self.fmt_events(f)?;
        self.fmt_closes(f)?;
        let (tasks, memory) = (self.tasks, &self.memory);
        writeln!(f, "| tasks before, after | {}, {} |", tasks.0, tasks.1)?;
        writeln!(
            f,
            "| allocated by server and clients: before, peak, after | {}, {}, {} |",
            mebibytes(memory.start),
            mebibytes(memory.peak),
            mebibytes(memory.end)
        )
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Idle { connections, open_time, resident: [before, while_open, after], .. } = self;
        let each = while_open.saturating_sub(*before) / connections;
        writeln!(f, "| idle connections, opened within | {connections}, {:.1} s |", open_time.as_secs_f64())?;
        writeln!(f, "| resident memory per idle connection, HTTP server included | {:.1} KiB |", kibibytes(each))?;
        let resident = [before, while_open, after].map(|bytes| mebibytes(*bytes)).join(", ");
        writeln!(f, "| resident memory before, while they are open, after | {resident} |")?;
        let allocated = self.allocated.map(mebibytes).join(", ");
        writeln!(f, "| allocated before, after | {allocated} |")?;
        let (seconds, cpu) = (self.held_for.as_secs(), self.cpu.as_secs_f64());
        writeln!(f, "| CPU of their pings in {seconds} s | {cpu:.2} s |")?;
        let [start, end] = self.open;
        writeln!(f, "| open before and after that, answered then | {start}, {end}, {} |", self.answered)
    }
}

impl Report {
    fn fmt_requests(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (options, ledger) = (self.options, &self.ledger);
        writeln!(f, "| busy clients, time | {}, {} s |", options.busy, options.duration.as_secs())?;
        let [connections, rejected] = [&ledger.connections, &ledger.rejected].map(load);
        writeln!(f, "| connections opened, rejected | {connections}, {rejected} |")?;
        for behavior in Behavior::ALL {
            writeln!(f, "| connections of clients: {behavior:?} | {} |", ledger.connections_of(behavior))?;
        }
        let [requests, replies] = [&ledger.requests, &ledger.replies].map(load);
        writeln!(f, "| requests, replies | {requests}, {replies} |")?;
        let [by_drain, by_fault, by_client] = ledger.abandoned.each_ref().map(load);
        writeln!(f, "| abandoned by the drain, a fault, a misbehaving client | {by_drain}, {by_fault}, {by_client} |")?;
        for ((action, status), count) in &*lock(&ledger.statuses) {
            writeln!(f, "| replies to `{action}` with status {status} | {count} |")?;
        }
        writeln!(f, "| requests made and refused during a revocation | {} |", load(&ledger.refused))?;
        let [lost, wrong, duplicate, foreign] =
            [Mistake::Lost, Mistake::Reply, Mistake::Duplicate, Mistake::Foreign].map(|kind| ledger.mistakes(kind));
        writeln!(f, "| replies: lost, wrong, duplicate, foreign | {lost}, {wrong}, {duplicate}, {foreign} |")?;
        let [half, most, all] = [0.5, 0.99, 1.0].map(|part| ledger.latency(part).as_secs_f64() * 1000.0);
        writeln!(f, "| time to the reply: median, 99 %, maximum | {half:.1} ms, {most:.0} ms, {all:.0} ms |")
    }

    fn fmt_events(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ledger, events) = (&self.ledger, &self.ended.snapshot.events);
        let [published, delivered, refused] = [events.published, events.delivered, events.refused];
        writeln!(f, "| events published, delivered, refused | {published}, {delivered}, {refused} |")?;
        let [received, due, hidden] = [&ledger.received, &ledger.due, &ledger.hidden].map(load);
        writeln!(f, "| events received, of these due; hidden from a watching user | {received}, {due}; {hidden} |")?;
        let [leaked, missed, misordered] =
            [Mistake::Leak, Mistake::Missed, Mistake::Order].map(|kind| ledger.mistakes(kind));
        writeln!(f, "| leaked, missed, out of order | {leaked}, {missed}, {misordered} |")?;
        let [revocations, faults] = [&ledger.revocations, &ledger.faults].map(load);
        writeln!(f, "| revocations, faults of the grant source | {revocations}, {faults} |")
    }

    fn fmt_closes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ledger, Ended { drain, drain_time, .. }) = (&self.ledger, &self.ended);
        for ((behavior, code), count) in &*lock(&ledger.disconnected) {
            let code = if *code == 0 { "by the client".to_owned() } else { format!("with {code}") };
            writeln!(f, "| closed {code}: {behavior:?} | {count} |")?;
        }
        let (DrainReport { closed, finished, cut, .. }, seconds) = (drain, drain_time.as_secs_f64());
        writeln!(f, "| drain: closed, finished, cut, time | {closed}, {finished}, {cut}, {seconds:.1} s |")?;
        let tenths = self.drained_per_tenth().map(|count| count.to_string()).join(", ");
        writeln!(f, "| attentive clients closed per tenth of the window, later | {tenths} |")?;
        writeln!(f, "| longest stall of the clients meanwhile | {} ms |", load(&ledger.stall_millis))
    }

    /// Returns how many attentive clients were closed in each tenth of the drain's window, and after it.
    pub(crate) fn drained_per_tenth(&self) -> [u64; 11] {
        let mut counts = [0; 11];
        for time in &*lock(&self.ledger.drained) {
            let tenth = time.as_nanos() * 10 / DRAIN_WINDOW.as_nanos();
            counts[usize::try_from(tenth).unwrap_or(10).min(10)] += 1;
        }
        counts
    }
}
