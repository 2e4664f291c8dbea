//! What is read and written, in whatever pieces the stream takes and gives it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

use super::{Dialogue, MAX_LINE_OCTETS, MAX_LINES, Written, split_code, whole};

/// The replies up to the end or the first error, if the bytes come in pieces of this size.
fn replies(bytes: &[u8], piece: usize) -> Vec<(u16, Vec<String>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (ours, mut theirs) = tokio::io::duplex(piece);
    let mut dialogue = Dialogue::new(Box::new(ours));
    let reading = async move {
        let mut replies = Vec::new();
        while let Ok(answer) = dialogue.answer().await {
            let _ = (answer.reply(), answer.text());
            replies.push((answer.code, answer.lines));
        }
        replies
    };
    let writing = async move { drop(theirs.write_all(bytes).await) };
    runtime.block_on(async { futures_util::join!(reading, writing).0 })
}

proptest! {
    #[test]
    fn replies_are_bounded_and_the_same_in_any_pieces(
        noise: Vec<u8>,
        lines in "([2-5][0-9]{2}[ -]?[ -~]{0,20}\r?\n|250-\r\n){0,120}",
        piece in 1_usize..50,
    ) {
        for bytes in [lines.as_bytes(), &noise, &[lines.as_bytes(), &noise].concat()] {
            let replies = replies(bytes, piece);
            prop_assert_eq!(&replies, &self::replies(bytes, 1 << 20));
            for (code, lines) in replies {
                prop_assert!((200..600).contains(&code) && lines.len() <= MAX_LINES);
                // A byte that is no UTF-8 becomes a character of three.
                prop_assert!(lines.iter().all(|line| line.len() <= 3 * MAX_LINE_OCTETS));
            }
        }
    }
}

#[test]
fn the_seeds_of_the_fuzzer_pass() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/smtp_reply");
    for seed in std::fs::read_dir(folder).unwrap() {
        let seed = std::fs::read(seed.unwrap().path()).unwrap();
        let (piece, bytes) = (usize::from(seed[0]) + 1, &seed[1..]);
        assert_eq!(replies(bytes, piece), replies(bytes, 1 << 20));
    }
}

#[test]
fn dots_are_stuffed_and_the_last_line_ends() {
    assert_eq!(whole(b".\r\na.\r\n..b"), b"..\r\na.\r\n...b\r\n.\r\n");
}

#[test]
fn only_replies_are_read_as_replies() {
    assert_eq!(split_code("250-x"), Some((250, "-x")));
    assert_eq!(split_code("354"), Some((354, "")));
    for line in ["", "25", "+25 x", "999 x", "100 x", "2500 x", "äöü"] {
        assert_eq!(split_code(line), None, "{line}");
    }
}

/// Takes so many bytes, a few at a time, and then breaks; never says anything.
struct Narrow {
    room: usize,
    ready: bool,
}

impl AsyncRead for Narrow {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.ready = !self.ready;
        if !self.ready {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let taken = bytes.len().min(self.room).min(7);
        self.room -= taken;
        Poll::Ready(if taken > 0 { Ok(taken) } else { Err(io::ErrorKind::BrokenPipe.into()) })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn narrow(room: usize) -> Dialogue {
    Dialogue::new(Box::new(Narrow { room, ready: false }))
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

#[tokio::test]
async fn a_message_is_out_with_the_last_byte_of_its_dot_and_not_before() {
    let message = whole(b"Subject: a\r\n\r\nb\r\n");
    for room in 0..message.len() {
        assert!(narrow(room).message(&message, in_a_minute()).await.is_err(), "{room}");
    }
    // What breaks now comes too late.
    let mut dialogue = narrow(message.len());
    assert_eq!(dialogue.message(&message, in_a_minute()).await.unwrap(), Written::Whole);
}

#[tokio::test(start_paused = true)]
async fn whoever_stood_still_between_two_pieces_writes_no_more() {
    let message = whole(&[b'a'; 100]);
    let mut dialogue = narrow(message.len());
    let writing = dialogue.message(&message, in_a_minute());
    let standing = tokio::time::advance(Duration::from_mins(2));
    assert_eq!(futures_util::join!(writing, standing).0.unwrap(), Written::TooLate);
}

#[tokio::test]
async fn a_server_that_speaks_before_the_dot_is_heard() {
    let (ours, mut theirs) = tokio::io::duplex(16);
    let mut dialogue = Dialogue::new(Box::new(ours));
    let message = whole(&[b'a'; 100]);
    let writing = dialogue.message(&message, in_a_minute());
    let speaking = theirs.write_all(b"552 too much\r\n");
    assert_eq!(futures_util::join!(writing, speaking).0.unwrap(), Written::Interrupted);
    assert_eq!(dialogue.answer().await.unwrap().code, 552);
}
