//! The signals that ask a process to end.

#[cfg(unix)]
pub(super) use unix::ShutdownSignals;
#[cfg(windows)]
pub(super) use windows::ShutdownSignals;

#[cfg(unix)]
mod unix {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// SIGTERM and SIGINT, which is Ctrl-C in a terminal.
    pub(in crate::server) struct ShutdownSignals {
        terminate: Signal,
        interrupt: Signal,
    }

    impl ShutdownSignals {
        pub(in crate::server) fn new() -> io::Result<ShutdownSignals> {
            let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            Ok(ShutdownSignals { terminate, interrupt })
        }

        /// Waits for the next signal.
        pub(in crate::server) async fn recv(&mut self) {
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
    pub(in crate::server) struct ShutdownSignals {
        interrupt: CtrlC,
        shutdown: CtrlShutdown,
    }

    impl ShutdownSignals {
        pub(in crate::server) fn new() -> io::Result<ShutdownSignals> {
            Ok(ShutdownSignals { interrupt: ctrl_c()?, shutdown: ctrl_shutdown()? })
        }

        /// Waits for the next signal.
        pub(in crate::server) async fn recv(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.shutdown.recv() => {}
            }
        }
    }
}
