//! Two codenames of one name: an error at start-up; neither is ever granted.

use std::panic::catch_unwind;

use portcullis::{AllowAny, GrantSet, consumer};

mod chat {
    portcullis::permissions! {
        pub rooms { read = "Reads rooms" }
    }
}

mod archive {
    portcullis::permissions! {
        pub rooms { read = "Reads old rooms", write = "Writes" }
    }
}

struct Site;

#[consumer]
impl Site {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

#[test]
fn clashing_codename_prevents_mounting_and_is_never_granted() {
    let error = portcullis::codenames().unwrap_err().to_string();
    assert!(error.contains("two codenames are called `rooms.read`"), "{error}");
    assert!(error.contains("chat::rooms") && error.contains("archive::rooms"), "{error}");
    assert_eq!(portcullis::audit().unwrap_err().to_string(), error);
    let panic = catch_unwind(|| drop(portcullis::websocket(Site))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>(), Some(&error));
    let granted = GrantSet::from_names(["rooms.read", "rooms.write"]);
    assert!(!granted.contains(chat::rooms::read) && !granted.contains(archive::rooms::read));
    assert!(granted.contains(archive::rooms::write));
    let both = GrantSet::from([chat::rooms::read, archive::rooms::read]);
    assert!(!both.contains(chat::rooms::read), "one must not be taken for the other");
}
