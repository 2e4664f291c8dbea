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
    let mut pages = vec![root().join("README.md")];
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
