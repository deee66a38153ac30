//! `#[authenticate]`: arguments as in an action, a custom error type, and methods behind `#[cfg]`.

use portcullis::{AllowAny, Consumer, Context, User, consumer};
use std::borrow::Cow;
use std::future::ready;

struct Member(u64);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

struct Expired;

impl From<Expired> for portcullis::Error {
    fn from(_: Expired) -> Self {
        portcullis::Error::denied()
    }
}

struct Chat;

fn forever() -> u64 {
    u64::MAX
}

#[consumer(user = Member, permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(
        &self,
        #[serde(rename = "jwt")] token: &str,
        cx: &Context<'_, Member>,
        #[serde(default = "forever")] until: u64,
        r#type: Option<Cow<'_, str>>,
    ) -> Result<Option<Member>, Expired> {
        ready(()).await;
        if until == 0 || r#type.is_some() {
            return Err(Expired);
        }
        Ok(cx.user().filter(|_| token.is_empty()).map(|member| Member(member.0)))
    }

    #[action(detached)]
    async fn ping(&self) {}

    #[action(blocking, detached)]
    fn pong(&self) {}
}

struct Feed;

#[portcullis::consumer(permission = AllowAny)]
impl Feed {
    #[portcullis::authenticate]
    fn authenticate(&self) -> portcullis::Result<Option<()>> {
        Ok(Some(()))
    }

    #[action]
    fn ping(&self) {}
}

struct Typed<T>(T);

#[consumer(user = Member, permission = AllowAny)]
impl<T: Send + Sync + 'static + serde::de::DeserializeOwned> Typed<T> {
    #[authenticate]
    fn renew(&self, token: T, own: Option<Vec<T>>) -> portcullis::Result<Option<Member>> {
        let _ = (&self.0, token, own);
        Ok(None)
    }

    #[action]
    fn ping(&self) {}
}

/// Without `#[authenticate]`, an action may be named `authenticate`.
struct Plain;

#[consumer(permission = AllowAny)]
impl Plain {
    #[cfg(any())]
    #[authenticate]
    fn renew(&self, token: NotThere) -> NotThere {
        token
    }

    #[cfg(all())]
    #[action]
    fn authenticate(&self) {}
}

/// Two `#[authenticate]` methods, of which `#[cfg]` leaves one.
struct Either;

#[consumer(permission = AllowAny)]
impl Either {
    #[cfg(any())]
    #[authenticate]
    fn renew(&self, token: NotThere) -> NotThere {
        token
    }

    #[cfg(not(any()))]
    #[authenticate]
    fn renew(&self, token: String) -> portcullis::Result<Option<()>> {
        Ok((!token.is_empty()).then_some(()))
    }

    #[action]
    fn ping(&self) {}
}

const _: () = assert!(Chat::AUTHENTICATES && Feed::AUTHENTICATES && Typed::<u8>::AUTHENTICATES);
const _: () = assert!(Either::AUTHENTICATES && !Plain::AUTHENTICATES);

fn main() {}
