//! The cost of a message by its size.

use std::io;

use super::driver::{BUSY, Pairs, Side, in_turn};
use super::report::{Comparison, Load, Noise};
use super::server::{Kind, Placement};
use super::start_up::check;

/// The sizes of the messages in bytes. The largest is near the limit of both servers.
const SIZES: [usize; 4] = [146, 1024, 16 * 1024, 60_000];
/// Messages in flight on each connection.
const IN_FLIGHT: usize = 4;

pub(crate) async fn run(kinds: [Kind; 2], placement: Placement, rounds: u32) -> io::Result<Comparison> {
    let loads = SIZES.map(|size| (BUSY, IN_FLIGHT, Some(size)));
    let mut sides = [Side::start(kinds[0], placement, &loads).await?, Side::start(kinds[1], placement, &loads).await?];
    check([&sides[0].server, &sides[1].server]).await?;
    let mut noise = Noise::default();
    let mut pairs = SIZES.map(|_| Pairs::new());
    let window = async |side: usize, load| sides[side].window(load).await;
    in_turn(rounds, &mut pairs.each_mut(), &mut noise, window).await?;
    eprintln!();
    let what = |size| format!("{size} bytes, {BUSY} connections, {IN_FLIGHT} messages in flight each");
    let loads = SIZES.into_iter().zip(pairs).map(|(size, windows)| Load { what: what(size), windows }).collect();
    Ok(Comparison { kinds, rounds, placement, units: ["message", "messages"], loads, noise })
}
