//! What each of the options of JavaScript has to be: checked field by field before serde reads it, so that an error names the option and
//! what it takes.

use crate::expiry::Millis;

/// `Number.MAX_SAFE_INTEGER` of JavaScript.
const EXACT: Millis = 9_007_199_254_740_991;

/// What a value has to be. A field that is undefined or null counts as left out.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    Number,
    Flag,
    /// A whole number between two, both included.
    Whole(Millis, Millis),
    /// One of a few words.
    Choice(&'static [&'static str]),
    List(&'static Shape),
    /// An object with any names.
    Map(&'static Shape),
    /// The same, whose values may be undefined or null.
    Sparse(&'static Shape),
    /// An object with certain names; others are ignored.
    Record(Fields),
    /// An object with certain names and no others.
    Strict(Fields),
}

/// The fields of an object.
pub(crate) type Fields = &'static [(&'static str, Shape)];

use Shape::{Choice, Flag, List, Map, Number, Record, Sparse, Strict, Text, Whole};

const U16: Shape = Whole(0, 65_535);
const U32: Shape = Whole(0, 4_294_967_295);
const TIME: Shape = Whole(-EXACT, EXACT);
const WIRE_API: Shape = Choice(&["responses", "completions"]);
const PROVIDER_TYPE: Shape = Choice(&["openai", "azure", "anthropic"]);

/// [`crate::endpoint::Options`].
pub(crate) const ENDPOINT_OPTIONS: Fields = &[("type", PROVIDER_TYPE), ("apiVersion", Text), ("scope", Text)];

/// [`crate::provider::Request`].
pub(crate) const PROVIDER: Fields = &[
    ("endpoint", Text),
    ("model", Text),
    ("deployment", Text),
    ("scope", Text),
    ("type", PROVIDER_TYPE),
    ("wireApi", WIRE_API),
    ("apiVersion", Text),
    ("headers", Map(&Text)),
    ("maxPromptTokens", Number),
    ("maxOutputTokens", Number),
    ("ownCredential", Flag),
    ("env", Sparse(&Text)),
];

/// [`crate::providers::Named`].
pub(crate) const NAMED: Fields = &[("name", Text), ("models", List(&Record(MODEL)))];

/// [`crate::providers::ModelRequest`].
pub(crate) const MODEL: Fields = &[
    ("id", Text),
    ("model", Text),
    ("deployment", Text),
    ("name", Text),
    ("maxPromptTokens", Number),
    ("maxContextWindowTokens", Number),
    ("maxOutputTokens", Number),
];

/// [`crate::diagnosis::Failure`].
pub(crate) const FAILURE: Fields = &[
    ("endpoint", Text),
    ("options", Record(ENDPOINT_OPTIONS)),
    ("status", U16),
    ("headers", Map(&Text)),
    ("body", Text),
    ("token", Text),
    ("now", TIME),
    ("deployment", Text),
    ("wireApi", Text),
];

const SOURCE: Shape = Choice(&["app-service", "imds", "workload-identity", "client-secret"]);

/// [`crate::identity::Request`].
pub(crate) const TOKEN_REQUEST: Fields = &[
    ("source", SOURCE),
    ("scopes", List(&Text)),
    ("clientId", Text),
    ("objectId", Text),
    ("resourceId", Text),
    ("tenantId", Text),
    ("authorityHost", Text),
    ("claims", Text),
    ("ownAssertion", Flag),
    ("ownSecret", Flag),
    ("env", Map(&Text)),
];

/// [`crate::identity::Answer`].
pub(crate) const TOKEN_ANSWER: Fields = &[
    ("source", SOURCE),
    ("status", U16),
    ("headers", Map(&Text)),
    ("body", Text),
    ("secret", Text),
    ("requestedAt", TIME),
    ("answeredAt", TIME),
    ("attempt", U32),
    ("random", Number),
];

/// [`crate::simulate::RefreshScenario`].
pub(crate) const SCENARIO: Fields = &[
    ("durationMs", Number),
    ("token", Strict(TOKEN_SCRIPT)),
    ("latencyMs", Number),
    ("outages", List(&Strict(OUTAGE))),
    ("calls", Strict(CALLS)),
    ("clockSteps", List(&Strict(CLOCK_STEP))),
    ("suspends", List(&Strict(SUSPEND))),
    ("invalidationsMs", List(&Number)),
    ("keepFresh", Flag),
    ("instances", U32),
    ("startSpreadMs", Number),
    ("bucketMs", Number),
    ("policy", Strict(POLICY)),
    ("strategy", Choice(&["keyless", "per-call", "fixed-window"])),
    ("seed", U32),
];

const TOKEN_SCRIPT: Fields = &[
    ("lifetimesMs", List(&Number)),
    ("refreshAfterMs", Number),
    ("cachedForMs", Number),
];

const OUTAGE: Fields = &[
    ("fromMs", Number),
    ("toMs", Number),
    ("mode", Choice(&["reset", "hang", "status"])),
    ("status", U16),
    ("retryAfterMs", Number),
];

const CALLS: Fields = &[
    ("everyMs", Number),
    ("fromMs", Number),
    ("toMs", Number),
    ("atMs", List(&Number)),
];

const CLOCK_STEP: Fields = &[("atMs", Number), ("byMs", Number)];

const SUSPEND: Fields = &[("fromMs", Number), ("toMs", Number)];

const POLICY: Fields = &[
    ("refreshBeforeExpiryMs", TIME),
    ("longLivedMs", TIME),
    ("jitterMs", TIME),
    ("minRemainingMs", TIME),
    ("retryMinMs", TIME),
    ("retryMaxMs", TIME),
    ("waitTimeoutMs", TIME),
    ("backgroundTimeoutMs", TIME),
    ("invalidateIntervalMs", TIME),
    ("maxLifetimeMs", TIME),
];

impl Shape {
    /// What it is, for `must be ...`.
    pub(crate) fn named(&self) -> String {
        match self {
            Text => "a string".to_owned(),
            Number => "a number".to_owned(),
            Flag => "a boolean".to_owned(),
            Whole(least, most) => format!("a whole number from {least} to {most}"),
            Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                match words.as_slice() {
                    [one, other] => format!("{one} or {other}"),
                    several => format!("one of {}", several.join(", ")),
                }
            }
            List(_) => "a list".to_owned(),
            Map(_) | Sparse(_) | Record(_) | Strict(_) => "an object".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::unreachable, reason = "tests")]

    use std::fmt::Debug;

    use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
    use serde_json::{Map as Object, Value, json};

    use super::*;

    /// Asks a type for the names of its fields.
    struct Names;

    #[derive(Debug)]
    struct Told(Vec<&'static str>);

    impl std::fmt::Display for Told {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }

    impl std::error::Error for Told {}

    impl de::Error for Told {
        fn custom<T: std::fmt::Display>(_: T) -> Self {
            Self(Vec::new())
        }
    }

    impl<'de> Deserializer<'de> for Names {
        type Error = Told;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Told> {
            Err(Told(Vec::new()))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Told> {
            Err(Told(fields.to_vec()))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
            seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn sample(shape: &Shape) -> Vec<Value> {
        match shape {
            Text => vec![json!("text")],
            Number => vec![json!(1.5)],
            Flag => vec![json!(true)],
            Whole(least, most) => vec![json!(least), json!(most)],
            Choice(words) => words.iter().map(|word| json!(word)).collect(),
            List(item) => vec![json!([]), json!(sample(item))],
            Map(value) => sample(value)
                .into_iter()
                .map(|value| json!({"name": value}))
                .collect(),
            Sparse(value) => vec![json!({"name": sample(value).first(), "other": null})],
            Record(fields) | Strict(fields) => vec![object(fields)],
        }
    }

    fn object(fields: Fields) -> Value {
        let fields = fields
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), sample(shape).into_iter().next_back().unwrap()));
        Value::Object(fields.collect::<Object<_, _>>())
    }

    /// The fields are those of the type, and what a field's shape allows the type reads.
    fn agrees<T: DeserializeOwned + Debug>(fields: Fields) {
        let Err(Told(mut expected)) = T::deserialize(Names) else {
            unreachable!("no struct")
        };
        let mut found: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        for (name, shape) in fields {
            for value in sample(shape) {
                let given = json!({ *name: value });
                serde_json::from_value::<T>(given.clone()).unwrap_or_else(|error| panic!("{given}: {error}"));
            }
        }
    }

    #[test]
    fn the_shapes_are_those_of_the_types() {
        agrees::<crate::endpoint::Options>(ENDPOINT_OPTIONS);
        agrees::<crate::provider::Request>(PROVIDER);
        agrees::<crate::providers::Named>(NAMED);
        agrees::<crate::providers::ModelRequest>(MODEL);
        agrees::<crate::diagnosis::Failure>(FAILURE);
        agrees::<crate::identity::Request>(TOKEN_REQUEST);
        agrees::<crate::identity::Answer>(TOKEN_ANSWER);
        agrees::<crate::simulate::RefreshScenario>(SCENARIO);
        agrees::<crate::simulate::TokenScript>(TOKEN_SCRIPT);
        agrees::<crate::simulate::Outage>(OUTAGE);
        agrees::<crate::simulate::Calls>(CALLS);
        agrees::<crate::simulate::ClockStep>(CLOCK_STEP);
        agrees::<crate::simulate::Suspend>(SUSPEND);
        agrees::<crate::schedule::RefreshPolicy>(POLICY);
    }

    #[test]
    fn what_a_field_must_be_is_said_in_words() {
        assert_eq!(WIRE_API.named(), "\"responses\" or \"completions\"");
        assert_eq!(
            PROVIDER_TYPE.named(),
            "one of \"openai\", \"azure\", \"anthropic\""
        );
        assert_eq!(U16.named(), "a whole number from 0 to 65535");
    }
}
