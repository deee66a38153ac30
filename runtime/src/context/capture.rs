//! Captures of a message's route: which of them a context may read, and their conversion into typed values.

use std::str::FromStr;

use smallvec::SmallVec;

use crate::error::{Error, Result};

/// The name of a route capture, and its text in the route of the message.
pub(crate) type Capture<'a> = (&'static str, &'a str);

pub(crate) type Captures<'a> = SmallVec<[Capture<'a>; 3]>;

/// The captures that a context may read.
#[derive(Debug, Clone, Copy)]
pub(super) enum CaptureAccess {
    /// All captures of the route. For actions and extractors.
    All,
    /// Those that an object has declared, because the compile-time check of routes knows only these.
    Declared(&'static [&'static str]),
}

impl CaptureAccess {
    /// Parses a capture.
    ///
    /// # Errors
    ///
    /// 404 if the text is not a `T`. A fault (500) if the capture may not be read or does not exist.
    pub(super) fn parse<T: FromStr>(self, captures: &[Capture<'_>], name: &str) -> Result<T> {
        let is_readable = match self {
            CaptureAccess::All => true,
            CaptureAccess::Declared(names) => names.contains(&name),
        };
        if !is_readable {
            return Err(Error::internal(format!("the capture `{name}` is read, but `CAPTURES` does not list it")));
        }
        let capture = captures.iter().find(|capture| capture.0 == name);
        let (_, text) = capture.ok_or_else(|| Error::internal(format!("the route has no capture `{name}`")))?;
        text.parse().map_err(|_| Error::not_found().into_message_error())
    }
}
