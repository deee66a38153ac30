//! A receiver whose reports a test awaits.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout, timeout_at};

use super::super::{Channel, LinkReceiver};

/// How long a report may take, on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What was reported.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::broker) enum Report {
    Message(Channel, Bytes),
    Subscribed(Channel),
    Overflowed(Channel),
    Lost,
}

/// Sends what it receives to the test, and panics if `panics` returns `true`.
struct Recorder {
    reports: UnboundedSender<Report>,
    panics: fn(&Report) -> bool,
}

/// The reports that the test has not awaited yet.
pub(in crate::broker) struct Reports(UnboundedReceiver<Report>);

/// Creates a receiver.
pub(in crate::broker) fn recorder() -> (Arc<dyn LinkReceiver>, Reports) {
    panicking_recorder(|_| false)
}

/// Creates a receiver that panics on some reports, which the test does not see.
pub(in crate::broker) fn panicking_recorder(panics: fn(&Report) -> bool) -> (Arc<dyn LinkReceiver>, Reports) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(Recorder { reports: sender, panics }), Reports(receiver))
}

impl Recorder {
    fn record(&self, report: Report) {
        assert!(!(self.panics)(&report), "panic of the receiver");
        // The test may have ended.
        let _ = self.reports.send(report);
    }
}

impl LinkReceiver for Recorder {
    fn receive(&self, channel: Channel, message: Bytes) {
        self.record(Report::Message(channel, message));
    }

    fn subscribed(&self, channel: Channel) {
        self.record(Report::Subscribed(channel));
    }

    fn overflowed(&self, channel: Channel) {
        self.record(Report::Overflowed(channel));
    }

    fn lost(&self) {
        self.record(Report::Lost);
    }
}

#[cfg_attr(
    not(any(feature = "nats", feature = "redis")),
    expect(dead_code, reason = "only a link to a server is lost")
)]
impl Reports {
    /// The next report.
    pub(in crate::broker) async fn next(&mut self) -> Report {
        let report = timeout(TIME_LIMIT, self.0.recv()).await.expect("nothing was reported");
        report.expect("the receiver was dropped")
    }

    /// Returns the next report, or `None` at the deadline.
    pub(in crate::broker) async fn next_until(&mut self, deadline: Instant) -> Option<Report> {
        timeout_at(deadline, self.0.recv()).await.ok().map(|report| report.expect("the receiver was dropped"))
    }

    /// The next report, if there is one already.
    pub(in crate::broker) fn try_next(&mut self) -> Option<Report> {
        self.0.try_recv().ok()
    }

    /// The next report, which is a message.
    pub(in crate::broker) async fn message(&mut self) -> (Channel, Bytes) {
        match self.next().await {
            Report::Message(channel, message) => (channel, message),
            report => panic!("{report:?}"),
        }
    }

    /// Awaits that these channels are confirmed, in any order, and nothing else.
    pub(in crate::broker) async fn subscribed(&mut self, channels: impl IntoIterator<Item = Channel>) {
        let mut expected: BTreeSet<Channel> = channels.into_iter().collect();
        while !expected.is_empty() {
            match self.next().await {
                Report::Subscribed(channel) => assert!(expected.remove(&channel), "{channel:?} was confirmed"),
                report => panic!("{report:?} without the confirmation of {expected:?}"),
            }
        }
    }

    /// Awaits the loss of the link. Messages before it are skipped.
    pub(in crate::broker) async fn lost(&mut self) {
        loop {
            match self.next().await {
                Report::Lost => return,
                Report::Message(..) => {}
                report => panic!("{report:?}"),
            }
        }
    }

    /// Awaits that the link drops its receiver.
    pub(in crate::broker) async fn dropped(&mut self) {
        let dropped = async { while self.0.recv().await.is_some() {} };
        timeout(TIME_LIMIT, dropped).await.expect("the receiver was not dropped");
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Message(channel, message) if message.len() > 100 => {
                write!(f, "Message({channel:?}, {} bytes)", message.len())
            }
            Report::Message(channel, message) => write!(f, "Message({channel:?}, {message:?})"),
            Report::Subscribed(channel) => write!(f, "Subscribed({channel:?})"),
            Report::Overflowed(channel) => write!(f, "Overflowed({channel:?})"),
            Report::Lost => f.write_str("Lost"),
        }
    }
}
