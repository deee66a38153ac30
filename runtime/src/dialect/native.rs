//! The native wire format: one JSON object per text frame, with its keys in a fixed order.

use std::fmt::Write;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::Dialect;
use crate::error::{Error, Result};
use crate::message::{Echo, Reply, Request, RequestId, RequestLimits};
use crate::time::whole_seconds;
use crate::transport::FrameText;

/// The text in front of the data of a successful reply.
const SUCCESS_PREFIX: &[u8] = br#"{"errors":[],"data":"#;

/// Capacity that is reserved for an event before its length is known, in bytes.
const EVENT_CAPACITY: usize = 128;

/// The dialect of Portcullis' own clients.
pub(crate) enum Native {}

impl Dialect for Native {
    fn read<'t>(request: &mut Request<'t>, text: &'t str, limits: RequestLimits) -> Result<()> {
        request.read(text, limits)
    }

    fn begin(reply: &mut Reply) {
        reply.restart(SUCCESS_PREFIX);
    }

    fn finish(reply: &mut Reply, echo: &Echo<'_>, is_last: Option<bool>) {
        if reply.is_empty() {
            reply.push("null");
        }
        write_envelope(reply, echo, reply.status(), is_last);
    }

    fn refuse(reply: &mut Reply, echo: &Echo<'_>, error: &Error, fault_id: Option<&str>, is_last: Option<bool>) {
        reply.restart(br#"{"errors":["#);
        reply.set_status(error.status());
        reply.json(&error_entry(error, fault_id));
        if !error.is_fault() {
            for more in error.entries().skip(1) {
                reply.push(",");
                reply.json(&error_entry(more, None));
            }
        }
        reply.push(r#"],"data":null"#);
        write_envelope(reply, echo, error.status(), is_last);
    }

    fn encode_event<T: Serialize + ?Sized>(name: &'static str, data: &T) -> serde_json::Result<FrameText> {
        let mut out = Vec::with_capacity(EVENT_CAPACITY);
        out.extend_from_slice(br#"{"event":"#);
        serde_json::to_writer(&mut out, name)?;
        out.extend_from_slice(br#","data":"#);
        serde_json::to_writer(&mut out, data)?;
        out.push(b'}');
        String::from_utf8(out).map(FrameText::from).map_err(serde::ser::Error::custom)
    }

    fn address_event(frame: &str, group: Option<&str>, request_ids: &[RequestId]) -> FrameText {
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

    fn add_position(frame: &str, position: &str) -> FrameText {
        format!(r#"{},"position":"{position}"}}"#, frame.strip_suffix('}').unwrap_or(frame)).into()
    }
}

fn error_entry(error: &Error, fault_id: Option<&str>) -> Value {
    let mut entry = json!({ "code": error.code(), "detail": error.detail() });
    if let Some(field) = error.field() {
        entry["field"] = field.into();
    }
    if let Some(after) = error.retry_after() {
        entry["retry_after"] = whole_seconds(after).into();
    }
    if let Some(id) = fault_id {
        entry["id"] = id.into();
    }
    entry
}

fn write_envelope(reply: &mut Reply, echo: &Echo<'_>, status: StatusCode, is_last: Option<bool>) {
    reply.push(r#","action":"#);
    reply.push(echo.action.unwrap_or("null"));
    reply.push(r#","route":"#);
    reply.push(echo.route.unwrap_or(r#""""#));
    reply.push(r#","status":"#);
    reply.push(status.as_str());
    if let Some(is_last) = is_last {
        reply.push(if is_last { r#","last":true"# } else { r#","last":false"# });
    }
    if let Some(id) = echo.request_id {
        reply.push(r#","request_id":"#);
        reply.push(id);
    }
    reply.push("}");
}
