// A generic consumer is checked when it is mounted: an action takes a message key that its route captures.

use portcullis::{AllowAny, Consumer, consumer, handler};

struct Chat<P>(Rooms<P>);
struct Rooms<P>(P);

#[consumer]
impl<P: Send + Sync + 'static> Chat<P> {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms<P> {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl<P: Send + Sync + 'static> Rooms<P> {
    #[action]
    async fn delete(&self, room_id: u32) {
        let _ = room_id;
    }
}

// Mounting the consumer evaluates this constant.
const _: () = <Chat<u8> as Consumer>::CHECK;

fn main() {}
