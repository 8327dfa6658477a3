//! Decompresses bodies that must be read.

use std::io::Read;

use bytes::Bytes;

/// Decompresses a body. Returns one that cannot be decompressed, that is cut off or too long, as it
/// is.
pub(crate) fn decompressed(bytes: &Bytes, encoding: Option<&str>, most: u64) -> Bytes {
    let input = bytes.as_ref();
    let read = match encoding.map(|name| name.trim().to_ascii_lowercase()).as_deref() {
        Some("gzip" | "x-gzip") => read_all(flate2::read::MultiGzDecoder::new(input), most),
        Some("deflate") => read_all(flate2::read::ZlibDecoder::new(input), most),
        Some("br") => read_all(brotli_decompressor::Decompressor::new(input, 4096), most),
        Some("zstd") => ruzstd::decoding::StreamingDecoder::new(input)
            .ok()
            .and_then(|decoder| read_all(decoder, most)),
        _ => None,
    };
    read.map_or_else(|| bytes.clone(), Bytes::from)
}

fn read_all(reader: impl Read, most: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(most + 1).read_to_end(&mut text).ok()?;
    (text.len() as u64 <= most).then_some(text)
}
