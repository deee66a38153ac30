//! Errors with several entries, for example one per field.

use portcullis::testing::connect;
use portcullis::{AllowAny, Error, Result, StatusCode, consumer};
use serde_json::json;

struct Form;

#[consumer]
impl Form {
    /// Fails with the named errors.
    #[action(permission = AllowAny)]
    async fn submit(&self, errors: Vec<String>) -> Result<()> {
        let errors = errors.iter().map(|name| match &**name {
            "title" => Error::bad_request("A title is required.").with_field("title"),
            "text" => Error::new(StatusCode::UNPROCESSABLE_ENTITY, "too_long", "Too long.").with_field("text"),
            "both" => Error::conflict("Taken.").with_field("name").and(Error::conflict("Closed.")),
            _ => Error::internal("the store's secret"),
        });
        errors.reduce(Error::and).map_or(Ok(()), Err)
    }
}

#[tokio::test]
async fn entries_are_sent_in_order_with_the_status_of_the_first() {
    let mut client = connect(&portcullis::websocket(Form)).open().await.unwrap();
    let title = json!({"code": "bad_request", "detail": "A title is required.", "field": "title"});
    let text = json!({"code": "too_long", "detail": "Too long.", "field": "text"});
    let name = json!({"code": "conflict", "detail": "Taken.", "field": "name"});
    let closed = json!({"code": "conflict", "detail": "Closed."});
    for (errors, status, entries) in [
        (vec!["title"], 400, json!([title])),
        (vec!["title", "text"], 400, json!([title, text])),
        (vec!["text", "both", "title"], 422, json!([text, name, closed, title])),
        (vec!["both", "text"], 409, json!([name, closed, text])),
    ] {
        let reply = client.call("submit").with("errors", errors).await;
        assert_eq!((reply.status(), &reply.value()["errors"], reply.data()), (status, &entries, &json!(null)));
    }
}

#[tokio::test]
async fn fault_among_the_entries_hides_the_others() {
    let mut client = connect(&portcullis::websocket(Form)).open().await.unwrap();
    for errors in [["fault", "title"], ["title", "fault"]] {
        let reply = client.call("submit").with("errors", errors).await;
        assert_eq!((reply.status(), reply.code()), (500, "internal_error"), "{errors:?}");
        assert_eq!(reply.value()["errors"].as_array().unwrap().len(), 1, "{reply:?}");
        assert!(!reply.text().contains("title") && !reply.text().contains("secret"), "{reply:?}");
    }
}
