//! The page of the `rooms` example in a real browser: which users it shows as allowed and refused.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::common::browser::{Browser, chromium, serve};

impl Browser {
    /// Waits until every user of a row has a reply, and returns what its columns show.
    async fn row(&mut self, number: u32) -> Row {
        let row = self.wait_for(&format!("(() => {{
            const row = document.querySelector('.row[data-number=\"{number}\"][data-done]');
            if (!row) return null;
            const cells = [...row.querySelectorAll('.cell')].map((cell) => [cell.dataset.user, {{
                shown: cell.querySelector('.verdict').innerText,
                colour: getComputedStyle(cell.querySelector('.verdict')).color,
                raw: cell.querySelector('.raw').innerText,
            }}]);
            return {{ route: row.dataset.route, request: row.querySelector('.request').innerText, cells: Object.fromEntries(cells) }};
        }})()")).await;
        Row(row)
    }

    /// Presses a button of a group of actions.
    async fn press(&mut self, group: &str, action: &str) {
        let button = format!("document.querySelector('button[data-group=\"{group}\"][data-action=\"{action}\"]')");
        self.evaluate(&format!("{button}.click()")).await;
    }

    /// Sets one of the fields.
    async fn fill(&mut self, field: &str, value: &str) {
        let field = format!("document.querySelector('#fields [name=\"{field}\"]')");
        let changed = format!("{field}.dispatchEvent(new Event('input', {{ bubbles: true }}))");
        self.evaluate(&format!("{field}.value = '{value}'; {changed}")).await;
    }
}

/// One request on the page, with the reply per user.
struct Row(Value);

impl Row {
    fn shown(&self, user: &str) -> &str {
        self.0["cells"][user]["shown"].as_str().unwrap_or_else(|| panic!("{user} is not in {}", self.0))
    }

    /// Returns the reply as the server sent it.
    fn raw(&self, user: &str) -> Value {
        serde_json::from_str(self.0["cells"][user]["raw"].as_str().unwrap()).unwrap()
    }

    fn colour(&self, user: &str) -> &Value {
        &self.0["cells"][user]["colour"]
    }

    /// Asserts the verdict shown per user: `Olive 200 allowed, Otto 403 refused`.
    fn expect(&self, wanted: &str) {
        for wanted in wanted.split(", ") {
            let (user, verdict) = wanted.split_once(' ').unwrap();
            let words: Vec<_> = self.shown(user).split_whitespace().collect();
            assert_eq!(words.join(" "), verdict, "{user} in {}", self.0);
        }
    }
}

/// Opens the page and waits for the replies to the request that it sends by itself.
async fn open_page(program: PathBuf, address: &str) -> Browser {
    let mut browser = Browser::start(program).await;
    browser.open(address).await;
    let row = browser.row(1).await;
    row.expect("Olive 200 allowed, Mia 200 allowed, Otto 403 refused, Anonymous 403 refused");
    browser
}

#[tokio::test]
async fn rooms_page_shows_who_is_allowed_and_who_is_refused() {
    let Some(program) = chromium() else { return };
    let (_server, address) = serve("rooms").await;
    let mut browser = open_page(program, &address).await;

    // An owner's action, in a room.
    browser.fill("text", "Orchard").await;
    browser.press("A room", "rename").await;
    let row = browser.row(2).await;
    assert_eq!(row.0["route"], "rooms/1/");
    row.expect("Olive 204 allowed, Max 403 refused, Mia 403 refused, Otto 403 refused, Anonymous 403 refused");
    assert_eq!(row.raw("Olive")["status"], 204);
    assert_eq!(row.raw("Anonymous")["errors"][0]["code"], "permission_denied");
    assert_ne!(row.colour("Olive"), row.colour("Otto"));
    assert_eq!(row.colour("Anonymous"), row.colour("Otto"));

    // A level deeper: an author's action.
    browser.fill("message", "3").await;
    browser.press("A message", "edit").await;
    let row = browser.row(3).await;
    assert_eq!(row.0["route"], "rooms/1/messages/3/");
    row.expect("Olive 403 refused, Mia 204 allowed, Otto 403 refused, Anonymous 403 refused");

    // Otto owns room 2, and Olive does not.
    browser.fill("room", "2").await;
    browser.press("A room", "export").await;
    let row = browser.row(4).await;
    row.expect("Otto 200 allowed, Olive 403 refused, Anonymous 403 refused");
    assert!(row.raw("Otto")["data"].as_str().unwrap().contains("lathe"), "{}", row.0);
}

#[tokio::test]
async fn rooms_page_sends_a_written_message_as_the_users_on_stage() {
    let Some(program) = chromium() else { return };
    let (_server, address) = serve("rooms").await;
    let mut browser = open_page(program, &address).await;

    browser.evaluate("document.querySelector('#cast [data-user=\"Ada\"]').click()").await;
    browser.evaluate("document.querySelector('#cast [data-user=\"Max\"]').click()").await;
    browser.wait_for("document.querySelector('.head[data-user=\"Ada\"][data-state=\"open\"]') !== null").await;
    let message = r#"{"action": "read", "route": "rooms/4/?page=1", "note": "<b>mine</b>"}"#;
    browser.evaluate(&format!("document.querySelector('#json').value = '{message}'")).await;
    browser.evaluate("document.querySelector('#free').requestSubmit()").await;
    let row = browser.row(2).await;
    row.expect("Olive 200 allowed, Ada 200 allowed, Otto 403 refused, Anonymous 403 refused");
    assert_eq!(row.0["cells"]["Max"], Value::Null, "a user off the stage sends nothing");
    assert_eq!(row.0["request"], message, "it is sent and shown as written");
    assert_eq!(row.raw("Ada")["route"], "rooms/4/?page=1");

    // A missing room is revealed only to users who may know.
    browser.press("Invalid requests", "no such room").await;
    let row = browser.row(3).await;
    row.expect("Ada 404 not found, Olive 403 refused, Anonymous 403 refused");

    // On a phone the columns are stacked, and nothing overflows.
    let telephone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", telephone).await;
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth").await, 390);
    browser.press("Invalid requests", "not JSON").await;
    browser.row(4).await.expect("Olive 400 bad request, Anonymous 400 bad request");
}
