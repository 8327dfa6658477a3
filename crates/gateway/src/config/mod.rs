//! Reads a file with settings, TOML or JSON, by the same schema as the npm package and editors.

mod locate;
mod nearest;
mod schema;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::settings::Given;
use locate::{Lines, line_of};
use nearest::did_you_mean;
use schema::{Fault, Step, fault_of};

/// The schema that editors read is the one that decides: a copy of `schema/gateway.json`.
const SCHEMA: &str = include_str!("../../schema.json");

/// Reads a file with settings of the gateway. Fails with `gateway/config`, with the line of the fault.
pub(crate) fn read(path: &Path) -> Result<Given, Failure> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|_| {
        Failure::new("gateway/config", format!("The file {name} cannot be read"))
            .hint("Check its path and who may read it.")
    })?;
    let mut given = parse(&text, &name)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    given.key_file = given.key_file.map(|file| folder.join(file));
    Ok(given)
}

/// Reads a text. JSON, unless the file's name ends in `.toml`.
fn parse(text: &str, file: &str) -> Result<Given, Failure> {
    let is_toml = file.to_lowercase().ends_with(".toml");
    let value = if is_toml {
        toml_value(text, file)?
    } else {
        json_value(text, file)?
    };
    let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    if let Some(fault) = fault_of(&value, &schema) {
        let lines = if is_toml {
            Lines::of_toml(text)
        } else {
            Lines::of_json(text)
        };
        return Err(fault_failure(&fault, file, &lines));
    }
    serde_json::from_value(value).map_err(|error| {
        let text = format!("{file}: {}", without_values(&error.to_string()));
        Failure::new("gateway/config", text).hint("See schema/gateway.json of this package.")
    })
}

fn toml_value(text: &str, file: &str) -> Result<Value, Failure> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let reason = error.message().lines().next().unwrap_or_default();
        syntax_failure(file, line_at(text, start), reason, "TOML")
    })
}

fn json_value(text: &str, file: &str) -> Result<Value, Failure> {
    serde_json::from_str(text)
        .map_err(|error| syntax_failure(file, error.line(), "unexpected character or end", "JSON"))
}

fn line_at(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}

/// A message of serde without the values that it quotes: they may be secrets.
fn without_values(message: &str) -> String {
    message.split(": ").next().unwrap_or_default().to_owned()
}

fn syntax_failure(file: &str, line: usize, reason: &str, format: &str) -> Failure {
    let more = if format == "JSON" {
        "; name it .toml if it is TOML"
    } else {
        ""
    };
    Failure::new("gateway/config", format!("{file}:{line}: {reason}"))
        .hint(format!("The file is read as {format}{more}."))
}

fn fault_failure(fault: &Fault, file: &str, lines: &Lines) -> Failure {
    let mut name = String::new();
    for step in &fault.path {
        match step {
            Step::Item(at) => name = format!("{name}[{at}]"),
            Step::Member(member) if name.is_empty() => name.push_str(member),
            Step::Member(member) => name = format!("{name}.{member}"),
        }
    }
    if name.is_empty() {
        "the file".clone_into(&mut name);
    }
    let place = match line_of(&fault.path, lines) {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    };
    let hint = match (&fault.names, fault.path.last()) {
        (Some(names), Some(Step::Member(unknown))) => {
            let guess = did_you_mean(unknown, names);
            let names: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|one| *one != "$schema")
                .collect();
            format!("{guess}The names here are {}.", names.join(", "))
        }
        _ => "See schema/gateway.json of this package.".to_owned(),
    };
    Failure::new("gateway/config", format!("{place}: {name} {}", fault.problem)).hint(hint)
}
