//! Shows:   grants from role tables, overwrites of a channel, and permissions about objects.
//! Run:     `cargo run --example grants` (it connects to itself; no client is needed)
//! Look at: a column of the first table, then the permission of its action in `impl Chat`, then `Tables`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis::testing::connect;
use portcullis::{
    Context, GrantCache, GrantKey, GrantSet, GrantSource, Handler, Load, Object, ObjectKey, ObjectPermission,
};
use portcullis::{Overwrites, PermissionContext, Result, User, UserGrants, consumer};
use serde_json::{Value, json};
use tokio::sync::Mutex;

portcullis::permissions! {
    chat { can_use_chat = "Takes part", can_moderate_chat = "Hides messages of others" }
    uploads { read = "Sees the uploads of a channel" }
}

struct Member(&'static str);
impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }
}

const PEOPLE: [(&str, &str); 5] =
    [("Ada", "admin"), ("Mo", "moderator"), ("Ben", "member"), ("Eve", "member"), ("Una", "muted")];

/// Stands for a database: the role of each user, and the codenames of each role. It is the grant source.
#[derive(Clone)]
struct Tables {
    people: Arc<Mutex<BTreeMap<&'static str, &'static str>>>,
    roles: Arc<Mutex<BTreeMap<&'static str, Vec<&'static str>>>>,
}
impl GrantSource<Member> for Tables {
    async fn load(&self, member: &Member) -> Result<UserGrants> {
        let role = self.people.lock().await.get(member.0).copied().unwrap_or_default();
        if role == "admin" {
            return Ok(GrantSet::all().into());
        }
        let names = self.roles.lock().await.get(role).cloned().unwrap_or_default();
        Ok(UserGrants { grants: GrantSet::from_names(names), roles: vec![role.to_owned()] })
    }

    /// Only moderators can read the uploads of channel 6. Other channels have no overwrites.
    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let closed = Overwrites::new().deny_everyone(uploads::read).allow_role("moderator", uploads::read);
        let of = |key: &ObjectKey| if *key == Channel(6).grant_key() { closed.clone() } else { Overwrites::new() };
        Ok(objects.iter().map(of).collect())
    }
}

/// A key of a message that names the object whose overwrites apply.
#[derive(serde::Deserialize)]
struct Channel(u32);
impl GrantKey for Channel {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0)
    }
}

/// An object. A message names it by its id, and the action has a parameter `Object<Post>`.
#[derive(Clone)]
struct Post {
    id: u32,
    author: &'static str,
}
impl Load<Chat> for Post {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];
    async fn load(chat: &Chat, _: &Context<'_, Member>, id: &u32) -> Result<Option<Post>> {
        Ok(chat.posts.iter().find(|post| post.id == *id).cloned())
    }
}

/// A leaf about an object. For a list it is evaluated for each element, and must hold for all.
struct Author;
impl<H: Handler<User = Member>> ObjectPermission<Post, H> for Author {
    async fn has_object_permission(&self, _: &H, cx: &PermissionContext<'_, Member>, post: &Post) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.0 == post.author))
    }
}

struct Chat {
    posts: Vec<Post>,
    tables: Tables,
}
#[consumer(user = Member, permission = "chat.can_use_chat")]
impl Chat {
    #[action(permission = "Author(post) | chat.can_moderate_chat")]
    async fn hide(&self, post: Object<Post>) -> String {
        format!("hid post {}", post.id)
    }

    #[action(permission = "Author(posts) | chat.can_moderate_chat")]
    async fn hide_all(&self, posts: Vec<Object<Post>>) -> String {
        format!("hid {} posts", posts.len())
    }

    /// `Author` holds if there is no post to correct.
    #[action(permission = "Author(corrects)")]
    async fn write(&self, corrects: Option<Object<Post>>) -> Option<u32> {
        corrects.map(|post| post.id)
    }

    #[action(permission = "uploads.read(channel)")]
    async fn uploads(&self, channel: Channel) -> String {
        format!("the uploads of channel {}", channel.0)
    }

    /// Changes the rights of its own caller, so it makes this connection load its grants again.
    #[action]
    async fn resign(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.tables.people.lock().await.insert(cx.require_user()?.0, "member");
        cx.scope().forget_grants();
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let member = vec!["chat.can_use_chat", "uploads.read"];
    let moderator = vec!["chat.can_use_chat", "uploads.read", "chat.can_moderate_chat"];
    let roles = BTreeMap::from([("member", member), ("moderator", moderator)]);
    let tables = Tables { people: Arc::new(Mutex::new(PEOPLE.into())), roles: Arc::new(Mutex::new(roles)) };
    let cache = GrantCache::new(tables.clone());
    let posts = [(1, "Ben"), (2, "Ben"), (3, "Mo")].map(|(id, author)| Post { id, author }).into();
    let chat = portcullis::websocket(Chat { posts, tables: tables.clone() }).grants(cache.clone());

    let mut clients = Vec::new();
    for (name, _) in PEOPLE {
        clients.push(connect(&chat).user(Member(name)).open().await?);
    }
    println!("{:24}{}", "", PEOPLE.map(|(name, role)| format!("{:>15}", format!("{name}, {role}"))).concat());
    for (action, key, value) in [
        ("hide", "post", json!(1)),
        ("hide", "post", json!(9)),
        ("hide_all", "posts", json!([1, 2])),
        ("hide_all", "posts", json!([1, 3])),
        ("write", "corrects", Value::Null),
        ("write", "corrects", json!(1)),
        ("uploads", "channel", json!(5)),
        ("uploads", "channel", json!(6)),
    ] {
        print!("{:24}", format!("{action} {key}: {value}"));
        for client in &mut clients {
            print!("{:>15}", client.call(action).with(key, &value).await.status());
        }
        println!();
    }
    println!(
        "\nBen wrote 1 and 2, Mo wrote 3, post 9 does not exist; an admin has every grant, but is not an author\n"
    );

    let [_, mo, ben, ..] = &mut *clients else { unreachable!("bug: fewer than three clients") };
    println!("Mo resigns:                      {}", mo.call("resign").await.status());
    println!("Mo hides post 1:                 {}", mo.call("hide").with("post", 1).await.status());
    println!("Ben hides post 3:                {}", ben.call("hide").with("post", 3).await.status());
    tables.roles.lock().await.entry("member").or_default().push("chat.can_moderate_chat");
    println!("The same, once members may:      {}", ben.call("hide").with("post", 3).await.status());
    cache.forget_all();
    println!("The same, after `forget_all`:    {}\n", ben.call("hide").with("post", 3).await.status());

    for codename in portcullis::codenames()? {
        println!("{:25}{}", codename.name(), codename.description());
    }
    print!("\n{}", portcullis::audit()?);
    Ok(())
}
