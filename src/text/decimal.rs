//! Formats numbers for messages.

/// Formats a number as `Display` does: all digits, no exponent.
///
/// The float formatting of std would add some 15 KB of code and tables to the WebAssembly module;
/// `serde_json`'s shortest form has the same digits.
pub(crate) fn decimal(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let shortest = serde_json::to_string(&value.abs()).unwrap_or_default();
    // JSON has no infinity.
    if shortest == "null" {
        return format!("{sign}inf");
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let exponent: isize = exponent.parse().unwrap_or_default();
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() - 1);
        return format!("{sign}0.{zeros}{whole}{fraction}");
    }
    if exponent > 0 {
        // The digits of the fraction take up a part of the exponent; zeros take up the rest.
        let zeros = "0".repeat(exponent.unsigned_abs().saturating_sub(fraction.len()));
        return format!("{sign}{whole}{fraction}{zeros}");
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn shows_what_display_shows() {
        let bits = (0..100_000_u64).map(|n| f64::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let plain = (-400..400).map(|n| f64::from(n) / 8.0);
        let powers = (-330..310).map(|n| 10_f64.powi(n));
        let ends = [
            0.0,
            -0.0,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for value in bits.chain(plain).chain(powers).chain(ends) {
            let (shown, displayed) = (decimal(value), value.to_string());
            // Of two forms that are equally short and equally near, either last digit is correct.
            let same = shown == displayed || (shown.len() == displayed.len() && shown.parse() == Ok(value));
            assert!(same, "{shown} instead of {displayed}");
        }
    }
}
