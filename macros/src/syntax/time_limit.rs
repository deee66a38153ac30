//! The values of the keys `timeout` and `age`: a whole number and its unit, in a string.

use std::time::Duration;

use proc_macro2::Ident;
use syn::parse::ParseStream;

use super::key_value::{self, error_at};

/// Which times a key takes, and the words of its messages.
pub(super) struct TimeRange {
    key: &'static str,
    /// What the value is called, with its article in front.
    noun: (&'static str, &'static str),
    example: &'static str,
    /// A time that is not a whole number of a longer unit.
    finer_example: &'static str,
    /// What may be done instead of writing a value.
    alternative: &'static str,
    /// The units, each with its length in milliseconds.
    units: &'static [(&'static str, u64)],
    /// The shortest time, in milliseconds.
    min_millis: u64,
    /// The message for a shorter time. `{}` stands for the text.
    too_short: &'static str,
    /// The longest time as messages write it, in the longest unit. It is [`MAX_MILLIS`].
    max: &'static str,
}

/// The longest time, in milliseconds: a day. The runtime adds it to the current time, which must not overflow.
const MAX_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// How long an action may run.
pub(super) const TIMEOUT: TimeRange = TimeRange {
    key: "timeout",
    noun: ("a", "time limit"),
    example: "5s",
    finer_example: "1500ms",
    alternative: ", or remove `timeout`",
    units: &[("ms", 1), ("s", 1000), ("m", 60 * 1000)],
    min_millis: 1,
    too_short: "a time limit of zero would refuse every call; write `timeout = \"5s\"`, or remove `timeout`",
    max: "1440m",
};

/// How long an event is kept in a history.
pub(super) const AGE: TimeRange = TimeRange {
    key: "age",
    noun: ("an", "age"),
    example: "10m",
    finer_example: "90m",
    alternative: "",
    units: &[("ms", 1), ("s", 1000), ("m", 60 * 1000), ("h", 60 * 60 * 1000)],
    min_millis: 1000,
    too_short: "`{}` is less than a second, the shortest age; write `age = \"1s\"` or more",
    max: "24h",
};

/// Parses `= "5s"`.
pub(super) fn parse(key: &Ident, input: ParseStream<'_>, range: &TimeRange) -> syn::Result<Duration> {
    let literal = key_value::parse_string(key, input, &format!("\"{}\"", range.example))?;
    match range.parse_millis(&literal.value()) {
        Ok(millis) => Ok(Duration::from_millis(millis)),
        Err(message) => Err(error_at(literal, message)),
    }
}

impl TimeRange {
    /// Returns the time in milliseconds. The error is the message.
    fn parse_millis(&self, text: &str) -> Result<u64, String> {
        let number_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(number_end);
        let factor = self.units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
        let Some(factor) = factor.filter(|_| !number.is_empty()) else {
            return Err(if number.is_empty() { self.missing_number(text) } else { self.unknown_unit(number, unit) });
        };
        match number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)) {
            Some(millis) if millis < self.min_millis => Err(self.too_short.replace("{}", text)),
            Some(millis) if millis <= MAX_MILLIS => Ok(millis),
            _ => {
                let (TimeRange { key, max, .. }, (_, noun)) = (self, self.noun);
                Err(format!("`{text}` is more than a day, the longest {noun}; write `{key} = \"{max}\"` or less"))
            }
        }
    }

    fn missing_number(&self, text: &str) -> String {
        let (TimeRange { key, example, alternative, .. }, (article, noun)) = (self, self.noun);
        match text.strip_prefix('-').map(|positive| self.parse_millis(positive)) {
            _ if text.is_empty() => format!("the {noun} is empty; write `{key} = \"{example}\"`{alternative}"),
            Some(Ok(_)) => {
                let positive = text.trim_start_matches('-');
                format!("{article} {noun} is not negative; write `{key} = \"{positive}\"`")
            }
            _ => format!(
                "`{text}` does not begin with a number; write a number and a unit, as in `{key} = \"{example}\"`"
            ),
        }
    }

    fn unknown_unit(&self, number: &str, unit: &str) -> String {
        let (TimeRange { key, .. }, (article, noun), trimmed) = (self, self.noun, unit.trim());
        if trimmed.is_empty() {
            let others = self.unit_list(|name| name != "s");
            return format!("`{number}` has no unit; write `{key} = \"{number}s\"`, or {others} instead of `s`");
        }
        if self.units.iter().any(|(name, _)| *name == trimmed) {
            return format!("{article} {noun} has no spaces; write `{key} = \"{number}{trimmed}\"`");
        }
        if unit.starts_with('.') {
            let finer = self.finer_example;
            return format!(
                "`{number}{unit}` is not a whole number; write it in a smaller unit, as in `{key} = \"{finer}\"`"
            );
        }
        let units = self.unit_list(|_| true);
        if matches!(trimmed, "d" | "day" | "days") && number == "1" {
            let max = self.max;
            return format!("`{trimmed}` is not a unit of `{key}`; write {units}, as in `{key} = \"{max}\"`");
        }
        format!("`{trimmed}` is not a unit of `{key}`; write {units}, as in `{key} = \"{number}s\"`")
    }

    /// Returns the units as a sentence lists them.
    fn unit_list(&self, is_listed: impl Fn(&str) -> bool) -> String {
        let mut names: Vec<_> =
            self.units.iter().filter(|(name, _)| is_listed(name)).map(|(name, _)| format!("`{name}`")).collect();
        let last = names.pop().unwrap_or_default();
        if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_limit_has_a_number_and_a_unit() {
        for (text, millis) in
            [("5ms", 5), ("1ms", 1), ("5s", 5000), ("090s", 90_000), ("10m", 600_000), ("1440m", MAX_MILLIS)]
        {
            assert_eq!(TIMEOUT.parse_millis(text), Ok(millis), "{text}");
        }
    }

    #[test]
    fn mistake_in_a_time_limit_is_told_with_what_to_write() {
        for (text, message) in [
            ("", "the time limit is empty; write `timeout = \"5s\"`, or remove `timeout`"),
            ("5", "`5` has no unit; write `timeout = \"5s\"`, or `ms` or `m` instead of `s`"),
            ("0s", "a time limit of zero would refuse every call; write `timeout = \"5s\"`, or remove `timeout`"),
            ("-5s", "a time limit is not negative; write `timeout = \"5s\"`"),
            ("- 5s", "`- 5s` does not begin with a number; write a number and a unit, as in `timeout = \"5s\"`"),
            ("s", "`s` does not begin with a number; write a number and a unit, as in `timeout = \"5s\"`"),
            ("5 s", "a time limit has no spaces; write `timeout = \"5s\"`"),
            ("1.5s", "`1.5s` is not a whole number; write it in a smaller unit, as in `timeout = \"1500ms\"`"),
            ("2h", "`h` is not a unit of `timeout`; write `ms`, `s` or `m`, as in `timeout = \"2s\"`"),
            ("1m30s", "`m30s` is not a unit of `timeout`; write `ms`, `s` or `m`, as in `timeout = \"1s\"`"),
            ("1441m", "`1441m` is more than a day, the longest time limit; write `timeout = \"1440m\"` or less"),
            (
                "18446744073709551616s",
                "`18446744073709551616s` is more than a day, the longest time limit; write `timeout = \"1440m\"` or less",
            ),
        ] {
            assert_eq!(TIMEOUT.parse_millis(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn age_has_hours_and_is_at_least_a_second() {
        for (text, millis) in [("1s", 1000), ("1000ms", 1000), ("90s", 90_000), ("10m", 600_000), ("24h", MAX_MILLIS)] {
            assert_eq!(AGE.parse_millis(text), Ok(millis), "{text}");
        }
        for (text, message) in [
            ("", "the age is empty; write `age = \"10m\"`"),
            ("5", "`5` has no unit; write `age = \"5s\"`, or `ms`, `m` or `h` instead of `s`"),
            ("0s", "`0s` is less than a second, the shortest age; write `age = \"1s\"` or more"),
            ("999ms", "`999ms` is less than a second, the shortest age; write `age = \"1s\"` or more"),
            ("-5s", "an age is not negative; write `age = \"5s\"`"),
            ("m", "`m` does not begin with a number; write a number and a unit, as in `age = \"10m\"`"),
            ("5 h", "an age has no spaces; write `age = \"5h\"`"),
            ("1.5h", "`1.5h` is not a whole number; write it in a smaller unit, as in `age = \"90m\"`"),
            ("1d", "`d` is not a unit of `age`; write `ms`, `s`, `m` or `h`, as in `age = \"24h\"`"),
            ("25h", "`25h` is more than a day, the longest age; write `age = \"24h\"` or less"),
            ("86401s", "`86401s` is more than a day, the longest age; write `age = \"24h\"` or less"),
        ] {
            assert_eq!(AGE.parse_millis(text), Err(message.to_owned()), "{text}");
        }
    }
}
