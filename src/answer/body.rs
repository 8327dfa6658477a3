//! Reads the error message of a response in any form: Azure's flat and nested errors, those of
//! OpenAI and Anthropic, a gateway's page, or one of them quoted within another text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The longest message to show, in bytes.
const MAX_MESSAGE: usize = 600;

/// The longest part of a body to search, in bytes. Real error responses are shorter.
const MAX_BODY: usize = 65_536;

/// Shorter texts are not tokens, and may occur in any sentence.
const MIN_TOKEN: usize = 8;

/// The text of a response.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The message on one line, at most [`MAX_MESSAGE`] bytes long, without the token that was
    /// sent.
    pub(crate) message: String,
    /// The whole body in lower case.
    everything: String,
}

impl Answer {
    /// Whether the body contains a text, given in lower case.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.everything.contains(text)
    }

    /// Returns the part of the message between two texts.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.message.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found)
    }

    /// Returns the first word of the message after a text.
    pub(crate) fn word_after(&self, before: &str) -> Option<&str> {
        let (_, rest) = self.message.split_once(before)?;
        rest.split([' ', '`', '\'', '"']).find(|word| !word.is_empty())
    }
}

/// Reads a body. The Copilot runtime passes some on as a JSON string that begins with the status.
pub(crate) fn read(body: &str, status: u16, token: &str) -> Answer {
    let body = head(body, MAX_BODY).trim();
    let quoted = body
        .starts_with('"')
        .then(|| serde_json::from_str::<String>(body).ok());
    let body = quoted.flatten().unwrap_or_else(|| body.to_owned());
    let body = match body.split_once(' ') {
        Some((number, rest)) if number.parse() == Ok(status) => rest,
        _ => &body,
    };
    // The server is not trusted, so its response may repeat the token.
    let body = if token.len() < MIN_TOKEN {
        body.to_owned()
    } else {
        body.replace(token, "[token]")
    };
    let message = match body.find('{').and_then(|start| body.get(start..)) {
        Some(json) => message(json),
        None if body.starts_with('<') => Some(title(&body).to_owned()),
        None => None,
    };
    Answer {
        message: on_one_line(message.as_deref().unwrap_or(&body)),
        everything: body.to_ascii_lowercase(),
    }
}

/// Returns the first message in a JSON value. Truncated JSON counts up to its end.
fn message(json: &str) -> Option<String> {
    let mut found = Found::default();
    let words = Words {
        found: &mut found,
        rank: Rank::None,
    };
    let _ = words.deserialize(&mut serde_json::Deserializer::from_str(json));
    found.message.or(found.error)
}

/// Returns the title of a web page.
fn title(page: &str) -> &str {
    let lower = page.to_ascii_lowercase();
    let found = || {
        let start = lower.find("<title>")? + "<title>".len();
        let end = start + lower.get(start..)?.find('<')?;
        page.get(start..end)
    };
    found().unwrap_or("a web page, not an answer of the API")
}

/// Returns the start of a text, at most `most` bytes.
fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_ascii_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MAX_MESSAGE {
            line.truncate(head(&line, MAX_MESSAGE).len());
            line.push('…');
            break;
        }
    }
    line
}

/// The rank of a text, by the name of its field.
#[derive(Clone, Copy)]
enum Rank {
    None,
    /// `error`: often only a code, such as Entra's `invalid_client`.
    Error,
    Message,
}

/// The first text of each rank.
#[derive(Default)]
struct Found {
    message: Option<String>,
    error: Option<String>,
}

/// Walks through a JSON value and collects its message.
struct Words<'a> {
    found: &'a mut Found,
    rank: Rank,
}

impl<'de> DeserializeSeed<'de> for Words<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Words<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let place = match self.rank {
            Rank::None => return Ok(()),
            Rank::Error => &mut self.found.error,
            Rank::Message => &mut self.found.message,
        };
        if place.is_none() && !text.trim().is_empty() {
            *place = Some(text.to_owned());
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq
            .next_element_seed(Words {
                found: &mut *self.found,
                rank: Rank::None,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let rank = match name.as_str() {
                "message" | "Message" | "error_description" | "detail" => Rank::Message,
                "error" => Rank::Error,
                _ => Rank::None,
            };
            map.next_value_seed(Words {
                found: &mut *self.found,
                rank,
            })?;
        }
        Ok(())
    }
}
