//! Wire formats: the text of the frames that carry messages, replies and events.

mod native;

pub(crate) use native::Native;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::message::{Echo, Reply, Request, RequestId, RequestLimits};
use crate::transport::FrameText;

/// A wire format. It knows neither actions nor permissions.
///
/// A reply begins with [`begin`](Dialect::begin), then its data is serialized into it, and [`finish`](Dialect::finish) ends
/// it. `is_last` is `None` unless the reply is one of a stream.
pub(crate) trait Dialect {
    /// Reads a message into an empty request.
    ///
    /// # Errors
    ///
    /// 400. The request then holds the part of the envelope that the reply echoes.
    fn read<'t>(request: &mut Request<'t>, text: &'t str, limits: RequestLimits) -> Result<()>;

    /// Starts a reply, up to its data.
    fn begin(reply: &mut Reply);

    /// Ends a reply after its data, which is `null` if there is none.
    fn finish(reply: &mut Reply, echo: &Echo<'_>, is_last: Option<bool>);

    /// Writes the reply for an error. `fault_id` is the id under which the cause of a fault is logged.
    fn refuse(reply: &mut Reply, echo: &Echo<'_>, error: &Error, fault_id: Option<&str>, is_last: Option<bool>);

    /// Encodes an event as a frame that is the same for all receivers.
    fn encode_event<T: Serialize + ?Sized>(name: &'static str, data: &T) -> serde_json::Result<FrameText>;

    /// Adds to the frame of an event the fields of one receiver: the name of the group, and the ids of its subscriptions.
    fn address_event(frame: &str, group: Option<&str>, request_ids: &[RequestId]) -> FrameText;

    /// Adds to the frame of an event its position in the history of the group, which needs no escaping.
    fn add_position(frame: &str, position: &str) -> FrameText;
}
