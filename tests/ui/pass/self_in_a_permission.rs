//! `Self` in a permission expression is the type of the block, on blocks, actions and routes and in `connect`.
#![allow(dead_code)]

use std::marker::PhantomData;

use portcullis::{Handler, Permission, PermissionContext, Result, consumer, handler};

struct Is<T>(PhantomData<fn() -> T>);

impl<H: Handler> Permission<H> for Is<H> {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

struct Few<const MOST: usize>;

impl<H: Handler, const MOST: usize> Permission<H> for Few<MOST> {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(MOST > 0)
    }
}

struct Chat {
    rooms: Rooms,
}

#[consumer(permission = Is<Self>(PhantomData), connect = "Is<Self>(PhantomData) | Few<{ Self::MOST }>")]
impl Chat {
    const MOST: usize = 5;

    #[action(permission = Few<{ Self::MOST }> & Is::<Self>(PhantomData::<fn() -> Self>))]
    async fn ping(&self) {}

    #[route("rooms/", permission = Is<Self>(PhantomData))]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

struct Rooms;

#[handler(permission = Is<Self>(PhantomData))]
impl Rooms {
    #[action]
    async fn count(&self) {}
}

fn main() {}
