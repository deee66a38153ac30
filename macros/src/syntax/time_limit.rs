//! The value of the key `timeout`: a whole number and its unit, in a string.

use std::time::Duration;

use proc_macro2::Ident;
use syn::parse::ParseStream;

use super::key_value::{self, error_at};

/// The units, each with its length in milliseconds.
const UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1000), ("m", 60 * 1000)];

/// The longest time limit, in milliseconds: a day. The runtime adds it to the current time, which must not overflow.
const MAX_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Parses `= "5s"`.
pub(super) fn parse(key: &Ident, input: ParseStream<'_>) -> syn::Result<Duration> {
    let literal = key_value::parse_string(key, input, "\"5s\"")?;
    match parse_millis(&literal.value()) {
        Ok(millis) => Ok(Duration::from_millis(millis)),
        Err(message) => Err(error_at(literal, message)),
    }
}

/// Returns the time limit in milliseconds. The error is the message.
fn parse_millis(text: &str) -> Result<u64, String> {
    let number_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    match (number, factor) {
        ("", _) => Err(missing_number(text)),
        (_, None) => Err(unknown_unit(number, unit)),
        (_, Some(factor)) => match number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)) {
            Some(0) => {
                Err("a time limit of zero would refuse every call; write `timeout = \"5s\"`, or remove `timeout`"
                    .to_owned())
            }
            Some(millis) if millis <= MAX_MILLIS => Ok(millis),
            _ => {
                let message = "is more than a day, the longest time limit; write `timeout = \"1440m\"` or less";
                Err(format!("`{text}` {message}"))
            }
        },
    }
}

fn missing_number(text: &str) -> String {
    match text.strip_prefix('-').map(parse_millis) {
        _ if text.is_empty() => "the time limit is empty; write `timeout = \"5s\"`, or remove `timeout`".to_owned(),
        Some(Ok(_)) => {
            format!("a time limit is not negative; write `timeout = \"{}\"`", text.trim_start_matches('-'))
        }
        _ => format!("`{text}` does not begin with a number; write a number and a unit, as in `timeout = \"5s\"`"),
    }
}

fn unknown_unit(number: &str, unit: &str) -> String {
    let trimmed = unit.trim();
    if trimmed.is_empty() {
        return format!("`{number}` has no unit; write `timeout = \"{number}s\"`, or `ms` or `m` instead of `s`");
    }
    if UNITS.iter().any(|(name, _)| *name == trimmed) {
        return format!("a time limit has no spaces; write `timeout = \"{number}{trimmed}\"`");
    }
    if unit.starts_with('.') {
        return format!(
            "`{number}{unit}` is not a whole number; write it in a smaller unit, as in `timeout = \"1500ms\"`"
        );
    }
    format!("`{trimmed}` is not a unit of `timeout`; write `ms`, `s` or `m`, as in `timeout = \"{number}s\"`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_limit_has_a_number_and_a_unit() {
        for (text, millis) in
            [("5ms", 5), ("1ms", 1), ("5s", 5000), ("090s", 90_000), ("10m", 600_000), ("1440m", MAX_MILLIS)]
        {
            assert_eq!(parse_millis(text), Ok(millis), "{text}");
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
            assert_eq!(parse_millis(text), Err(message.to_owned()), "{text}");
        }
    }
}
