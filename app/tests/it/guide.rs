//! The guide: what is made from the program is as the program makes it, and every link leads on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_reference_of_settings_is_the_programs_own() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_welcomat"));
    let said = program.args(["config", "reference"]).output().unwrap();
    let made = String::from_utf8(said.stdout).unwrap();
    let page = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let how = "cargo run -- config reference > docs/settings.md";
    assert!(page == made, "docs/settings.md is out of date: {how}");
    assert!(made.contains("| `jwt.secret` | `WELCOMAT_JWT_SECRET` |"), "{made}");
}

#[test]
fn every_link_of_the_guide_leads_to_a_file() {
    let mut pages = vec![root().join("README.md"), root().join("SECURITY.md")];
    collect(&root().join("docs"), &mut pages);
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '#']).next()) {
            let elsewhere = link.is_empty() || link.contains("://") || link.starts_with("mailto:");
            let target = page.parent().unwrap().join(link);
            assert!(elsewhere || target.exists(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn every_test_that_the_table_of_abuse_names_exists() {
    let page = fs::read_to_string(root().join("docs/abuse.md")).unwrap();
    for row in page.lines().filter(|line| line.starts_with("| A")) {
        let files = row.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let named = |file: &str| fs::read_to_string(root().join("docs").join(file)).unwrap();
        let sources: String = files.map(named).collect();
        for name in row.split('`').filter(|text| text.matches('_').count() > 2) {
            let told = sources.is_empty() || sources.contains(&format!("fn {name}("));
            assert!(told, "{name} is in none of the files of its row: {row}");
        }
        assert!(row.contains("](") || row.contains("the same") || row.contains("*later*"), "{row}");
    }
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|kind| kind == "md") {
            pages.push(path);
        }
    }
}
