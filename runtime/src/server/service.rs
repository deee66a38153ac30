//! The endpoint as an axum service, which upgrades a request or rejects it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any_service};
use http::request::Parts;
use http::{HeaderValue, Request};
use tower_service::Service;

use super::endpoint::Endpoint;
use super::upgrade::Upgrade;
use crate::connection::close;
use crate::consumer::Consumer;
use crate::context::UrlParams;

/// The size of a message of a refused client, which nothing reads. A longer one is dropped while it arrives.
const MAX_REFUSED_MESSAGE_BYTES: usize = 125;

impl<C: Consumer> Endpoint<C> {
    /// Converts the endpoint into a route of an axum router: `Router::new().route("/ws", websocket(Chat).into_route())`.
    ///
    /// Logs a warning if the consumer has an [`#[authenticate]`](macro@crate::authenticate) method, and neither
    /// [`authenticate_within`](Endpoint::authenticate_within) nor a `connect` expression is set.
    ///
    /// # Panics
    ///
    /// Panics if the consumer or a handler below it uses codenames and the endpoint has no source of
    /// [`grants`](Endpoint::grants).
    pub fn into_route<S: Clone>(self) -> MethodRouter<S> {
        self.warn_of_anonymous_connections();
        any_service(self.assert_complete())
    }
}

/// Converts the endpoint as [`into_route`](Endpoint::into_route) does. With this conversion the compiler proposes `.into()` for
/// an endpoint that is passed to `Router::route`.
impl<C: Consumer> From<Endpoint<C>> for MethodRouter {
    fn from(endpoint: Endpoint<C>) -> MethodRouter {
        endpoint.into_route()
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
        // The body of an upgrade is empty. It is dropped here, so that it does not live through the checks.
        let (parts, _) = request.into_parts();
        let mut parts = Box::new(parts);
        Box::pin(async move {
            let upgrade = match Upgrade::from_parts(&mut parts) {
                Ok(upgrade) => upgrade,
                Err(rejection) => return Ok(endpoint.reject(rejection)),
            };
            let url_params = match read_url_params(&mut parts).await {
                Ok(url_params) => url_params,
                Err(rejection) => return Ok(endpoint.reject(rejection)),
            };
            url_params.insert_into(&mut parts.extensions);
            // With the prefix under which a nested router is mounted. Left in the extensions, it would keep the read buffer
            // of the HTTP server for the life of the connection.
            if let Some(OriginalUri(uri)) = parts.extensions.remove() {
                parts.uri = uri;
            }
            endpoint.insert_peer_address(&mut parts);
            let max_frame_bytes = endpoint.limits.max_frame_bytes;
            Ok(match endpoint.accept(parts, None).await {
                Ok(accepted) => {
                    let subprotocol = accepted.subprotocol().and_then(|name| HeaderValue::from_str(name).ok());
                    upgrade.accept(max_frame_bytes, subprotocol, |transport| accepted.serve(transport))
                }
                Err(rejection) => match endpoint.refuse(&rejection) {
                    Some((frame, permit)) => {
                        let subprotocol = rejection.subprotocol().and_then(|name| HeaderValue::from_str(name).ok());
                        upgrade.accept(MAX_REFUSED_MESSAGE_BYTES, subprotocol, async move |transport| {
                            close(transport, frame).await;
                            drop(permit);
                        })
                    }
                    None => rejection.into_response(),
                },
            })
        })
    }
}

impl<C: Consumer> Endpoint<C> {
    /// Returns the response to a request that is not a valid upgrade, and counts it.
    fn reject(&self, rejection: impl IntoResponse) -> Response {
        let response = rejection.into_response();
        self.registry.telemetry.record_rejection(response.status());
        response
    }
}

/// Returns the captures of the axum route. There are none if another service than an axum router has called the endpoint.
async fn read_url_params(parts: &mut Parts) -> Result<UrlParams, RawPathParamsRejection> {
    let mut url_params = UrlParams::default();
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(captures) => captures.iter().for_each(|(name, value)| url_params.push(name, value)),
        Err(RawPathParamsRejection::MissingPathParams(_)) => {}
        Err(rejection) => return Err(rejection),
    }
    Ok(url_params)
}
