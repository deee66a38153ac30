//! The opening handshake of RFC 6455, section 4.2: from a request to an upgraded stream.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::panic::log_entry;
use crate::transport::SocketWriter;
use crate::transport::websocket::WebSocketTransport;

/// What RFC 6455 appends to a key before it is hashed.
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request that can be upgraded to a WebSocket.
pub(super) struct Upgrade {
    on_upgrade: OnUpgrade,
    /// The value of `Sec-WebSocket-Accept`. `None` for HTTP/2, which has none.
    accept: Option<HeaderValue>,
}

/// Why a request cannot be upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpgradeError {
    /// The method is not that of an upgrade, which is this one.
    Method(&'static str),
    /// A header is missing or malformed.
    Header(&'static str),
    /// The version of the WebSocket protocol is not 13.
    Version,
    /// The server cannot upgrade this connection, for example because a layer has replaced the request.
    NotUpgradable,
}

impl Upgrade {
    /// Reads the request. It takes the upgrade out of the extensions.
    pub(super) fn from_parts(parts: &mut Parts) -> Result<Upgrade, UpgradeError> {
        let headers = &parts.headers;
        let accept = if parts.version <= Version::HTTP_11 {
            if parts.method != Method::GET {
                return Err(UpgradeError::Method("GET"));
            }
            if !has_token(headers, header::CONNECTION, "upgrade") {
                return Err(UpgradeError::Header("`Connection` header must include `upgrade`"));
            }
            if !has_token(headers, header::UPGRADE, "websocket") {
                return Err(UpgradeError::Header("`Upgrade` header must be `websocket`"));
            }
            Some(accept_of(headers)?)
        } else {
            // RFC 8441: an extended CONNECT.
            if parts.method != Method::CONNECT {
                return Err(UpgradeError::Method("CONNECT"));
            }
            if !is_websocket_connect(parts) {
                return Err(UpgradeError::Header("`:protocol` must be `websocket`"));
            }
            None
        };
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
            return Err(UpgradeError::Version);
        }
        let on_upgrade = parts.extensions.remove().ok_or(UpgradeError::NotUpgradable)?;
        Ok(Upgrade { on_upgrade, accept })
    }

    /// Returns the response that accepts the upgrade, with the negotiated subprotocol. Once it is sent, `serve` gets the
    /// transport.
    pub(super) fn accept<F>(
        self,
        max_message_bytes: usize,
        subprotocol: Option<HeaderValue>,
        serve: impl FnOnce(WebSocketTransport<UpgradedStream>) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let Upgrade { on_upgrade, accept } = self;
        tokio::spawn(async move {
            let upgraded = match on_upgrade.await {
                Ok(upgraded) => upgraded,
                Err(error) => return log_entry!(DEBUG, cause = %error, "upgrade failed"),
            };
            let (stream, received) = UpgradedStream::new(upgraded);
            let writer = stream.socket_writer();
            let transport = WebSocketTransport::new(stream, &received, max_message_bytes).with_socket_writer(writer);
            // It shares the read buffer of the HTTP server.
            drop(received);
            serve(transport).await;
        });
        let mut response = match accept {
            Some(accept) => {
                let headers = [
                    (header::CONNECTION, HeaderValue::from_static("upgrade")),
                    (header::UPGRADE, HeaderValue::from_static("websocket")),
                    (header::SEC_WEBSOCKET_ACCEPT, accept),
                ];
                (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response()
            }
            None => StatusCode::OK.into_response(),
        };
        if let Some(subprotocol) = subprotocol {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        response
    }
}

impl IntoResponse for UpgradeError {
    fn into_response(self) -> Response {
        match self {
            UpgradeError::Method(allowed) => {
                let allow = [(header::ALLOW, allowed)];
                (StatusCode::METHOD_NOT_ALLOWED, allow, format!("Request method must be `{allowed}`")).into_response()
            }
            UpgradeError::Header(message) => (StatusCode::BAD_REQUEST, message).into_response(),
            UpgradeError::Version => {
                let version = [(header::SEC_WEBSOCKET_VERSION, "13")];
                (StatusCode::UPGRADE_REQUIRED, version, "`Sec-WebSocket-Version` header must be `13`").into_response()
            }
            UpgradeError::NotUpgradable => {
                (StatusCode::UPGRADE_REQUIRED, "WebSocket request could not be upgraded").into_response()
            }
        }
    }
}

/// Returns whether a header, which is a list of tokens, contains a token.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}

/// Returns the value of `Sec-WebSocket-Accept` for the key of the request.
fn accept_of(headers: &HeaderMap) -> Result<HeaderValue, UpgradeError> {
    let error = UpgradeError::Header("`Sec-WebSocket-Key` header must be 16 bytes in base64");
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).into_iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return Err(error) };
    if BASE64.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
        let hash = Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize();
        HeaderValue::try_from(BASE64.encode(hash)).map_err(|_| error)
    } else {
        Err(error)
    }
}

/// Returns whether this is an extended CONNECT for a WebSocket.
#[cfg(feature = "http2")]
fn is_websocket_connect(parts: &Parts) -> bool {
    parts.extensions.get::<hyper::ext::Protocol>().is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// Returns whether this is an extended CONNECT for a WebSocket, which needs the feature `http2`.
#[cfg(not(feature = "http2"))]
fn is_websocket_connect(_: &Parts) -> bool {
    false
}

/// An upgraded stream.
pub(super) enum UpgradedStream {
    /// Without TLS, as `axum::serve` and hyper's server for HTTP/1 accept it. The flusher writes to it too.
    Tcp(OwnedReadHalf, Arc<TcpWriter>),
    /// Any other stream, for example with TLS.
    Other(TokioIo<Upgraded>),
}

impl UpgradedStream {
    /// Returns the stream, and what the HTTP server has read of it.
    fn new(upgraded: Upgraded) -> (UpgradedStream, Bytes) {
        // `axum::serve` uses hyper-util's server for HTTP/1 and HTTP/2, which wraps the stream.
        let upgraded = match downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => return (UpgradedStream::tcp(parts.io), parts.read_buf),
            Err(upgraded) => upgraded,
        };
        // hyper's own server for HTTP/1 does not.
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => (UpgradedStream::tcp(parts.io), parts.read_buf),
            Err(upgraded) => (UpgradedStream::Other(TokioIo::new(upgraded)), Bytes::new()),
        }
    }

    fn tcp(stream: TokioIo<TcpStream>) -> UpgradedStream {
        let (reader, writer) = stream.into_inner().into_split();
        UpgradedStream::Tcp(reader, Arc::new(TcpWriter(writer)))
    }

    /// Returns a handle that writes to the stream without waiting.
    fn socket_writer(&self) -> Option<Arc<dyn SocketWriter>> {
        match self {
            UpgradedStream::Tcp(_, writer) => Some(writer.clone()),
            // TLS has a state of its own, which is changed by every read and write.
            UpgradedStream::Other(_) => None,
        }
    }
}

/// The outgoing half of a TCP connection.
pub(super) struct TcpWriter(OwnedWriteHalf);

impl TcpWriter {
    #[inline]
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream: &TcpStream = self.0.as_ref();
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match stream.try_write(bytes) {
                // The stream is no longer marked as writable.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }
}

impl SocketWriter for TcpWriter {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
}

impl AsyncRead for UpgradedStream {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            UpgradedStream::Tcp(reader, _) => Pin::new(reader).poll_read(cx, buffer),
            UpgradedStream::Other(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for UpgradedStream {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            UpgradedStream::Tcp(_, writer) => writer.poll_write(cx, bytes),
            UpgradedStream::Other(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            UpgradedStream::Tcp(..) => Poll::Ready(Ok(())),
            UpgradedStream::Other(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // The session gives up its handle when the connection ends.
            UpgradedStream::Tcp(_, writer) => match Arc::get_mut(writer) {
                Some(TcpWriter(writer)) => Pin::new(writer).poll_shutdown(cx),
                None => Poll::Ready(Ok(())),
            },
            UpgradedStream::Other(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod autobahn;
#[cfg(test)]
mod tests;
