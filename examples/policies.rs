//! Shows:   a ready-made handler that is generic over a policy, of which an application replaces single decisions.
//! Run:     `cargo run --example policies` (it connects to itself; no client is needed)
//! Look at: where two tables of a row differ, then at the one method that the policy of the second table replaces.

use std::borrow::Cow;
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{Error, Result, User, consumer};
use rooms::{Room, RoomPolicy, Rooms};

/// The ready-made part, as a library would offer it. It knows only the ids of an application's users.
#[expect(unreachable_pub, reason = "in a library it is reachable")]
mod rooms {
    use std::future::Future;

    use portcullis::{Context, IsAuthenticated, Permission, PermissionContext, Result, User, handler};
    use tokio::sync::Mutex;

    pub struct Room {
        pub creator: &'static str,
        pub moderators: Vec<&'static str>,
        pub members: Vec<&'static str>,
        /// The author of each message in the room.
        pub authors: Mutex<Vec<String>>,
    }

    /// The decisions. The default of each is the function of the same name.
    pub trait RoomPolicy: Send + Sync + 'static {
        type User: User;

        fn may_post(&self, user: &Self::User, room: &Room) -> impl Future<Output = Result<bool>> + Send {
            may_post(user, room)
        }
        fn may_remove(&self, user: &Self::User, room: &Room) -> impl Future<Output = Result<bool>> + Send {
            may_remove(user, room)
        }
        fn may_clear(&self, user: &Self::User, room: &Room) -> impl Future<Output = Result<bool>> + Send {
            may_clear(user, room)
        }
    }

    /// Members of the room. Public like the other two functions, so that a policy can fall back to it.
    pub async fn may_post(user: &impl User, room: &Room) -> Result<bool> {
        Ok(room.members.iter().any(|id| *id == user.id()) || may_remove(user, room).await?)
    }
    pub async fn may_remove(user: &impl User, room: &Room) -> Result<bool> {
        Ok(room.moderators.iter().any(|id| *id == user.id()) || may_clear(user, room).await?)
    }
    pub async fn may_clear(user: &impl User, room: &Room) -> Result<bool> {
        Ok(room.creator == user.id())
    }

    /// A leaf with an argument: it calls the policy of the `Rooms` that it guards.
    struct May(Act);
    enum Act {
        Post,
        Remove,
        Clear,
    }
    impl<P: RoomPolicy> Permission<Rooms<P>> for May {
        async fn has_permission(
            &self,
            Rooms(policy, room): &Rooms<P>,
            cx: &PermissionContext<'_, P::User>,
        ) -> Result<bool> {
            match self.0 {
                Act::Post => policy.may_post(cx.require_user()?, room).await,
                Act::Remove => policy.may_remove(cx.require_user()?, room).await,
                Act::Clear => policy.may_clear(cx.require_user()?, room).await,
            }
        }
    }

    pub struct Rooms<P>(pub P, pub Room);
    #[handler(user = P::User, permission = IsAuthenticated)]
    impl<P: RoomPolicy> Rooms<P> {
        #[action(permission = May(Act::Post))]
        async fn post(&self, cx: &Context<'_, P::User>) -> Result<()> {
            self.1.authors.lock().await.push(cx.require_user()?.id().into_owned());
            Ok(())
        }

        #[action(permission = May(Act::Remove))]
        async fn remove(&self) {}

        #[action(permission = May(Act::Clear))]
        async fn clear(&self) {}
    }
}

/// The application's user type, unknown to the ready-made part: a name, and whether the user is staff.
struct Person(&'static str, bool);
impl User for Person {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }
}

/// Replaces nothing.
struct Unchanged;
impl RoomPolicy for Unchanged {
    type User = Person;
}

/// Replaces one decision: staff may post anywhere. Other users and other decisions are unchanged.
struct StaffPosts;
impl RoomPolicy for StaffPosts {
    type User = Person;
    async fn may_post(&self, user: &Person, room: &Room) -> Result<bool> {
        Ok(user.1 || rooms::may_post(user, room).await?)
    }
}

/// Replaces the same decision by one with a third result: a user may post this often, and gets 429 then.
struct Quota(usize);
impl RoomPolicy for Quota {
    type User = Person;
    async fn may_post(&self, user: &Person, room: &Room) -> Result<bool> {
        let posted = room.authors.lock().await.iter().filter(|author| **author == user.id()).count();
        match rooms::may_post(user, room).await? {
            true if posted >= self.0 => Err(Error::too_many_requests(Duration::from_mins(1))),
            may => Ok(may),
        }
    }
}

struct App(Rooms<Unchanged>, Rooms<StaffPosts>, Rooms<Quota>);
#[consumer(user = Person)]
impl App {
    #[route("unchanged/")]
    fn unchanged(&self) -> &Rooms<Unchanged> {
        &self.0
    }
    #[route("staff-posts/")]
    fn staff_posts(&self) -> &Rooms<StaffPosts> {
        &self.1
    }
    #[route("quota/")]
    fn quota(&self) -> &Rooms<Quota> {
        &self.2
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let room = || Room { creator: "Cora", moderators: vec!["Mo"], members: vec!["Mia"], authors: Vec::new().into() };
    let app = portcullis::websocket(App(Rooms(Unchanged, room()), Rooms(StaffPosts, room()), Rooms(Quota(2), room())));
    let all = ["post", "remove", "clear"];
    let tables = [("unchanged/", all), ("staff-posts/", all), ("quota/", ["post", "post", "post"])];
    println!("{:17}{:24}{:24}quota/", "", "unchanged/", "staff-posts/");
    println!("{:17}{:24}{:24}post    post    post", "", "post    remove  clear", "post    remove  clear");
    let roles = [("Cora", "creator"), ("Mo", "moderator"), ("Mia", "member"), ("Otto", "outsider"), ("Sam", "staff")];
    for (name, role) in roles {
        let mut client = connect(&app).user(Person(name, role == "staff")).open().await?;
        print!("{:17}", format!("{name}, {role}"));
        for (route, actions) in tables {
            for action in actions {
                print!("{:<8}", client.call(action).route(route).await.status());
            }
        }
        println!();
    }
    let mut client = connect(&app).user(Person("Mia", false)).open().await?;
    println!("\nMia once more: {}\n", client.call("post").route("quota/").await.text());
    print!("{}", portcullis::audit()?);
    Ok(())
}
