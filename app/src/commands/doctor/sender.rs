//! The sender's domain in DNS: what other mail servers look for before they believe a mail.

use std::net::SocketAddr;

use adapters::dns::{DnsError, Resolver};
use adapters::settings::Settings;

use super::finding::Finding;

/// Looks at SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489) and MX of the domain in `mail.from`.
pub async fn examine(settings: &Settings, server: Option<SocketAddr>) -> Vec<Finding> {
    // Captured mails are looked at by nobody.
    if settings.mail.url.starts_with("capture:") {
        return Vec::new();
    }
    let Some(resolver) = server.map(Resolver::at).or_else(Resolver::of_system) else {
        let todo = "name one with --dns 192.0.2.1:53";
        return vec![Finding::doubtful("DNS", "this machine knows no DNS server", todo)];
    };
    let domain = settings.mail.domain();
    let mut findings = vec![spf(&resolver, domain).await];
    if let Some(dkim) = &settings.mail.dkim {
        findings.push(dkim_key(&resolver, &dkim.selector, &dkim.domain).await);
    }
    findings.push(dmarc(&resolver, domain).await);
    findings.push(bounces(&resolver, domain).await);
    findings
}

async fn spf(resolver: &Resolver, domain: &str) -> Finding {
    const WHAT: &str = "SPF";
    let texts = match resolver.texts(domain).await {
        Ok(texts) => texts,
        Err(error) => return unknown(WHAT, &error),
    };
    let policies = texts.iter().filter(|text| is_version(text, "v=spf1"));
    match policies.count() {
        1 => Finding::good(WHAT, format!("{domain} says who may send in its name")),
        0 => {
            let todo = "publish a TXT record that names your mail server: \
                        \"v=spf1 include:… -all\"";
            Finding::bad(WHAT, format!("{domain} has no SPF record"), todo)
        }
        // RFC 7208 §4.5: more than one is an error, and none counts.
        many => Finding::bad(WHAT, format!("{domain} has {many} SPF records"), "leave one of them"),
    }
}

async fn dkim_key(resolver: &Resolver, selector: &str, domain: &str) -> Finding {
    const WHAT: &str = "DKIM";
    let name = format!("{selector}._domainkey.{domain}");
    match resolver.texts(&name).await {
        Ok(texts) if texts.iter().any(|text| has_key(text)) => {
            Finding::good(WHAT, format!("{name} has a key"))
        }
        Ok(_) => {
            let todo = "publish the public half of mail.dkim.key there: without it, every \
                        signature is a wrong one";
            Finding::bad(WHAT, format!("{name} has no key"), todo)
        }
        Err(error) => unknown(WHAT, &error),
    }
}

async fn dmarc(resolver: &Resolver, domain: &str) -> Finding {
    const WHAT: &str = "DMARC";
    let name = format!("_dmarc.{domain}");
    match resolver.texts(&name).await {
        Ok(texts) if texts.iter().any(|text| is_version(text, "v=DMARC1")) => {
            Finding::good(WHAT, format!("{name} has a policy"))
        }
        Ok(_) => {
            let todo = "publish one, \"v=DMARC1; p=none\" to begin with: large mailbox providers \
                        want it";
            Finding::doubtful(WHAT, format!("{name} has no policy"), todo)
        }
        Err(error) => unknown(WHAT, &error),
    }
}

async fn bounces(resolver: &Resolver, domain: &str) -> Finding {
    const WHAT: &str = "MX";
    match resolver.mail_servers(domain).await {
        // RFC 7505: a single dot takes no mail.
        Ok(servers) if servers.iter().any(|server| !server.is_empty() && server != ".") => {
            Finding::good(WHAT, format!("{domain} takes mail"))
        }
        Ok(_) => {
            let todo = "let the domain in mail.from take mail: otherwise nobody hears of bounces, \
                        and some servers refuse the sender";
            Finding::doubtful(WHAT, format!("{domain} takes no mail"), todo)
        }
        Err(error) => unknown(WHAT, &error),
    }
}

fn unknown(what: &'static str, error: &DnsError) -> Finding {
    Finding::doubtful(what, error.to_string(), "ask another server with --dns")
}

/// Whether a record is of this kind: the version, alone or before what follows it.
fn is_version(text: &str, version: &str) -> bool {
    text.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ';']))
}

/// Whether a record has a key that is not revoked by being empty (RFC 6376 §3.6.1).
fn has_key(text: &str) -> bool {
    let tags = text.split(';').filter_map(|tag| tag.split_once('='));
    tags.filter(|(name, _)| name.trim() == "p").any(|(_, key)| !key.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_known_by_its_version() {
        assert!(is_version("v=spf1 -all", "v=spf1") && is_version("v=spf1", "v=spf1"));
        assert!(!is_version("v=spf10 -all", "v=spf1"));
        assert!(is_version("v=DMARC1;p=none", "v=DMARC1"));
    }

    #[test]
    fn an_empty_key_is_a_revoked_one() {
        assert!(has_key("v=DKIM1; k=rsa; p=MIIB"));
        assert!(!has_key("v=DKIM1; p="));
        assert!(!has_key("v=spf1 -all"));
    }
}
