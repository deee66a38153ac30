//! Two consumers of one name: an error at start-up that names both.

use portcullis::{AllowAny, consumer};

mod one {
    use super::{AllowAny, consumer};

    pub(crate) struct Chat;

    #[consumer]
    impl Chat {
        #[action(permission = AllowAny)]
        async fn ping(&self) {}
    }
}

mod two {
    use super::{AllowAny, consumer};

    pub(crate) struct Chat;

    #[consumer]
    impl Chat {
        #[action(permission = AllowAny)]
        async fn ping(&self) {}
    }
}

const WANTED: &str = "two consumers are named `Chat`: `registry_clash::one::Chat` and `registry_clash::two::Chat`; \
                      rename one of them with `#[consumer(name = \"..\")]`";

#[test]
fn audit_with_two_consumers_of_one_name_fails() {
    assert_eq!(portcullis::audit().unwrap_err().to_string(), WANTED);
    let _ = two::Chat;
}

#[test]
fn mounting_a_consumer_with_a_clashing_name_panics() {
    let panic = std::panic::catch_unwind(|| portcullis::websocket(one::Chat)).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some(WANTED));
}
