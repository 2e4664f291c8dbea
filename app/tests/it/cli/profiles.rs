//! Where server and key come from: flags, then the environment, then the profile file.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::{Call, Recorder, welcomat};

/// A home with this profile file.
fn home(profiles: &str, mode: u32) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/welcomat");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("profiles.toml");
    std::fs::write(&file, profiles).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    home
}

fn call(home: &Path, arguments: &str) -> Call {
    welcomat(arguments).env("HOME", home.to_str().unwrap())
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_profile() {
    let server = Recorder::says(200, &json!({"data": [], "next_cursor": null}));
    let url = &server.url;
    let profiles = format!(
        "[default]\nurl = {url:?}\napi_key = \"wlc_default\"\n[other]\nurl = {url:?}\napi_key = \"wlc_other\""
    );
    let home = home(&profiles, 0o600);
    let call = |arguments: &str| call(home.path(), arguments);
    for (call, key) in [
        (call("keys list"), "wlc_default"),
        (call("keys list --profile other"), "wlc_other"),
        (call("keys list").env("WELCOMAT_API_KEY", "wlc_env\n"), "wlc_env"),
        (call("keys list").env("WELCOMAT_API_KEY", ""), "wlc_default"),
        (call("keys list --api-key wlc_flag").env("WELCOMAT_API_KEY", "wlc_env"), "wlc_flag"),
        (call("keys list --profile other").env("WELCOMAT_API_KEY", "wlc_env"), "wlc_env"),
        (
            welcomat("keys list")
                .env("XDG_CONFIG_HOME", home.path().join(".config").to_str().unwrap()),
            "wlc_default",
        ),
    ] {
        let said = call.run();
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        let asked = server.asked();
        let sent = asked.last().unwrap().header("authorization");
        assert_eq!(sent, Some(&*format!("Bearer {key}")));
    }
    let elsewhere = Recorder::says(200, &json!({"data": []}));
    call("keys list").env("WELCOMAT_URL", &elsewhere.url).run().good();
    let flag = format!("keys list --url {}", elsewhere.url);
    call(&flag).env("WELCOMAT_URL", "http://127.0.0.1:1").run().good();
    assert_eq!(elsewhere.asked().len(), 2);
}

#[test]
fn a_file_that_others_can_read_earns_a_warning() {
    let server = Recorder::says(200, &json!({"data": []}));
    let home = home(&format!("[default]\nurl = {:?}", server.url), 0o644);
    let said = call(home.path(), "keys list").run();
    assert_eq!(said.code, 0);
    assert!(said.err.contains("warning: others can read the keys in "), "{said:?}");
    assert!(said.err.contains("profiles.toml; run `chmod 600 "), "{said:?}");
}

#[test]
fn a_profile_that_is_of_no_use_is_a_local_error_that_shows_no_key() {
    for (profiles, arguments, words) in [
        ("[default]", "keys list --profile other", "there is no profile \"other\""),
        ("[default]\napi_key = wlc_secret", "keys list", "line 2 is not TOML"),
        ("default = \"wlc_secret\"", "keys list", "[default] must be a section"),
        ("[default]\napi_key = 5", "keys list", "[default] needs a text as api_key"),
        ("[default]\nkey = \"wlc_secret\"", "keys list", "has the unknown name key"),
    ] {
        let home = home(profiles, 0o600);
        let said = call(home.path(), arguments).run();
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains(words) && !said.err.contains("wlc_secret"), "{said:?}");
    }
    let said = welcomat("keys list --profile other").run();
    assert_eq!(said.code, 1);
    assert!(said.err.contains("there is no /nonexistent/.config/welcomat"), "{said:?}");
}
