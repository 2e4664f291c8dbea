//! The document and the page that shows it: for everybody, once, and without another server.

use std::process::Command;

use crate::harness::{Stack, TestApp, block_on};

#[test]
fn everybody_can_read_the_document_and_need_not_read_it_twice() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let stranger = app.client.clone().with_key(None);
        let first = stranger.get("/openapi.json").await.unwrap();
        assert_eq!((first.status, &first.json()["openapi"]), (200, &"3.1.0".into()));
        let tag = first.header("etag").unwrap();
        let known = [("If-None-Match", tag)];
        let again = stranger.send("GET", "/openapi.json", &known, b"").await.unwrap();
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(again.header("etag"), Some(tag));
    });
}

#[test]
fn the_command_prints_the_same_document() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let command = Command::new(env!("CARGO_BIN_EXE_welcomat")).arg("openapi").output().unwrap();
        let printed = String::from_utf8(command.stdout).unwrap();
        assert_eq!(printed.trim_end(), app.client.get("/openapi.json").await.unwrap().text());
    });
}

#[test]
fn the_page_has_all_it_needs_from_here() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let page = app.client.get("/docs").await.unwrap();
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
        let html = page.text();
        assert!(!html.contains("//"), "names another server: {html}");
        let scripts: Vec<&str> = html.split("src=\"").skip(1).map(until_quote).collect();
        assert_eq!(scripts, ["docs/scalar.js", "docs/start.js"]);
        let gzip = [("Accept-Encoding", "gzip")];
        for script in scripts {
            let script = app.client.send("GET", &format!("/{script}"), &gzip, b"").await.unwrap();
            assert_eq!(script.status, 200);
            assert_eq!(script.header("content-encoding"), Some("gzip"));
            assert!(script.body.len() < 2_000_000, "a phone has to load {}", script.body.len());
        }
    });
}

fn until_quote(text: &str) -> &str {
    text.split('"').next().unwrap()
}
