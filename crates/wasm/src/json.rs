//! Values as JSON: how views cross to the page, where `JSON.parse` makes objects of them.
//!
//! One text for a view instead of one call for each field, and a tenth of the code of a serializer that builds objects.
//! Our own, because a general one (serde_json) brings texts of floating-point numbers, maps and errors that no view has.
//! What is absent (`None`) is left out, as TypeScript's optional fields are.

use serde::Serialize;
use serde::ser::{
    Impossible, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, Serializer,
};
use std::fmt;

/// A value as JSON.
///
/// # Errors
/// The value has something that views do not have: a map, bytes, a number that is not finite.
pub(crate) fn text<T: Serialize>(of: &T) -> Result<String, Unfit> {
    let mut json = Json(String::new());
    of.serialize(&mut json)?;
    Ok(json.0)
}

/// What cannot be said.
#[derive(Debug)]
pub(crate) struct Unfit;

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no part of a view")
    }
}

impl std::error::Error for Unfit {}

impl serde::ser::Error for Unfit {
    fn custom<T: fmt::Display>(_: T) -> Unfit {
        Unfit
    }
}

/// The text so far.
struct Json(String);

impl Json {
    /// Before an element: a comma, unless it is the first.
    fn next(&mut self) {
        if !self.0.ends_with(['[', '{']) {
            self.0.push(',');
        }
    }
    fn put(&mut self, value: &str) {
        self.0.push('"');
        for c in value.chars() {
            match c {
                '"' | '\\' => {
                    self.0.push('\\');
                    self.0.push(c);
                }
                '\n' => self.0.push_str("\\n"),
                // Control characters must not stand in a JSON string.
                c if c < ' ' => {
                    self.0.push_str("\\u00");
                    for digit in [u32::from(c) >> 4, u32::from(c) & 15] {
                        self.0.extend(char::from_digit(digit, 16));
                    }
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
    fn whole(&mut self, mut n: u64) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.0.extend(digits[at..].iter().map(|d| char::from(*d)));
    }
    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Unfit> {
        let before = self.0.len();
        self.next();
        self.put(key);
        self.0.push(':');
        let empty = self.0.len();
        value.serialize(&mut *self)?;
        if self.0.len() == empty {
            self.0.truncate(before);
        }
        Ok(())
    }
}

type Done = Result<(), Unfit>;

impl<'a> Serializer for &'a mut Json {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = &'a mut Json;
    type SerializeTuple = &'a mut Json;
    type SerializeTupleStruct = Impossible<(), Unfit>;
    type SerializeTupleVariant = Impossible<(), Unfit>;
    type SerializeMap = Impossible<(), Unfit>;
    type SerializeStruct = &'a mut Json;
    type SerializeStructVariant = &'a mut Json;

    fn serialize_bool(self, v: bool) -> Done {
        self.0.push_str(if v { "true" } else { "false" });
        Ok(())
    }
    fn serialize_i8(self, v: i8) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Done {
        if v < 0 {
            self.0.push('-');
        }
        self.whole(v.unsigned_abs());
        Ok(())
    }
    fn serialize_u8(self, v: u8) -> Done {
        self.serialize_u64(v.into())
    }
    fn serialize_u16(self, v: u16) -> Done {
        self.serialize_u64(v.into())
    }
    fn serialize_u32(self, v: u32) -> Done {
        self.serialize_u64(v.into())
    }
    fn serialize_u64(self, v: u64) -> Done {
        self.whole(v);
        Ok(())
    }
    fn serialize_f32(self, v: f32) -> Done {
        self.serialize_f64(v.into())
    }
    /// To the billionth, as times are: seconds with their nanoseconds.
    fn serialize_f64(self, v: f64) -> Done {
        if !v.is_finite() {
            return Err(Unfit);
        }
        if v < 0.0 {
            self.0.push('-');
        }
        let billionths = (v.abs() * 1e9).round() as u64;
        self.whole(billionths / 1_000_000_000);
        let rest = billionths % 1_000_000_000;
        if rest > 0 {
            // With a 1 in front, for the zeros before the first digit; the 1 becomes the point.
            let point = self.0.len();
            self.whole(1_000_000_000 + rest);
            self.0.replace_range(point..=point, ".");
        }
        Ok(())
    }
    fn serialize_char(self, v: char) -> Done {
        self.put(v.encode_utf8(&mut [0; 4]));
        Ok(())
    }
    fn serialize_str(self, v: &str) -> Done {
        self.put(v);
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Done {
        Err(Unfit)
    }
    /// Nothing at all; see [`Json::field`].
    fn serialize_none(self) -> Done {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.put(variant);
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Done {
        Err(Unfit)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<&'a mut Json, Unfit> {
        self.0.push('[');
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<&'a mut Json, Unfit> {
        self.0.push('[');
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unfit> {
        Err(Unfit)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unfit> {
        Err(Unfit)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        Err(Unfit)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<&'a mut Json, Unfit> {
        self.0.push('{');
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<&'a mut Json, Unfit> {
        Err(Unfit)
    }
}

impl SerializeSeq for &mut Json {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.next();
        value.serialize(&mut **self)
    }
    fn end(self) -> Done {
        self.0.push(']');
        Ok(())
    }
}

impl SerializeTuple for &mut Json {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Done {
        SerializeSeq::end(self)
    }
}

impl SerializeStruct for &mut Json {
    type Ok = ();
    type Error = Unfit;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        self.field(key, value)
    }
    fn end(self) -> Done {
        self.0.push('}');
        Ok(())
    }
}

impl SerializeStructVariant for &mut Json {
    type Ok = ();
    type Error = Unfit;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        self.field(key, value)
    }
    fn end(self) -> Done {
        SerializeStruct::end(self)
    }
}
