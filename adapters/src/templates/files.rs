//! Where templates come from: embedded in the binary, some of them replaced by a folder's files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::{DEFAULT_LOCALE, TemplateError};

const STYLESHEET: &str = "pages.css";
const SCRIPT: &str = "pages.js";
const SUFFIX: &str = ".hbs";
/// Deep enough for `locale/mail/file`; ends the walk through a folder that links to itself.
const MAX_DEPTH: usize = 3;

#[derive(RustEmbed)]
#[folder = "../templates/"]
struct Embedded;

/// One template's text and the path that errors show for it.
#[derive(Clone)]
pub(super) struct File {
    pub shown: String,
    pub text: String,
}

/// All files by their path inside the templates folder, such as `en/mail/invitation.html.hbs`.
pub(super) struct Files(BTreeMap<String, File>);

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
        files.0.insert(relative, File { shown, text });
    }
    Ok(files)
}

impl Files {
    /// The locales that have at least one file.
    pub fn locales(&self) -> BTreeSet<&str> {
        self.0.keys().filter_map(|path| Some(path.split_once('/')?.0)).collect()
    }

    /// The templates of a locale by name (`mail/invitation.html`); English where it has none.
    pub fn of_locale(&self, locale: &str) -> BTreeMap<String, File> {
        [DEFAULT_LOCALE, locale]
            .into_iter()
            .flat_map(|wanted| self.0.iter().map(move |entry| (wanted, entry)))
            .filter_map(|(wanted, (path, file))| {
                let name = path.strip_prefix(wanted)?.strip_prefix('/')?.strip_suffix(SUFFIX)?;
                Some((name.to_owned(), file.clone()))
            })
            .collect()
    }

    /// The CSS of the pages.
    pub fn stylesheet(&self) -> String {
        self.text(STYLESHEET)
    }

    /// The JavaScript of the pages.
    pub fn script(&self) -> String {
        self.text(SCRIPT)
    }

    fn text(&self, name: &str) -> String {
        self.0.get(name).map(|file| file.text.clone()).unwrap_or_default()
    }

    /// Whether a file of this name has a meaning: it is the stylesheet or the script, or English has
    /// it too.
    fn replaces(&self, relative: &str) -> bool {
        let Some((locale, name)) = relative.split_once('/') else {
            return [STYLESHEET, SCRIPT].contains(&relative);
        };
        let is_locale = locale.len() >= 2
            && locale.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        is_locale && self.0.contains_key(&format!("{DEFAULT_LOCALE}/{name}"))
    }
}

fn embedded() -> Files {
    let read = |path: &str| {
        let text = String::from_utf8_lossy(&Embedded::get(path)?.data).into_owned();
        Some(File { shown: format!("templates/{path}"), text })
    };
    let files = Embedded::iter()
        .filter(|path| is_ours(path))
        .filter_map(|path| Some((path.to_string(), read(&path)?)));
    Files(files.collect())
}

/// Whether a file is one that ought to have a meaning. Another script is somebody else's.
fn is_ours(path: &str) -> bool {
    path.ends_with(SUFFIX)
        || path == SCRIPT
        || Path::new(path).extension().is_some_and(|extension| extension == "css")
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
