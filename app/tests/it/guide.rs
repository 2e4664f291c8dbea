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
        assert_named_tests_exist(row);
        let shown = row.contains("](") || row.contains("the same");
        assert!(shown && !row.contains("*later*"), "nothing shows it: {row}");
    }
}

#[test]
fn every_crash_point_is_in_the_guide_with_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let chapter =
        page.split("\n### ").find(|chapter| chapter.starts_with("Crash points\n")).unwrap();
    let rows: Vec<&str> = chapter.lines().filter(|line| line.starts_with("| C")).collect();
    for (row, number) in rows.iter().zip(1..) {
        assert!(row.starts_with(&format!("| C{number} |")) && row.contains("]("), "{row}");
        assert_named_tests_exist(row);
    }
    assert_eq!(rows.len(), 37);
}

#[test]
fn every_row_of_the_comparison_links_to_tests() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let chapter = page.split("\n## ").find(|chapter| chapter.starts_with("Compared\n")).unwrap();
    let rows = chapter.lines().filter(|line| line.starts_with("| ") && !line.contains("| Here |"));
    let mut shown = 0;
    for row in rows {
        let links = row.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let tests: Vec<&str> = links.filter(|link| !has_extension(link, "md")).collect();
        assert!(!tests.is_empty(), "no test shows it: {row}");
        for link in tests.into_iter().filter(|link| has_extension(link, "rs")) {
            let source = fs::read_to_string(root().join(link)).unwrap();
            let has_one = source.contains("#[test]") || source.contains("on_both_stacks!(");
            assert!(has_one, "{link} has no test: {row}");
        }
        shown += 1;
    }
    assert!(shown > 20, "the table is written in another way: {shown} rows");
}

/// Holds a row of a page in docs to the sources that it links to.
fn assert_named_tests_exist(row: &str) {
    let files = row.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let named = |file: &str| fs::read_to_string(root().join("docs").join(file)).unwrap();
    let sources: String = files.map(named).collect();
    for name in row.split('`').filter(|text| text.matches('_').count() > 2) {
        let told = sources.is_empty() || sources.contains(&format!("fn {name}("));
        assert!(told, "{name} is in none of the files of its row: {row}");
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

fn has_extension(link: &str, extension: &str) -> bool {
    Path::new(link).extension().is_some_and(|found| found == extension)
}
