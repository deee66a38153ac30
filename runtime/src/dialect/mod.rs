//! Wire formats: the text of the frames that carry replies and events.

pub(crate) mod native;
