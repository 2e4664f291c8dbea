//! The reference of all settings as a page of the guide, made from the file of defaults.

use std::fmt::Write;

use super::source::{DEFAULTS, env_name};

const INTRODUCTION: &str = "\
# Settings

Made by `welcomat config reference`; `welcomat config check` shows what is in force.

A file given with `--config` may set any of these, in TOML, and the environment overrides the file. With `_FILE`
appended, a variable names a file that holds the value, for secrets. Lists are separated by commas in the environment.
Durations read `250ms`, `30s`, `5m`, `12h`, `3d`. What is unknown or wrong stops the start with one sentence.
";

/// Every setting with its variable, its default and its comment, section by section, in Markdown.
pub fn reference() -> String {
    let mut page = Page { text: INTRODUCTION.to_owned(), ..Page::default() };
    for line in DEFAULTS.lines().skip_while(|line| line.starts_with('#')) {
        page.take(line);
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    section: String,
    /// The comment above whatever comes next.
    comment: Vec<&'static str>,
    in_table: bool,
}

impl Page {
    fn take(&mut self, line: &'static str) {
        if let Some(comment) = line.strip_prefix('#') {
            self.comment.push(comment.trim());
        } else if let Some(section) = line.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            self.begin(section);
        } else if let Some((key, default)) = line.split_once(" = ") {
            self.row(key, default);
        } else {
            self.comment.clear();
        }
    }

    fn begin(&mut self, section: &str) {
        section.clone_into(&mut self.section);
        self.in_table = false;
        let comment = self.comment();
        // Writing to a String cannot fail.
        let _ = write!(self.text, "\n## `[{section}]`\n");
        if !comment.is_empty() {
            let _ = write!(self.text, "\n{comment}\n");
        }
    }

    fn row(&mut self, key: &str, default: &str) {
        if !self.in_table {
            self.text.push_str("\n| setting | variable | default | |\n|---|---|---|---|\n");
            self.in_table = true;
        }
        let path = if self.section.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.section)
        };
        let default = if default == "\"\"" { String::new() } else { format!("`{default}`") };
        let comment = self.comment();
        let variable = env_name(&path);
        let _ = writeln!(self.text, "| `{path}` | `{variable}` | {default} | {comment} |");
    }

    fn comment(&mut self) -> String {
        let comment = std::mem::take(&mut self.comment).join(" ");
        // Neither a column nor a tag of the page.
        comment.replace('|', "\\|").replace('<', "&lt;")
    }
}
