//! Containment of panics in application code, `Drop` and the subscriber of `tracing` included.

mod catch_unwind;
mod contained;
mod log_entry;
mod span;

pub(crate) use catch_unwind::{Panic, catch_unwind, catch_unwind_future};
pub(crate) use contained::{Contained, contain_future, drop_contained};
pub(crate) use log_entry::{contain_log, is_log_enabled, log_entry};
pub(crate) use span::{ContainedSpan, in_current_span, in_span};

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use futures_util::FutureExt;

    use super::*;

    /// Panics when it is dropped. The payload is another `Bomb`, for that many levels.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            match self.0 {
                0 => panic!("dropped"),
                more => panic_any(Bomb(more - 1)),
            }
        }
    }

    #[test]
    fn panic_message_is_text_or_empty() {
        let message = |panics: fn()| catch_unwind(panics).unwrap_err().message().to_owned();
        assert_eq!(message(|| panic!("plain")), "plain");
        assert_eq!(message(|| panic!("{}", String::from("made"))), "made");
        assert_eq!(message(|| panic_any(5)), "");
    }

    #[test]
    fn payload_whose_drop_panics_is_contained() {
        for depth in 0..3 {
            assert!(catch_unwind(|| panic_any(Bomb(depth))).is_err());
            drop_contained(Bomb(depth));
            drop(Contained::new(Bomb(depth)));
        }
    }

    #[test]
    fn value_whose_drop_panics_is_contained_during_unwinding() {
        let panic = catch_unwind(|| {
            let _value = Contained::new(Bomb(1));
            panic!("first");
        });
        assert_eq!(panic.unwrap_err().message(), "first");
    }

    #[test]
    fn cancelled_future_whose_locals_panic_is_contained() {
        let pending = async {
            let _value = Bomb(0);
            std::future::pending::<()>().await;
        };
        let mut caught = Box::pin(contain_future(pending));
        assert!((&mut caught).now_or_never().is_none());
        drop(caught);
        let panics = contain_future(async { panic!("polled") });
        assert_eq!(panics.now_or_never().unwrap().unwrap_err().message(), "polled");
        let panics = catch_unwind_future(async { panic!("polled") });
        assert_eq!(panics.now_or_never().unwrap().unwrap_err().message(), "polled");
    }

    #[test]
    fn catch_unwind_future_has_the_size_of_its_future() {
        let future = async {
            tokio::task::yield_now().await;
            String::new()
        };
        let size = size_of_val(&future);
        assert_eq!(size_of_val(&catch_unwind_future(future)), size);
    }

    #[test]
    fn contained_value_can_be_read_and_taken() {
        let mut value = Contained::new(vec![1]);
        value.push(2);
        assert_eq!((value.len(), value.into_inner()), (2, vec![1, 2]));
    }
}
