//! Checks that other machines can tell the events of a consumer apart.

use super::message::{PanicMessage, str_eq};
use crate::consumer::EventDescriptor;

/// Checks that no two types of events have the same name. The type arguments of a generic type are part of its name.
#[track_caller]
pub(in crate::consumer) const fn check_event_types(consumer: &str, events: &'static [EventDescriptor]) {
    let mut index = 0;
    while index < events.len() {
        let mut earlier = 0;
        while earlier < index {
            let (one, other) = (&events[earlier], &events[index]);
            if str_eq(one.type_name, other.type_name) && str_eq(one.type_arguments, other.type_arguments) {
                panic_for_equal_names(consumer, one, other);
            }
            earlier += 1;
        }
        index += 1;
    }
}

#[track_caller]
const fn panic_for_equal_names(consumer: &str, one: &EventDescriptor, other: &EventDescriptor) -> ! {
    let text = PanicMessage::new().append("consumer `").append(consumer).append("` has two events named `");
    let text = text.append(one.type_name).append(one.type_arguments);
    if str_eq(one.type_path, other.type_path) {
        let text = text.append("`, both of the generic type `").append(one.type_path);
        text.append("`; write the type with its arguments, not an alias, in the `#[event]` methods").panic()
    }
    let text = text.append("`, `").append(one.type_path).append("` and `").append(other.type_path);
    text.append("`; rename one of them with `#[event(name = \"..\")]` on the type").panic()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::check_event_types;
    use crate::consumer::EventDescriptor;
    use crate::permission::{Expr, Expression};

    const UNUSED: &Expression = &Expression { tree: Expr::Any(&[]), leaves: &[], has_codenames: false };

    fn event(type_name: &'static str, type_arguments: &'static str, type_path: &'static str) -> EventDescriptor {
        EventDescriptor {
            name: "",
            permission: UNUSED,
            headers: &[],
            type_name,
            type_arguments,
            type_path,
            fingerprint: 0,
            receive: |_, _| Ok(()),
        }
    }

    fn check(events: &[EventDescriptor]) -> Result<(), String> {
        let events: &'static [EventDescriptor] = events.to_vec().leak();
        catch_unwind(|| check_event_types("Chat", events)).map_err(|panic| *panic.downcast::<String>().unwrap())
    }

    #[test]
    fn event_types_with_different_names_are_accepted() {
        let changed = "app::Changed";
        let events = [
            event("Changed", "<Task>", changed),
            event("Changed", "<Project>", changed),
            event("Said", "", "app::Said"),
        ];
        assert_eq!(check(&events), Ok(()));
    }

    #[test]
    fn event_types_with_equal_names_are_rejected() {
        let said = event("Said", "", "app::Said");
        assert_eq!(
            check(&[said, event("Told", "", "app::Told"), event("Said", "", "rooms::Said")]).unwrap_err(),
            "consumer `Chat` has two events named `Said`, `app::Said` and `rooms::Said`; rename one of them with \
             `#[event(name = \"..\")]` on the type"
        );
        let changed = event("Changed", "", "app::Changed");
        assert_eq!(
            check(&[said, changed, changed]).unwrap_err(),
            "consumer `Chat` has two events named `Changed`, both of the generic type `app::Changed`; write the type with \
             its arguments, not an alias, in the `#[event]` methods"
        );
    }
}
