//! Times and answers of a lease.

use copilot_keyless::lease::{Reply, Term, busy_wait_ms, retry_wait_ms};

#[test]
fn a_lease_is_renewed_after_a_third_and_written_under_until_a_tenth_is_left() {
    let mut term = Term::new(30_000, 5_000);
    assert_eq!(term.next_renewal(), 15_000);
    assert!(term.may_write(31_999) && !term.may_write(32_000));
    // Counted from when the renewal was sent, not from when its answer came.
    term.renewed(15_000);
    assert_eq!(term.next_renewal(), 25_000);
    assert!(term.may_write(41_999) && !term.may_write(42_000));
    // An answer that comes late takes nothing back.
    term.renewed(6_000);
    assert!(term.may_write(41_999));
}

#[test]
fn a_renewal_that_failed_is_sent_again_a_second_later() {
    let mut term = Term::new(30_000, 0);
    term.renewal_failed(10_400);
    assert_eq!(term.next_renewal(), 11_400);
    assert!(term.may_write(26_999) && !term.may_write(27_000));
}

#[test]
fn a_caller_that_waits_as_told_gets_through_a_third_after_the_lease_at_the_latest() {
    for duration in [15_000, 30_000, 60_000] {
        // The holder died at once: its lease is over after `duration`.
        let mut now = 0;
        let mut waits = 0;
        while now < duration {
            now += busy_wait_ms(now, duration);
            waits += 1;
        }
        assert!(now <= duration + duration / 3, "{now}");
        assert!(waits <= 14, "{waits}");
    }
    assert_eq!(busy_wait_ms(0, 30_000), 1_000);
    assert_eq!(busy_wait_ms(600_000, 30_000), 10_000);
}

#[test]
fn a_retry_waits_longer_each_time_and_as_long_as_the_storage_asks() {
    assert_eq!(retry_wait_ms(0, 0.0, None, 9_000), Some(50));
    assert_eq!(retry_wait_ms(0, 1.0, None, 9_000), Some(100));
    assert_eq!(retry_wait_ms(3, 1.0, None, 9_000), Some(800));
    assert_eq!(retry_wait_ms(u32::MAX, 1.0, None, 9_000), Some(3_000));
    assert_eq!(retry_wait_ms(0, 0.5, Some(2_000), 9_000), Some(2_000));
    assert_eq!(retry_wait_ms(0, 0.5, Some(9_000), 9_000), None);
}

#[test]
fn answers_of_the_storage_are_read() {
    // From <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>.
    for (status, code, reply) in [
        (201, "", Reply::Done),
        (409, "LeaseAlreadyPresent", Reply::Held),
        (409, "LeaseIdMismatchWithLeaseOperation", Reply::Fenced),
        (409, "LeaseNotPresentWithLeaseOperation", Reply::Fenced),
        (409, "LeaseIsBrokenAndCannotBeRenewed", Reply::Fenced),
        (412, "LeaseIdMismatchWithBlobOperation", Reply::Fenced),
        (412, "LeaseNotPresentWithBlobOperation", Reply::Fenced),
        (412, "LeaseIdMissing", Reply::Fenced),
        (412, "LeaseLost", Reply::Fenced),
        (412, "AppendPositionConditionNotMet", Reply::Moved),
        (409, "BlobAlreadyExists", Reply::Exists),
        (404, "ContainerNotFound", Reply::NoContainer),
        (404, "BlobNotFound", Reply::Missing),
        (404, "", Reply::Missing),
        (403, "AuthorizationPermissionMismatch", Reply::Refused),
        (401, "InvalidAuthenticationInfo", Reply::Refused),
        (0, "", Reply::Again),
        (429, "TooManyRequests", Reply::Again),
        (500, "InternalError", Reply::Again),
        (503, "ServerBusy", Reply::Again),
        (400, "InvalidHeaderValue", Reply::Failed),
        (409, "BlockCountExceedsLimit", Reply::Failed),
    ] {
        assert_eq!(Reply::of(status, code), reply, "{status} {code}");
    }
}
