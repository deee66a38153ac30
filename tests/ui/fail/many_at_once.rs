// Six mistakes in one block: all six are reported in one run, without follow-up errors.

use portcullis::{Consumer, IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(usr = Member)]
impl Chat {
    #[action(permission = "IsAuthenticated && Banned")]
    async fn read(&self) {}

    #[action(permission = IsAuthenticated)]
    async fn write(&mut self, text: String) {
        let _ = text;
    }

    #[action]
    async fn delete(&self) {}

    #[action(permission = IsAuthenticated)]
    async fn edit(&self, action: String) {
        let _ = action;
    }

    #[route("/rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

// The type still implements `Consumer`, so the mistakes cause no further errors.
fn is<C: Consumer>() {}

fn main() {
    is::<Chat>();
}
