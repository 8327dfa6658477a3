//! `docs/reference/errors.md`: its table of diagnoses is generated from the codes, their titles and
//! their fixes, with a real refusal for each code; the tables of failures to get a token, of endpoint
//! and of expiry errors get an example from the tests' tables. `WRITE_TABLES=1 cargo test --test core errors_page` writes it.
//! The other rows are written by hand: a test in TypeScript finds each code of `js/` in the page.
#![cfg(not(target_arch = "wasm32"))]

use std::fmt::Write as _;
use std::fs;

use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest, diagnose};
use serde_json::{Value, json};

use crate::diagnosis::{refusals, table};

/// The longest example, in characters.
const LONGEST: usize = 110;

fn path() -> String {
    format!("{}/docs/reference/errors.md", env!("CARGO_MANIFEST_DIR"))
}

/// Shortens a text to one line that is fit for a cell.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = escaped(&line).replace('`', "'");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let short: String = line.chars().take(LONGEST).collect();
    let end = short.rfind(' ').unwrap_or(short.len());
    format!("{} ...", &short[..end])
}

/// Escapes what Markdown would read as a column or as HTML.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;")
}

/// Links `owner/name#1`, and shows any other source as it is.
fn source(text: &str) -> String {
    match text.split_once('#') {
        Some((repository, issue)) if repository.matches('/').count() == 1 && !repository.contains(':') => {
            format!("[{text}](https://github.com/{repository}/issues/{issue})")
        }
        _ if text.starts_with("https://") => format!("[source]({text})"),
        _ => text.split(" (").next().unwrap_or(text).to_owned(),
    }
}

/// The message of a real refusal with its status and source; of our own table if there is none.
fn example(code: &str) -> String {
    let rows = refusals::rows();
    let fits = |row: &&Value| row["code"] == code;
    let plain = |row: &&Value| fits(row) && row["status"].is_u64() && row.get("body").is_some();
    if let Some(row) = rows.iter().find(plain).or(rows.iter().find(fits)) {
        return quoted(row, refusals::text(row), &source(row["source"].as_str().unwrap()));
    }
    let row = own_row(code, |row| !row["failure"]["body"].is_null());
    let failure = &row["failure"];
    quoted(failure, failure["body"].as_str().unwrap_or_default(), "our own")
}

fn quoted(row: &Value, body: &str, source: &str) -> String {
    let status = row["status"].as_u64().filter(|status| *status != 0);
    let given = json!({ "status": status.unwrap_or(0), "body": body });
    let found = diagnose(&serde_json::from_value::<FailedRequest>(given).unwrap());
    let status = status.map_or(String::new(), |status| format!("{status}: "));
    format!(
        "{status}\"{}\" ({source})",
        cell(&found.message.unwrap_or_default())
    )
}

/// The first row of our own table with a code.
fn own_row(code: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let own: Vec<Value> = serde_json::from_str(table!("diagnoses.json")).unwrap();
    let found = own.into_iter().find(|row| row["code"] == code && fits(row));
    found.unwrap_or_else(|| panic!("no row of {code}"))
}

fn diagnosis_rows() -> String {
    let mut table =
        "| code | what is wrong | first fix of `hint` | a real example |\n| --- | --- | --- | --- |\n"
            .to_owned();
    for code in DiagnosisCode::ALL
        .iter()
        .filter(|code| **code != DiagnosisCode::Ok)
    {
        let (_, found) = table::run(&own_row(code.as_str(), |_| true));
        let fix = found.fixes[0].lines().next().unwrap().trim_end_matches(':');
        writeln!(
            table,
            "| `model/{}` | {} | {} | {} |",
            code.as_str(),
            code.title(),
            escaped(fix),
            example(code.as_str()),
        )
        .unwrap();
    }
    table.push_str(
        "| `model/request-failed` | The runtime ended the turn for a reason of its own | Send it again. | none was recorded |\n",
    );
    table
}

/// An example of an endpoint or expiry error: the input.
fn input_of(code: &str) -> Option<String> {
    let (rows, field): (Vec<Value>, &str) = if code.starts_with("endpoint/") {
        (serde_json::from_str(table!("endpoints.json")).unwrap(), "input")
    } else if code.starts_with("expiry/") {
        (serde_json::from_str(table!("expiry.json")).unwrap(), "response")
    } else {
        return None;
    };
    let fits = |row: &&Value| {
        let shown = shown(&row[field]);
        row["error"] == code && !shown.trim().is_empty() && shown.len() <= 90 && shown.is_ascii()
    };
    let row = rows.iter().find(fits)?;
    Some(format!(
        "`{}`",
        shown(&row[field]).replace('|', "\\|").replace('`', "'")
    ))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Puts the generated parts into the page.
fn generated(page: &str) -> String {
    let mut lines = Vec::new();
    let mut section = "";
    for line in page.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        match section {
            "Model" if line.starts_with("| code ") => {
                lines.extend(diagnosis_rows().lines().map(str::to_owned));
            }
            "Model" if line.starts_with('|') => {}
            "Failures to get a token" if line.starts_with('|') => lines.push(with_failure(line)),
            _ => lines.push(with_example(line)),
        }
    }
    lines.join("\n") + "\n"
}

/// Puts a real failure to get a token into the last cell of its code's row.
fn with_failure(line: &str) -> String {
    let cells: Vec<&str> = line.trim_matches([' ', '|']).split(" | ").take(3).collect();
    let example = match cells[0] {
        "code" => "a real example".to_owned(),
        "---" => "---".to_owned(),
        code => failure_of(code.trim_matches('`')),
    };
    format!("| {} | {example} |", cells.join(" | "))
}

/// The shortest report of a failure to get a token with a code.
fn failure_of(code: &str) -> String {
    let rows: Vec<Value> = serde_json::from_str(table!("credential-failures.json")).unwrap();
    let said = |row: &Value| {
        let given = row["message"].as_str().or(row["body"].as_str());
        given.unwrap_or_default().to_owned()
    };
    let row = rows
        .iter()
        .filter(|row| row["code"] == code && !said(row).is_empty() && row["source"].is_string())
        .min_by_key(|row| said(row).len());
    row.map_or("none was recorded".to_owned(), |row| {
        let source = source(row["source"].as_str().unwrap_or_default());
        format!("\"{}\" ({source})", cell(&said(row)))
    })
}

/// Adds the example to the cell of what is wrong.
fn with_example(line: &str) -> String {
    let code = line.strip_prefix("| `").and_then(|rest| rest.split_once('`'));
    let Some((code, rest)) = code else {
        return line.to_owned();
    };
    let Some(input) = input_of(code) else {
        return line.to_owned();
    };
    let cells: Vec<&str> = rest.trim_matches([' ', '|']).split(" | ").collect();
    let wrong = cells[0].split(", such as `").next().unwrap();
    format!(
        "| `{code}` | {wrong}, such as {input} | {} |",
        cells[1..].join(" | ")
    )
}

#[test]
fn the_page_is_generated() {
    let page = fs::read_to_string(path()).unwrap();
    let expected = generated(&page);
    if std::env::var_os("WRITE_TABLES").is_some() {
        fs::write(path(), &expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "update docs/reference/errors.md with: WRITE_TABLES=1 cargo test --test core errors_page"
    );
}
