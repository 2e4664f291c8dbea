//! Settings as an operator meets them: what a file and variables make of the defaults, and the
//! exact sentence for everything that is refused.

use std::path::Path;
use std::time::Duration;

use adapters::settings::{JwksSource, LogFormat, Settings, env_name};

fn load(file: &str, env: &[(&str, &str)]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("welcomat.toml");
    std::fs::write(&path, file).map_err(|error| error.to_string())?;
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let folder = format!("{}/", folder.path().display());
    Settings::load(Some(&path), env).map_err(|error| error.to_string().replace(&folder, ""))
}

#[test]
fn defaults_are_complete_and_fit_each_other() {
    let settings = Settings::load(None, std::iter::empty()).unwrap();
    assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(settings.database.url, "sqlite://./welcomat-data/welcomat.db");
    assert_eq!(settings.worker.prefetch, 256);
    assert_eq!(settings.mail.timeouts.final_dot, Duration::from_mins(10));
    assert_eq!(settings.retry.policy(), domain::RetryPolicy::default());
    assert!(settings.templates_dir.is_none() && settings.mail.helo.is_none());
    assert!(settings.mail.dkim.is_none() && settings.bootstrap.api_key.is_none());
    assert!(settings.http.workers > 0);
    assert!(settings.jwks.is_none() && settings.session_token_secret.is_none());
    assert!(settings.jwt.secret.is_none() && settings.jwt.issuer.is_none());
    assert_eq!(settings.jwt.leeway, Duration::from_mins(1));
    assert_eq!(settings.jwt.jwks_refresh, Duration::from_mins(10));
}

#[test]
fn every_key_is_reachable_by_its_variable() {
    let defaults: toml::Table = include_str!("../settings.default.toml").parse().unwrap();
    let mut env = Vec::new();
    collect("", &defaults, &mut env);
    assert!(env.len() > 50);
    let again = Settings::load(None, env.into_iter()).unwrap();
    assert_eq!(again.redacted(), Settings::load(None, std::iter::empty()).unwrap().redacted());
}

fn collect(prefix: &str, table: &toml::Table, env: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        let text = match value {
            toml::Value::Table(inner) => {
                collect(&format!("{key}."), inner, env);
                continue;
            }
            toml::Value::Array(items) => {
                items.iter().filter_map(|i| i.as_str()).collect::<Vec<_>>().join(", ")
            }
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        env.push((env_name(&key), text));
    }
}

#[test]
fn environment_wins_over_file_and_file_over_default() {
    let file = "[http]\nbind = \"0.0.0.0:9000\"\n[worker]\nconcurrency = 4\n[broker]\n";
    let settings = load(file, &[("WELCOMAT_WORKER_CONCURRENCY", "8")]).unwrap();
    assert_eq!(settings.http.bind.to_string(), "0.0.0.0:9000");
    assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:9000/");
    assert_eq!((settings.worker.concurrency, settings.worker.prefetch), (8, 128));
}

#[test]
fn variables_are_read_as_the_type_of_the_default() {
    let settings = load(
        "",
        &[
            ("WELCOMAT_RETRY_PAUSES", "1s, 250ms,3d"),
            ("WELCOMAT_PUBLIC_URL", "https://example.com/welcome"),
            ("WELCOMAT_DATA_DIR", "/var/lib/welcomat"),
            ("WELCOMAT_LOG_FORMAT", "json"),
            ("WELCOMAT_MAIL_HELO", "mx.example.com"),
            ("WELCOMAT_CONFIG", "x"),
            ("WELCOMAT_URL", "x"),
            ("WELCOMAT_API_KEY", "x"),
            ("WELCOMAT_PORT", "tcp://10.0.0.1:80"),
            ("WELCOMAT_API_SERVICE_HOST", "10.0.0.1"),
            ("WELCOMAT_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("HOME", "/root"),
        ],
    )
    .unwrap();
    let pauses = [1000, 250, 259_200_000].map(Duration::from_millis);
    assert_eq!(settings.retry.pauses, pauses);
    assert_eq!(settings.public_url.as_str(), "https://example.com/welcome/");
    assert_eq!(settings.database.url, "sqlite:///var/lib/welcomat/welcomat.db");
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.mail.helo.as_deref(), Some("mx.example.com"));
}

#[test]
fn a_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "top secret\n".replace(' ', "-")).unwrap();
    let path = path.to_str().unwrap();
    let settings = load("", &[("WELCOMAT_BOOTSTRAP_API_KEY_FILE", path)]).unwrap();
    assert_eq!(settings.bootstrap.api_key.as_deref(), Some("top-secret"));
}

#[test]
fn keys_for_tokens_come_from_a_url_or_a_file() {
    for (text, url) in [
        ("https://id.example/keys?tenant=1", true),
        ("http://localhost:8080/keys", true),
        ("http://127.0.0.1/keys", true),
        ("http://[::1]:8080/keys", true),
        ("/run/secrets/jwks.json", false),
        ("keys.json", false),
    ] {
        let source = load("", &[("WELCOMAT_JWKS", text)]).unwrap().jwks.unwrap();
        assert_eq!((source.to_string(), matches!(source, JwksSource::Url(_))), (text.into(), url));
    }
    let wanted = "WELCOMAT_JWKS must be an https:// URL without user and password (http:// is for \
                  localhost only) or the path of a file";
    for text in [
        "http://id.example/keys",
        "http://localhost.example/keys",
        "http://10.0.0.1/keys",
        "https://u:hush@id.example/keys",
        "https://u@id.example/keys",
        "https://",
        "file:///run/secrets/jwks.json",
    ] {
        assert_eq!(load("", &[("WELCOMAT_JWKS", text)]).unwrap_err(), wanted, "{text}");
    }
}

#[test]
fn secrets_of_tokens_must_be_long_enough() {
    let enough = "x".repeat(32);
    let short = "hush".repeat(7) + "123";
    for name in ["WELCOMAT_JWT_SECRET", "WELCOMAT_SESSION_TOKEN_SECRET"] {
        assert!(load("", &[(name, &enough)]).is_ok());
        let sentence =
            "must have at least 32 bytes, not 31: HS256 is as weak as its secret is short";
        assert_eq!(load("", &[(name, &short)]).unwrap_err(), format!("{name} {sentence}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, format!("{enough}\n")).unwrap();
    let settings = load("", &[("WELCOMAT_JWT_SECRET_FILE", path.to_str().unwrap())]).unwrap();
    assert_eq!(settings.jwt.secret, Some(enough));
}

#[test]
fn the_file_is_refused_in_one_sentence() {
    for (file, sentence) in [
        (
            "[http]\nbnid = \"x\"",
            "http.bnid in welcomat.toml is not a setting; did you mean http.bind?",
        ),
        ("[htp]", "htp in welcomat.toml is not a setting"),
        // A name may hold anything; the sentence stays one line, in the log too.
        ("\"a\\nb\\u001b\" = 1", "a\\nb\\u{1b} in welcomat.toml is not a setting"),
        ("http = 1", "http in welcomat.toml is a section, not a value"),
        ("[http.bind]", "http.bind in welcomat.toml must be a text, not a section"),
        (
            "[worker]\nlease = 20",
            "worker.lease in welcomat.toml must be a text, not a whole number",
        ),
        (
            "[worker]\nlease = \"20\"",
            "worker.lease in welcomat.toml must be a duration such as 250ms, 30s, 5m, 12h or 3d",
        ),
        (
            "[worker]\nconcurrency = 0",
            "worker.concurrency in welcomat.toml must be a number from 1 to 1024",
        ),
        (
            "[retry]\npauses = [1]",
            "retry.pauses in welcomat.toml must be a list of durations such as 1m, 5m, 1h",
        ),
    ] {
        assert_eq!(load(file, &[]).unwrap_err(), sentence, "{file}");
    }
    let syntax = load("[http]\nbind = secret", &[]).unwrap_err();
    assert!(syntax.starts_with("welcomat.toml is not valid TOML in line 2: "), "{syntax}");
    let away = Settings::load(Some(Path::new("/nowhere.toml")), std::iter::empty());
    let away = away.unwrap_err().to_string();
    assert!(away.starts_with("--config names the file /nowhere.toml, which cannot be read: "));
}

#[test]
fn the_standards_word_for_the_collector_counts_where_ours_is_not_said() {
    const STANDARD: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://standard:4318");
    const OURS: (&str, &str) = ("WELCOMAT_TRACES_ENDPOINT", "http://ours:4318/otel");
    let endpoint = |file: &str, env: &[(&str, &str)]| {
        let settings = load(file, env).unwrap().traces;
        settings.endpoint.map(|url| url.to_string()).unwrap_or_default()
    };
    assert_eq!(endpoint("", &[]), "");
    assert_eq!(endpoint("", &[STANDARD]), "http://standard:4318/");
    assert_eq!(endpoint("", &[STANDARD, OURS]), "http://ours:4318/otel");
    assert_eq!(endpoint("", &[OURS, STANDARD]), "http://ours:4318/otel");
    assert_eq!(endpoint("", &[(OURS.0, ""), STANDARD]), "", "off is said, too");
    assert_eq!(endpoint("[traces]\nendpoint = \"https://file\"", &[STANDARD]), "https://file/");
    let ratio = load("[traces]\nratio = 0.5", &[]).unwrap().traces.ratio;
    assert!((ratio - 0.5).abs() < f64::EPSILON);
}

#[test]
fn variables_are_refused_in_one_sentence() {
    let url = "must begin with capture: or smtp:// or smtps://";
    for (name, value, sentence) in [
        ("HTTP_BNID", "x", "is not a setting; did you mean WELCOMAT_HTTP_BIND?"),
        ("NONSENSE_FILE", "x", "is not a setting"),
        ("HTTP_BIND", "8080", "must be an address such as 127.0.0.1:8080, not \"8080\""),
        ("WORKER_CONCURRENCY", "many", "must be a whole number"),
        ("WORKER_CONCURRENCY", "-1", "must be a number from 1 to 1024"),
        ("RETRY_PAUSES", "", "must be a list of durations such as 1m, 5m, 1h"),
        ("MAIL_URL", "http://u:secret@h", url),
        ("MAIL_FROM", "nobody", "must be an address, or a name and an address in angle brackets"),
        ("BROKER_PREFIX", "a b", "must be 1 to 64 letters, digits, dots, dashes or underscores"),
        ("BOOTSTRAP_API_KEY", "a b", "must be visible ASCII characters without spaces"),
        ("LOG_FORMAT", "xml", "must be text or json, not \"xml\""),
        ("DATA_DIR", "", "must name a folder"),
        (
            "CONTRACTS_JOBSIM_TEMPORARY_PASSWORD",
            "sometimes",
            "must be never, when_not_mailed or always, not \"sometimes\"",
        ),
        ("CONTRACTS_USERS_ORGANIZATIONS_PREFIX", "main/", "must be empty or a path such as /main"),
        ("SEAL_KEYS", "k1:hush", "must have keys of 32 bytes (key 1)"),
        ("JWKS", " {\"keys\": []}", "must be a URL or the path of a file, not the keys themselves"),
        ("MAIL_PROVIDER", "acme", "must be postmark, sendgrid or empty, not \"acme\""),
        (
            "MAIL_RETURN_PATH",
            "bounces+x@example.com",
            "must be an address such as bounces@example.com, with at most 14 letters, digits, dots, \
             dashes or underscores before the @",
        ),
        (
            "FEEDBACK_SES_TOPICS",
            "bounces",
            "must list topics such as arn:aws:sns:eu-central-1:123456789012:bounces",
        ),
        (
            "FEEDBACK_SENDGRID_KEY",
            "MFkwEwYHKoZIzj0CAQY",
            "must be the verification key as SendGrid shows it: a key on P-256 in base64",
        ),
        (
            "FEEDBACK_POSTMARK_LOGIN",
            "postmark:hush",
            "must be user:password, the password of at least 16 bytes",
        ),
        ("FEEDBACK_MAILGUN_KEY", "hush", "must have at least 16 bytes"),
        (
            "FEEDBACK_DSN_SECRET",
            "a secret with spaces",
            "must be of visible ASCII characters without spaces",
        ),
        ("TRACES_RATIO", "1.5", "must be a number from 0.0 to 1.0"),
        ("TRACES_RATIO", "half", "must be a number"),
        (
            "TRACES_ENDPOINT",
            "http://me:hush@collector",
            "must be empty or an http:// or https:// URL without query, fragment and password, such \
             as http://localhost:4318",
        ),
        ("JWT_LEEWAY", "60", "must be a duration such as 250ms, 30s, 5m, 12h or 3d"),
        (
            "PUBLIC_URL",
            "example.com",
            "must be an http:// or https:// URL without query, fragment and password",
        ),
    ] {
        let name = format!("WELCOMAT_{name}");
        assert_eq!(load("", &[(&name, value)]).unwrap_err(), format!("{name} {sentence}"));
    }
    let odd = load("", &[("WELCOMAT_A\nB", "x")]).unwrap_err();
    assert_eq!(odd, "WELCOMAT_A\\nB is not a setting");
}

#[test]
fn contradictions_are_refused_in_one_sentence() {
    for (env, sentence) in [
        (
            vec![("WELCOMAT_WORKER_LEASE", "14m")],
            "worker.lease (14m) must be at least one and a half times mail.timeouts.final_dot (10m)",
        ),
        (
            vec![("WELCOMAT_RELAY_LOCK", "10s")],
            "relay.lock (10s) must be longer than broker.confirm_timeout (10s)",
        ),
        (
            vec![
                ("WELCOMAT_HTTP_REQUEST_TIMEOUT", "20s"),
                ("WELCOMAT_CONTRACTS_SYNC_WAIT_MS", "20000"),
            ],
            "http.request_timeout (20s) must be longer than contracts.sync_wait_ms (20s)",
        ),
        (
            vec![("WELCOMAT_RETRY_BREAKER_MIN", "2m")],
            "retry.breaker_max (1m) must not be shorter than retry.breaker_min (2m)",
        ),
        (
            vec![("WELCOMAT_MAIL_DKIM_KEY", "secret"), ("WELCOMAT_MAIL_DKIM_DOMAIN", "a.example")],
            "mail.dkim.selector is missing: mail.dkim needs selector, domain and key",
        ),
        (
            vec![("WELCOMAT_LOG_FILTER", "info"), ("WELCOMAT_LOG_FILTER_FILE", "/dev/null")],
            "WELCOMAT_LOG_FILTER and WELCOMAT_LOG_FILTER_FILE are both set; keep one of them",
        ),
    ] {
        assert_eq!(load("", &env).unwrap_err(), sentence);
    }
}

#[test]
fn no_view_of_the_settings_shows_a_secret() {
    let key = format!("k1:{}", "QUJD".repeat(10) + "QUI=");
    let settings = load(
        "",
        &[
            ("WELCOMAT_DATABASE_URL", "postgres://u:hush@db/w"),
            ("WELCOMAT_BROKER_URL", "amqp://u:hush@mq:5672"),
            ("WELCOMAT_MAIL_URL", "smtp://u:hush@mx:587?tls=required"),
            ("WELCOMAT_SEAL_KEYS", &key),
            ("WELCOMAT_BOOTSTRAP_API_KEY", "hush"),
            ("WELCOMAT_MAIL_DKIM_SELECTOR", "s"),
            ("WELCOMAT_MAIL_DKIM_DOMAIN", "d.example"),
            ("WELCOMAT_MAIL_DKIM_KEY", "hush"),
            ("WELCOMAT_JWT_SECRET", &"hush".repeat(8)),
            ("WELCOMAT_SESSION_TOKEN_SECRET", &"hush".repeat(8)),
        ],
    )
    .unwrap();
    let (database, mail) = (&settings.database, &settings.mail);
    let parts = format!(
        "{database:?} {mail:?} {:?} {:?} {:?}",
        settings.broker, settings.bootstrap, settings.jwt
    );
    let shown = toml::to_string(&settings.redacted()).unwrap();
    for view in [format!("{settings:?}"), parts, shown.clone()] {
        assert!(!view.contains("hush") && !view.contains("QUJD"), "{view}");
        assert!(view.contains("u:***@mx:587"), "{view}");
    }
    assert!(
        shown.contains("seal_keys = \"***\"")
            && shown.contains("session_token_secret = \"***\"")
            && shown.contains("lease = \"20m\""),
        "{shown}"
    );
}
