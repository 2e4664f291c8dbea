//! HTTP: one server, one key, and the answers as JSON.

use std::io::{Read, Write};
use std::time::Duration;

use rand::Rng;
use serde_json::Value;
use ureq::http::request::Builder;
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestExt, SendBody};
use url::Url;

use super::error::ClientError;
use super::options::ApiKey;

/// Longer answers come from no Welcomat.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;
/// A file that takes longer is stuck; the server has as much patience.
const STREAM: Duration = Duration::from_mins(10);
const MAX_CONNECT: Duration = Duration::from_secs(10);
/// Before the second and the third try of a request that may be repeated.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// Speaks to one server as the holder of one key.
pub struct Api {
    agent: Agent,
    base: Url,
    key: Option<ApiKey>,
}

/// An answer that is no error.
#[derive(Debug)]
pub struct Answer {
    /// The headers.
    pub headers: ureq::http::HeaderMap,
    /// The JSON; null if the answer has no body.
    pub body: Value,
}

impl Answer {
    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A key for a request that must happen once, however often it is sent.
pub fn idempotency_key() -> String {
    let mut bytes = [0; 16];
    adapters::rng().fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

impl Api {
    /// Checks address and key; connects to nothing yet.
    pub fn new(url: &str, key: Option<ApiKey>, timeout: Duration) -> Result<Self, ClientError> {
        let base = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .ok_or_else(|| {
                let example = "such as https://welcomat.example.com";
                ClientError::Usage(format!("the server's address must be a URL {example}"))
            })?;
        let visible = |key: &ApiKey| key.expose().bytes().all(|b| b.is_ascii_graphic());
        if !key.as_ref().is_none_or(visible) {
            let words = "the API key has characters that no key has; copy it again";
            return Err(ClientError::Usage(words.to_owned()));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // Another address must not get the key.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .timeout_connect(Some(timeout.min(MAX_CONNECT)))
            .user_agent(concat!("welcomat/", env!("CARGO_PKG_VERSION")))
            .accept("application/json");
        if base.scheme() == "https" {
            config = config.tls_config(TlsConfig::builder().root_certs(roots()).build());
        }
        Ok(Self { agent: config.build().new_agent(), base, key })
    }

    /// Reads; tries again if no answer comes.
    pub fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, ClientError> {
        let url = self.with_query(path, query);
        persist(|| self.send(&Method::GET, &url, None, None))
    }

    /// Sends a value, once.
    pub fn post(&self, path: &[&str], body: &Value) -> Result<Answer, ClientError> {
        self.send(&Method::POST, &self.url(path), Some(body), None)
    }

    /// Sends a value; tries again if no answer comes, which the key makes safe.
    pub fn post_with_key(
        &self,
        path: &[&str],
        body: &Value,
        idempotency_key: &str,
    ) -> Result<Answer, ClientError> {
        let url = self.url(path);
        persist(|| self.send(&Method::POST, &url, Some(body), Some(idempotency_key)))
    }

    /// Sends a mail as it arrived; tries again if no answer comes, for what is known changes nothing.
    pub fn post_mail(&self, path: &[&str], mail: &[u8]) -> Result<Answer, ClientError> {
        let url = self.url(path);
        persist(|| {
            let request = self.request(&Method::POST, &url, None);
            let request = request.header("Content-Type", "message/rfc822");
            let response = self.agent.run(request.body(mail).map_err(unwritable)?);
            self.read(response.map_err(|error| self.unreachable(&error))?)
        })
    }

    /// Sends a form without fields, which the server answers by leading a browser on.
    pub fn post_form(&self, path: &[&str]) -> Result<(), ClientError> {
        let request = self.request(&Method::POST, &self.url(path), None);
        let response = self.agent.run(request.body(()).map_err(unwritable)?);
        let response = response.map_err(|error| self.unreachable(&error))?;
        if response.status() == StatusCode::SEE_OTHER {
            return Ok(());
        }
        self.read(response).map(drop)
    }

    /// Sends what a reader gives, as something other than JSON; once, because it can be read once.
    pub fn post_stream(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        content_type: &str,
        body: impl Read + 'static,
        idempotency_key: &str,
    ) -> Result<Answer, ClientError> {
        let url = self.with_query(path, query);
        let request = self.request(&Method::POST, &url, Some(idempotency_key));
        let request = request.header("Content-Type", content_type);
        let request = request.body(SendBody::from_owned_reader(body)).map_err(unwritable)?;
        let request = request.with_agent(&self.agent).configure();
        let sent = request.timeout_global(Some(STREAM)).build().run();
        self.read(sent.map_err(|error| self.unreachable(&error))?)
    }

    /// Reads something other than JSON, of any length, and hands it on as it comes.
    pub fn get_stream(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        mut to: impl Write,
    ) -> Result<(), ClientError> {
        let url = self.with_query(path, query);
        let request = self.request(&Method::GET, &url, None).header("Accept", "*/*");
        let request = request.body(()).map_err(unwritable)?.with_agent(&self.agent).configure();
        let answer = request.timeout_global(Some(STREAM)).build().run();
        let mut answer = answer.map_err(|error| self.unreachable(&error))?;
        if answer.status() != StatusCode::OK {
            return self.read(answer).map(drop);
        }
        let copied = std::io::copy(&mut answer.body_mut().as_reader(), &mut to);
        match copied.and_then(|_| to.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Err(ClientError::OutputClosed)
            }
            Err(error) => Err(ClientError::Local(format!("the answer broke off: {error}"))),
        }
    }

    /// Changes, once.
    pub fn patch(&self, path: &[&str], body: &Value) -> Result<Answer, ClientError> {
        self.send(&Method::PATCH, &self.url(path), Some(body), None)
    }

    /// Replaces, once.
    pub fn put(&self, path: &[&str], body: &Value) -> Result<Answer, ClientError> {
        self.send(&Method::PUT, &self.url(path), Some(body), None)
    }

    /// Replaces by a file, once.
    pub fn put_file(
        &self,
        path: &[&str],
        content_type: &str,
        file: &[u8],
    ) -> Result<Answer, ClientError> {
        let request = self.request(&Method::PUT, &self.url(path), None);
        let request = request.header("Content-Type", content_type);
        let response = self.agent.run(request.body(file).map_err(unwritable)?);
        self.read(response.map_err(|error| self.unreachable(&error))?)
    }

    /// Removes, once.
    pub fn delete(&self, path: &[&str]) -> Result<Answer, ClientError> {
        self.send(&Method::DELETE, &self.url(path), None, None)
    }

    fn with_query(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn request(&self, method: &Method, url: &Url, idempotency_key: Option<&str>) -> Builder {
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {}", key.expose()));
        }
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        request
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Only a URL without host has no segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn send(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer, ClientError> {
        let request = self.request(method, url, idempotency_key);
        let response = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_string()).map_err(unwritable)?)
            }
            None => self.agent.run(request.body(()).map_err(unwritable)?),
        };
        self.read(response.map_err(|error| self.unreachable(&error))?)
    }

    fn read(&self, response: Response<Body>) -> Result<Answer, ClientError> {
        let (head, mut body) = response.into_parts();
        let bytes = body.with_config().limit(MAX_ANSWER).read_to_vec();
        let bytes = bytes.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => {
                ClientError::Local(format!("the answer has more than {MAX_ANSWER} bytes"))
            }
            error => self.unreachable(&error),
        })?;
        let json = serde_json::from_slice(&bytes);
        let status = head.status;
        if status.is_client_error() || status.is_server_error() {
            let after = head.headers.get("Retry-After").and_then(|value| value.to_str().ok());
            let refused = ClientError::refused(
                status.as_u16(),
                &json.unwrap_or_default(),
                after.map(str::to_owned),
            );
            return Err(self.without_key(refused));
        }
        if !status.is_success() {
            let to = head.headers.get("Location").and_then(|value| value.to_str().ok());
            let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
            let words = format!("{} sends us on{to}; give that address with --url", self.base);
            return Err(ClientError::Local(words));
        }
        let body = if status == StatusCode::NO_CONTENT { Ok(Value::Null) } else { json };
        let body = body.map_err(|_| {
            let words = format!("{} answers, but not as a Welcomat does; check --url", self.base);
            ClientError::Local(words)
        })?;
        Ok(Answer { headers: head.headers, body })
    }

    fn unreachable(&self, error: &ureq::Error) -> ClientError {
        let reason = match error {
            ureq::Error::Io(error) => without_number(&error.to_string()).to_owned(),
            ureq::Error::HostNotFound => "nobody knows this host".to_owned(),
            other => other.to_string(),
        };
        ClientError::Unreachable { url: self.base.to_string(), reason }
    }

    /// A server that repeats the key in its answer must not bring it onto a screen or into a log.
    fn without_key(&self, error: ClientError) -> ClientError {
        match (error, &self.key) {
            (ClientError::Refused { status, words, retry_after }, Some(key))
                if !key.expose().is_empty() =>
            {
                let words = words.replace(key.expose(), "(the key)");
                ClientError::Refused { status, words, retry_after }
            }
            (error, _) => error,
        }
    }
}

/// Repeats what got no answer; an answer, whatever it says, is never asked for again.
fn persist(send: impl Fn() -> Result<Answer, ClientError>) -> Result<Answer, ClientError> {
    for pause in PAUSES {
        match send() {
            Err(ClientError::Unreachable { .. }) => std::thread::sleep(pause),
            answer => return answer,
        }
    }
    send()
}

/// The system's words for an error, without the number that it adds.
fn without_number(words: &str) -> &str {
    words.split_once(" (os error").map_or(words, |(words, _)| words)
}

fn unwritable(error: impl std::fmt::Display) -> ClientError {
    ClientError::Usage(format!("the request cannot be written: {error}"))
}

/// The system's certificates, so that a company's own authority counts; else Mozilla's.
fn roots() -> RootCerts {
    let certificates = rustls_native_certs::load_native_certs().certs;
    if certificates.is_empty() {
        return RootCerts::WebPki;
    }
    RootCerts::from(certificates.iter().map(|der| Certificate::from_der(der).to_owned()))
}
