//! Any settings file, and any value in a variable: settings in force, or one sentence.
#![no_main]

use std::sync::LazyLock;
use std::{env, fs, process};

use adapters::settings::{Settings, duration};

static FILE: LazyLock<std::path::PathBuf> =
    LazyLock::new(|| env::temp_dir().join(format!("welcomat-fuzz-{}.toml", process::id())));

libfuzzer_sys::fuzz_target!(|text: &str| {
    fs::write(&*FILE, text).expect("the temporary folder can be written");
    told(Settings::load(Some(&FILE), std::iter::empty()));
    // A variable and its value, `HTTP_BIND=…`.
    if let Some((name, value)) = text.split_once('=') {
        let variable = (format!("WELCOMAT_{}", name.trim_end_matches("_FILE")), value.to_owned());
        told(Settings::load(None, std::iter::once(variable)));
    }
    if let Some(read) = duration::parse(text) {
        assert_eq!(duration::parse(&duration::format(read)), Some(read));
    }
});

fn told(result: Result<Settings, adapters::settings::SettingsError>) {
    match result {
        Ok(settings) => assert!(!settings.redacted().to_string().is_empty()),
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
}
