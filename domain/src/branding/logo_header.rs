//! What the head of a picture says: its kind, its size in pixels, and whether it moves.
//!
//! Never more than the bytes that are there is read, and each step goes forward, so that it ends.

use super::{LogoError, LogoKind};

/// The head of a picture.
pub(super) struct Header {
    pub(super) kind: LogoKind,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) moves: bool,
}

/// Reads it, by what the bytes begin with.
pub(super) fn read(bytes: &[u8]) -> Result<Header, LogoError> {
    let found = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => png(bytes),
        [0xff, 0xd8, 0xff, ..] => jpeg(bytes),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(bytes),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => gif(bytes),
        _ => return Err(LogoError::Kind),
    };
    found.ok_or(LogoError::Broken)
}

/// PNG (W3C, third edition): IHDR comes first, and `acTL` before IDAT if it moves.
fn png(bytes: &[u8]) -> Option<Header> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    let (width, height) = (big(bytes, 16)?, big(bytes, 20)?);
    let mut at = 8;
    loop {
        let length = usize::try_from(big(bytes, at)?).ok()?;
        let moves = match bytes.get(at + 4..at + 8)? {
            b"acTL" => true,
            b"IDAT" => false,
            _ => {
                // Length, name and checksum are beside what the chunk holds.
                at = at.checked_add(length)?.checked_add(12)?;
                continue;
            }
        };
        return Some(Header { kind: LogoKind::Png, width, height, moves });
    }
}

/// JPEG (ITU-T T.81, annex B): segments, until the one that begins the frame.
fn jpeg(bytes: &[u8]) -> Option<Header> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        match marker {
            // Bytes that fill.
            0xff => at += 1,
            // Not tables of Huffman codes or arithmetic coding, which have numbers among them.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                let side = |from: usize| {
                    let pair = [*bytes.get(from)?, *bytes.get(from + 1)?];
                    Some(u32::from(u16::from_be_bytes(pair)))
                };
                let (height, width) = (side(at + 5)?, side(at + 7)?);
                return Some(Header { kind: LogoKind::Jpeg, width, height, moves: false });
            }
            // The picture begins without a frame, or ends.
            0xd8..=0xda => return None,
            _ if length >= 2 => at += 2 + length,
            _ => return None,
        }
    }
}

/// WebP (RFC 9649): one of three kinds of first chunks.
fn webp(bytes: &[u8]) -> Option<Header> {
    let header = |width, height, moves| Header { kind: LogoKind::WebP, width, height, moves };
    let data = bytes.get(20..)?;
    match bytes.get(12..16)? {
        b"VP8 " if data.get(3..6)? == [0x9d, 0x01, 0x2a] => {
            let (width, height) = (little(data, 6, 2)?, little(data, 8, 2)?);
            Some(header(width & 0x3fff, height & 0x3fff, false))
        }
        b"VP8L" if data.first()? == &0x2f => {
            let sides = little(data, 1, 4)?;
            Some(header((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1, false))
        }
        b"VP8X" => {
            let moves = data.first()? & 0x02 != 0;
            Some(header(little(data, 4, 3)? + 1, little(data, 7, 3)? + 1, moves))
        }
        _ => None,
    }
}

/// GIF (version 89a): it moves if there is more than one picture in it.
fn gif(bytes: &[u8]) -> Option<Header> {
    let (width, height) = (little(bytes, 6, 2)?, little(bytes, 8, 2)?);
    let mut at = 13 + colours(*bytes.get(10)?);
    let mut pictures = 0;
    loop {
        match *bytes.get(at)? {
            // An extension, with a label.
            0x21 => at = past_blocks(bytes, at + 2)?,
            0x2c => {
                pictures += 1;
                let table = colours(*bytes.get(at + 9)?);
                // Behind the table stands how many bits a code has.
                at = past_blocks(bytes, at + 10 + table + 1)?;
            }
            0x3b => break,
            _ => return None,
        }
    }
    (pictures > 0).then_some(Header { kind: LogoKind::Gif, width, height, moves: pictures > 1 })
}

/// How long the table of colours is that these flags announce.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 0x07) + 1) }
}

/// Where the blocks end that begin at `at`: with an empty one.
fn past_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// Four bytes, the highest first.
fn big(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(four.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// So many bytes, at most four, the lowest first.
fn little(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    let some = bytes.get(at..at + count)?;
    Some(some.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
