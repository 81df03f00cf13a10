//! Amounts of memory, as people write them: `25MiB`. Refuses `MB`, which some read as a
//! million bytes and some do not.

use crate::domain::Invalid;

const WAY_OUT: &str = "write it like `512KiB`, `25MiB` or `1GiB`";

/// The number of bytes that a text names; never zero.
pub(super) fn parse(text: &str) -> Result<usize, Invalid> {
    let refuse = |problem: &str| Invalid {
        problem: problem.to_owned(),
        way_out: WAY_OUT.to_owned(),
    };
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: usize = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "" => return Err(refuse("the unit is missing")),
        _ => return Err(refuse("this is not a unit of memory")),
    };
    let bytes = number
        .parse()
        .ok()
        .and_then(|count: usize| count.checked_mul(factor));
    match bytes {
        Some(0) => Err(refuse("this size is zero")),
        Some(bytes) => Ok(bytes),
        None => Err(refuse("this is not a size")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_binary_unit() {
        let check = |text: &str, expect: Option<usize>| {
            assert_eq!(parse(text).ok(), expect, "{text:?}");
        };
        check("25MiB", Some(25 * 1024 * 1024));
        check("1 GiB", Some(1 << 30));
        check("7B", Some(7));
        check("25MB", None);
        check("25", None);
        check("0MiB", None);
        check("MiB", None);
        check("-1MiB", None);
        check("99999999999999999999GiB", None);
    }
}
