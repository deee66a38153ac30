//! Wire formats: how a reply becomes the text of a frame.

pub(crate) mod native;
