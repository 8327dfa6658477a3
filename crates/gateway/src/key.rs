//! The key that clients send.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use copilot_keyless::Secret;
use rustls::crypto::ring::default_provider;

use crate::failure::Failure;

/// The variable with the key of a service whose platform keeps secrets, such as Kubernetes.
pub(crate) const VARIABLE: &str = "COPILOT_KEYLESS_GATEWAY_KEY";

/// The bits of a file's mode that let others in.
#[cfg(unix)]
const GROUP_AND_OTHERS: u32 = 0o077;

/// Checks a key.
pub(crate) fn checked(key: &str, hint: &str) -> Result<Secret, Failure> {
    let fits = (16..=512).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(key.into());
    }
    Err(Failure::option("The key must have 16 to 512 visible ASCII characters.").hint(hint))
}

/// A key of 256 random bits. Its prefix lets secret scanners and readers recognise it.
pub(crate) fn random() -> Result<Secret, Failure> {
    let mut bytes = [0; 32];
    default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| Failure::new("gateway/listen-failed", "The platform gives no random bytes."))?;
    Ok(format!("ckg-{}", URL_SAFE_NO_PAD.encode(bytes)).into())
}

/// Reads the key of a file, or creates the file.
pub(crate) fn of_file(path: &Path) -> Result<Secret, Failure> {
    let name = path.display();
    let unusable = || {
        Failure::new("gateway/key-file", format!("The key file {name} cannot be used")).hint(
            "It must hold a key of 16 to 512 visible ASCII characters. Delete it, and the next start creates one.",
        )
    };
    match create(path) {
        Ok(mut file) => {
            let key = random()?;
            file.write_all(format!("{}\n", key.expose()).as_bytes())
                .map_err(|_| unusable())?;
            return Ok(key);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(_) => return Err(unusable()),
    }
    if let Some(content) = read_private(path).map_err(|_| unusable())? {
        return checked(content.trim(), "").map_err(|_| unusable());
    }
    Err(unusable().hint(format!(
        "Others may know its key: it must be a file of your own, not a link, and closed to others. Run: \
         chmod 600 {}",
        quote(&name.to_string())
    )))
}

/// Fails if the file exists, so that no key is overwritten.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads a file that is its user's own; `None` for one that others might have put there or can read.
/// What is checked is what is read.
#[cfg(unix)]
fn read_private(path: &Path) -> io::Result<Option<String>> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    let mut options = OpenOptions::new();
    options.read(true);
    // Nobody's link is followed, and no pipe waited for.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    options.custom_flags(flags.cast_signed());
    let mut file = match options.open(path) {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => return Ok(None),
        opened => opened?,
    };
    let opened = file.metadata()?;
    let is_own = opened.uid() == rustix::process::getuid().as_raw() && opened.mode() & GROUP_AND_OTHERS == 0;
    if !(opened.is_file() && is_own) {
        return Ok(None);
    }
    read(&mut file).map(Some)
}

/// The folder of the user's profile is closed to others there.
#[cfg(not(unix))]
fn read_private(path: &Path) -> io::Result<Option<String>> {
    read(&mut File::open(path)?).map(Some)
}

fn read(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.take(4_096).read_to_string(&mut text)?;
    Ok(text)
}

/// Quotes a text for a POSIX shell, where it needs that.
pub(crate) fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
