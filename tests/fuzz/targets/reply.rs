//! Reads any bytes as a model's streamed response, of every API: no panic, and the same text and
//! end however the bytes are split.
#![no_main]

use copilot_keyless::answer::model::{End, Format, Reader};
use copilot_keyless::diagnosis::status_of_event;
use libfuzzer_sys::fuzz_target;

fn read(format: Format, parts: &[&[u8]]) -> (String, Option<End>) {
    let mut reader = Reader::new(format);
    let mut text = String::new();
    for bytes in parts {
        let part = reader.push(bytes);
        text.push_str(&part.text);
        if let Some(End::Failed { event }) = &part.end {
            assert!((400..600).contains(&status_of_event(event.expose())));
        }
        if part.end.is_some() {
            return (text, part.end);
        }
    }
    let last = reader.finish();
    text.push_str(&last.text);
    (text, last.end)
}

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Responses, Format::Completions, Format::Messages] {
        let whole = read(format, &[bytes]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let several: Vec<&[u8]> = bytes.chunks(7).collect();
        assert_eq!(whole, read(format, &single));
        assert_eq!(whole, read(format, &several));
    }
});
