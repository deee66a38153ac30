//! The page of the `chat` example in a real browser: what each user gets, live.

use std::path::PathBuf;

use serde_json::json;

use crate::common::browser::{Browser, chromium, serve};

/// Opens the page and waits until all sockets are open and the garden is shown.
async fn open_page(program: PathBuf, address: &str) -> Page {
    let mut browser = Browser::start(program).await;
    let desktop = json!({ "width": 1600, "height": 950, "deviceScaleFactor": 1, "mobile": false });
    browser.open(address).await;
    browser.call("Emulation.setDeviceMetricsOverride", desktop).await;
    browser.wait_for("document.body.hasAttribute('data-ready')").await;
    Page(browser)
}

struct Page(Browser);

impl Page {
    /// Waits until a part of a column has this text.
    async fn wait_for_text(&mut self, user: &str, part: &str, text: &str) {
        let node = format!("document.querySelector('.column[data-user=\"{user}\"] {part}')");
        self.0.wait_for(&format!("{node}?.innerText.includes({}) === true", json!(text))).await;
    }

    /// Returns the text of a part of a column.
    async fn text_of(&mut self, user: &str, part: &str) -> String {
        let node = format!("document.querySelector('.column[data-user=\"{user}\"] {part}').innerText");
        self.0.evaluate(&node).await.as_str().unwrap().to_owned()
    }

    /// Returns the names of the received events, the last one first.
    async fn events(&mut self, user: &str) -> Vec<String> {
        let frames = format!(".column[data-user=\"{user}\"] .wire [data-kind=\"event\"]");
        let names = format!("[...document.querySelectorAll('{frames}')].map((frame) => frame.innerText)");
        serde_json::from_value(self.0.evaluate(&names).await).unwrap()
    }

    /// Writes a text into the input of a column.
    async fn write(&mut self, user: &str, text: &str) {
        let input = format!("document.querySelector('.column[data-user=\"{user}\"] .write input')");
        let typed = "dispatchEvent(new Event('input', { bubbles: true }))";
        self.0.evaluate(&format!("{input}.value = {}; {input}.{typed}", json!(text))).await;
    }

    async fn submit(&mut self, user: &str) {
        self.0
            .evaluate(&format!("document.querySelector('.column[data-user=\"{user}\"] .write').requestSubmit()"))
            .await;
    }

    /// Performs a deed of one user on another.
    async fn perform(&mut self, actor: &str, deed: &str, person: &str) {
        for (field, name) in [("actor", actor), ("person", person)] {
            let select = format!("document.querySelector('#desk [name=\"{field}\"]')");
            let option = format!("[...{select}.options].find((option) => option.text === '{name}').value");
            self.0.evaluate(&format!("{select}.value = {option}")).await;
        }
        self.0.evaluate(&format!("document.querySelector('#deeds [data-deed=\"{deed}\"]').click()")).await;
    }

    /// Performs a deed on a message in a user's column.
    async fn on_message(&mut self, user: &str, message: i64, deed: &str) {
        let node = format!(
            "document.querySelector('.column[data-user=\"{user}\"] [data-message=\"{message}\"] [data-deed=\"{deed}\"]')"
        );
        self.0.wait_for(&format!("{node} !== null")).await;
        self.0.evaluate(&format!("{node}.click()")).await;
    }

    /// Answers the question whether a deed is meant.
    async fn answer(&mut self, answer: &str) {
        self.0.wait_for("document.getElementById('confirm').open").await;
        self.0.evaluate(&format!("document.querySelector('#confirm [value=\"{answer}\"]').click()")).await;
    }

    /// Returns the text of the list of rooms.
    async fn rooms(&mut self) -> String {
        self.0.evaluate("document.getElementById('rooms').innerText").await.as_str().unwrap().to_owned()
    }

    async fn open_room(&mut self, room: i64) {
        self.0.evaluate(&format!("document.querySelector('#rooms [data-room=\"{room}\"]').click()")).await;
    }
}

#[tokio::test]
async fn chat_page_shows_each_user_what_they_may_see() {
    let Some(program) = chromium() else { return };
    let (_server, address) = serve("chat").await;
    let mut page = open_page(program, &address).await;
    for (user, standing) in [("Cora", "creator"), ("Ada", "admin"), ("Pia", "member · post"), ("Mia", "member")] {
        page.wait_for_text(user, "header", standing).await;
        page.wait_for_text(user, ".messages", "Welcome to the garden.").await;
    }
    page.wait_for_text("Otto", ".messages", "403: this user may not read the room.").await;

    // Other members see that a user types, and the message.
    page.write("Mia", "<b>Beans</b> are in!").await;
    for user in ["Cora", "Ada", "Pia"] {
        page.wait_for_text(user, ".typing", "Mia is typing").await;
    }
    page.submit("Mia").await;
    for user in ["Cora", "Ada", "Pia", "Mia"] {
        page.wait_for_text(user, ".messages", "<b>Beans</b> are in!").await;
    }
    let wanted = ["message_created", "typing"];
    for (user, wanted) in [("Cora", &wanted[..]), ("Mia", &wanted[..1]), ("Otto", &[])] {
        assert_eq!(page.events(user).await, wanted, "{user}");
    }

    // A removed member sees and sends nothing.
    page.perform("Cora", "remove", "Mia").await;
    page.wait_for_text("Mia", ".messages", "No longer in this room.").await;
    page.write("Cora", "She is gone.").await;
    page.submit("Cora").await;
    page.wait_for_text("Ada", ".messages", "She is gone.").await;
    page.write("Mia", "Am I?").await;
    page.submit("Mia").await;
    page.wait_for_text("Mia", ".wire", "403 send").await;
    assert!(!page.text_of("Mia", ".messages").await.contains("gone."));
    page.perform("Pia", "add", "Mia").await;
    page.wait_for_text("Mia", ".messages", "She is gone.").await;
}

#[tokio::test]
async fn chat_page_joins_channels_and_applies_upload_overwrites() {
    let Some(program) = chromium() else { return };
    let (_server, address) = serve("chat").await;
    let mut page = open_page(program, &address).await;

    page.open_room(2).await;
    page.wait_for_text("Otto", ".messages", "may not read the room").await;
    page.perform("Otto", "join", "Otto").await;
    page.wait_for_text("Otto", ".messages", "The gate opens at nine.").await;
    page.wait_for_text("Otto", "header", "member").await;
    page.write("Otto", "Hello?").await;
    page.submit("Otto").await;
    page.wait_for_text("Otto", ".wire", "403 send").await;

    // Backstage shows its uploads to Ada only.
    page.open_room(4).await;
    page.wait_for_text("Ada", ".messages", "Props are in the shed.").await;
    page.wait_for_text("Pia", ".messages", "Props are in the shed.").await;
    page.perform("Cora", "upload", "Cora").await;
    page.wait_for_text("Ada", ".messages", "Cora uploaded plan.png").await;
    page.write("Cora", "Have you seen it?").await;
    page.submit("Cora").await;
    page.wait_for_text("Pia", ".messages", "Have you seen it?").await;
    assert_eq!(page.events("Pia").await, ["message_created", "typing", "member_added"], "no frame of the upload");

    // On a phone the columns are stacked, and nothing overflows.
    let telephone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    page.0.call("Emulation.setDeviceMetricsOverride", telephone).await;
    assert_eq!(page.0.evaluate("document.documentElement.scrollWidth").await, 390);
}

#[tokio::test]
async fn chat_page_confirms_dangerous_deeds_and_shows_what_has_refused() {
    let Some(program) = chromium() else { return };
    let (_server, address) = serve("chat").await;
    let mut page = open_page(program, &address).await;

    // The expression of the refused action, which the audit table shows too.
    page.perform("Mia", "rename", "Mia").await;
    page.wait_for_text("Mia", ".refusal", "rename needs").await;
    page.wait_for_text("Mia", ".refusal", "May(Act::Administer(Power::Change), {room_id})").await;
    let rows = page.0.evaluate("document.querySelectorAll('#audit tr').length").await;
    assert!(rows.as_u64().unwrap() > 20, "{rows}");

    // A button marks the fields that it uses.
    page.0.evaluate("document.querySelector('#deeds [data-deed=\"grant\"]').focus()").await;
    let used = "[...document.querySelectorAll('#desk [data-used] [name]')].map(({ name }) => name).join()";
    assert_eq!(page.0.evaluate(used).await, "person,single");

    // Reactions and receipts name their users.
    for (user, deed) in [("Mia", "react"), ("Ada", "acknowledge")] {
        page.on_message(user, 1, deed).await;
    }
    page.wait_for_text("Cora", "[data-message=\"1\"]", "♥ Mia").await;
    page.wait_for_text("Cora", "[data-message=\"1\"]", "seen by Ada").await;
    page.on_message("Mia", 1, "unreact").await;
    let reactions = "document.querySelectorAll('.column[data-user=\"Cora\"] .reactions').length === 0";
    page.0.wait_for(reactions).await;

    // Nothing happens unless the deed is confirmed.
    page.perform("Cora", "archive", "Cora").await;
    page.answer("no").await;
    page.perform("Cora", "lock", "Cora").await;
    page.0.wait_for("document.querySelector('#rooms [data-room=\"1\"]').innerText.includes('locked')").await;
    assert!(!page.rooms().await.contains("archived"));
    page.perform("Cora", "archive", "Cora").await;
    page.answer("yes").await;
    page.0.wait_for("document.querySelector('#rooms [data-room=\"1\"]').innerText.includes('archived')").await;
}
