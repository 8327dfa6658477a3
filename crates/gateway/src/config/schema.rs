//! Checks a value by a JSON Schema, as far as `schema/gateway.json` uses it.

use serde_json::Value;

/// A name or a position on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Item(usize),
}

/// A value that the schema does not allow. Does not repeat it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: Vec<Step>,
    /// Such as `must be a string`.
    pub(super) problem: String,
    /// The names that its object may have, for one that does not exist.
    pub(super) names: Option<Vec<String>>,
}

/// Returns the first fault of a value.
pub(super) fn fault_of(value: &Value, schema: &Value) -> Option<Fault> {
    find(value, schema, schema, &mut Vec::new())
}

fn find(value: &Value, schema: &Value, root: &Value, path: &mut Vec<Step>) -> Option<Fault> {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(name) => root.get("$defs")?.get(name.strip_prefix("#/$defs/")?)?,
        None => schema,
    };
    let fault = |path: &[Step], problem: String| Fault {
        path: path.to_vec(),
        problem,
        names: None,
    };
    if let Some(problem) = problem_of(value, schema) {
        return Some(fault(path, problem));
    }
    let steps: Vec<(Step, &Value)> = match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (Step::Item(at), item))
            .collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, item)| (Step::Member(name.clone()), item))
            .collect(),
        _ => Vec::new(),
    };
    for (step, item) in steps {
        let own = schema_of(&step, schema);
        path.push(step);
        let found = match own {
            Some(Value::Bool(false)) => Some(Fault {
                names: Some(names_of(schema)),
                ..fault(path, "does not exist".to_owned())
            }),
            Some(own) => find(item, own, root, path),
            None => None,
        };
        if found.is_some() {
            return found;
        }
        path.pop();
    }
    // Last, because a misspelt name says more than a missing one.
    let required = schema.get("required")?.as_array()?;
    let missing = required
        .iter()
        .filter_map(Value::as_str)
        .find(|name| value.get(*name).is_none())?;
    Some(fault(path, format!("lacks {missing}")))
}

/// The schema of a member or an item; `false` if it must not be there.
fn schema_of<'a>(step: &Step, schema: &'a Value) -> Option<&'a Value> {
    match step {
        Step::Item(_) => schema.get("items"),
        Step::Member(name) => schema
            .get("properties")
            .and_then(|properties| properties.get(name))
            .or_else(|| schema.get("additionalProperties")),
    }
}

fn names_of(schema: &Value) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map_or_else(Vec::new, |properties| properties.keys().cloned().collect())
}

fn problem_of(value: &Value, schema: &Value) -> Option<String> {
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
        let list: Vec<String> = allowed.iter().map(Value::to_string).collect();
        return (!allowed.contains(value)).then(|| format!("must be {}", list.join(" or ")));
    }
    let number = |name: &str| schema.get(name).and_then(Value::as_u64);
    let unless = |fits: bool, what: &str| (!fits).then(|| format!("must {what}"));
    match schema.get("type").and_then(Value::as_str)? {
        "string" => match value.as_str() {
            None => unless(false, "be a string"),
            Some(text) => unless(
                text.len() as u64 >= number("minLength").unwrap_or(0),
                "not be empty",
            ),
        },
        "integer" => {
            let (least, most) = (
                number("minimum").unwrap_or(0),
                number("maximum").unwrap_or(u64::MAX),
            );
            let fits = value
                .as_u64()
                .is_some_and(|given| (least..=most).contains(&given));
            unless(fits, &format!("be a whole number from {least} to {most}"))
        }
        "array" => match value.as_array() {
            None => unless(false, "be a list"),
            Some(items) => unless(
                items.len() as u64 >= number("minItems").unwrap_or(0),
                "not be empty",
            ),
        },
        "object" => unless(value.is_object(), "be a table"),
        _ => None,
    }
}
