//! `npm run corpus -- <folder>`: compares the core with a folder of recorded behaviour, which is not
//! part of the repository, and prints which share it gets right. Exit code 1 if a row is wrong.
//!
//! The folder has `failures.json`, `token-responses.json`, `endpoints.json`, and `streams.json` with
//! the files that it names. The modules say which fields of a row they read. Without a file, its
//! figures are left out.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

mod endpoints;
mod failures;
mod streams;
mod tokens;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use serde_json::Value;

/// The judgement of a row.
#[derive(PartialEq)]
pub(crate) enum Judgement {
    Right,
    /// Another answer than the right one.
    Wrong {
        expected: String,
        found: String,
    },
    /// No answer, which misleads nobody.
    Unknown {
        expected: String,
    },
    /// The row has no answer to compare with.
    NotJudged,
}

impl Judgement {
    pub(crate) fn wrong(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Wrong {
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// Returns a text member of a row, or an empty text.
pub(crate) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a member that is a list of texts.
pub(crate) fn texts<'a>(row: &'a Value, name: &str) -> Vec<&'a str> {
    let list = row.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn main() -> ExitCode {
    let Some(folder) = env::args().nth(1) else {
        eprintln!("usage: npm run corpus -- <folder>");
        return ExitCode::from(2);
    };
    let folder = Path::new(&folder);
    let mut tables = 0;
    let mut all_right = true;
    let mut table = |title: &str, file: &str, judge: &dyn Fn(&Value) -> Judgement| {
        let path = folder.join(file);
        let Ok(json) = fs::read_to_string(&path) else {
            eprintln!("{} cannot be read", path.display());
            return;
        };
        match serde_json::from_str::<Vec<Value>>(&json) {
            Ok(rows) => all_right &= print(title, &rows, judge),
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                all_right = false;
            }
        }
        tables += 1;
    };
    table("refusals of a resource", "failures.json", &failures::resource);
    table("failures to get a token", "failures.json", &failures::identity);
    table("token responses", "token-responses.json", &tokens::judge);
    table("endpoints", "endpoints.json", &endpoints::judge);
    table("streams in odd pieces", "streams.json", &|row| {
        streams::stream(folder, row)
    });
    table("whole answers, diagnosed", "streams.json", &|row| {
        streams::whole(folder, row)
    });
    if tables > 0 && all_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints the figures of a table and the rows that are not right. Returns whether all are.
fn print(title: &str, rows: &[Value], judge: &dyn Fn(&Value) -> Judgement) -> bool {
    let (mut right, mut wrong, mut unknown, mut not_judged) = (0, 0, 0, 0);
    let mut lines = Vec::new();
    for row in rows {
        let id = text(row, "id");
        match judge(row) {
            Judgement::Right => right += 1,
            Judgement::Wrong { expected, found } => {
                wrong += 1;
                lines.push(format!("  wrong    {id}: expected {expected}, found {found}"));
            }
            Judgement::Unknown { expected } => {
                unknown += 1;
                lines.push(format!("  unknown  {id}: expected {expected}"));
            }
            Judgement::NotJudged => not_judged += 1,
        }
    }
    let judged = right + wrong + unknown;
    let share = if judged == 0 { 100 } else { right * 100 / judged };
    println!(
        "{title}: {right} of {judged} right ({share} %), {wrong} wrong, {unknown} unknown; {not_judged} not judged"
    );
    for line in lines {
        println!("{line}");
    }
    right == judged
}
