//! One SMTP conversation: says yes to everything, with as little work as can be.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::server::Shared;

const HELLO: &[u8] = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
const DOT: &[u8] = b"\r\n.\r\n";

/// What the next bytes are.
enum Expect {
    Command,
    /// So many bytes of the mail hold no end.
    Mail(usize),
}

/// Talks until the client leaves.
pub async fn converse<S>(mut stream: S, shared: &Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    stream.flush().await?;
    let (mut input, mut output) = (Vec::with_capacity(64 * 1024), Vec::new());
    let mut expect = Expect::Command;
    while stream.read_buf(&mut input).await? > 0 {
        let mut done = 0;
        loop {
            let rest = &input[done..];
            match expect {
                Expect::Command => {
                    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
                    done += end + 1;
                    match rest.get(..4).unwrap_or_default() {
                        b"EHLO" => output.extend_from_slice(HELLO),
                        b"DATA" => {
                            output.extend_from_slice(b"354 go on\r\n");
                            expect = Expect::Mail(0);
                        }
                        b"QUIT" => {
                            stream.write_all(b"221 2.0.0 bye\r\n").await?;
                            return stream.shutdown().await;
                        }
                        _ => output.extend_from_slice(b"250 2.0.0 ok\r\n"),
                    }
                }
                Expect::Mail(searched) => {
                    let Some(end) = end_of_mail(rest, searched) else {
                        expect = Expect::Mail(rest.len().saturating_sub(DOT.len() - 1));
                        break;
                    };
                    shared.took(&rest[..end]);
                    wait(shared.delay()).await;
                    output.extend_from_slice(b"250 2.0.0 taken\r\n");
                    done += end + DOT.len();
                    expect = Expect::Command;
                }
            }
        }
        input.drain(..done);
        // Answers to commands that came together leave together.
        stream.write_all(&output).await?;
        stream.flush().await?;
        output.clear();
    }
    Ok(())
}

/// Where the mail ends. No client sends another mail before it has the answer to DATA, so an end at
/// the very back is the only one.
fn end_of_mail(bytes: &[u8], searched: usize) -> Option<usize> {
    if bytes.ends_with(DOT) {
        return Some(bytes.len() - DOT.len());
    }
    find(&bytes[searched..]).map(|at| searched + at)
}

fn find(bytes: &[u8]) -> Option<usize> {
    bytes.windows(DOT.len()).position(|window| window == DOT)
}

/// On a thread: the timers of the runtime are up to a millisecond late, a twentieth of the delay.
async fn wait(delay: Duration) {
    if !delay.is_zero() {
        drop(tokio::task::spawn_blocking(move || std::thread::sleep(delay)).await);
    }
}
