// A missing `;` in one of 20 actions: one error.

use portcullis::{AllowAny, Context, consumer, websocket};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn act_1(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 1;
        two
    }

    #[action]
    async fn act_2(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 2;
        two
    }

    #[action]
    async fn act_3(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 3
        two
    }

    #[action]
    async fn act_4(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 4;
        two
    }

    #[action]
    async fn act_5(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 5;
        two
    }

    #[action]
    async fn act_6(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 6;
        two
    }

    #[action]
    async fn act_7(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 7;
        two
    }

    #[action]
    async fn act_8(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 8;
        two
    }

    #[action]
    async fn act_9(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 9;
        two
    }

    #[action]
    async fn act_10(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 10;
        two
    }

    #[action]
    async fn act_11(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 11;
        two
    }

    #[action]
    async fn act_12(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 12;
        two
    }

    #[action]
    async fn act_13(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 13;
        two
    }

    #[action]
    async fn act_14(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 14;
        two
    }

    #[action]
    async fn act_15(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 15;
        two
    }

    #[action]
    async fn act_16(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 16;
        two
    }

    #[action]
    async fn act_17(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 17;
        two
    }

    #[action]
    async fn act_18(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 18;
        two
    }

    #[action]
    async fn act_19(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 19;
        two
    }

    #[action]
    async fn act_20(&self, cx: &Context<'_, ()>, one: u32) -> u32 {
        drop(cx.user());
        let two = one + 20;
        two
    }
}

fn main() {
    let _ = websocket(Chat);
}
