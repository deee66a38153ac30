//! The costs of a process as Linux reports them, and the statistics over many measurements.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

/// The kernel's unit of CPU time where it does not count nanoseconds, in milliseconds. It does not depend on its timer.
const TICK: u64 = 10;

/// CPU times at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Clocks {
    at: Instant,
    server: Duration,
    own: Duration,
    machine: Duration,
}

/// CPU time between two moments.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) time: Duration,
    /// CPU of the server.
    pub(crate) server: Duration,
    /// CPU of this process, which makes the load.
    pub(crate) own: Duration,
    /// CPU of all other processes, in cores.
    pub(crate) others: f64,
}

impl Clocks {
    pub(crate) fn read(server: u32) -> io::Result<Clocks> {
        Ok(Clocks { at: Instant::now(), server: cpu(server)?, own: cpu(std::process::id())?, machine: machine()? })
    }

    pub(crate) fn until(self, later: Clocks) -> Spent {
        let time = later.at - self.at;
        let server = later.server.saturating_sub(self.server);
        let own = later.own.saturating_sub(self.own);
        let others = later.machine.saturating_sub(self.machine).saturating_sub(server + own);
        Spent { time, server, own, others: others.as_secs_f64() / time.as_secs_f64() }
    }
}

/// The CPU time of all threads of a process, in nanoseconds if the kernel provides them.
pub(crate) fn cpu(process: u32) -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        match fs::read_to_string(thread?.path().join("schedstat")) {
            Ok(text) => total += Duration::from_nanos(number(text.split_whitespace().next())?),
            Err(_) => return cpu_in_ticks(process),
        }
    }
    Ok(total)
}

fn cpu_in_ticks(process: u32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The program's name is in parentheses and may contain anything; user and system time are fields 14 and 15.
    let (_, rest) = text.rsplit_once(')').ok_or_else(unreadable)?;
    let mut fields = rest.split_whitespace().skip(11);
    Ok(ticks(number(fields.next())? + number(fields.next())?))
}

/// The CPU time of all cores without interrupts, which the benchmark's own traffic causes. Time that the hypervisor took
/// counts as other processes.
fn machine() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let mut fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let (user, nice, system) = (number(fields.next())?, number(fields.next())?, number(fields.next())?);
    let steal = number(fields.nth(4))?;
    Ok(ticks(user + nice + system + steal))
}

/// The resident memory of a process, in KiB.
pub(crate) fn resident(process: u32) -> io::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or_else(unreadable)?;
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).ok_or_else(unreadable)
}

/// The cores that this process may use.
pub(crate) fn cores() -> io::Result<Vec<u32>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let list = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).ok_or_else(unreadable)?;
    let mut cores = Vec::new();
    for range in list.trim().split(',') {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let bound = |text: &str| text.parse::<u32>().map_err(|_| unreadable());
        cores.extend(bound(from)?..=bound(to)?);
    }
    Ok(cores)
}

/// The maximum number of open files of this process.
pub(crate) fn open_files() -> io::Result<u32> {
    let text = fs::read_to_string("/proc/self/limits")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files")).ok_or_else(unreadable)?;
    Ok(line.split_whitespace().next().and_then(|soft| soft.parse().ok()).unwrap_or(u32::MAX))
}

fn number(text: Option<&str>) -> io::Result<u64> {
    text.and_then(|text| text.parse().ok()).ok_or_else(unreadable)
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count.saturating_mul(TICK))
}

fn unreadable() -> io::Error {
    io::Error::other("the kernel's numbers under /proc cannot be read")
}

/// The median, or `None` if there are no values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(sorted[sorted.len() / 2 - 1], upper)) }
}

/// The standard error of the median, for a normal distribution whose width is estimated by the median absolute deviation, so
/// that outliers do not count. `None` for fewer than four values.
pub(crate) fn error_of_median(values: &[f64]) -> Option<f64> {
    if values.len() < 4 {
        return None;
    }
    let middle = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let deviation = 1.4826 * median(&deviations)?;
    let count = u32::try_from(values.len()).ok()?;
    Some((std::f64::consts::FRAC_PI_2 / f64::from(count)).sqrt() * deviation)
}
