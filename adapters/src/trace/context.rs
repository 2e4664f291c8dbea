//! Where in a trace something belongs, as it travels: `traceparent` of W3C Trace Context.
//!
//! `tracestate` does not travel: nothing here has a use for it, and the outbox would have to keep it.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use super::remote;

/// A span that is sampled, named for those that follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: TraceId,
    span: SpanId,
}

/// What a client says of the trace that its request is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incoming {
    context: TraceContext,
    flags: TraceFlags,
}

impl TraceContext {
    /// Reads what [`TraceContext`]'s `Display` wrote; `None` for anything else, and for what is not
    /// sampled.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let Incoming { context, flags } = Incoming::parse(traceparent)?;
        flags.is_sampled().then_some(context)
    }

    /// The trace, for a log line that leads to it.
    pub fn trace_id(&self) -> String {
        self.trace.to_string()
    }

    pub(super) fn of(span: &SpanContext) -> Option<Self> {
        let (trace, id) = (span.trace_id(), span.span_id());
        (span.is_valid() && span.is_sampled()).then_some(Self { trace, span: id })
    }

    pub(super) fn into_parent(self) -> Context {
        remote(self.span_context())
    }

    pub(super) fn span_context(self) -> SpanContext {
        Incoming { context: self, flags: TraceFlags::SAMPLED }.span_context()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace, self.span)
    }
}

impl Incoming {
    /// Source: W3C Trace Context, §3.2. A later version may have more behind it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_hex =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut parts = text.trim().split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let (span, flags) = (parts.next()?, parts.next()?);
        let lengths = [version.len(), trace.len(), span.len(), flags.len()];
        let all_hex = [version, trace, span, flags].into_iter().all(is_hex);
        let too_many = version == "00" && parts.next().is_some();
        if lengths != [2, 32, 16, 2] || !all_hex || version == "ff" || too_many {
            return None;
        }
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        if trace == TraceId::INVALID || span == SpanId::INVALID {
            return None;
        }
        // What other bits mean is not known here.
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
        Some(Self { context: TraceContext { trace, span }, flags })
    }

    pub(super) fn into_parent(self) -> Context {
        remote(self.span_context())
    }

    fn span_context(self) -> SpanContext {
        let TraceContext { trace, span } = self.context;
        SpanContext::new(trace, span, self.flags, true, TraceState::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_context_comes_back_as_it_was_written() {
        let text = format!("00-{TRACE}-{SPAN}-01");
        let context = TraceContext::parse(&text).unwrap();
        assert_eq!((context.to_string(), context.trace_id()), (text, TRACE.to_owned()));
    }

    #[test]
    fn what_is_not_sampled_or_not_by_the_standard_is_no_context() {
        let zeros = "0".repeat(32);
        let (sampled, not_sampled) = (
            [
                format!("00-{TRACE}-{SPAN}-03"),
                format!("cc-{TRACE}-{SPAN}-01-later"),
                format!(" 00-{TRACE}-{SPAN}-01"),
            ],
            [
                format!("00-{TRACE}-{SPAN}-00"),
                format!("00-{TRACE}-{SPAN}-01-more"),
                format!("ff-{TRACE}-{SPAN}-01"),
                format!("00-{zeros}-{SPAN}-01"),
                format!("00-{TRACE}-0000000000000000-01"),
                format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
                format!("00-{TRACE}-{SPAN}"),
                format!("00-{TRACE}-{SPAN}-1"),
                format!("00-{TRACE}é-{SPAN}-01"),
                String::new(),
                "ann@example.com".to_owned(),
            ],
        );
        for text in sampled {
            assert!(TraceContext::parse(&text).is_some(), "{text}");
        }
        for text in not_sampled {
            assert_eq!(TraceContext::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn that_somebody_does_not_sample_is_heard() {
        let incoming = Incoming::parse(&format!("00-{TRACE}-{SPAN}-00")).unwrap();
        assert!(!incoming.flags.is_sampled());
    }
}
