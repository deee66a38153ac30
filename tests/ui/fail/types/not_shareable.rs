// A consumer with an `Rc`, which threads can neither send nor share. The compiler reports it for each trait that the block
// implements, but not for each action.

use std::rc::Rc;

use portcullis::{AllowAny, Event, consumer};

struct Chat {
    name: Rc<str>,
}

#[derive(Event)]
struct Sent;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn read(&self) -> String {
        self.name.to_string()
    }

    #[action]
    async fn write(&self, text: String) {
        let _ = text;
    }

    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
