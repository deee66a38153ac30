//! Waiting for the transport of a connection to take frames.

use std::future::poll_fn;
use std::task::{Context, Poll};

use tokio::task::coop::has_budget_remaining;

use super::link::Link;
use crate::session::{Coalesce, SendQueue};
use crate::transport::{ConnectionEnd, Gone, Transport};

/// Waits until the transport is ready, and reads nothing meanwhile.
pub(super) async fn wait_for<N: Coalesce, T: Transport>(
    link: &mut Link<T>,
    send_queue: &SendQueue<N>,
    mut poll: impl FnMut(&mut Link<T>, &mut Context<'_>) -> Poll<Result<(), Gone>>,
) -> Result<(), ConnectionEnd> {
    poll_fn(|cx| {
        let ready = poll_or_closed(poll(link, cx), send_queue, cx);
        if ready.is_pending() {
            link.pause_reading();
        }
        ready
    })
    .await
}

/// Returns the result of polling the transport. While that is pending, polls for the end of the connection, and marks the
/// send queue as stalled.
pub(super) fn poll_or_closed<N: Coalesce>(
    ready: Poll<Result<(), Gone>>,
    send_queue: &SendQueue<N>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), ConnectionEnd>> {
    match ready {
        Poll::Ready(outcome) => {
            send_queue.unstall();
            Poll::Ready(outcome.map_err(ConnectionEnd::from))
        }
        Poll::Pending => {
            // To a task without coop budget, tokio reports a writable socket as pending. The task runs again soon, and its
            // reader is not stalled.
            if has_budget_remaining() {
                send_queue.stall();
            }
            send_queue.poll_closed(cx).map(Err)
        }
    }
}
