//! One object, `{"invitations": […]}`, of which never more than one row is in memory.

use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Given, Sink, broke_off, fault, spoiled};
use crate::json;
use crate::problem::ApiError;
use crate::routes::invitations::fields::Fields;

const LIST: &str = "invitations";

/// Reads all rows.
pub fn read(body: impl Read, sink: Sink<'_>) -> Result<(), ApiError> {
    let mut refused = None;
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(body));
    let read = Body { sink, refused: &mut refused }.deserialize(&mut json);
    let read = read.and_then(|()| json.end());
    match (read, refused) {
        (_, Some(error)) => Err(error),
        (Ok(()), None) => Ok(()),
        (Err(error), None) if error.is_io() => Err(broke_off(&error.into())),
        (Err(error), None) if error.is_data() => Err(spoiled("", "must be a JSON object")),
        (Err(error), None) => Err(json::malformed(&error)),
    }
}

/// The whole; an error of ours goes beside those of the parser.
struct Body<'a> {
    sink: Sink<'a>,
    refused: &'a mut Option<ApiError>,
}

impl Body<'_> {
    fn refuse<E: Error>(&mut self, error: ApiError) -> E {
        *self.refused = Some(error);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        let mut is_there = false;
        while let Some(name) = map.next_key::<String>()? {
            if name != LIST {
                let name: String = name.chars().take(64).collect();
                return Err(self.refuse(spoiled(&name, "is not known here")));
            }
            if is_there {
                return Err(self.refuse(spoiled(LIST, "is given twice")));
            }
            is_there = true;
            let list = Rows(Body { sink: &mut *self.sink, refused: &mut *self.refused });
            map.next_value_seed(list)?;
        }
        if is_there { Ok(()) } else { Err(self.refuse(spoiled(LIST, "is required"))) }
    }
}

struct Rows<'a>(Body<'a>);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut list: S) -> Result<(), S::Error> {
        let mut number = 0;
        while let Some(value) = list.next_element::<Value>()? {
            number += 1;
            if let Err(error) = (self.0.sink)(row(number, value)) {
                return Err(self.0.refuse(error));
            }
        }
        Ok(())
    }
}

fn row(number: u32, value: Value) -> Given {
    let email = value.get("email").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fields = json::of_value::<Fields>(value).map_err(|error| fault(&error));
    Given::new(number, &email, fields)
}
