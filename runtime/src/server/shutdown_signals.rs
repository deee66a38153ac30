//! The signals that ask a process to end, and the drain that they start.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::panic::log_entry;
use crate::session::{Drain, DrainHandle};

#[cfg(unix)]
use unix::ShutdownSignals;
#[cfg(windows)]
use windows::ShutdownSignals;

impl DrainHandle {
    /// Returns a future that waits for SIGTERM or Ctrl-C, drains the endpoint, and completes when the drain has
    /// finished.
    ///
    /// It is an argument for the `with_graceful_shutdown` of axum, which then stops the server: until the drain has
    /// finished, the server still answers, to accept upgrades during the notice and to reject them with 503 after it. A
    /// second signal shortens the drain to [`Drain::NOW`]. From this call on, these signals do not end the process by
    /// themselves, until all drains that wait for signals have finished: axum then waits for HTTP requests without a time
    /// limit, and a signal that arrives meanwhile exits the process with status 1. A signal that arrives before the future
    /// is polled is not lost.
    ///
    /// If the process cannot receive signals, an error is logged, and the future never completes.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before a signal arrives, no drain starts. A drain that has started continues.
    ///
    /// # Examples
    ///
    /// A server with several endpoints drains them together:
    ///
    /// ```standalone_crate
    /// # use portcullis::{Drain, DrainHandle};
    /// async fn drain_both(chat: DrainHandle, news: DrainHandle) {
    ///     tokio::join!(chat.on_signal(Drain::default()), news.on_signal(Drain::default()));
    /// }
    /// ```
    pub fn on_signal(&self, drain: Drain) -> impl Future<Output = ()> + Send + use<> {
        let (handle, signals, unfinished) = (self.clone(), ShutdownSignals::new(), UnfinishedDrain::new());
        async move {
            let mut signals = match signals {
                Ok(signals) => signals,
                Err(error) => {
                    log_entry!(ERROR, %error, "signal handler not installed: no signal starts a drain");
                    return pending().await;
                }
            };
            signals.recv().await;
            handle.start(drain);
            tokio::select! {
                _ = handle.finished() => {}
                () = signals.recv() => handle.start(Drain::NOW),
            }
            handle.finished().await;
            drop(unfinished);
            tokio::spawn(async move {
                loop {
                    signals.recv().await;
                    // Another endpoint may still be drained.
                    if UNFINISHED_DRAINS.load(Ordering::SeqCst) == 0 {
                        log_entry!(WARN, "process ended by a signal after the drain");
                        std::process::exit(1);
                    }
                }
            });
        }
    }
}

/// The number of [`UnfinishedDrain`]s of the process.
static UNFINISHED_DRAINS: AtomicUsize = AtomicUsize::new(0);

/// A drain that waits for a signal or has not finished.
struct UnfinishedDrain;

impl UnfinishedDrain {
    fn new() -> UnfinishedDrain {
        UNFINISHED_DRAINS.fetch_add(1, Ordering::SeqCst);
        UnfinishedDrain
    }
}

impl Drop for UnfinishedDrain {
    fn drop(&mut self) {
        UNFINISHED_DRAINS.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(unix)]
mod unix {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// SIGTERM and SIGINT, which is Ctrl-C in a terminal.
    pub(super) struct ShutdownSignals {
        terminate: Signal,
        interrupt: Signal,
    }

    impl ShutdownSignals {
        pub(super) fn new() -> io::Result<ShutdownSignals> {
            let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            Ok(ShutdownSignals { terminate, interrupt })
        }

        /// Waits for the next signal.
        pub(super) async fn recv(&mut self) {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;

    use tokio::signal::windows::{CtrlC, CtrlShutdown, ctrl_c, ctrl_shutdown};

    /// Ctrl-C, and the shutdown of the system.
    pub(super) struct ShutdownSignals {
        interrupt: CtrlC,
        shutdown: CtrlShutdown,
    }

    impl ShutdownSignals {
        pub(super) fn new() -> io::Result<ShutdownSignals> {
            Ok(ShutdownSignals { interrupt: ctrl_c()?, shutdown: ctrl_shutdown()? })
        }

        /// Waits for the next signal.
        pub(super) async fn recv(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.shutdown.recv() => {}
            }
        }
    }
}
