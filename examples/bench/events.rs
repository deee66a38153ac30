//! The cost of publishing an event to many members, with and without the permission to see it.

use std::borrow::Cow;
use std::error::Error;
use std::time::Instant;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Event, EventPermission, GrantSet, GrantSource, Group, Result, Scope, User, UserGrants,
    consumer,
};

use super::measure::{error_of_median, median};

/// Members of the group: few enough for the processor's caches, and too many for them.
const MEMBERS: [u32; 2] = [1_000, 10_000];

portcullis::permissions! {
    news {
        read = "Reads the news",
    }
}

struct Member(u32);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

/// One in ten members may read the news.
struct Readers;

impl GrantSource<Member> for Readers {
    async fn load(&self, member: &Member) -> Result<UserGrants> {
        Ok(if member.0.is_multiple_of(10) { GrantSet::from(news::read).into() } else { UserGrants::default() })
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Site, permission = AllowAny, publish = members, events(Open, Each, Tenth, News, Nothing))]
struct Everybody;

/// Seen by all, without and with a permission; by one in ten, by a permission and by a codename; by no member.
#[derive(Event)]
struct Open;
#[derive(Event)]
struct Each;
#[derive(Event)]
struct Tenth;
#[derive(Event)]
struct News;
#[derive(Event)]
struct Nothing;

struct IsMember;

impl<E> EventPermission<E, Site> for IsMember {
    fn may_see(&self, _: &Site, scope: &Scope<Member>, _: &E) -> bool {
        scope.user().is_some_and(|member| member.0 < u32::MAX)
    }
}

struct OneInTen;

impl<E> EventPermission<E, Site> for OneInTen {
    fn may_see(&self, _: &Site, scope: &Scope<Member>, _: &E) -> bool {
        scope.user().is_some_and(|member| member.0.is_multiple_of(10))
    }
}

struct NoMember;

impl<E> EventPermission<E, Site> for NoMember {
    fn may_see(&self, _: &Site, scope: &Scope<Member>, _: &E) -> bool {
        scope.user().is_none()
    }
}

struct Site;

#[consumer(user = Member)]
impl Site {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.may(news::read).await?;
        cx.join(Everybody).await
    }

    #[event(permission = AllowAny)]
    fn open(&self, _: &Open) -> &'static str {
        "open"
    }

    #[event(permission = IsMember)]
    fn each(&self, _: &Each) -> &'static str {
        "each"
    }

    #[event(permission = OneInTen)]
    fn tenth(&self, _: &Tenth) -> &'static str {
        "tenth"
    }

    #[event(permission = news.read)]
    fn news(&self, _: &News) -> &'static str {
        "news"
    }

    #[event(permission = NoMember)]
    fn nothing(&self, _: &Nothing) -> &'static str {
        "nothing"
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

/// Prints the table.
pub(crate) async fn run(rounds: u32) -> Result<(), Box<dyn Error>> {
    let [few, many] = MEMBERS;
    let (few_cost, many_cost) = (costs(few, rounds).await?, costs(many, rounds).await?);
    println!("| nanoseconds per member, on the publisher's thread | {few} members | {many} members |\n|---|---:|---:|");
    let rows = [
        "all may see it, `AllowAny`",
        "all may see it, by a permission",
        "one in ten may see it, by a permission",
        "one in ten may see it, by a codename",
        "none may see it",
    ];
    for ((row, few), many) in rows.iter().zip(&few_cost).zip(&many_cost) {
        println!("| {row} | {} | {} |", shown(few), shown(many));
    }
    println!("\nMedians of {rounds} rounds, ± their standard error.");
    Ok(())
}

fn shown(times: &[f64]) -> String {
    format!("{:.1} ±{:.1}", median(times).unwrap_or_default(), error_of_median(times).unwrap_or_default())
}

/// The cost of each event in each round.
async fn costs(members: u32, rounds: u32) -> Result<[Vec<f64>; 5], Box<dyn Error>> {
    let site = portcullis::websocket(Site).grants(Readers);
    let mut clients = Vec::new();
    for id in 0..members {
        let mut client = connect(&site).user(Member(id)).open().await?;
        client.call("ping").await;
        clients.push(client);
    }
    let publisher = site.publisher();
    let mut all = [const { Vec::new() }; 5];
    for _ in 0..rounds {
        let times = [
            time(&mut clients, Some(1), || publisher.publish(&Everybody, Open)).await,
            time(&mut clients, Some(1), || publisher.publish(&Everybody, Each)).await,
            time(&mut clients, Some(10), || publisher.publish(&Everybody, Tenth)).await,
            time(&mut clients, Some(10), || publisher.publish(&Everybody, News)).await,
            time(&mut clients, None, || publisher.publish(&Everybody, Nothing)).await,
        ];
        times.into_iter().zip(&mut all).for_each(|(one, all)| all.push(one / f64::from(members)));
    }
    Ok(all)
}

/// Returns the nanoseconds that a publication takes. Afterwards every n-th client reads it, so that no task is awake at
/// the next.
async fn time(clients: &mut [Client], one_in: Option<usize>, publish: impl FnOnce()) -> f64 {
    let started = Instant::now();
    publish();
    let taken = started.elapsed();
    for (id, client) in clients.iter_mut().enumerate() {
        if one_in.is_some_and(|one_in| id.is_multiple_of(one_in)) {
            client.reply().await;
        }
    }
    taken.as_secs_f64() * 1e9
}
