//! Runs `tables/streams.json`: what the APIs stream, or send whole, with its text, its end and the
//! code of its failure. The forms are those of recorded answers, which the rows name; names, ids and
//! texts are shortened.

use copilot_keyless::answer::model::{End, Format, Part, Reader, read_whole};
use copilot_keyless::diagnosis::{FailedRequest, diagnose, status_of_event};
use serde_json::Value;

fn read(format: Format, row: &Value, size: usize) -> Part {
    let body = row["body"].as_str().unwrap();
    if row["streamed"] == false {
        return read_whole(format, body);
    }
    let mut reader = Reader::new(format);
    let mut text = String::new();
    for bytes in body.as_bytes().chunks(size) {
        let part = reader.push(bytes);
        text.push_str(&part.text);
        if part.end.is_some() {
            return Part { text, end: part.end };
        }
    }
    let last = reader.finish();
    text.push_str(&last.text);
    Part { text, end: last.end }
}

fn code(event: &copilot_keyless::Secret) -> &'static str {
    let failure = FailedRequest {
        status: status_of_event(event.expose()),
        body: Some(event.clone()),
        ..FailedRequest::default()
    };
    diagnose(&failure).code.as_str()
}

#[test]
fn every_row_of_the_table_in_pieces_of_any_size() {
    let rows: Vec<Value> = serde_json::from_str(table!("streams.json")).unwrap();
    for row in rows {
        let format = match row["format"].as_str().unwrap() {
            "responses" => Format::Responses,
            "completions" => Format::Completions,
            _ => Format::Messages,
        };
        for size in [1, 7, 64, usize::MAX] {
            let part = read(format, &row, size);
            let name = format!("{} in pieces of {size}", row["name"]);
            assert_eq!(part.text, row["text"].as_str().unwrap(), "{name}");
            let end = match &part.end {
                Some(End::Complete) => "complete",
                Some(End::Truncated) => "truncated",
                Some(End::Failed { event }) => {
                    assert_eq!(row["code"], code(event), "{name}");
                    "failed"
                }
                Some(End::Unreadable) => "unreadable",
                None => "none",
            };
            assert_eq!(row["end"], end, "{name}");
        }
    }
}
