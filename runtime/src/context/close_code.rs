//! The close codes that an application may send.

/// A close code that an application sends by [`Context::close`](crate::Context::close).
///
/// # Examples
///
/// ```
/// use portcullis::CloseCode;
///
/// /// The client has been inactive for too long.
/// const INACTIVE: CloseCode = CloseCode::new(4000);
/// assert_eq!((INACTIVE.as_u16(), CloseCode::NORMAL.as_u16()), (4000, 1000));
/// ```
///
/// Written as a constant, a code that must not be sent does not compile:
///
/// ```compile_fail
/// # use portcullis::CloseCode;
/// const LOST: CloseCode = CloseCode::new(1006);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: normal closure, the purpose of the connection is fulfilled.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// 1001: the server is going down.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// 1008: the client has violated a policy of the application.
    pub const POLICY_VIOLATION: CloseCode = CloseCode(1008);

    /// Creates a close code. Store it in a constant, so that one that must not be sent does not compile.
    ///
    /// | codes | meaning | may be sent |
    /// |---|---|---|
    /// | 1000, 1001, 1003, 1008, 1011 to 1013 | defined by RFC 6455 and IANA for applications | yes |
    /// | 1002, 1007, 1009 | the client has violated the protocol or a limit | only by Portcullis |
    /// | 1005, 1006, 1015 | reported by a client that has received no close frame | never |
    /// | 3000 to 3999 | registered at IANA | yes |
    /// | 4400 to 4599 | those of the [wire protocol](crate::guide::wire_protocol#close-codes) | only by Portcullis |
    /// | 4000 to 4399, 4600 to 4999 | defined by the application | yes |
    /// | all others | reserved | no |
    ///
    /// # Panics
    ///
    /// Panics if the code must not be sent by the application. In a constant, this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(code: u16) -> CloseCode {
        match code {
            1000 | 1001 | 1003 | 1008 | 1011..=1013 | 3000..=4399 | 4600..=4999 => CloseCode(code),
            1002 | 1007 | 1009 | 4400..=4599 => {
                panic!("this close code is sent by Portcullis alone; write one from 4000 to 4399 or 4600 to 4999")
            }
            1005 | 1006 | 1015 => {
                panic!(
                    "this close code is never sent: clients report it if they have received none; write 1000 or 4000"
                )
            }
            _ => panic!("this close code is reserved; write 1000, 1001, 1008 or one from 4000 to 4399 or 4600 to 4999"),
        }
    }

    /// Returns the code as the close frame carries it.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panic::catch_unwind;

    #[test]
    fn code_is_accepted_only_if_an_application_may_send_it() {
        let accepted: Vec<u16> = (0..=u16::MAX).filter(|code| catch_unwind(|| CloseCode::new(*code)).is_ok()).collect();
        let ranges = [1000..=1001, 1003..=1003, 1008..=1008, 1011..=1013, 3000..=4399, 4600..=4999];
        assert_eq!(accepted, ranges.into_iter().flatten().collect::<Vec<u16>>());
    }
}
