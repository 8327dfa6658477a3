//! Stores secret texts by name: the headers of a request, the variables of an environment.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::Secret;

/// Names and texts, sorted by name. A list instead of a map of std: there are a dozen entries, and
/// a map would be a fiftieth of the WebAssembly module.
#[derive(Clone, Default, PartialEq, Eq)]
struct Named(Vec<(String, Secret)>);

impl Named {
    fn insert(&mut self, name: String, text: Secret) {
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = text;
                }
            }
            Err(at) => self.0.insert(at, (name, text)),
        }
    }

    fn find(&self, same: impl Fn(&str) -> bool) -> Option<&Secret> {
        self.0.iter().find(|(known, _)| same(known)).map(|(_, text)| text)
    }
}

/// Shows the names, with `[redacted]` for each text.
impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(name, text)| (name, text)))
            .finish()
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

/// Reads an object of strings. Null counts as empty.
struct Reader {
    /// Whether to skip a null value instead of rejecting it.
    nullable: bool,
}

impl<'de> Visitor<'de> for Reader {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_none<E>(self) -> Result<Named, E> {
        Ok(Named::default())
    }

    fn visit_unit<E>(self) -> Result<Named, E> {
        Ok(Named::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Named, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
        let mut named = Named::default();
        while let Some(name) = map.next_key::<String>()? {
            let text = if self.nullable {
                map.next_value::<Option<Secret>>()?
            } else {
                Some(map.next_value::<Secret>()?)
            };
            if let Some(text) = text {
                named.insert(name, text);
            }
        }
        Ok(named)
    }
}

/// Declares a type of names and texts. `same` compares a stored name with a requested one.
macro_rules! named {
    ($(#[$doc:meta])+ $type:ident, nullable: $nullable:literal, same: $same:expr) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
        #[serde(transparent)]
        pub struct $type(Named);

        impl $type {
            /// Creates an empty list.
            pub fn new() -> Self {
                Self::default()
            }

            /// Sets a text, and replaces one of exactly the same name.
            pub fn insert(&mut self, name: impl Into<String>, text: impl Into<Secret>) {
                self.0.insert(name.into(), text.into());
            }

            /// Returns the text of a name.
            pub fn get(&self, name: &str) -> Option<&Secret> {
                let same: fn(&str, &str) -> bool = $same;
                self.0.find(|known| same(known, name))
            }

            /// Returns the trimmed text of a name; `None` if it is blank.
            pub(crate) fn text(&self, name: &str) -> Option<&str> {
                let text = self.get(name)?.expose().trim();
                (!text.is_empty()).then_some(text)
            }

            /// Returns the names with their texts, in the order of the names.
            pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
                self.0.0.iter().map(|(name, text)| (name.as_str(), text))
            }

            /// Returns the number of entries.
            pub fn len(&self) -> usize {
                self.0.0.len()
            }

            /// Whether the list is empty.
            pub fn is_empty(&self) -> bool {
                self.0.0.is_empty()
            }
        }

        impl<N: Into<String>, T: Into<Secret>> FromIterator<(N, T)> for $type {
            fn from_iter<I: IntoIterator<Item = (N, T)>>(entries: I) -> Self {
                let mut named = Self::new();
                for (name, text) in entries {
                    named.insert(name, text);
                }
                named
            }
        }

        impl<N: Into<String>, T: Into<Secret>, const COUNT: usize> From<[(N, T); COUNT]> for $type {
            fn from(entries: [(N, T); COUNT]) -> Self {
                entries.into_iter().collect()
            }
        }

        impl IntoIterator for $type {
            type Item = (String, Secret);
            type IntoIter = std::vec::IntoIter<(String, Secret)>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.0.into_iter()
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer
                    .deserialize_option(Reader { nullable: $nullable })
                    .map(Self)
            }
        }
    };
}

named! {
    /// The headers of a request or a response. Any may contain a credential, so `Debug` shows only
    /// the names. As JSON an object of strings; null counts as empty.
    ///
    /// ```
    /// use copilot_keyless::Headers;
    ///
    /// let headers = Headers::from([("Retry-After", "5")]);
    /// assert_eq!(headers.get("retry-after").unwrap().expose(), "5");
    /// assert_eq!(format!("{headers:?}"), r#"Headers({"Retry-After": [redacted]})"#);
    /// ```
    Headers, nullable: false, same: str::eq_ignore_ascii_case
}

named! {
    /// The environment variables of a program. Some contain secrets, so `Debug` shows only the
    /// names. As JSON an object of strings; a null variable is unset.
    ///
    /// ```
    /// use copilot_keyless::Variables;
    ///
    /// let own: Variables = std::env::vars().collect();
    /// let given = Variables::from([("FOUNDRY_MODEL_NAME", "gpt-5.5")]);
    /// assert_eq!(given.get("FOUNDRY_MODEL_NAME").unwrap().expose(), "gpt-5.5");
    /// ```
    Variables, nullable: true, same: |known, name| known == name
}
