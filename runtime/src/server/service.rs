//! The endpoint as an axum service: a request comes in, a socket or a refusal goes out.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any_service};
use http::{Request, StatusCode};
use tower_service::Service;

use super::endpoint::Endpoint;
use super::handshake::Rejection;
use crate::consumer::Consumer;
use crate::panic::catch_unwind_future;
use crate::transport::websocket::WebSocketTransport;

/// What a connection reads at once. The library's default would cost every idle connection 128 KiB.
const READ_BUFFER: usize = 4 * 1024;

impl<C: Consumer> Endpoint<C> {
    /// The endpoint as a route of an axum router.
    ///
    /// # Panics
    ///
    /// When the consumer, or a handler below it, asks for codenames and the endpoint has no
    /// [`grants`](Endpoint::grants): a mistake in the program that shows at start-up.
    pub fn into_route<S: Clone>(self) -> MethodRouter<S> {
        any_service(self.assert_complete())
    }
}

impl<C: Consumer, B: Send + 'static> Service<Request<B>> for Endpoint<C> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let endpoint = self.clone();
        // The body of an upgrade is empty, and must not be held while the door is asking.
        let (parts, _) = request.into_parts();
        let mut parts = Box::new(parts);
        Box::pin(async move {
            let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
                Ok(upgrade) => upgrade,
                Err(rejection) => return Ok(rejection.into_response()),
            };
            // It would keep the server's read buffer for the life of the connection; the scope has the path.
            parts.extensions.remove::<OriginalUri>();
            let max_frame_bytes = endpoint.limits.max_frame_bytes;
            // The user's types are asked in there, in the log too; whatever they do, the request has an answer.
            let outcome = catch_unwind_future(endpoint.accept(parts, None)).await;
            Ok(match outcome.unwrap_or(Err(Rejection(StatusCode::INTERNAL_SERVER_ERROR))) {
                Ok(accepted) => upgrade
                    .read_buffer_size(READ_BUFFER)
                    .max_message_size(max_frame_bytes)
                    .max_frame_size(max_frame_bytes)
                    .on_upgrade(move |socket| accepted.serve(WebSocketTransport::new(socket))),
                Err(Rejection(status)) => (status, Body::empty()).into_response(),
            })
        })
    }
}
