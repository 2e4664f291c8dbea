//! The lines of SMTP (RFC 5321 §4.2, §4.5.2): commands out, bounded replies in, dots stuffed.
//!
//! Own code, because the mail library cannot tell whether the final dot was written, takes any 2xx
//! or 3xx for a success and reads on after a reply that came too early.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use domain::Reply;
use domain::outcome::Enhanced;
use futures_util::FutureExt;
use memchr::memmem;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::task::unconstrained;
use tokio::time::Instant;

/// A byte stream: plain or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// The two directions of one connection.
pub(super) struct Dialogue {
    stream: BufReader<Box<dyn Stream>>,
    /// What the server said before it was asked; the answer to whatever was to be asked.
    early: Option<Answer>,
    /// Whether the server offers to take several commands at once.
    pub(super) pipelining: bool,
    /// Whether TLS is around it.
    pub(super) encrypted: bool,
}

/// How far the writing of a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// The final dot is out of our hands.
    Whole,
    /// The server has spoken before the end of the dot.
    Interrupted,
    /// Time was over before the end of the dot.
    TooLate,
}

/// A reply as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

/// RFC 5321 §4.5.3.1.5 allows 512; real servers write somewhat more.
const MAX_LINE_OCTETS: usize = 2048;
const MAX_LINES: usize = 100;

impl Dialogue {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::new(stream), early: None, pipelining: false, encrypted: false }
    }

    /// Gives the stream back for TLS. What was received in clear must not be read as if it had
    /// come through TLS (CVE-2011-0411), so anything left over is an error.
    pub(super) fn into_stream(self) -> io::Result<Box<dyn Stream>> {
        if self.stream.buffer().is_empty() {
            Ok(self.stream.into_inner())
        } else {
            Err(garbage("the server spoke in clear after it agreed to TLS"))
        }
    }

    /// Writes one command and reads its answer.
    pub(super) async fn command(&mut self, command: &str) -> io::Result<Answer> {
        self.ask(&[command]).await?;
        self.answer().await
    }

    /// Writes commands in one piece; each has an answer.
    pub(super) async fn ask(&mut self, commands: &[&str]) -> io::Result<()> {
        if self.has_something_to_say()? {
            // 421 may come at any time (RFC 5321 §3.8): it is an answer to whatever we say.
            let answer = self.answer().await?;
            if answer.code != 421 {
                return Err(garbage("the server spoke out of turn"));
            }
            self.early = Some(answer);
            return Ok(());
        }
        // Large enough from the start: what is moved is not wiped, and one may be a log-in.
        let length = commands.iter().map(|command| command.len() + 2).sum();
        let mut lines = zeroize::Zeroizing::new(String::with_capacity(length));
        for command in commands {
            debug_assert!(!command.contains(['\r', '\n']), "a command is one line");
            lines.push_str(command);
            lines.push_str("\r\n");
        }
        self.write(lines.as_bytes()).await
    }

    /// Hands over a [`whole`] message with its final dot, in as few pieces as the stream takes.
    ///
    /// An error, as everything but [`Written::Whole`], means that the last byte of the dot was not
    /// taken: the server cannot have the mail. (TLS may fail in the call that took it, but only
    /// because the socket did not take the whole of the last record, which is no record then.)
    /// After that it may, whatever happens; the next step is [`Self::verdict`].
    pub(super) async fn message(&mut self, whole: &[u8], last: Instant) -> io::Result<Written> {
        let mut done = 0;
        poll_fn(|context| {
            while done < whole.len() {
                // Before each piece: the process may have stood still since the last one.
                if last <= Instant::now() {
                    return Poll::Ready(Ok(Written::TooLate));
                }
                // A server that answers before the dot has given up, or is a reply ahead of us: in
                // both cases its next reply could not be trusted.
                match Pin::new(&mut self.stream).poll_fill_buf(context)? {
                    Poll::Ready([]) => return Poll::Ready(Err(closed())),
                    Poll::Ready(_) => return Poll::Ready(Ok(Written::Interrupted)),
                    Poll::Pending => {}
                }
                let rest = &whole[done..];
                match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                    0 => return Poll::Ready(Err(closed())),
                    taken => done += taken,
                }
            }
            Poll::Ready(Ok(Written::Whole))
        })
        .await
    }

    /// The answer to a message.
    pub(super) async fn verdict(&mut self) -> io::Result<Answer> {
        // TLS may hold the end of the message back until now.
        self.stream.flush().await?;
        self.answer().await
    }

    /// Says good-bye; the answer is of no use.
    pub(super) async fn quit(&mut self) -> io::Result<()> {
        self.write(b"QUIT\r\n").await
    }

    /// Whether something has arrived that nobody has read; an error if the server has gone.
    pub(super) fn has_something_to_say(&mut self) -> io::Result<bool> {
        // One poll: pending means that nothing is there. The buffer keeps what was read.
        match unconstrained(self.stream.fill_buf()).now_or_never() {
            None => Ok(false),
            Some(Ok([])) => Err(closed()),
            Some(Ok(_)) => Ok(true),
            Some(Err(error)) => Err(error),
        }
    }

    /// Reads one reply of one or more lines.
    pub(super) async fn answer(&mut self) -> io::Result<Answer> {
        if let Some(answer) = self.early.take() {
            return Ok(answer);
        }
        let mut answer = Answer { code: 0, lines: Vec::new() };
        loop {
            let line = self.line().await?;
            let (code, rest) = split_code(&line).ok_or_else(|| garbage("no SMTP reply"))?;
            if !answer.lines.is_empty() && code != answer.code {
                return Err(garbage("a reply that changes its code"));
            }
            answer.code = code;
            answer.lines.push(rest.get(1..).unwrap_or_default().to_owned());
            if !rest.starts_with('-') {
                return Ok(answer);
            }
            if answer.lines.len() >= MAX_LINES {
                return Err(garbage("a reply without end"));
            }
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            let available = self.stream.fill_buf().await?;
            if available.is_empty() {
                return Err(closed());
            }
            let end = available.iter().position(|b| *b == b'\n').map(|at| at + 1);
            let taken = end.unwrap_or(available.len());
            line.extend_from_slice(&available[..taken]);
            self.stream.consume(taken);
            if line.len() > MAX_LINE_OCTETS {
                return Err(garbage("a reply line without end"));
            }
            if end.is_some() {
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }
}

impl Answer {
    pub(super) fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// All lines, without the enhanced code at the start of each.
    pub(super) fn text(&self) -> String {
        let words = self.lines.iter().map(|line| match Enhanced::parse(line) {
            Some(_) => line.trim_start().split_once(' ').map_or("", |(_, text)| text),
            None => line,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    pub(super) fn reply(&self) -> Reply {
        let enhanced = self.lines.first().and_then(|line| Enhanced::parse(line));
        Reply { code: self.code, enhanced }
    }
}

/// `250-text` → (250, `-text`).
fn split_code(line: &str) -> Option<(u16, &str)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let separated = rest.is_empty() || rest.starts_with([' ', '-']);
    let numeric = digits.bytes().all(|b| b.is_ascii_digit());
    let code = digits.parse().ok().filter(|code| (200..600).contains(code))?;
    (separated && numeric).then_some((code, rest))
}

/// The message as it is written: each dot that starts a line doubled (RFC 5321 §4.5.2), the last line
/// ended, the final dot behind it.
pub(super) fn whole(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    if message.starts_with(b".") {
        out.push(b'.');
    }
    let mut begin = 0;
    for end in memmem::find_iter(message, b"\n.") {
        out.extend_from_slice(&message[begin..=end]);
        out.push(b'.');
        begin = end + 1;
    }
    out.extend_from_slice(&message[begin..]);
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

fn garbage(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")
}

#[cfg(test)]
mod tests;
