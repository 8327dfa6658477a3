//! Reads from a request which backends can answer it.

use super::marks::{Mark, hash, is_encrypted, is_id, mark};
use super::scan::Scanner;

/// How many marks of a request are looked up: the last ones.
const MAX_MARKS: usize = 8_192;

/// The operations whose answers have no ids that a later request names.
const STATELESS: [&str; 6] = [
    "models",
    "deployments",
    "chat",
    "completions",
    "embeddings",
    "anthropic",
];

/// What a request needs of its backend. Holds no text of the request but the model's name.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The model, or the deployment that a dated path names.
    pub(super) model: Option<String>,
    /// Ids and encrypted texts, in order.
    pub(super) marks: Vec<Mark>,
    /// Whether one of them is of no use to another resource: a `previous_response_id`, encrypted
    /// reasoning, or an id in the path.
    pub(super) is_bound: bool,
    /// The hash of the `prompt_cache_key`.
    cache_key: Option<u64>,
    /// Whether the ids in the answer are of no use later.
    is_stateless: bool,
}

impl Wanted {
    /// Reads a request: path and query as the client sent them, and the body, decompressed, as far as
    /// it is there. A body that is no JSON object is not read.
    ///
    /// ```
    /// use copilot_keyless::gateway::Wanted;
    ///
    /// let wanted = Wanted::read("/openai/v1/responses", br#"{ "model": "gpt-5.5", "input": "Hello" }"#);
    /// assert_eq!(wanted.model(), Some("gpt-5.5"));
    /// ```
    pub fn read(target: &str, body: &[u8]) -> Self {
        let mut wanted = Self::default();
        let path = target.split('?').next().unwrap_or_default();
        let mut before = "";
        for segment in path.split('/') {
            wanted.is_stateless |= STATELESS.contains(&segment);
            if before == "deployments" {
                wanted.model = Some(segment.to_owned());
            } else if before != "projects" && is_id(segment.as_bytes()) {
                wanted.add(hash(segment.as_bytes()));
                wanted.is_bound = true;
            }
            before = segment;
        }
        if body.trim_ascii_start().first() == Some(&b'{') {
            Scanner::default().feed(body, &mut |depth, key, text| wanted.member(depth, key, text));
        }
        wanted
    }

    /// The model that the request names.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether the answer has ids or reasoning to remember, by [`Pool::read_answer`](super::Pool).
    pub fn makes_ids(&self) -> bool {
        !self.is_stateless
    }

    fn member(&mut self, depth: u32, key: &[u8], text: &[u8]) {
        match (depth, key) {
            (1, b"model") => self.model = Some(String::from_utf8_lossy(text).into_owned()),
            (1, b"prompt_cache_key") => self.cache_key = Some(hash(text)),
            (1, b"previous_response_id" | b"conversation") => self.is_bound = true,
            _ => {}
        }
        let is_encrypted = is_encrypted(key, text);
        if is_encrypted || is_id(text) {
            self.is_bound |= is_encrypted;
            self.add(mark(key, text));
        }
    }

    fn add(&mut self, mark: Mark) {
        if self.marks.len() >= MAX_MARKS {
            self.marks.drain(..MAX_MARKS / 2);
        }
        self.marks.push(mark);
    }

    /// The chance that takes the place of a random one. Requests with a `prompt_cache_key` stay
    /// together, so that the resource's prompt cache serves them; those without a model, such as
    /// lists, go to the first backend.
    pub(super) fn fixed_chance(&self) -> Option<f64> {
        match (&self.model, self.cache_key) {
            // The upper bits, because FNV-1a mixes the lower ones less.
            (Some(_), Some(key)) => Some((key >> 11) as f64 / (1_u64 << 53) as f64),
            (Some(_), None) => None,
            (None, _) => Some(0.0),
        }
    }
}
