//! The native wire format: one JSON object per text frame, with its keys in a fixed order.

use std::fmt::Write;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::message::{Envelope, Reply, RequestId};
use crate::transport::FrameText;

/// The text in front of the data of a successful reply.
const SUCCESS_PREFIX: &[u8] = br#"{"errors":[],"data":"#;

/// Capacity that is reserved for an event before its length is known, in bytes.
const EVENT_CAPACITY: usize = 128;

/// Starts a reply, up to its data.
pub(crate) fn begin(reply: &mut Reply) {
    reply.restart(SUCCESS_PREFIX);
}

/// Ends a reply after its data. Writes `null` if there is none.
pub(crate) fn finish(reply: &mut Reply, head: &Envelope<'_>) {
    if reply.is_empty() {
        reply.push("null");
    }
    write_envelope(reply, head, reply.status(), None);
}

/// Ends one reply of a stream after its data. Writes `null` if there is none.
pub(crate) fn finish_streamed(reply: &mut Reply, head: &Envelope<'_>, is_last: bool) {
    if reply.is_empty() {
        reply.push("null");
    }
    write_envelope(reply, head, reply.status(), Some(is_last));
}

/// Encodes an event as a frame that is the same for all receivers.
pub(crate) fn encode_event<T: Serialize + ?Sized>(name: &'static str, data: &T) -> serde_json::Result<FrameText> {
    let mut out = Vec::with_capacity(EVENT_CAPACITY);
    out.extend_from_slice(br#"{"event":"#);
    serde_json::to_writer(&mut out, name)?;
    out.extend_from_slice(br#","data":"#);
    serde_json::to_writer(&mut out, data)?;
    out.push(b'}');
    String::from_utf8(out).map(FrameText::from).map_err(serde::ser::Error::custom)
}

/// Adds to the frame of an event the fields of one receiver: the name of the group, and the ids of its subscriptions.
pub(crate) fn address_event(frame: &str, group: Option<&str>, request_ids: &[RequestId]) -> FrameText {
    let ids: usize = request_ids.iter().map(|id| id.as_json().len() + 1).sum();
    let mut out = String::with_capacity(frame.len() + group.map_or(0, str::len) + ids + EVENT_CAPACITY / 4);
    out.push_str(frame.strip_suffix('}').unwrap_or(frame));
    if let Some(group) = group {
        out.push_str(r#","group":"#);
        // Writing to a string cannot fail.
        let _ = write!(out, "{}", Value::from(group));
    }
    if !request_ids.is_empty() {
        out.push_str(r#","request_ids":["#);
        for (index, id) in request_ids.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            out.push_str(id.as_json());
        }
        out.push(']');
    }
    out.push('}');
    out.into()
}

/// Writes the reply for an error. `id` is the id of a fault, under which its cause is logged.
pub(crate) fn refuse(reply: &mut Reply, head: &Envelope<'_>, error: &Error, id: Option<&str>) {
    write_error(reply, head, error, id, None);
}

/// Writes the reply for an error as the last reply of a stream.
pub(crate) fn refuse_streamed(reply: &mut Reply, head: &Envelope<'_>, error: &Error, id: Option<&str>) {
    write_error(reply, head, error, id, Some(true));
}

fn write_error(reply: &mut Reply, head: &Envelope<'_>, error: &Error, id: Option<&str>, is_last: Option<bool>) {
    reply.restart(br#"{"errors":["#);
    let mut entry = json!({ "code": error.code(), "detail": error.detail() });
    if let Some(field) = error.field() {
        entry["field"] = field.into();
    }
    if let Some(after) = error.retry_after() {
        entry["retry_after"] = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).into();
    }
    if let Some(id) = id {
        entry["id"] = id.into();
    }
    reply.json(&entry);
    reply.push(r#"],"data":null"#);
    write_envelope(reply, head, error.status(), is_last);
}

fn write_envelope(reply: &mut Reply, head: &Envelope<'_>, status: StatusCode, is_last: Option<bool>) {
    reply.push(r#","action":"#);
    reply.push(head.raw_action.unwrap_or("null"));
    reply.push(r#","route":"#);
    reply.push(head.raw_route.unwrap_or(r#""""#));
    reply.push(r#","status":"#);
    reply.push(status.as_str());
    if let Some(is_last) = is_last {
        reply.push(if is_last { r#","last":true"# } else { r#","last":false"# });
    }
    if let Some(id) = head.request_id {
        reply.push(r#","request_id":"#);
        reply.push(id);
    }
    reply.push("}");
}
