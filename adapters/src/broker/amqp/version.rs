//! Which broker it is: what it says of itself before anybody logs in. The client library reads that
//! greeting and keeps none of it.

use lapin::protocol::connection::AMQPMethod;
use lapin::protocol::{AMQPClass, parse_class};
use lapin::types::FieldTable;
use lapin::uri::{AMQPScheme, AMQPUri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a client begins with (AMQP 0-9-1, §4.2.2).
const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// A greeting is some hundred bytes.
const MOST: usize = 64 << 10;

/// Product and version, such as "RabbitMQ 3.10.8"; `None` if it says neither, or speaks TLS.
pub(super) async fn version(uri: &AMQPUri) -> Option<String> {
    if uri.scheme != AMQPScheme::AMQP {
        return None;
    }
    let address = (uri.authority.host.as_str(), uri.authority.port);
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(HEADER).await.ok()?;
    // A frame (§4.2.3): its type, its channel, how long it is.
    let mut head = [0; 7];
    stream.read_exact(&mut head).await.ok()?;
    let [_, _, _, length @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes(length)).ok().filter(|&long| long <= MOST)?;
    let mut method = vec![0; length];
    stream.read_exact(&mut method).await.ok()?;
    let (_, class) = parse_class(method.as_slice()).ok()?;
    let AMQPClass::Connection(AMQPMethod::Start(start)) = class else { return None };
    let said = |name| text(&start.server_properties, name);
    Some(format!("{} {}", said("product")?, said("version")?))
}

/// What it says under this name, as far as it can be shown.
fn text(said: &FieldTable, name: &str) -> Option<String> {
    let value = said.inner().iter().find(|(key, _)| key.as_str() == name)?.1;
    let text = value.as_long_string()?.to_string();
    Some(text.chars().filter(|c| !c.is_control()).take(60).collect())
}
