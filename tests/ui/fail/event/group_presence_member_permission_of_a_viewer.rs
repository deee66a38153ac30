// A permission about a member without `member`.

use portcullis::{AllowAny, Event, Group, MemberPermission, Result, Rule, Scope, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

struct IsStaff;

impl Rule<Chat> for IsStaff {
    async fn holds(&self, _: &Chat, _: &Scope<()>) -> Result<bool> {
        Ok(false)
    }
}

struct SharesTeam;

impl MemberPermission<Chat> for SharesTeam {
    fn may_see_member(&self, _: &Chat, _: &Scope<()>, _: &()) -> Result<bool> {
        Ok(true)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said), presence = "IsStaff | SharesTeam")]
struct Room(u32);

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

fn main() {}
