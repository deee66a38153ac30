//! The cost of one check of a codename in an action, compared with a look-up in a set of names, the usual hand-written form.

use std::borrow::Cow;
use std::collections::HashSet;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use portcullis::testing::connect;
use portcullis::{
    AllowAny, Context, GrantKey, GrantSet, GrantSource, ObjectKey, Overwrites, Result, User, UserGrants, consumer,
};

use super::measure::{error_of_median, median};

/// Checks in one measurement.
const TIMES: u32 = 2_000_000;

portcullis::permissions! {
    uploads {
        read = "Sees uploads",
        write = "Uploads",
    }
}

struct Member {
    granted: HashSet<String>,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        "7".into()
    }
}

/// All users may read uploads, except in a few channels.
struct Everybody;

impl GrantSource<Member> for Everybody {
    async fn load(&self, _: &Member) -> Result<UserGrants> {
        Ok(GrantSet::from(uploads::read).into())
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        Ok(vec![Overwrites::new().deny_everyone(uploads::write); objects.len()])
    }
}

struct Channel(u64);

impl GrantKey for Channel {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0)
    }
}

struct Checks;

#[consumer(user = Member)]
impl Checks {
    /// Nanoseconds per check: of the codename, of the codename for one object, of the name in a set.
    #[action(permission = AllowAny)]
    async fn measure(&self, cx: &Context<'_, Member>) -> Result<[f64; 3]> {
        let granted = &cx.require_user()?.granted;
        let mut counts = [0_u32; 3];
        cx.may(uploads::read).await?;
        cx.may_on(uploads::read, &Channel(5)).await?;
        let started = Instant::now();
        for _ in 0..TIMES {
            counts[0] += u32::from(cx.may(black_box(uploads::read)).await?);
        }
        let plain = started.elapsed();
        let started = Instant::now();
        for _ in 0..TIMES {
            counts[1] += u32::from(cx.may_on(black_box(uploads::read), &Channel(5)).await?);
        }
        let for_an_object = started.elapsed();
        let started = Instant::now();
        for _ in 0..TIMES {
            counts[2] += u32::from(granted.contains(black_box("uploads.read")));
        }
        let by_name = started.elapsed();
        assert_eq!(counts, [TIMES; 3], "each check is a yes");
        Ok([plain, for_an_object, by_name].map(|time| time.as_secs_f64() * 1e9 / f64::from(TIMES)))
    }
}

/// Prints the table.
pub(crate) async fn run(rounds: u32) -> Result<(), Box<dyn Error>> {
    let endpoint = portcullis::websocket(Checks).grants(Everybody);
    let granted = HashSet::from(["uploads.read".to_owned()]);
    let mut client = connect(&endpoint).user(Member { granted }).open().await?;
    let mut all = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let reply = client.call("measure").await;
        let measured: [f64; 3] = serde_json::from_value(reply.data().clone())?;
        measured.into_iter().zip(&mut all).for_each(|(one, all)| all.push(one));
    }
    println!("| | nanoseconds per check |\n|---|---:|");
    let rows =
        ["`cx.may(uploads::read)`", "`cx.may_on(uploads::read, &channel)`", "by hand: a `HashSet<String>` of names"];
    for (row, times) in rows.iter().zip(&all) {
        let error = error_of_median(times).unwrap_or_default();
        println!("| {row} | {:.1} ±{error:.1} |", median(times).unwrap_or_default());
    }
    println!("\nMedians of {rounds} rounds, ± their standard error.");
    Ok(())
}
