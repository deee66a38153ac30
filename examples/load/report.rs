//! The report, a table in Markdown, and what must hold.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis::{DrainReport, EventCounters};

use crate::Options;
use crate::clients::Misbehavior;
use crate::idle::Idle;
use crate::ledger::{Ledger, lock};

/// How much more may be allocated after the load than before it: what is bounded and kept, such as rate limiters of log
/// entries.
const MAX_KEPT_BYTES: usize = 512 * 1024;

/// The codes with which the server may close an attentive client: a drain, and grants that could not be loaded in time.
const EXPECTED_CODES: [u16; 2] = [1012, 4500];

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
    pub(crate) drain: DrainReport,
    pub(crate) events: EventCounters,
    pub(crate) memory: Memory,
    /// The tasks of the server's runtime before and after.
    pub(crate) tasks: (usize, usize),
}

impl Report {
    /// Returns a sentence per rule that does not hold.
    pub(crate) fn failures(&self) -> Vec<String> {
        let Report { ledger, events, memory, tasks, drain, .. } = self;
        let [requests, replies, abandoned] = [&ledger.requests, &ledger.replies, &ledger.abandoned].map(load);
        let [lost, leaked, misordered] = [&ledger.lost, &ledger.leaked, &ledger.misordered].map(load);
        let unexpected: u64 = lock(&ledger.closes)
            .iter()
            .filter(|((is_attentive, code), _)| *is_attentive && !EXPECTED_CODES.contains(code))
            .map(|(_, count)| count)
            .sum();
        let (opened, closed) = (load(&ledger.hooks.0), load(&ledger.hooks.1));
        let rules = [
            (lost == 0, format!("{lost} replies were lost")),
            (leaked == 0, format!("{leaked} events reached users whose right was revoked")),
            (misordered == 0, format!("{misordered} events came twice or out of order")),
            (requests == replies + abandoned + lost, "the replies do not add up to the requests".to_owned()),
            (replies > 0 && load(&ledger.received) > 0, "nothing was answered or received".to_owned()),
            (events.refused > 0 && load(&ledger.revocations) > 0, "no event was withheld".to_owned()),
            (load(&ledger.faults) > 0, "the source never failed".to_owned()),
            (unexpected == 0, format!("the server closed {unexpected} attentive connections")),
            (opened == closed, format!("{opened} connections were opened, and {closed} `#[disconnect]` ran")),
            (drain.closed == drain.finished + drain.cut, format!("the report of the drain does not add up: {drain:?}")),
            (tasks.0 == tasks.1, format!("{} tasks at the start, {} at the end", tasks.0, tasks.1)),
            (
                memory.end <= memory.start + MAX_KEPT_BYTES,
                format!("{} bytes at the start, {} at the end", memory.start, memory.end),
            ),
        ];
        rules.into_iter().filter(|(holds, _)| !holds).map(|(_, sentence)| sentence).collect()
    }
}

fn load(counter: &AtomicU64) -> u64 {
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
        let Report { options, idle, ledger, drain, events, memory, tasks } = self;
        writeln!(f, "| measured | value |\n|---|---|")?;
        if let Some(Idle { connections, open_time, resident: [before, open, after], cpu, held_for }) = idle {
            let each = open.saturating_sub(*before) / connections;
            writeln!(f, "| idle connections, opened within | {connections}, {:.1} s |", open_time.as_secs_f64())?;
            writeln!(f, "| resident memory per idle connection, HTTP server included | {:.1} KiB |", kibibytes(each))?;
            writeln!(
                f,
                "| resident memory before, while they are open, after | {}, {}, {} |",
                mebibytes(*before),
                mebibytes(*open),
                mebibytes(*after)
            )?;
            writeln!(f, "| CPU of their pings in {} s | {:.2} s |", held_for.as_secs(), cpu.as_secs_f64())?;
        }
        writeln!(f, "| busy clients, time | {}, {} s |", options.busy, options.duration.as_secs())?;
        let [connections, rejected] = [&ledger.connections, &ledger.rejected].map(load);
        writeln!(f, "| connections opened, rejected | {connections}, {rejected} |")?;
        for (kind, count) in Misbehavior::ALL.iter().zip(ledger.misbehaved()) {
            writeln!(f, "| connections of clients: {kind:?} | {count} |")?;
        }
        let [requests, replies, abandoned] = [&ledger.requests, &ledger.replies, &ledger.abandoned].map(load);
        writeln!(f, "| requests, replies, abandoned by a close | {requests}, {replies}, {abandoned} |")?;
        writeln!(f, "| lost replies | {} |", load(&ledger.lost))?;
        for (status, count) in &*lock(&ledger.statuses) {
            writeln!(f, "| replies with status {status} | {count} |")?;
        }
        let [half, most, all] = [0.5, 0.99, 1.0].map(|part| ledger.latency(part).as_secs_f64() * 1000.0);
        writeln!(f, "| time to the reply: median, 99 %, maximum | {half:.1} ms, {most:.0} ms, {all:.0} ms |")?;
        writeln!(
            f,
            "| events published, delivered, withheld | {}, {}, {} |",
            events.published, events.delivered, events.refused
        )?;
        writeln!(f, "| events received by attentive clients | {} |", load(&ledger.received))?;
        writeln!(f, "| leaked, out of order | {}, {} |", load(&ledger.leaked), load(&ledger.misordered))?;
        writeln!(f, "| revocations | {} |", load(&ledger.revocations))?;
        writeln!(f, "| faults of the grant source | {} |", load(&ledger.faults))?;
        for ((is_attentive, code), count) in &*lock(&ledger.closes) {
            let who = if *is_attentive { "attentive" } else { "slow" };
            let code = if *code == 0 { "a broken connection".to_owned() } else { code.to_string() };
            writeln!(f, "| closes of {who} clients with {code} | {count} |")?;
        }
        writeln!(f, "| drain: closed, finished, cut | {}, {}, {} |", drain.closed, drain.finished, drain.cut)?;
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
