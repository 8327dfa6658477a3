//! JavaScript values as serde reads them.
//!
//! The rules and the texts are those of `serde_wasm_bindgen::from_value`, of which only the part is here that the types
//! of this crate need: its messages bring std's formatting of floats along, which is larger than all of this.

use std::fmt;
use std::mem;
use std::slice;

use js_sys::{Array, ArrayBuffer, IntoIter, Map, Number, Object, Reflect, Symbol, Uint8Array, try_iter};
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use wasm_bindgen::{JsCast, JsValue, throw_val};

use crate::decimal::decimal;

type Result<T> = std::result::Result<T, Unreadable>;

/// Reads a value.
pub(super) fn from_value<T: DeserializeOwned>(value: JsValue) -> Result<T> {
    T::deserialize(Js(value))
}

/// Why a value could not be read, in the words that JavaScript has for the error.
#[derive(Debug)]
pub(super) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(format!("Error: {message}"))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!(
            "Error: invalid type: {}, expected {expected}",
            describe(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!(
            "Error: invalid value: {}, expected {expected}",
            describe(found)
        ))
    }
}

impl From<JsValue> for Unreadable {
    fn from(thrown: JsValue) -> Self {
        Self(thrown.unchecked_into::<Object>().to_string().into())
    }
}

/// A value to read.
pub(super) struct Js(pub(super) JsValue);

impl Js {
    fn is_nullish(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    /// Its pairs, if it is a `Map` or another iterable, or an object.
    fn pairs(&self) -> Result<Option<IntoIter>> {
        let iter = match try_iter(&self.0)? {
            None if self.0.is_object() => try_iter(&Object::entries(self.0.unchecked_ref()))?,
            iter => iter,
        };
        Ok(iter)
    }

    fn is_bytes(&self) -> bool {
        self.0.is_instance_of::<Uint8Array>() || self.0.is_instance_of::<ArrayBuffer>()
    }

    fn invalid_type(&self, expected: &dyn Expected) -> Unreadable {
        let text;
        let found = if self.is_nullish() {
            Unexpected::Unit
        } else if let Some(value) = self.0.as_bool() {
            Unexpected::Bool(value)
        } else if let Some(value) = self.0.as_f64() {
            Unexpected::Float(value)
        } else if let Some(value) = self.0.as_string() {
            text = value;
            Unexpected::Str(&text)
        } else if self.is_bytes() {
            Unexpected::Bytes(&[])
        } else {
            text = format!("{:?}", self.0);
            Unexpected::Other(&text)
        };
        de::Error::invalid_type(found, expected)
    }

    /// A whole number that JavaScript counts exactly.
    fn whole(&self) -> Option<i64> {
        let value = self.0.as_f64()?;
        Number::is_safe_integer(&self.0).then_some(value as i64)
    }
}

/// [`Unexpected`] in serde's words.
fn describe(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Unit => "unit value".to_owned(),
        Unexpected::Bool(value) => format!("boolean `{value}`"),
        Unexpected::Signed(value) => format!("integer `{value}`"),
        Unexpected::Unsigned(value) => format!("integer `{value}`"),
        Unexpected::Float(value) => {
            let whole = value.is_finite() && value.fract() == 0.0;
            format!(
                "floating point `{}{}`",
                decimal(value),
                if whole { ".0" } else { "" }
            )
        }
        Unexpected::Str(value) => format!("string {value:?}"),
        Unexpected::Bytes(_) => "byte array".to_owned(),
        Unexpected::Other(value) => value.to_owned(),
        // Not among what JavaScript values are read as.
        _ => "another type".to_owned(),
    }
}

impl<'de> Deserializer<'de> for Js {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_nullish() {
            return visitor.visit_unit();
        }
        if let Some(value) = self.0.as_bool() {
            return visitor.visit_bool(value);
        }
        if self.0.is_bigint() {
            return match i64::try_from(self.0) {
                Ok(value) => visitor.visit_i64(value),
                Err(value) => match u64::try_from(value) {
                    Ok(value) => visitor.visit_u64(value),
                    Err(_) => Err(de::Error::custom("a BigInt is too large")),
                },
            };
        }
        if let Some(value) = self.0.as_f64() {
            return visitor.visit_f64(value);
        }
        if let Some(value) = self.0.as_string() {
            return visitor.visit_string(value);
        }
        if Array::is_array(&self.0) {
            return self.deserialize_seq(visitor);
        }
        let iterable = || Symbol::iterator().js_in(&self.0) && !self.0.is_instance_of::<Map>();
        if self.is_bytes() || !self.0.is_object() || iterable() {
            return Err(self.invalid_type(&visitor));
        }
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_nullish() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_nullish() {
            visitor.visit_unit()
        } else {
            Err(self.invalid_type(&visitor))
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.as_string() {
            Some(value) => visitor.visit_string(value),
            None => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.as_f64() {
            Some(value) => visitor.visit_f64(value),
            None => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_bigint() {
            return match i64::try_from(self.0) {
                Ok(value) => visitor.visit_i64(value),
                Err(_) => Err(de::Error::custom(
                    "Couldn't deserialize i64 from a BigInt outside i64::MIN..i64::MAX bounds",
                )),
            };
        }
        match self.whole() {
            Some(value) => visitor.visit_i64(value),
            None => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_u32(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.whole().map(u64::try_from) {
            Some(Ok(value)) => visitor.visit_u64(value),
            _ => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match try_iter(&self.0)? {
            Some(iter) => visitor.visit_seq(Elements(iter)),
            None => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.pairs()? {
            Some(iter) => visitor.visit_map(Entries {
                iter,
                value: JsValue::UNDEFINED,
            }),
            None => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if !self.0.is_object() {
            return Err(self.invalid_type(&visitor));
        }
        visitor.visit_map(Fields {
            object: self.0,
            names: fields.iter(),
            value: JsValue::UNDEFINED,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.0.is_string() {
            return visitor.visit_enum(Variant {
                name: self.0,
                content: JsValue::UNDEFINED,
            });
        }
        if !self.0.is_object() {
            return Err(self.invalid_type(&visitor));
        }
        let entries = Object::entries(self.0.unchecked_ref());
        if entries.length() != 1 {
            return Err(de::Error::invalid_length(entries.length() as usize, &"1"));
        }
        let (name, content) = pair(entries.get(0));
        visitor.visit_enum(Variant { name, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 u8 u64 f32 char bytes byte_buf unit_struct newtype_struct tuple tuple_struct
    }
}

fn pair(entry: JsValue) -> (JsValue, JsValue) {
    let entry: Array = entry.unchecked_into();
    (entry.get(0), entry.get(1))
}

/// The elements of an array.
struct Elements(IntoIter);

impl<'de> SeqAccess<'de> for Elements {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match self.0.next().transpose()? {
            Some(value) => seed.deserialize(Js(value)).map(Some),
            None => Ok(None),
        }
    }
}

/// The pairs of a `Map`, or of an object whose keys are not known beforehand.
struct Entries {
    iter: IntoIter,
    value: JsValue,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match self.next_name()? {
            Some(name) => seed.deserialize(name).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(Js(mem::take(&mut self.value)))
    }
}

impl Entries {
    fn next_name(&mut self) -> Result<Option<Js>> {
        let Some(entry) = self.iter.next().transpose()? else {
            return Ok(None);
        };
        let (name, value) = pair(entry);
        self.value = value;
        Ok(Some(Js(name)))
    }
}

/// The known fields of an object, inherited ones and those behind getters too.
struct Fields {
    object: JsValue,
    names: slice::Iter<'static, &'static str>,
    value: JsValue,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match self.next_name() {
            Some(name) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(Js(mem::take(&mut self.value)))
    }
}

impl Fields {
    /// The next field that is there, whatever it holds.
    fn next_name(&mut self) -> Option<&'static str> {
        self.names.by_ref().copied().find(|name| {
            let key = JsValue::from_str(name);
            // What a getter throws is the caller's own and goes back as it is.
            self.value = Reflect::get(&self.object, &key).unwrap_or_else(|thrown| throw_val(thrown));
            !self.value.is_undefined() || key.js_in(&self.object)
        })
    }
}

/// The variant of an enum: a text, or an object with one member.
struct Variant {
    name: JsValue,
    content: JsValue,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Unreadable;
    type Variant = Js;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Js)> {
        Ok((seed.deserialize(Js(self.name))?, Js(self.content)))
    }
}

impl<'de> VariantAccess<'de> for Js {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<()> {
        de::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_struct("", fields, visitor)
    }
}
