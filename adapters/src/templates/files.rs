//! Where templates come from: embedded in the binary, some of them replaced by a folder's files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::TemplateError;
use super::language::{ENGLISH, Origin, canonical};

const STYLESHEET: &str = "pages.css";
const SCRIPT: &str = "pages.js";
const INBOX_SCRIPT: &str = "inbox.js";
/// What the names of the console's files begin with. They are for those who run the service, and no
/// part of what an operator makes their own.
const CONSOLE: &str = "console";
const TEMPLATE: &str = ".hbs";
/// The folder with a file of strings for each language.
const LANGUAGES: &str = "locales/";
const LANGUAGE: &str = ".toml";
/// Deep enough for `locale/mail/file`; ends the walk through a folder that links to itself.
const MAX_DEPTH: usize = 3;

#[derive(RustEmbed)]
#[folder = "../templates/"]
struct Embedded;

/// One file's text and the path that errors show for it.
#[derive(Clone)]
pub(super) struct File {
    pub shown: String,
    pub text: String,
}

/// All files by their path inside the templates folder, such as `mail/invitation.html.hbs`.
pub(super) struct Files {
    files: BTreeMap<String, File>,
    languages: BTreeMap<String, Vec<(Origin, File)>>,
}

/// Collects the embedded files, then those of the folder; the latter win.
pub(super) fn gather(override_dir: Option<&Path>) -> Result<Files, TemplateError> {
    let mut files = embedded();
    let Some(dir) = override_dir else { return Ok(files) };
    let mut found = Vec::new();
    walk(dir, MAX_DEPTH, &mut found)
        .map_err(|(path, source)| TemplateError::Read { path, source })?;
    for path in found {
        let relative = relative_name(dir, &path);
        if !is_ours(&relative) {
            continue;
        }
        let shown = path.display().to_string();
        if !files.replaces(&relative) {
            return Err(TemplateError::Unknown { file: shown });
        }
        let text = fs::read_to_string(&path)
            .map_err(|source| TemplateError::Read { path: path.clone(), source })?;
        files.add(relative, Origin::Own, File { shown, text });
    }
    Ok(files)
}

impl Files {
    /// The files of strings by the language's canonical tag, ours first.
    pub const fn languages(&self) -> &BTreeMap<String, Vec<(Origin, File)>> {
        &self.languages
    }

    /// The templates of all languages by name (`mail/invitation.html`).
    pub fn shared(&self) -> BTreeMap<String, File> {
        let is_shared = |path: &str| path.split('/').next().is_some_and(|top| !is_locale(top));
        let shared = self.files.iter().filter(|(path, _)| is_shared(path));
        shared.filter_map(|(path, file)| named(path, file)).collect()
    }

    /// The folders with templates for one language, such as `de` and `pt-br`.
    pub fn folders(&self) -> BTreeSet<&str> {
        let folders = self.files.keys().filter_map(|path| Some(path.split_once('/')?.0));
        folders.filter(|folder| is_locale(folder)).collect()
    }

    /// The templates of such a folder; those of all languages where it has none.
    pub fn of_folder(&self, folder: &str) -> BTreeMap<String, File> {
        let mut files = self.shared();
        // A language without strings of its own speaks English: then as the operator has that.
        let speaks_english = !self.languages.contains_key(&canonical(folder));
        let below = speaks_english.then_some(ENGLISH);
        for folder in below.into_iter().chain([folder]) {
            files.extend(self.files.iter().filter_map(|(path, file)| {
                named(path.strip_prefix(folder)?.strip_prefix('/')?, file)
            }));
        }
        files
    }

    /// The CSS of the pages.
    pub fn stylesheet(&self) -> String {
        self.text(STYLESHEET)
    }

    /// The JavaScript of the pages.
    pub fn script(&self) -> String {
        self.text(SCRIPT)
    }

    /// The JavaScript of the list of captured mails.
    pub fn inbox_script(&self) -> String {
        self.text(INBOX_SCRIPT)
    }

    /// The CSS and the JavaScript of the console.
    pub fn console(&self) -> (String, String) {
        (self.text(&format!("{CONSOLE}.css")), self.text(&format!("{CONSOLE}.js")))
    }

    fn text(&self, name: &str) -> String {
        self.files.get(name).map(|file| file.text.clone()).unwrap_or_default()
    }

    fn add(&mut self, relative: String, origin: Origin, file: File) {
        if let Some(locale) = language(&relative) {
            self.languages.entry(canonical(locale)).or_default().push((origin, file));
        } else {
            self.files.insert(relative, file);
        }
    }

    /// Whether a file of this name has a meaning: there is one already, or it is for one language.
    fn replaces(&self, relative: &str) -> bool {
        let is_there = |name: &str| self.files.contains_key(name) && !name.starts_with(CONSOLE);
        is_there(relative)
            || language(relative).is_some_and(is_locale)
            || relative.split_once('/').is_some_and(|(locale, name)| {
                is_locale(locale) && name.contains('/') && is_there(name)
            })
    }
}

fn embedded() -> Files {
    let mut files = Files { files: BTreeMap::new(), languages: BTreeMap::new() };
    for path in Embedded::iter().filter(|path| is_ours(path)) {
        let Some(embedded) = Embedded::get(&path) else { continue };
        let text = String::from_utf8_lossy(&embedded.data).into_owned();
        let shown = format!("templates/{path}");
        files.add(path.into_owned(), Origin::Embedded, File { shown, text });
    }
    files
}

/// The template of that path, by name.
fn named(path: &str, file: &File) -> Option<(String, File)> {
    Some((path.strip_suffix(TEMPLATE)?.to_owned(), file.clone()))
}

/// The language whose strings a file has.
fn language(relative: &str) -> Option<&str> {
    relative.strip_prefix(LANGUAGES)?.strip_suffix(LANGUAGE)
}

/// Whether a name is that of a language's folder or file: `de`, `pt-br`.
fn is_locale(name: &str) -> bool {
    let mut subtags = name.split('-');
    let is_subtag = |subtag: &str| {
        (2..=8).contains(&subtag.len())
            && subtag.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    subtags.next().is_some_and(|language| is_subtag(language) && language.len() <= 3)
        && subtags.all(is_subtag)
}

/// Whether a file is one that ought to have a meaning. Other scripts and TOML are somebody else's.
fn is_ours(path: &str) -> bool {
    let is = |wanted: &str| Path::new(path).extension().is_some_and(|found| found == wanted);
    path.ends_with(TEMPLATE)
        || is("css")
        || [SCRIPT, INBOX_SCRIPT].contains(&path)
        || (path.starts_with(CONSOLE) && is("js"))
        || (path.starts_with(LANGUAGES) && is("toml"))
}

/// All files below `dir`. Names that start with a dot are skipped: Kubernetes keeps a second copy
/// of every mounted file in `..data`.
fn walk(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let failed = |source| (dir.to_owned(), source);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Follows links, as a mounted file is one.
        let metadata = fs::metadata(&path).map_err(|source| (path.clone(), source))?;
        if metadata.is_file() {
            found.push(path);
        } else if metadata.is_dir() && depth > 1 {
            walk(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

fn relative_name(dir: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(dir).unwrap_or(path);
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
