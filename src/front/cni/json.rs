//! Reading JSON as CNI's plugins do: keys in any case, `null` for absent.
//!
//! Runtimes rely on it: containerd sends `"HostPort"` where the documentation says `"hostPort"`.

use serde_json::{Map, Value};

use super::error::Error;

/// An object with its place in the configuration, for messages.
#[derive(Debug, Clone)]
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    place: String,
}

impl<'a> Object<'a> {
    /// The configuration itself.
    pub(super) fn root(value: &'a Value) -> Result<Self, Error> {
        match value {
            Value::Object(map) => Ok(Object { map, place: String::new() }),
            other => {
                Err(Error::Json { reason: format!("expected an object, found {}", kind(other)) })
            }
        }
    }

    /// The value of a key: as written, else in another case (the last of several).
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let found = match self.map.get(key) {
            Some(value) => Some(value),
            None => {
                let mut folded = self.map.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
                folded.next_back().map(|(_, value)| value)
            }
        };
        found.filter(|value| !value.is_null())
    }

    /// Whether a key is there, be it `null`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.map.keys().any(|name| name.eq_ignore_ascii_case(key))
    }

    /// The name of a key with its place.
    pub(super) fn place(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    fn wrong(&self, key: &str, expected: &'static str, found: &Value) -> Error {
        wrong_at(self.place(key), expected, found)
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Error> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a string", other)),
        }
    }

    /// Text that is not empty: runtimes send `""` for what is not set.
    pub(super) fn filled_text(&self, key: &str) -> Result<Option<&'a str>, Error> {
        Ok(self.text(key)?.filter(|text| !text.is_empty()))
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(key, "true or false", other)),
        }
    }

    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>, Error> {
        match self.get(key) {
            None => Ok(None),
            Some(number @ Value::Number(_)) => match number.as_i64() {
                Some(integer) => Ok(Some(integer)),
                None => Err(self.wrong(key, "an integer", number)),
            },
            Some(other) => Err(self.wrong(key, "an integer", other)),
        }
    }

    pub(super) fn object(&self, key: &str) -> Result<Option<Object<'a>>, Error> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Object { map, place: self.place(key) })),
            Some(other) => Err(self.wrong(key, "an object", other)),
        }
    }

    pub(super) fn list(&self, key: &str) -> Result<Option<&'a Vec<Value>>, Error> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.wrong(key, "a list", other)),
        }
    }

    /// A list of objects.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Object<'a>>, Error> {
        let list = self.list(key)?.map_or(&[][..], Vec::as_slice);
        objects_at(list, &self.place(key))
    }

    /// A list of lists of objects; `null` is an empty one.
    pub(super) fn nested_objects(&self, key: &str) -> Result<Vec<Vec<Object<'a>>>, Error> {
        let outer = self.list(key)?.map_or(&[][..], Vec::as_slice).iter().enumerate();
        let inner = outer.map(|(at, value)| {
            let place = format!("{}[{at}]", self.place(key));
            match value {
                Value::Array(list) => objects_at(list, &place),
                Value::Null => Ok(Vec::new()),
                other => Err(wrong_at(place, "a list", other)),
            }
        });
        inner.collect()
    }

    /// A list of strings; `None` if the key is absent.
    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(list) = self.list(key)? else { return Ok(None) };
        let texts = list.iter().enumerate().map(|(at, value)| match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(Error::Type {
                key: format!("{}[{at}]", self.place(key)),
                expected: "a string",
                found: kind(other).to_owned(),
            }),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// A value error at a key.
    pub(super) fn invalid(&self, key: &str, reason: impl std::fmt::Display) -> Error {
        Error::Value { key: self.place(key), reason: reason.to_string() }
    }
}

fn objects_at<'a>(list: &'a [Value], place: &str) -> Result<Vec<Object<'a>>, Error> {
    let objects = list.iter().enumerate().map(|(at, value)| {
        let place = format!("{place}[{at}]");
        match value {
            Value::Object(map) => Ok(Object { map, place }),
            other => Err(wrong_at(place, "an object", other)),
        }
    });
    objects.collect()
}

fn wrong_at(key: String, expected: &'static str, found: &Value) -> Error {
    Error::Type { key, expected, found: kind(found).to_owned() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
