//! Hands the body of a request, as it comes, to a thread that reads rows from it: never more of it is in
//! memory than a few pieces.

use std::io::{self, Read};
use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::problem::ApiError;

/// A client that sends nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(10);
/// Pieces on their way.
const PIECES: usize = 8;

/// Where the pieces of a body go.
pub struct Pump {
    pieces: mpsc::Sender<Piece>,
    limit: u64,
}

/// The body, to be read by a thread that may wait.
pub struct Body {
    pieces: mpsc::Receiver<Piece>,
    piece: Bytes,
    is_over: bool,
}

enum Piece {
    Some(Bytes),
    /// All of it was sent. Without this it broke off.
    End,
}

/// Both ends of a body of at most `limit` bytes.
pub fn body(limit: u64) -> (Pump, Body) {
    let (send, receive) = mpsc::channel(PIECES);
    let body = Body { pieces: receive, piece: Bytes::new(), is_over: false };
    (Pump { pieces: send, limit }, body)
}

impl Pump {
    /// Reads the body to its end, whether or not it is wanted that far: a client that is still sending
    /// would not hear the answer. Adds it to the hash.
    pub async fn run(self, mut payload: Payload, hash: &mut Sha256) -> Result<(), ApiError> {
        let mut length = 0_u64;
        loop {
            let next = tokio::time::timeout(SILENCE, payload.next()).await;
            let Some(piece) = next.map_err(|_| ApiError::BodyTimeout)? else { break };
            let piece = piece.map_err(|_| {
                ApiError::BadRequest("The body of the request broke off.".to_owned())
            })?;
            length = length.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if length > self.limit {
                return Err(too_large(self.limit));
            }
            hash.update(&piece);
            // Nobody reads on once there is something wrong.
            drop(self.pieces.send(Piece::Some(piece)).await);
        }
        drop(self.pieces.send(Piece::End).await);
        Ok(())
    }
}

/// For a body that has, or announces, more than `limit` bytes.
pub fn too_large(limit: u64) -> ApiError {
    ApiError::TooLarge(usize::try_from(limit).unwrap_or(usize::MAX))
}

impl Read for Body {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.is_over {
            match self.pieces.blocking_recv() {
                Some(Piece::Some(piece)) => self.piece = piece,
                Some(Piece::End) => self.is_over = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let piece = self.piece.split_to(self.piece.len().min(to.len()));
        to[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}
