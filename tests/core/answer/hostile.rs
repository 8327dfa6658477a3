//! Events of several megabytes that aim at the reader's time and memory. A reader whose work grows
//! with the square of an event would run for minutes here, or use up the memory.

use copilot_keyless::answer::model::{End, Format, Reader, read_whole};

/// A little below the limit of 4 MiB.
const LENGTH: usize = 4_000_000;

const FORMATS: [Format; 3] = [Format::Responses, Format::Completions, Format::Messages];

/// Repeats an item of a list up to the length of an event.
fn list(item: &str, used: usize) -> String {
    vec![item; (LENGTH - used) / (item.len() + 1)].join(",")
}

#[test]
fn long_names_are_not_copied_for_each_text() {
    let name = "A".repeat(400_000);
    let items = list(r#"{"text":"a"}"#, name.len() + 100);
    let event = format!(r#"{{"output":{{"{name}":{{"content":[{items}]}}}}}}"#);
    for format in FORMATS {
        let part = Reader::new(format).push(format!("data: {event}\n\n").as_bytes());
        assert_eq!((part.text.as_str(), part.end), ("", None));
    }
    // The length of names counts together.
    let names = r#"{"content":"#.repeat(60);
    let event = format!(r#"{{"output":{names}[{items}]{}}}"#, "}".repeat(60));
    assert_eq!(read_whole(Format::Responses, &event).text, "");
}

#[test]
fn a_text_among_long_names_is_read() {
    let name = "A".repeat(300);
    let event = format!(
        r#"{{"{name}":{{"text":"no"}},"output":[{{"{name}":["no"],"content":[{{"{name}":1,"text":"Hello"}}]}}],"status":"completed"}}"#
    );
    let part = read_whole(Format::Responses, &event);
    assert_eq!((part.text.as_str(), part.end), ("Hello", Some(End::Complete)));
}

#[test]
fn many_parts_of_reasoning() {
    let items = list(r#"{"type":"reasoning_x","text":"a"}"#, 200);
    let event = format!(
        r#"{{"output":[{{"content":[{items},{{"type":"output_text","text":"Hello"}}]}}],"status":"completed"}}"#
    );
    let part = read_whole(Format::Responses, &event);
    assert_eq!((part.text.as_str(), part.end), ("Hello", Some(End::Complete)));
}

#[test]
fn many_short_values_of_every_form() {
    for (format, start, item, end) in [
        (
            Format::Responses,
            r#"{"output":[{"content":["#,
            r#"{"text":"a"}"#,
            "]}]}",
        ),
        (Format::Responses, "{", r#""delta":"a""#, "}"),
        (Format::Completions, r#"{"error":["#, "1", "]}"),
        (Format::Messages, r#"{"content":["#, r#"{"text":"a"}"#, "]}"),
    ] {
        let event = format!("{start}{}{end}", list(item, 100));
        read_whole(format, &event);
    }
}
