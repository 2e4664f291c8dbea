//! The section about traces.

use serde::{Serialize, Serializer};
use url::Url;

use super::SettingsError;
use super::source::Leaves;

/// Who is told where time goes, and of how many requests.
#[derive(Debug, Clone, Serialize)]
pub struct TraceSettings {
    /// The collector, which takes OTLP over HTTP at `v1/traces` below it; nothing is traced without.
    #[serde(serialize_with = "shown")]
    pub endpoint: Option<Url>,
    /// How many of the traces that begin here are sampled: 0 to 1.
    pub ratio: f64,
}

impl TraceSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            endpoint: values.text("traces.endpoint", endpoint)?,
            ratio: values.fraction("traces.ratio")?,
        })
    }
}

/// As the file has it.
#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn shown<S: Serializer>(endpoint: &Option<Url>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(endpoint.as_ref().map_or("", Url::as_str))
}

/// A log-in has its place in `OTEL_EXPORTER_OTLP_HEADERS`; here it would show.
fn endpoint(text: &str) -> Result<Option<Url>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .filter(|url| url.username().is_empty() && url.password().is_none());
    url.map(Some).ok_or_else(|| {
        "must be empty or an http:// or https:// URL without query, fragment and password, such as \
         http://localhost:4318"
            .to_owned()
    })
}
