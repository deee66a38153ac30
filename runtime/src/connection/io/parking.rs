//! The parked task of a connection: while it is, the flusher writes to the socket.

use super::ConnectionIo;
use crate::consumer::Consumer;
use crate::transport::Transport;

/// Parks the task of a connection while it waits. Nothing else can use the connection meanwhile, because this borrows it.
pub(super) struct Parking<'a, C: Consumer, T: Transport> {
    pub(super) io: &'a mut ConnectionIo<C, T>,
    pub(super) is_parked: bool,
}

impl<C: Consumer, T: Transport> Parking<'_, C, T> {
    /// Ends the parking. Returns whether the flusher has left bytes to send.
    #[inline]
    pub(super) fn unpark(&mut self) -> bool {
        if !std::mem::take(&mut self.is_parked) {
            return false;
        }
        let rest = self.io.session.send_queue.unpark();
        let has_rest = !rest.is_empty();
        if has_rest {
            self.io.link.resume(rest);
            self.io.has_unflushed = true;
        }
        has_rest
    }
}

impl<C: Consumer, T: Transport> Drop for Parking<'_, C, T> {
    fn drop(&mut self) {
        self.unpark();
    }
}
