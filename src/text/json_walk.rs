//! Walks through a JSON value of any form and reports its texts and numbers by their place.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The longest path to report, in bytes. Those of real fields are shorter than 80. The limit keeps
/// the work in proportion to the text, however long the names are.
const MAX_PATH: usize = 256;

/// Reports each text and whole number in `json` with its path: the names and list positions that
/// lead to it, joined by dots, such as `choices.0.delta.content`. Leaves out values whose path is
/// longer than 256 bytes. Returns whether the text begins with a complete JSON value; the values
/// before an error are reported in any case.
pub(crate) fn walk(json: &str, each: &mut dyn FnMut(&str, &str)) -> bool {
    let mut path = String::new();
    let step = Step {
        path: &mut path,
        each,
    };
    step.deserialize(&mut serde_json::Deserializer::from_str(json))
        .is_ok()
}

struct Step<'a> {
    path: &'a mut String,
    each: &'a mut dyn FnMut(&str, &str),
}

impl Step<'_> {
    /// Returns the step to a member, and the length of this path, to return to it.
    fn enter(&mut self, name: &str) -> usize {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        length
    }

    fn report(self, value: &str) {
        if self.path.len() <= MAX_PATH {
            (self.each)(self.path, value);
        }
    }

    fn next(&mut self) -> Step<'_> {
        Step {
            path: &mut *self.path,
            each: &mut *self.each,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.report(text);
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

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.report(&number.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for at in 0_u32.. {
            let length = self.enter(&at.to_string());
            let more = seq.next_element_seed(self.next())?.is_some();
            self.path.truncate(length);
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let length = self.enter(&name);
            map.next_value_seed(self.next())?;
            self.path.truncate(length);
        }
        Ok(())
    }
}
