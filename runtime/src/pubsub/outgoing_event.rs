//! An event on its way from the publisher to a publication, and its frame, which is encoded once.

use super::encoding_check::{transfer, transfer_or_panic};
use super::event::{Emits, Frame};
use crate::broker::MAX_BODY_BYTES;
use crate::error::{Error, Result};
use crate::log::Cause;
use crate::panic::{Contained, catch_unwind, log_entry};
use crate::session::session::{Session, SessionRegistry};
use crate::transport::FrameText;

/// An event to publish.
pub(crate) struct OutgoingEvent<E> {
    pub(super) event: Contained<E>,
    /// The text of the frame that all subscribers share, if it is encoded already.
    pub(super) text: Option<FrameText>,
    /// The encoding for other machines and for histories. `None` if it is for neither, or if it cannot be encoded.
    pub(super) body: Option<Vec<u8>>,
}

impl<E> OutgoingEvent<E> {
    /// Creates an event that another machine has published.
    pub(super) fn received(event: E) -> OutgoingEvent<E> {
        OutgoingEvent { event: Contained::new(event), text: None, body: None }
    }

    /// Creates an event whose frame is encoded for the first subscriber: for publishers that get no result.
    /// `is_logged` tells whether it is for a group with a history.
    #[inline]
    pub(crate) fn new<C: Emits<E>>(registry: &SessionRegistry<C>, event: E, is_logged: bool) -> OutgoingEvent<E> {
        let event = Contained::new(transfer_or_panic(registry, event));
        let body = encode_body(registry, &*event, is_logged).unwrap_or_else(|error| {
            if error.is_fault() {
                let (event, cause) = (<C as Emits<E>>::NAME, Cause::new(&error));
                log_entry!(
                    ERROR,
                    event,
                    ?cause,
                    "event not sent to other machines, or to its history: encoding failed"
                );
            }
            None
        });
        OutgoingEvent { event, text: None, body }
    }

    /// Creates an event and encodes its frame, if all subscribers share it.
    ///
    /// # Errors
    ///
    /// 413 if the frame is too large, 500 if it cannot be encoded.
    pub(super) fn encode<C: Emits<E>>(session: &Session<C>, event: E, is_logged: bool) -> Result<OutgoingEvent<E>> {
        let event = Contained::new(transfer(&session.registry, event)?);
        let text = encode_frame::<C, E>(session, || session.consumer.shared_frame(&event))?;
        let body = encode_body(&session.registry, &*event, is_logged)?;
        Ok(OutgoingEvent { event, text, body })
    }

    /// Returns the event once more, for another group with a history. `None` if it could not be encoded, which is logged already, or
    /// if it cannot be decoded.
    pub(super) fn repeat<C: Emits<E>>(&self, registry: &SessionRegistry<C>) -> Option<OutgoingEvent<E>> {
        let (body, codec) = (self.body.as_ref()?, C::EVENT_TYPE.codec?);
        let Some(event) = catch_unwind(|| codec.decode_value(body)).ok().and_then(Result::ok) else {
            registry.telemetry.record_failure();
            log_entry!(
                ERROR,
                event = <C as Emits<E>>::NAME,
                "event not published: it cannot be decoded from its own encoding"
            );
            return None;
        };
        Some(OutgoingEvent { event: Contained::new(event), text: None, body: Some(body.clone()) })
    }
}

/// Encodes the frame that `build_frame` returns, and counts a failure. `None` if it returns none.
///
/// # Errors
///
/// 413 if the frame is too large, 500 if it cannot be encoded.
pub(super) fn encode_frame<C: Emits<E>, E>(
    session: &Session<C>,
    build_frame: impl FnOnce() -> Option<Result<Frame>>,
) -> Result<Option<FrameText>> {
    let telemetry = &session.registry.telemetry;
    match catch_unwind(build_frame) {
        Ok(None) => Ok(None),
        Ok(Some(Ok(Frame(frame)))) if frame.len() <= session.max_event_bytes => Ok(Some(frame)),
        Ok(Some(Ok(Frame(frame)))) => {
            telemetry.record_too_large();
            log_entry!(
                ERROR,
                event = <C as Emits<E>>::NAME,
                bytes = frame.len(),
                max_event_bytes = session.max_event_bytes,
                "event too large"
            );
            Err(event_too_large())
        }
        Ok(Some(Err(error))) => {
            telemetry.record_failure();
            Err(error)
        }
        Err(panic) => {
            telemetry.record_failure();
            Err(Error::internal(format!(
                "the `#[event]` method of `{}` panicked: {}",
                <C as Emits<E>>::NAME,
                panic.message()
            )))
        }
    }
}

/// Encodes an event for other machines, if there may be any, or for a history.
///
/// # Errors
///
/// 413 if it is larger than an event may be, 500 if it cannot be encoded.
fn encode_body<C: Emits<E>, E>(registry: &SessionRegistry<C>, event: &E, is_logged: bool) -> Result<Option<Vec<u8>>> {
    if registry.node.get().is_none() && !is_logged {
        return Ok(None);
    }
    let Some(codec) = C::EVENT_TYPE.codec else { return Ok(None) };
    match catch_unwind(|| codec.encode_value(event)) {
        Ok(Ok(body)) if body.len() <= MAX_BODY_BYTES => Ok(Some(body)),
        Ok(Ok(body)) => {
            registry.telemetry.record_too_large();
            log_entry!(
                ERROR,
                event = <C as Emits<E>>::NAME,
                bytes = body.len(),
                max_bytes = MAX_BODY_BYTES,
                "event not sent to other machines, or to its history: it is larger than an event between machines may be"
            );
            Err(event_too_large())
        }
        Ok(Err(error)) => {
            registry.telemetry.record_failure();
            Err(Error::internal(error))
        }
        Err(panic) => {
            registry.telemetry.record_failure();
            let (name, message) = (<C as Emits<E>>::NAME, panic.message());
            Err(Error::internal(format!("the `Serialize` of `{name}` panicked: {message}")))
        }
    }
}

fn event_too_large() -> Error {
    let status = http::StatusCode::PAYLOAD_TOO_LARGE;
    Error::new(status, "event_too_large", "The event is larger than an event may be.")
}

/// Logs why a frame is not sent, which affects only the subscribers of this frame.
pub(super) fn log_failure<C: Emits<E>, E>(error: &Error) {
    if error.is_fault() {
        log_entry!(ERROR, event = <C as Emits<E>>::NAME, cause = ?Cause::new(error), "event not sent: encoding failed");
    }
}
