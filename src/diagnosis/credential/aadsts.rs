//! Reads Entra's error numbers (`AADSTS...`) and maps them to codes.
//!
//! The numbers and their meanings come from Microsoft's list of Entra error codes
//! (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>) and from the
//! responses in `tests/tables/credential-failures.json`.

use super::code::CredentialDiagnosisCode as Code;

/// The most numbers to report.
const MAX_NUMBERS: usize = 8;

/// Numbers by code. Numbers that stand for several causes are not listed: the text decides there.
const NUMBERS: [(Code, &[u32]); 30] = [
    (
        Code::NotSignedIn,
        &[
            16000, 50058, 70016, 70017, 70018, 70019, 70020, 81004, 81010, 165_000, 165_004, 165_900,
        ],
    ),
    (
        Code::SignInExpired,
        &[
            50085, 50089, 50132, 50133, 50173, 51006, 54005, 70000, 70008, 70043, 700_003, 700_081, 700_082,
            700_084,
        ],
    ),
    (Code::SecretExpired, &[7_000_222]),
    (Code::WrongSecret, &[7_000_215, 7_000_217]),
    (
        Code::CertificateNotRegistered,
        &[50003, 50017, 50032, 700_027, 700_030, 1_000_502],
    ),
    (Code::FederatedMismatch, &[70021]),
    (Code::FederatedIssuer, &[700_211, 700_222, 7_002_111]),
    (Code::FederatedAudience, &[700_212, 500_131]),
    (Code::FederatedSubject, &[700_213, 7_002_137, 7_002_138]),
    (Code::FederatedNone, &[70025]),
    (Code::AssertionExpired, &[700_024, 500_133]),
    (
        Code::AssertionInvalid,
        &[
            50006, 50013, 50027, 50048, 70023, 500_811, 240_002, 700_229, 900_384, 5_000_811, 5_000_611,
        ],
    ),
    (
        Code::WrongTenant,
        &[
            50020, 90027, 50059, 50128, 50194, 90002, 90010, 90019, 90072, 500_200, 500_201, 500_207,
            500_208, 900_021, 70052, 5_000_224, 5_000_225, 900_023, 9_001_023, 9_002_332,
        ],
    ),
    (
        Code::ApplicationNotFound,
        &[70001, 700_011, 700_016, 7_000_229, 700_038, 1_000_031],
    ),
    (Code::ApplicationDisabled, &[7_000_112, 7_000_111]),
    (Code::NotAssignedToApplication, &[50105, 501_051]),
    (
        Code::ConsentMissing,
        &[
            50015, 65001, 65002, 65004, 65005, 90008, 90009, 90093, 90094, 90095, 90099, 650_051, 650_056,
        ],
    ),
    (
        Code::ConditionalAccess,
        &[
            50002, 50005, 50097, 50099, 50127, 50129, 50131, 50155, 50178, 50187, 135_011, 500_021, 500_022,
            500_212, 500_213, 700_223, 700_238,
        ],
    ),
    (
        Code::MfaRequired,
        &[
            50072, 50074, 50076, 50078, 50079, 50088, 50125, 50158, 500_121, 53004,
        ],
    ),
    (Code::UserDisabled, &[50053, 50057, 53011, 500_571]),
    (Code::UserNotFound, &[50014, 50034, 51004, 500_341]),
    (Code::WrongPassword, &[50056, 50064, 50126]),
    (Code::PasswordExpired, &[50055, 50135, 50144]),
    (
        Code::WrongScope,
        &[
            28002, 28003, 50001, 50010, 70011, 500_011, 650_053, 650_057, 700_022, 700_023, 1_002_012,
        ],
    ),
    (Code::ResourceDisabled, &[500_014, 650_052, 650_054]),
    (
        Code::WrongCloud,
        &[50049, 90038, 90043, 90051, 900_382, 900_432, 900_439],
    ),
    (Code::Timeout, &[90012]),
    (Code::Throttled, &[50196, 90055]),
    (
        Code::ServerError,
        &[
            50000, 50033, 50087, 50166, 70012, 80001, 80002, 80014, 90006, 90024, 90033, 90061, 90090, 90091,
            501_661,
        ],
    ),
    (
        Code::Configuration,
        &[
            50011, 70003, 700_025, 700_054, 90004, 90013, 90014, 90056, 90100, 90023, 500_113, 900_144,
            900_561, 900_971, 7_000_114, 7_000_216, 7_000_218, 9_002_325, 9_002_326, 9_002_327, 9_002_346,
        ],
    ),
];

/// Returns the code of a number, if it stands for one cause.
pub(super) fn code_of(number: u32) -> Option<Code> {
    let listed = NUMBERS
        .iter()
        .find(|(_, numbers)| numbers.contains(&number))
        .map(|(code, _)| *code);
    listed.or(match number {
        // Later numbers of a family have more digits.
        53000..=53999 | 530_000..=530_999 | 5_300_000..=5_309_999 => Some(Code::ConditionalAccess),
        700_210..=700_219 | 7_002_100..=7_002_199 | 7_002_380..=7_002_389 => Some(Code::FederatedMismatch),
        _ => None,
    })
}

/// Returns the numbers in a lower-case text, each once, in their order: `AADSTS700016`,
/// `"error_codes":[700016]` and MSAL's `invalid_client: 7000215 - `.
pub(super) fn numbers_in(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for label in [
        "aadsts",
        "error_codes\":",
        "invalid_client: ",
        "invalid_grant: ",
        "_required: ",
        "error?code=",
        "error(s): ",
        "error code: ",
    ] {
        for (at, _) in text.match_indices(label) {
            let rest = text.get(at + label.len()..).unwrap_or_default();
            let rest = rest.trim_start_matches([' ', '[', ':']);
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number = rest
                .get(..digits)
                .filter(|digits| (5..=8).contains(&digits.len()))
                .and_then(|digits| digits.parse().ok());
            // These words also stand before other numbers.
            let is_sure = label != "error code: " || number.is_some_and(|number| code_of(number).is_some());
            if let Some(number) = number
                && is_sure
                && !found.contains(&number)
                && found.len() < MAX_NUMBERS
            {
                found.push(number);
            }
        }
    }
    found
}
