//! What organizations write and what is in mails, given whatever somebody may type.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "support/fuzzed.rs"]
mod fuzzed;

use fuzzed::{mail_check, template};
use proptest::prelude::*;

/// What templates are made of, in an order that nobody would write.
const TEMPLATE: &str = "(\\{\\{(#if |/if|else|#unless |/unless|t |#> mail/layout\\.html|/mail/layout\\.html|\
    !|!--|~)?(accept_url|role|inviter|\"mail\\.accept\"|eq|\\(|\\))?\\}\\}|<p>|\n|\u{e9}|x|\u{1f}){0,12}";
/// The same of mails.
const MAIL: &str = "(<(a|p|div|table|td|img|style|!--\\[if mso\\]>|!\\[endif\\]--|/p)?( (href|style|src|width)=\
    ['\"]?(https://a\\.example/|color:red;|#|padding:8px|max-width:3em)['\"]?)?>?|\\PC|\u{1f}){0,30}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_template_is_taken_or_told_what_is_wrong(typed in TEMPLATE, any: String) {
        template(&typed);
        template(&format!("s\u{1f}{typed}{{{{accept_url}}}}\u{1f}{{{{accept_url}}}}\u{1f}de"));
        template(&any);
    }

    #[test]
    fn every_mail_is_looked_at(typed in MAIL, any: String) {
        mail_check(&typed);
        mail_check(&any);
    }
}

#[test]
fn the_seeds_of_the_fuzzers_pass() {
    let targets = [("template", template as fn(&str)), ("mail_check", mail_check)];
    for (target, run) in targets {
        let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
        assert!(!files.is_empty());
        for file in files {
            run(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
        }
    }
}
