//! Whatever a mail server says, in whatever pieces: a bounded reply, or an error.
#![no_main]

#[path = "../../adapters/src/mailer/dialogue.rs"]
#[expect(dead_code, reason = "only the reading of replies is asked for")]
mod dialogue;

use domain::{Phase, SendOutcome};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&pieces, bytes)) = bytes.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let (in_pieces, whole) = (read(bytes, usize::from(pieces) + 1).await, read(bytes, 1 << 20).await);
        assert_eq!(in_pieces, whole, "the pieces do not matter");
    });
});

/// The replies up to the end or the first error.
async fn read(bytes: &[u8], piece: usize) -> Vec<(u16, Vec<String>)> {
    let (ours, theirs) = tokio::io::duplex(piece);
    let mut dialogue = dialogue::Dialogue::new(Box::new(ours));
    let reading = async {
        let mut replies = Vec::new();
        while let Ok(answer) = dialogue.answer().await {
            assert!((200..600).contains(&answer.code) && answer.lines.len() <= 100);
            assert!(answer.lines.iter().all(|line| line.len() <= 3 * 2048));
            let _ = SendOutcome::from_reply(Phase::FinalDot, answer.reply(), answer.text());
            replies.push((answer.code, answer.lines));
        }
        // Dropped, so that whoever still writes is told.
        drop(dialogue);
        replies
    };
    let writing = async {
        let mut theirs = theirs;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut theirs, bytes).await;
    };
    futures_util::future::join(reading, writing).await.0
}
