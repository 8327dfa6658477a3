//! Converts values to JavaScript.

use std::fmt;

use js_sys::Array;
use serde::ser::{self, Impossible, Serialize};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use copilot_keyless::Error;

pub(super) type JsResult = Result<JsValue, JsValue>;

/// Converts a value to numbers, texts, lists and plain objects. `None` becomes undefined.
pub(super) fn to_js(value: impl Serialize) -> JsValue {
    // Only names that are no texts cannot be converted, and no type has any.
    value.serialize(ToJs).unwrap_or(JsValue::UNDEFINED)
}

pub(super) fn throw(error: Error) -> JsValue {
    to_js(error)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Object)]
    type Fields;

    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> Fields;

    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set(this: &Fields, name: &str, value: JsValue);
}

impl Fields {
    /// Returns an object with one field, as a variant of an enum with content is written.
    fn tagged(name: &str, content: JsValue) -> JsValue {
        let object = Self::new();
        object.set(name, content);
        object.into()
    }
}

struct ToJs;

/// The result of a part. An error of std, because none occurs.
type Part<T = JsValue> = Result<T, fmt::Error>;

/// Declares methods that convert with `From`.
macro_rules! by_from {
    ($($method:ident $type:ty),+) => {
        $(fn $method(self, value: $type) -> Part {
            Ok(value.into())
        })+
    };
}

impl ser::Serializer for ToJs {
    type Ok = JsValue;
    type Error = fmt::Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Impossible<JsValue, fmt::Error>;
    type SerializeMap = Record;
    type SerializeStruct = Record;
    type SerializeStructVariant = Record;

    by_from!(
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_u8 u8,
        serialize_u16 u16, serialize_u32 u32, serialize_f32 f32, serialize_f64 f64, serialize_str &str
    );

    fn serialize_i64(self, value: i64) -> Part {
        Ok((value as f64).into())
    }

    fn serialize_u64(self, value: u64) -> Part {
        Ok((value as f64).into())
    }

    fn serialize_char(self, value: char) -> Part {
        Ok(value.to_string().into())
    }

    fn serialize_bytes(self, _: &[u8]) -> Part {
        Err(fmt::Error)
    }

    fn serialize_none(self) -> Part {
        Ok(JsValue::UNDEFINED)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Part {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Part {
        Ok(JsValue::UNDEFINED)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Part {
        Ok(JsValue::UNDEFINED)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Part {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Part {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Part {
        Ok(Fields::tagged(variant, value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Part<List> {
        Ok(List(Array::new()))
    }

    fn serialize_tuple(self, _: usize) -> Part<List> {
        Ok(List(Array::new()))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Part<List> {
        Ok(List(Array::new()))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Part<Self::SerializeTupleVariant> {
        Err(fmt::Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Part<Record> {
        Ok(Record::new(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Part<Record> {
        Ok(Record::new(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Part<Record> {
        Ok(Record::new(Some(variant)))
    }
}

/// A list that is being written.
struct List(Array);

/// Declares that a kind of list adds and ends as any other.
macro_rules! list {
    ($($kind:ident $add:ident),+) => {
        $(impl ser::$kind for List {
            type Ok = JsValue;
            type Error = fmt::Error;

            fn $add<T: ?Sized + Serialize>(&mut self, value: &T) -> Part<()> {
                self.0.push(&value.serialize(ToJs)?);
                Ok(())
            }

            fn end(self) -> Part {
                Ok(self.0.into())
            }
        })+
    };
}

list!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field);

/// An object that is being written.
struct Record {
    fields: Fields,
    /// The name of the value that comes next in a map.
    name: JsValue,
    /// The variant that the object is the content of.
    variant: Option<&'static str>,
}

impl Record {
    fn new(variant: Option<&'static str>) -> Self {
        Self {
            fields: Fields::new(),
            name: JsValue::UNDEFINED,
            variant,
        }
    }

    fn finish(self) -> JsValue {
        let object = self.fields.into();
        match self.variant {
            Some(variant) => Fields::tagged(variant, object),
            None => object,
        }
    }
}

impl ser::SerializeMap for Record {
    type Ok = JsValue;
    type Error = fmt::Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, name: &T) -> Part<()> {
        self.name = name.serialize(ToJs)?;
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Part<()> {
        let name = self.name.as_string().ok_or(fmt::Error)?;
        self.fields.set(&name, value.serialize(ToJs)?);
        Ok(())
    }

    fn end(self) -> Part {
        Ok(self.finish())
    }
}

/// Declares that a kind of struct adds and ends as any other.
macro_rules! record {
    ($($kind:ident),+) => {
        $(impl ser::$kind for Record {
            type Ok = JsValue;
            type Error = fmt::Error;

            fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Part<()> {
                self.fields.set(name, value.serialize(ToJs)?);
                Ok(())
            }

            fn end(self) -> Part {
                Ok(self.finish())
            }
        })+
    };
}

record!(SerializeStruct, SerializeStructVariant);
