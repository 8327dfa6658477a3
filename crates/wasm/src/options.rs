//! Converts JavaScript options to the types of the core. An error names the wrong option and its
//! expected type.

use std::fmt;

use js_sys::{Array, Map, Object, Reflect};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer as _, Unexpected,
    Visitor,
};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::JsValue;

use super::values::throw;
use copilot_keyless::{Code, Error};

/// Reads options. Undefined and null count as missing; without options it returns the default. An
/// error never quotes a value, which may be a secret in the wrong place.
pub(super) fn from_js<T: DeserializeOwned + Default>(value: &JsValue, code: Code) -> Result<T, JsValue> {
    if is_nothing(value) {
        return Ok(T::default());
    }
    T::deserialize(Given(value.clone())).map_err(|misfit| refused(&misfit, code))
}

fn refused(misfit: &Misfit, code: Code) -> JsValue {
    throw(Error::new(code, misfit.to_string()).hint("Correct it, or leave it out to get the default."))
}

/// The expected type of a value.
#[derive(Debug)]
enum Wanted {
    Text,
    Number,
    Flag,
    /// A whole number within a range.
    Whole(i64, i64),
    /// One of several words.
    Choice(&'static [&'static str]),
    List,
    Object,
    /// An object with no other names than these.
    Names(&'static [&'static str]),
    /// Any readable value.
    Readable,
}

impl Wanted {
    fn text(&self) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Flag => "a boolean".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Choice([one, other]) => format!("\"{one}\" or \"{other}\""),
            Self::Choice(words) => format!("one of \"{}\"", words.join("\", \"")),
            Self::List => "a list".to_owned(),
            Self::Object => "an object".to_owned(),
            Self::Names(names) => format!("an object of {} and nothing else", names.join(", ")),
            Self::Readable => "something that can be read".to_owned(),
        }
    }
}

/// An option of the wrong type. `None` where errors have no texts.
#[derive(Debug)]
struct Misfit(Option<Box<Details>>);

#[derive(Debug)]
struct Details {
    wanted: Wanted,
    /// The name and value of the option. While the error passes upwards, those of the enclosing
    /// option.
    name: String,
    given: JsValue,
    /// The number of enclosing objects and lists.
    depth: u32,
}

impl Misfit {
    fn new(wanted: Wanted) -> Self {
        Self(cfg!(feature = "texts").then(|| {
            Box::new(Details {
                wanted,
                name: String::new(),
                given: JsValue::UNDEFINED,
                depth: 0,
            })
        }))
    }

    fn within(mut self, name: &str, given: &JsValue) -> Self {
        if let Some(details) = &mut self.0
            && cfg!(feature = "texts")
        {
            name.clone_into(&mut details.name);
            details.given = given.clone();
            details.depth += 1;
        }
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(details) if cfg!(feature = "texts") => details.fmt(f),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.wanted.text();
        let name = &self.name;
        let found = self.given.js_typeof().as_string().unwrap_or_default();
        match (self.depth, &self.wanted) {
            (0, _) => write!(f, "The options must be {wanted}."),
            (1, Wanted::Names(_) | Wanted::Readable) => write!(f, "{name} must be {wanted}."),
            (1, Wanted::Choice(_)) if found == "string" => {
                write!(f, "{name} must be {wanted}; it is another text.")
            }
            (1, Wanted::Whole(..)) if found == "number" => {
                write!(f, "{name} must be {wanted}; it is another number.")
            }
            (1, _) => write!(f, "{name} must be {wanted}; it is of the type {found}."),
            _ => write!(f, "{name} holds something that must be {wanted}."),
        }
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    /// Drops serde's message, which may quote the value.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(Wanted::Readable)
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new(Wanted::Readable)
    }
}

/// A JavaScript value to deserialize.
struct Given(JsValue);

/// `Number.MAX_SAFE_INTEGER` of JavaScript.
const EXACT: i64 = 9_007_199_254_740_991;

impl Given {
    fn text(&self) -> Result<String, Misfit> {
        self.0.as_string().ok_or_else(|| Misfit::new(Wanted::Text))
    }

    fn whole(&self, least: i64, most: i64) -> Result<i64, Misfit> {
        let number = self
            .0
            .as_f64()
            .filter(|number| number.fract() == 0.0 && least as f64 <= *number && *number <= most as f64);
        number
            .map(|number| number as i64)
            .ok_or_else(|| Misfit::new(Wanted::Whole(least, most)))
    }

    fn object(&self) -> Result<&Object, Misfit> {
        if self.0.is_object() && !Array::is_array(&self.0) {
            Ok(self.0.unchecked_ref())
        } else {
            Err(Misfit::new(Wanted::Object))
        }
    }

    /// Reads the names of a type, so that getters of a class count, and all own names, which the
    /// type may reject.
    fn fields(&self, names: &'static [&'static str]) -> Result<Fields, Misfit> {
        let object = self.object()?;
        let mut left = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let value = Reflect::get(object, &(*name).into())
                .map_err(|_| Misfit::new(Wanted::Readable).within(name, &JsValue::UNDEFINED))?;
            if !is_nothing(&value) {
                left.push((index, value));
            }
        }
        let others = Object::keys(object)
            .into_iter()
            .filter_map(|name| name.as_string());
        for name in others {
            if !names.contains(&name.as_str()) {
                left.push((names.len(), JsValue::UNDEFINED));
            }
        }
        Ok(Fields {
            names,
            left: left.into_iter(),
            current: (0, JsValue::UNDEFINED),
        })
    }
}

impl<'de> Deserializer<'de> for Given {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Misfit> {
        Err(Misfit::new(Wanted::Readable))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let flag = self.0.as_bool().ok_or_else(|| Misfit::new(Wanted::Flag))?;
        visitor.visit_bool(flag)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number = self.0.as_f64().ok_or_else(|| Misfit::new(Wanted::Number))?;
        visitor.visit_f64(number)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_i64(self.whole(0, u16::MAX.into())?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_i64(self.whole(0, u32::MAX.into())?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_i64(self.whole(-EXACT, EXACT)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if is_nothing(&self.0) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let word = self
            .0
            .as_string()
            .filter(|word| variants.contains(&word.as_str()))
            .ok_or_else(|| Misfit::new(Wanted::Choice(variants)))?;
        visitor.visit_enum(word.into_deserializer())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if !Array::is_array(&self.0) {
            return Err(Misfit::new(Wanted::List));
        }
        visitor.visit_seq(Items(Array::from(&self.0).into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let object = self.object()?;
        let entries = match object.dyn_ref::<Map>() {
            Some(map) => Array::from(map.entries().as_ref()),
            None => Object::entries(object),
        };
        let entries = entries.into_iter().filter_map(|entry| {
            let entry: Array = entry.unchecked_into();
            Some((entry.get(0).as_string()?, entry.get(1)))
        });
        visitor.visit_map(Entries::new(entries.collect()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_map(self.fields(names)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 u8 u64 f32 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct identifier
    }
}

/// The items of a list.
struct Items(js_sys::ArrayIntoIter);

impl<'de> de::SeqAccess<'de> for Items {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        let Some(item) = self.0.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(Given(item.clone()));
        read.map(Some).map_err(|misfit| misfit.within("", &item))
    }
}

/// The names and values of an object.
struct Entries {
    left: std::vec::IntoIter<(String, JsValue)>,
    current: (String, JsValue),
}

impl Entries {
    fn new(entries: Vec<(String, JsValue)>) -> Self {
        Self {
            left: entries.into_iter(),
            current: (String::new(), JsValue::UNDEFINED),
        }
    }
}

impl<'de> de::MapAccess<'de> for Entries {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(entry) = self.left.next() else {
            return Ok(None);
        };
        self.current = entry;
        seed.deserialize(self.current.0.as_str().into_deserializer())
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let (name, value) = &self.current;
        let read = seed.deserialize(Given(value.clone()));
        read.map_err(|misfit| misfit.within(name, value))
    }
}

/// The fields of a type, by their position in its list of names: comparing names with each type's own
/// would take more code. Other names have the position behind the last.
struct Fields {
    names: &'static [&'static str],
    left: std::vec::IntoIter<(usize, JsValue)>,
    current: (usize, JsValue),
}

impl<'de> de::MapAccess<'de> for Fields {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(field) = self.left.next() else {
            return Ok(None);
        };
        self.current = field;
        let read = seed.deserialize((self.current.0 as u64).into_deserializer());
        // A type rejects only the position of no name.
        read.map(Some)
            .map_err(|_: Misfit| Misfit::new(Wanted::Names(self.names)))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let (index, value) = &self.current;
        let read = seed.deserialize(Given(value.clone()));
        read.map_err(|misfit| misfit.within(self.names.get(*index).copied().unwrap_or_default(), value))
    }
}

fn is_nothing(value: &JsValue) -> bool {
    value.is_undefined() || value.is_null()
}
