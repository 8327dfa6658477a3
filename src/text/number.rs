//! Reads numbers of JavaScript and JSON, which have no integer type, into integers.

use serde::{Deserialize, Deserializer};

use crate::token::Millis;

/// Converts a number of a language without integers, such as JavaScript, to a token limit or a
/// timeout.
///
/// A fraction, a negative number, NaN and a number above `u32::MAX` become 0. No limit and no
/// timeout may be 0, so the function that takes it returns its error for it (`provider/limit`).
///
/// ```
/// use copilot_keyless::whole_number;
///
/// assert_eq!(whole_number(4_096.0), 4_096);
/// assert_eq!([whole_number(1.5), whole_number(-1.0), whole_number(1e10), whole_number(f64::NAN)], [0; 4]);
/// ```
pub fn whole_number(number: f64) -> u32 {
    if number.fract() == 0.0 && number <= f64::from(u32::MAX) {
        number as u32
    } else {
        0
    }
}

/// A type that can be read from numbers.
pub(crate) trait FromNumber {
    type Number;

    fn from_number(number: Self::Number) -> Self;
}

impl FromNumber for u32 {
    type Number = f64;

    fn from_number(number: f64) -> Self {
        whole_number(number)
    }
}

/// Rounds down. NaN becomes the least time, which is out of every range.
impl FromNumber for Millis {
    type Number = f64;

    fn from_number(number: f64) -> Self {
        if number.is_nan() {
            Self::MIN
        } else {
            number.floor() as Self
        }
    }
}

impl<T: FromNumber> FromNumber for Option<T> {
    type Number = Option<T::Number>;

    fn from_number(number: Self::Number) -> Self {
        number.map(T::from_number)
    }
}

impl<T: FromNumber> FromNumber for Vec<T> {
    type Number = Vec<T::Number>;

    fn from_number(numbers: Self::Number) -> Self {
        numbers.into_iter().map(T::from_number).collect()
    }
}

/// Reads a field: `#[serde(deserialize_with = "from_number")]`.
pub(crate) fn from_number<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromNumber<Number: Deserialize<'de>>,
    D: Deserializer<'de>,
{
    T::Number::deserialize(deserializer).map(T::from_number)
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::Error;

    use super::{FromNumber, from_number};
    use crate::token::Millis;

    fn read<T: FromNumber<Number = f64>>(number: f64) -> T {
        from_number::<T, _>(IntoDeserializer::<Error>::into_deserializer(number))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn only_whole_numbers_are_limits() {
        for (number, limit) in [(1.0, 1), (4_294_967_295.0, u32::MAX), (-0.0, 0)] {
            assert_eq!(read::<u32>(number), limit);
        }
        for number in [
            0.5,
            -1.0,
            4_294_967_296.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            assert_eq!(read::<u32>(number), 0, "{number}");
        }
    }

    #[test]
    fn times_are_rounded_down() {
        for (number, time) in [
            (1.9, 1),
            (-0.5, -1),
            (f64::NAN, Millis::MIN),
            (f64::INFINITY, Millis::MAX),
            (f64::NEG_INFINITY, Millis::MIN),
        ] {
            assert_eq!(read::<Millis>(number), time, "{number}");
        }
    }
}
