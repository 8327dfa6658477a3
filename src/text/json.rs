//! Reads JSON objects, member by member, and small values.
//!
//! Avoids `serde_json::Value` and its type errors: their maps and float formatting would add more
//! to the WebAssembly module than this whole file, and no message quotes the input.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::de::SliceRead;

/// Quotes a text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    // Writing a text into memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

/// A value, as far as its type is needed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Number(f64),
    Text(String),
    List(Vec<Value>),
    /// A boolean, an object, or a nested list.
    Other,
}

impl Value {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueVisitor { in_list: false }.deserialize(deserializer)
    }
}

/// Reads a value. Ignores nested lists, because a list of JavaScript may contain itself.
struct ValueVisitor {
    in_list: bool,
}

impl<'de> DeserializeSeed<'de> for ValueVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        if self.in_list {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        }
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(ValueVisitor { in_list: true })? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

/// The requested members of an object, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    /// Reads the text of an object, and keeps the members with a wanted name.
    pub(crate) fn from_slice(json: &[u8], wanted: fn(&str) -> bool) -> serde_json::Result<Self> {
        // Report a list as an error at its start: cut it off, so that no object is left.
        let blank = json.len() - json.trim_ascii_start().len();
        let json = match json.get(blank) {
            Some(b'[') => json.get(..blank).unwrap_or_default(),
            _ => json,
        };
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let members = read(&mut deserializer, wanted)?;
        deserializer.end()?;
        Ok(members)
    }

    /// Reads the object at the start of a text, and ignores the rest of the text.
    pub(crate) fn from_start(json: &[u8], wanted: fn(&str) -> bool) -> serde_json::Result<Self> {
        read(&mut serde_json::Deserializer::from_slice(json), wanted)
    }

    /// Returns the value of a member; the last one of several.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Returns the last name that occurs more than once.
    pub(crate) fn duplicate(&self) -> Option<&str> {
        let mut names = self.0.iter().map(|(name, _)| name.as_str());
        while let Some(last) = names.next_back() {
            if names.clone().any(|name| name == last) {
                return Some(last);
            }
        }
        None
    }
}

impl FromIterator<(String, Value)> for Members {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

fn read(
    deserializer: &mut serde_json::Deserializer<SliceRead<'_>>,
    wanted: fn(&str) -> bool,
) -> serde_json::Result<Members> {
    if let Some(members) = deserializer.deserialize_any(ObjectVisitor { wanted })? {
        return Ok(members);
    }
    // Another value: read on to the error at the end of the text. To make an error, by `custom` or by
    // `deserialize_map`, serde_json would bring a search and std's formatting of floats.
    loop {
        IgnoredAny::deserialize(&mut *deserializer)?;
    }
}

/// Reads an object into [`Members`], and every other value as `None`.
struct ObjectVisitor {
    /// The names to keep. Other members are skipped unread.
    wanted: fn(&str) -> bool,
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Option<Members>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Members>, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if (self.wanted)(&name) {
                members.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(Members(members)))
    }

    fn visit_unit<E>(self) -> Result<Option<Members>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<Members>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<Members>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<Members>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<Members>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<Members>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Members>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
