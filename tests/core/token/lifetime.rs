//! Runs every row of `tests/tables/expiry.json` natively; `tests/unit/wasm/core.test.ts` runs the
//! same rows through WebAssembly.
use copilot_keyless::token::{
    Lifetime, MAX_LIFETIME_MS, clock_ahead, corrected_expiry, parse_instant, parse_token_response,
    seems_expired,
};
use proptest::prelude::*;
use serde_json::Value;

fn table() -> Vec<Value> {
    serde_json::from_str(table!("expiry.json")).unwrap()
}

#[test]
fn every_row_of_the_table() {
    for row in table() {
        let name = row["name"].as_str().unwrap();
        let json = match &row["response"] {
            Value::String(text) => text.clone(),
            object => object.to_string(),
        };
        let offset = row["utcOffsetMinutes"].as_i64().map(|minutes| minutes as i32);
        let requested_at = row["requestedAt"].as_i64().unwrap();
        let result = parse_token_response(json.as_bytes(), requested_at, |_| offset);
        match (&row["expect"], result) {
            (Value::Null, Err(error)) => {
                assert_eq!(error.code().as_str(), row["error"], "{name}: {error}");
                assert!(
                    !format!("{error:?}").contains("opaque-token"),
                    "{name} shows the token"
                );
            }
            (expect @ Value::Object(_), Ok(response)) => {
                let lifetime = response.lifetime;
                assert_eq!(
                    Some(lifetime.expires()),
                    expect["expiresOnTimestamp"].as_i64(),
                    "{name}"
                );
                assert_eq!(
                    lifetime.refresh_after(),
                    expect["refreshAfterTimestamp"].as_i64(),
                    "{name}"
                );
                assert_eq!(lifetime.acquired(), requested_at, "{name}");
                assert!(
                    !format!("{response:?}").contains(response.token.expose()),
                    "{name} shows the token"
                );
            }
            (_, result) => panic!("{name}: {result:?}"),
        }
    }
}

#[test]
fn every_code_is_reached() {
    let reached: Vec<Value> = table().into_iter().map(|row| row["error"].clone()).collect();
    for code in copilot_keyless::Code::ALL.iter().map(|code| code.as_str()) {
        // A megabyte does not belong in a table; see below.
        if code.starts_with("expiry/") && code != "expiry/too-large" {
            assert!(reached.iter().any(|error| error == code), "no row for {code}");
        }
    }
}

#[test]
fn a_megabyte_and_a_hundred_thousand_brackets_are_refused() {
    let large = format!(r#"{{"access_token":"{}","expires_in":60}}"#, "x".repeat(1 << 20));
    let error = parse_token_response(large.as_bytes(), 1, |_| None).unwrap_err();
    assert_eq!(error.code().as_str(), "expiry/too-large");
    let most = large.len() - (1 << 20);
    let fits = format!(
        r#"{{"access_token":"{}","expires_in":60}}"#,
        "x".repeat((1 << 20) - most)
    );
    assert_eq!(fits.len(), 1 << 20);
    let response = parse_token_response(fits.as_bytes(), 1, |_| None).unwrap();
    assert!(
        format!("{response:?}").contains("[redacted]"),
        "shown, without the token"
    );
    let deep = format!(r#"{{"expires_on":{}"#, "[".repeat(100_000));
    let error = parse_token_response(deep.as_bytes(), 1, |_| None).unwrap_err();
    assert_eq!(error.code().as_str(), "expiry/not-json");
    let error = parse_token_response(b"{\"access_token\":\"\xff\"}", 1, |_| None).unwrap_err();
    assert_eq!(error.code().as_str(), "expiry/not-json");
}

#[test]
fn the_zone_is_asked_for_the_local_time_itself() {
    // Central Europe left summer time on 2020-10-25 at 03:00 local.
    let zone = |local| Some(if local < 1_603_594_800_000 { 120 } else { 60 });
    assert_eq!(
        parse_instant("2020-10-25 02:59:59", zone).unwrap(),
        1_603_587_599_000
    );
    assert_eq!(
        parse_instant("2020-10-25 03:00:00", zone).unwrap(),
        1_603_591_200_000
    );
}

#[test]
fn from_march_1973_on_numbers_are_milliseconds() {
    let at = 99_999_999_000;
    let lifetime = Lifetime::of_access_token(at, 100_000_000_000.0, None, MAX_LIFETIME_MS).unwrap();
    assert_eq!((lifetime.expires(), lifetime.length()), (100_000_000_000, 1_000));
    let seconds =
        Lifetime::of_access_token(at * 1_000, 99_999_999.5 * 1_000.0, None, MAX_LIFETIME_MS).unwrap();
    assert_eq!(seconds.length(), 500_000);
}

#[test]
fn numbers_of_javascript_that_are_no_times() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0] {
        let error = Lifetime::of_access_token(1, bad, None, MAX_LIFETIME_MS).unwrap_err();
        assert_eq!(error.code().as_str(), "expiry/unreadable");
        let lifetime =
            Lifetime::of_access_token(1_700_000_000_000, 1_700_000_001.0, Some(bad), MAX_LIFETIME_MS);
        assert_eq!(lifetime.unwrap().refresh_after(), None);
    }
}

#[test]
fn a_date_that_no_server_sends_tells_nothing() {
    for date in [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT GMT",
    ] {
        assert_eq!(clock_ahead(date, i64::MAX), 0, "{date}");
    }
    for date in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        assert_eq!(clock_ahead(date, 784_111_779_000), 1_000, "{date}");
    }
}

#[test]
fn a_token_that_seems_expired_is_taken_at_its_own_word() {
    const NOW: i64 = 1_700_000_000_000;
    // {"exp":1700003600}, an hour later.
    let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDM2MDB9.";
    let end = NOW + 3_600_000;
    assert!(seems_expired(NOW as f64, NOW));
    assert!(seems_expired(NOW as f64 + 1_000.0, NOW));
    assert!(!seems_expired(NOW as f64 + 1_001.0, NOW));
    assert!(!seems_expired(f64::NAN, NOW));
    // MSAL could not read the expiry and reported the current time.
    assert_eq!(corrected_expiry(jwt, NOW as f64, NOW, 0), Some(end));
    assert_eq!(corrected_expiry("opaque", NOW as f64, NOW, 0), None);
    // The clock is two hours ahead. The token's own exp counts, not MSAL's current time.
    let ahead = 7_200_000;
    assert_eq!(corrected_expiry(jwt, (NOW + ahead) as f64, NOW + ahead, 0), None);
    assert_eq!(
        corrected_expiry(jwt, (NOW + ahead) as f64, NOW + ahead, ahead),
        Some(end + ahead)
    );
    // It has also expired by the true time.
    assert_eq!(corrected_expiry(jwt, end as f64, end + ahead + 1, ahead), None);
    assert_eq!(corrected_expiry(jwt, end as f64, end + 1, -ahead), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<i64>()) {
        let _ = parse_token_response(&bytes, at, |_| None);
    }

    #[test]
    fn any_expiry_is_refused_or_within_48_hours(value in any::<f64>(), within in any::<f64>()) {
        let at = 1_700_000_000_000;
        let json = serde_json::json!({ "token": "t", "expires_on": value, "expires_in": within }).to_string();
        if let Ok(response) = parse_token_response(json.as_bytes(), at, |_| None) {
            prop_assert!(at < response.lifetime.expires() && response.lifetime.expires() <= at + MAX_LIFETIME_MS);
        }
    }

    #[test]
    fn dates_written_are_read_back(seconds in 0_i64..253_402_300_799, minutes in -839_i32..=839) {
        // An independent calendar: count the days year by year.
        let local = seconds + i64::from(minutes) * 60;
        prop_assume!((0..253_402_300_800).contains(&local));
        let (mut days, time) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut year = 1970;
        while days >= 365 + i64::from(leap(year)) {
            days -= 365 + i64::from(leap(year));
            year += 1;
        }
        let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut month = 0;
        while days >= lengths[month] {
            days -= lengths[month];
            month += 1;
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        let text = format!(
            "{year}-{:02}-{:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            month + 1, days + 1, time / 3600, time / 60 % 60, time % 60, minutes.abs() / 60, minutes.abs() % 60
        );
        prop_assert_eq!(parse_instant(&text, |_| None).unwrap(), seconds * 1_000, "{}", text);
        let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month];
        let http = format!(
            "Sun, {:02} {name} {year:04} {:02}:{:02}:{:02} GMT", days + 1, time / 3600, time / 60 % 60, time % 60
        );
        prop_assert_eq!(clock_ahead(&http, local * 1_000 + 1_005), 5, "{}", http);
    }

    #[test]
    fn any_text_is_no_panic(text in "\\PC{0,40}", digits in "[0-9/:. TZ+APM-]{0,32}") {
        let _ = parse_instant(&text, |_| None);
        let _ = parse_instant(&digits, |_| Some(0));
        prop_assert_eq!(clock_ahead(&text, i64::MAX), 0);
        prop_assert_eq!(clock_ahead(&digits, i64::MIN), 0);
    }
}
