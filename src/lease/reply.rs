/// What an answer of the storage means for the holder of a conversation, or for who wants to be it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reply {
    /// It was done.
    Done,
    /// Another worker holds the conversation.
    Held,
    /// There is no such conversation.
    Missing,
    /// There is no such container.
    NoContainer,
    /// The lease of the request is over, or was never granted: nothing was written.
    Fenced,
    /// The log is longer, or shorter, than the writer knows: nothing was written.
    Moved,
    /// There is one of this name already: nothing was written.
    Exists,
    /// The identity may not do this.
    Refused,
    /// The same request may succeed later. It may have been done.
    Again,
    /// Anything else. It was not done.
    Failed,
}

impl Reply {
    /// Returns what a status and an error code of Blob Storage mean. Status 0: no answer came.
    ///
    /// ```
    /// use copilot_keyless::lease::Reply;
    ///
    /// assert_eq!(Reply::of(412, "LeaseIdMismatchWithBlobOperation"), Reply::Fenced);
    /// assert_eq!(Reply::of(503, "ServerBusy"), Reply::Again);
    /// ```
    pub fn of(status: u16, code: &str) -> Self {
        match (status, code) {
            (200..=299, _) => Self::Done,
            (409, "LeaseAlreadyPresent") => Self::Held,
            (409 | 412, _) if code.starts_with("Lease") => Self::Fenced,
            (412, "AppendPositionConditionNotMet") => Self::Moved,
            (409, "BlobAlreadyExists") => Self::Exists,
            (404, "ContainerNotFound") | (409, "ContainerBeingDeleted") => Self::NoContainer,
            (404, _) => Self::Missing,
            (401 | 403, _) => Self::Refused,
            (0 | 408 | 429 | 500 | 502 | 503 | 504, _) => Self::Again,
            _ => Self::Failed,
        }
    }
}

/// The first and the longest wait before a request is sent again, in milliseconds.
const FIRST_MS: f64 = 100.0;
const LONGEST_MS: f64 = 3_000.0;

/// Returns how long to wait before a request is sent again, in milliseconds: longer with each
/// attempt, spread by `chance` from 0 to 1, and no less than the storage asks for. None if that is
/// later than the `left_ms` that the caller has.
pub fn retry_wait_ms(attempt: u32, chance: f64, asked_ms: Option<u64>, left_ms: u64) -> Option<u64> {
    let most = (FIRST_MS * f64::from(1_u32 << attempt.min(16))).min(LONGEST_MS);
    // Between half of it and all of it.
    let own = most * (0.5 + chance.clamp(0.0, 1.0) / 2.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is 50 to 3,000"
    )]
    let wait = (own as u64).max(asked_ms.unwrap_or(0));
    (wait < left_ms).then_some(wait)
}
