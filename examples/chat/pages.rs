//! Plain HTTP: the page, logging in, and who there is.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{StatusCode, Uri};
use portcullis::{Error, Result};
use serde::Serialize;

use super::model::{Account, UserId};
use super::store::Store;

/// The page brings all that it needs, and may load nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:";

/// Everything but the WebSocket.
pub(crate) fn pages(store: Store) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/page.css", get(async || ([(CONTENT_TYPE, "text/css")], include_str!("page.css"))))
        .route("/page.js", get(async || script(include_str!("page.js"))))
        .route("/actor.js", get(async || script(include_str!("actor.js"))))
        .route("/column.js", get(async || script(include_str!("column.js"))))
        .route("/common.js", get(async || script(include_str!("common.js"))))
        .route("/login/{user}", post(log_in))
        .route("/people", get(people))
        .with_state(store)
}

/// Who is behind a connection: whoever the token in its query was issued to.
///
/// A cookie would be the usual place, but one page holds the sockets of several people here. Without a token one is
/// anonymous; with one that was never issued one is turned away.
pub(crate) fn session_user(store: &Store, uri: &Uri) -> Result<Option<Account>> {
    let token = uri.query().and_then(|query| query.strip_prefix("token="));
    token.map(|token| store.session(token)?.ok_or_else(Error::unauthenticated)).transpose()
}

fn script(text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript")], text)
}

async fn page() -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(include_str!("page.html")))
}

/// No password is asked for: this is a demo, and everybody may be anybody.
async fn log_in(State(store): State<Store>, Path(user): Path<i64>) -> Response {
    match store.log_in(UserId(user)) {
        Ok(Some(token)) => json(&token),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failed(&error),
    }
}

async fn people(State(store): State<Store>) -> Response {
    match store.people() {
        Ok(people) => json(&people),
        Err(error) => failed(&error),
    }
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "a request failed");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
