// A type in a generic block that does not implement `Permission`.

use portcullis::{AllowAny, handler};
use std::marker::PhantomData;

struct Rooms<P>(P);
struct May<P>(PhantomData<P>);

#[handler(permission = AllowAny)]
impl<P: Send + Sync + 'static> Rooms<P> {
    #[action(permission = May<P>(PhantomData))]
    async fn ping(&self) {}
}

fn main() {}
