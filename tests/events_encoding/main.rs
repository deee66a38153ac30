//! Events and group keys on their way to other machines, as the in-process client shows it: what subscribers receive, what
//! is refused, and how types are told apart.

mod checks;
mod identity;
mod keys_and_public_names;
mod round_trip;
mod size;

use std::borrow::Cow;

use portcullis::User;
use serde::{Deserialize, Deserializer, Serialize};

struct Member;

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        "7".into()
    }
}

/// Counts how often it was decoded. All values are equal.
#[derive(Debug, Clone, Default, Serialize)]
struct Hops(u32);

impl PartialEq for Hops {
    fn eq(&self, _: &Hops) -> bool {
        true
    }
}

impl<'de> Deserialize<'de> for Hops {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hops, D::Error> {
        u32::deserialize(deserializer).map(|hops| Hops(hops + 1))
    }
}
