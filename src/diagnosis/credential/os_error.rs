//! Reads the error numbers of Windows, whose messages are in the language of the machine.

/// What Rust writes before the number of an error of the operating system.
const LABELS: [&str; 2] = ["os error ", "code: "];

/// The facilities of Windows whose errors are about TLS and certificates (`winerror.h`): the high
/// halves of `SEC_E_...` and `CRYPT_E_...`, and of `CERT_E_...` and `TRUST_E_...`.
const FACILITIES: [u32; 2] = [0x8009, 0x800b];

/// Whether a text in lower case has the number of an error about TLS, such as
/// `(os error -2146893018)`.
pub(super) fn is_tls(line: &str) -> bool {
    LABELS.iter().any(|label| {
        line.match_indices(label).any(|(at, _)| {
            let rest = line.get(at + label.len()..).unwrap_or_default();
            let end = rest.find(|c: char| c != '-' && !c.is_ascii_digit());
            let number = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            number
                .parse::<i32>()
                .is_ok_and(|number| FACILITIES.contains(&(number.cast_unsigned() >> 16)))
        })
    })
}
