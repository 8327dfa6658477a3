//! Reads the date formats of token endpoints and command-line tools: ISO 8601, the two formats of
//! App Service 2017-09-01, and that of Windows PowerShell.

use super::lifetime::Millis;
use crate::{Code, Error, Result};

/// Reads a date and time. `zone` returns the offset from UTC, in minutes east, at a local time
/// (given as if it were UTC). It is called only if the text has no offset, as from `az` before
/// 2.54.
///
/// Formats: `2024-10-18T19:51:37.0000000+00:00` (`T` or a space, 0 to 9 fraction digits, `Z`,
/// `+hh:mm`, `+hhmm`, `+hh` or nothing), `06/20/2019 02:57:58 +00:00` (month first), `1/16/2020
/// 5:24:12 AM +00:00` (12 AM is midnight) and `/Date(1618255120000)/` (milliseconds).
///
/// ```
/// use copilot_keyless::token::parse_instant;
///
/// let utc = |_| None;
/// assert_eq!(parse_instant("1/16/2020 12:24:12 AM +00:00", utc).unwrap(), 1_579_134_252_000);
/// assert_eq!(parse_instant("2020-01-16 01:24:12", |_| Some(60)).unwrap(), 1_579_134_252_000);
/// ```
pub fn parse_instant(text: &str, zone: impl Fn(Millis) -> Option<i32>) -> Result<Millis> {
    instant_of(text, &zone)
}

/// Returns the offset at a local time; see [`parse_instant`].
pub(super) type Zone<'a> = &'a dyn Fn(Millis) -> Option<i32>;

/// [`parse_instant`] without its generic parameter, so that it is compiled once.
pub(super) fn instant_of(text: &str, zone: Zone<'_>) -> Result<Millis> {
    let text = text.trim_ascii();
    if let Some(time) = powershell_date(text) {
        return Ok(time);
    }
    let (local, offset) = Cursor { rest: text }.date_time().ok_or_else(|| {
        Error::new(Code::ExpiryUnreadable, "the expiry is a text in no known format")
            .hint("Expected seconds since 1970, or a date such as 2026-01-31T12:00:00Z.")
    })?;
    let minutes = match offset {
        Some(minutes) => minutes,
        None => zone(local).ok_or_else(|| {
            Error::new(Code::ExpiryZoneRequired, "the expiry is a local time that names no offset from UTC")
                .hint("Give the offset (utcOffsetMinutes), or use the numeric expires_on that az 2.54 and later print.")
        })?,
    };
    Ok(local - Millis::from(minutes) * 60_000)
}

/// Reads the date of Windows PowerShell 5.1 and .NET Framework: `/Date(1618255120000)/`, with an
/// offset behind the number or without. The number is in UTC either way.
fn powershell_date(text: &str) -> Option<Millis> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let digits = inner.split(['+', '-']).next()?;
    let valid = (12..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.bytes().fold(0, with_digit))
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads the date of an HTTP header in the three forms of RFC 9110: `Sun, 06 Nov 1994 08:49:37
/// GMT`, which servers send, and the obsolete `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6
/// 08:49:37 1994`.
pub(crate) fn http_date(text: &str) -> Option<Millis> {
    let parts: Vec<&str> = text.split([' ', '-']).filter(|part| !part.is_empty()).collect();
    let (day, name, year, time) = match parts[..] {
        [_weekday, day, name, year, time, "GMT"] => (day, name, year, time),
        [_weekday, name, day, time, year] => (day, name, year, time),
        _ => return None,
    };
    let century = match year.len() {
        2 if year < "70" => "20",
        2 => "19",
        _ => "",
    };
    let month = 1 + MONTHS.iter().position(|&month| month == name)?;
    instant_of(&format!("{century}{year}-{month:02}-{day:0>2} {time}Z"), &|_| {
        None
    })
    .ok()
}

/// The rest of the text.
struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    /// Reads the local time as if it were UTC, and the offset in minutes if the text has one.
    fn date_time(&mut self) -> Option<(Millis, Option<i32>)> {
        let first = self.number(1, 4)?;
        let american = self.take('/');
        let (year, month, day) = if american {
            let day = self.number(1, 2)?;
            self.expect('/')?;
            (self.number(4, 4)?, first, day)
        } else {
            self.expect('-')?;
            let month = self.number(2, 2)?;
            self.expect('-')?;
            (first, month, self.number(2, 2)?)
        };
        let separated = self.take(' ') || (!american && (self.take('T') || self.take('t')));
        if !separated {
            return None;
        }
        let hour = self.number(1, 2)?;
        self.expect(':')?;
        // A format string of .NET without padding, `M/d/yyyy H:m:s tt K`, writes one digit.
        let least = if american { 1 } else { 2 };
        let minute = self.number(least, 2)?;
        self.expect(':')?;
        let second = self.number(least, 2)?;
        let fraction = if self.take('.') { self.fraction()? } else { 0 };
        let hour = if american { self.twelve_hours(hour)? } else { hour };
        let offset = self.offset();
        if !self.rest.is_empty() || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_since_epoch(year, month, day)?;
        let local = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + fraction;
        Some((local, offset))
    }

    /// Converts an hour that `AM` or `PM` may follow to the hour of the day.
    fn twelve_hours(&mut self, hour: Millis) -> Option<Millis> {
        let (half, after) = match self.rest.get(..3).map(str::to_ascii_uppercase).as_deref() {
            Some(" AM") => (0, 3),
            Some(" PM") => (12, 3),
            _ => return Some(hour),
        };
        self.rest = self.rest.get(after..)?;
        (1..=12).contains(&hour).then_some(hour % 12 + half)
    }

    /// Reads the offset in minutes: `Z` or a signed offset. Leaves any other text for the check at
    /// the end.
    fn offset(&mut self) -> Option<i32> {
        let before = self.rest;
        self.take(' ');
        if self.take('Z') || self.take('z') {
            return Some(0);
        }
        let offset = self.signed_offset();
        if offset.is_none() {
            self.rest = before;
        }
        offset
    }

    fn signed_offset(&mut self) -> Option<i32> {
        let sign = if self.take('+') {
            1
        } else {
            self.expect('-')?;
            -1
        };
        let hours = self.number(2, 2)?;
        let colon = self.take(':');
        let minutes = if colon || !self.rest.is_empty() {
            self.number(2, 2)?
        } else {
            0
        };
        (hours <= 14 && minutes <= 59).then_some(sign * (hours * 60 + minutes) as i32)
    }

    /// Reads up to nine fraction digits, as whole milliseconds.
    fn fraction(&mut self) -> Option<Millis> {
        let digits = self.digits(9);
        if digits.is_empty() {
            return None;
        }
        Some(digits.bytes().chain(*b"00").take(3).fold(0, with_digit))
    }

    fn number(&mut self, least: usize, most: usize) -> Option<Millis> {
        let digits = self.digits(most);
        (digits.len() >= least).then(|| digits.bytes().fold(0, with_digit))
    }

    fn digits(&mut self, most: usize) -> &str {
        let end = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        digits
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.take(wanted).then_some(())
    }
}

fn with_digit(number: Millis, digit: u8) -> Millis {
    number * 10 + Millis::from(digit - b'0')
}

/// Returns the days from 1970-01-01 to a Gregorian date. `None` if the date does not exist or is
/// not in the years 1970 to 9999.
fn days_since_epoch(year: Millis, month: Millis, day: Millis) -> Option<Millis> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1970..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // A year that begins in March has its leap day at the end, so one formula counts the days
    // before a month.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}
