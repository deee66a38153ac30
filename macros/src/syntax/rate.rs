//! The values of the keys `rate` and `burst`: how often a user may call an action, and how often in a row.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{LitInt, LitStr};

use super::key_value::{self, error_at};

/// A unit of time of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateUnit {
    Second,
    Minute,
    Hour,
}

/// The units, shortest first, each with its name and others that it may be mistaken to have.
const UNITS: [(&str, RateUnit, &[&str]); 3] = [
    ("s", RateUnit::Second, &["sec", "secs", "second", "seconds"]),
    ("min", RateUnit::Minute, &["m", "mins", "minute", "minutes"]),
    ("h", RateUnit::Hour, &["hr", "hrs", "hour", "hours"]),
];

/// The value of `rate`: a count per unit, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateSyntax {
    pub(crate) count: u32,
    pub(crate) unit: RateUnit,
}

/// Parses `= "10/s"`.
pub(super) fn parse_rate(key: &Ident, input: ParseStream<'_>) -> syn::Result<RateSyntax> {
    let literal = key_value::parse_string(key, input, "\"10/s\"")?;
    read_rate(&literal.value()).map_err(|message| error_at(literal, message))
}

/// Parses `= 20`.
pub(super) fn parse_burst(key: &Ident, input: ParseStream<'_>) -> syn::Result<u32> {
    key_value::parse_equals(key, input, "20")?;
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        let count = literal.value();
        let count = if is_number(&count) { &*count } else { "20" };
        return Err(error_at(&literal, format_args!("the value of `burst` is a number; write `burst = {count}`")));
    }
    let literal: LitInt =
        input.parse().map_err(|_| input.error("the value of `burst` is a whole number; write `burst = 20`"))?;
    match literal.base10_parse::<u32>() {
        _ if !literal.suffix().is_empty() => {
            let digits = literal.base10_digits();
            Err(error_at(&literal, format_args!("`{literal}` is not a whole number; write `burst = {digits}`")))
        }
        Ok(0) => Err(error_at(
            literal,
            "a burst of zero would refuse every call; write `burst = 1` or more, or remove `burst`",
        )),
        Ok(burst) => Ok(burst),
        Err(_) => Err(error_at(&literal, too_large(literal.base10_digits()))),
    }
}

/// Returns the error of `burst` without `rate`.
pub(super) fn missing_rate(burst: &Ident) -> syn::Error {
    let message =
        "`burst` is how many calls of a `rate` may come in a row; add `rate = \"10/s\"` to it, or remove `burst`";
    error_at(burst, message)
}

/// Returns the rate that a text stands for. The error is the message.
fn read_rate(text: &str) -> Result<RateSyntax, String> {
    if text.is_empty() {
        return Err("the rate is empty; write `rate = \"10/s\"`, or remove `rate`".to_owned());
    }
    let Some((number, unit)) = text.split_once('/') else {
        return Err(missing_unit(text));
    };
    let (number, unit, unspaced) = (number.trim(), unit.trim(), number.trim() == number && unit.trim() == unit);
    if !is_number(number) {
        return Err(match number.parse::<f64>() {
            Ok(value) if value > 0.0 => fraction(number, unit),
            _ => format!("`{text}` does not begin with a number; write a number and a unit, as in `rate = \"10/s\"`"),
        });
    }
    let Some((_, known, _)) = UNITS.iter().find(|(name, ..)| *name == unit) else {
        return Err(if unit.is_empty() { missing_unit(number) } else { unknown_unit(number, unit) });
    };
    if !unspaced {
        return Err(format!("a rate has no spaces; write `rate = \"{number}/{unit}\"`"));
    }
    match number.parse::<u32>() {
        Ok(0) => {
            Err("a rate of zero would refuse every call; write `rate = \"1/h\"` or more, or remove `rate`".to_owned())
        }
        Ok(count) => Ok(RateSyntax { count, unit: *known }),
        Err(_) => Err(too_large(number)),
    }
}

/// Returns the error of a number that is not a whole one.
fn fraction(number: &str, unit: &str) -> String {
    match unit {
        "h" => {
            format!("`{number}` is not a whole number, and `h` is the longest unit; write at least `rate = \"1/h\"`")
        }
        "min" => format!("`{number}` is not a whole number; write the number per hour, as in `rate = \"90/h\"`"),
        _ => format!("`{number}` is not a whole number; write the number per minute, as in `rate = \"90/min\"`"),
    }
}

/// Returns the error of a unit that does not exist. A unit is suggested only if the text is another name of it.
fn unknown_unit(number: &str, unit: &str) -> String {
    let lower = unit.to_ascii_lowercase();
    match UNITS.iter().find(|(name, _, others)| *name == lower || others.contains(&&*lower)) {
        Some((name, ..)) => format!("`{unit}` is not a unit of `rate`; write `rate = \"{number}/{name}\"`"),
        None => format!("`{unit}` is not a unit of `rate`; the units are `s`, `min` and `h`"),
    }
}

fn missing_unit(text: &str) -> String {
    let number = if is_number(text) { text } else { "10" };
    format!("`{text}` has no unit; write `rate = \"{number}/s\"`, or `min` or `h` instead of `s`")
}

fn too_large(number: &str) -> String {
    format!("`{number}` is more than {}, the largest number here; write a smaller one", u32::MAX)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_has_a_number_and_a_unit() {
        for (text, count, unit) in [
            ("10/s", 10, RateUnit::Second),
            ("1/s", 1, RateUnit::Second),
            ("100/min", 100, RateUnit::Minute),
            ("05/h", 5, RateUnit::Hour),
            ("4294967295/h", u32::MAX, RateUnit::Hour),
        ] {
            assert_eq!(read_rate(text), Ok(RateSyntax { count, unit }), "{text}");
        }
    }

    #[test]
    fn mistake_in_a_rate_is_told_with_what_to_write() {
        for (text, message) in [
            ("", "the rate is empty; write `rate = \"10/s\"`, or remove `rate`"),
            ("10", "`10` has no unit; write `rate = \"10/s\"`, or `min` or `h` instead of `s`"),
            ("10/", "`10` has no unit; write `rate = \"10/s\"`, or `min` or `h` instead of `s`"),
            ("10s", "`10s` has no unit; write `rate = \"10/s\"`, or `min` or `h` instead of `s`"),
            ("10 per s", "`10 per s` has no unit; write `rate = \"10/s\"`, or `min` or `h` instead of `s`"),
            ("0/s", "a rate of zero would refuse every call; write `rate = \"1/h\"` or more, or remove `rate`"),
            ("-1/s", "`-1/s` does not begin with a number; write a number and a unit, as in `rate = \"10/s\"`"),
            ("/s", "`/s` does not begin with a number; write a number and a unit, as in `rate = \"10/s\"`"),
            ("ten/s", "`ten/s` does not begin with a number; write a number and a unit, as in `rate = \"10/s\"`"),
            ("1.5/s", "`1.5` is not a whole number; write the number per minute, as in `rate = \"90/min\"`"),
            ("1.5/min", "`1.5` is not a whole number; write the number per hour, as in `rate = \"90/h\"`"),
            ("0.5/h", "`0.5` is not a whole number, and `h` is the longest unit; write at least `rate = \"1/h\"`"),
            ("10/m", "`m` is not a unit of `rate`; write `rate = \"10/min\"`"),
            ("10/sec", "`sec` is not a unit of `rate`; write `rate = \"10/s\"`"),
            ("5/hour", "`hour` is not a unit of `rate`; write `rate = \"5/h\"`"),
            ("5/H", "`H` is not a unit of `rate`; write `rate = \"5/h\"`"),
            ("10/ms", "`ms` is not a unit of `rate`; the units are `s`, `min` and `h`"),
            ("10/5s", "`5s` is not a unit of `rate`; the units are `s`, `min` and `h`"),
            ("5/day", "`day` is not a unit of `rate`; the units are `s`, `min` and `h`"),
            ("10 / s", "a rate has no spaces; write `rate = \"10/s\"`"),
            ("4294967296/s", "`4294967296` is more than 4294967295, the largest number here; write a smaller one"),
        ] {
            assert_eq!(read_rate(text), Err(message.to_owned()), "{text}");
        }
    }
}
