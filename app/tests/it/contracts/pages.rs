//! The curl example of each contract's chapter, run as it stands there: the page's own example with
//! only the host, the token and what is the reader's own filled in.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::users_organizations::{admin, session};
use crate::harness::{KEY, Stack, TestApp, block_on};

/// Runs the chapter's first shell block; gives the status and the body.
fn run(app: &TestApp, chapter: &str, own: &[(&str, &str)]) -> (u16, Value) {
    let path = format!("{}/../docs/contracts/{chapter}.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(path).unwrap();
    let block = page.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let curl = block.trim().strip_prefix("curl ").expect("the block is a call of curl");
    let script = format!("curl --silent --write-out '\\n%{{http_code}}' {curl}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::null()).env("no_proxy", "*");
    shell.env("WELCOMAT_URL", &app.url).env("WELCOMAT_API_KEY", KEY).envs(own.iter().copied());
    let said = shell.output().expect("sh and curl are installed");
    let text = String::from_utf8(said.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).expect(body))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_example_of_jobsim_works() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let (status, said) = run(&app, "jobsim", &[("ORGANIZATION_ID", &app.organization)]);
        assert_eq!(status, 200, "{said}");
        let all = ["user", "organization_name", "email_sent", "temporary_password"];
        assert_eq!(keys(&said), all);
        assert_eq!(said["email_sent"], true);
    });
}

#[test]
fn the_example_of_goldleaf_works() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let (status, said) = run(&app, "goldleaf", &[]);
        assert_eq!(status, 200, "{said}");
        assert_eq!(said["results"].as_array().map(Vec::len), Some(2));
        let all = ["index", "email", "status", "invitation_id"];
        assert!(said["results"].as_array().unwrap().iter().all(|result| keys(result) == all));
    });
}

#[test]
fn the_example_of_doit_works() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let (status, said) = run(&app, "doit", &[]);
        assert_eq!(status, 201, "{said}");
        assert_eq!(keys(&said), ["message", "user"]);
        assert_eq!(said["user"]["jobTitle"], "Software / Ops Engineer");
    });
}

#[test]
fn the_example_of_users_organizations_works() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let user = admin(&app).await;
        let (number, token) = (user.to_string(), session(&app, user));
        let own = [("USER_ID", &*number), ("SESSION_TOKEN", &token)];
        let (status, said) = run(&app, "users-organizations", &own);
        assert_eq!(status, 201, "{said}");
        assert_eq!(keys(&said), ["data"]);
        assert_eq!(said["data"]["permissions"]["manage"], serde_json::json!([1, 2]));
    });
}
