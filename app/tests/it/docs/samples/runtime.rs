//! The languages of the samples, and how each runs one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::Sample;

/// A language that samples are published in.
#[derive(Clone, Copy)]
pub struct Language {
    /// As the document calls it.
    pub name: &'static str,
    way: Way,
}

/// A program with its first arguments.
type Start = (&'static str, &'static [&'static str]);

#[derive(Clone, Copy)]
enum Way {
    /// A program reads each sample from a file.
    Interpreted { probe: [&'static str; 2], command: Start, file: &'static str },
    /// All samples become one program.
    Compiled,
}

pub const CURL: Language = interpreted("curl", ["curl", "--version"], ("sh", &[]), "sample.sh");
pub const JAVASCRIPT: Language =
    interpreted("JavaScript", ["node", "--version"], ("node", &[]), "sample.mjs");
pub const PYTHON: Language =
    interpreted("Python", ["python3", "--version"], ("python3", &[]), "sample.py");
pub const GO: Language = interpreted("Go", ["go", "version"], ("go", &["run"]), "sample.go");
pub const RUST: Language = Language { name: "Rust", way: Way::Compiled };

const fn interpreted(
    name: &'static str,
    probe: [&'static str; 2],
    command: Start,
    file: &'static str,
) -> Language {
    Language { name, way: Way::Interpreted { probe, command, file } }
}

/// What runs the samples of one language.
pub struct Runtime {
    way: Way,
    folder: TempDir,
}

impl Runtime {
    /// Makes ready for the samples; if the language is not installed here, says so. Rust is: it
    /// builds these tests.
    pub fn installed(language: Language, samples: &[Sample]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        match language.way {
            Way::Compiled => compile_all(samples, folder.path()),
            Way::Interpreted { probe: [program, argument], .. } => {
                let asked = Command::new(program).arg(argument).output();
                if !asked.is_ok_and(|output| output.status.success()) {
                    // Straight to the terminal: nobody sees what a test that passes prints.
                    let line =
                        format!("no sample in {} is run: {program} is missing\n", language.name);
                    std::io::stderr().write_all(line.as_bytes()).unwrap();
                    return None;
                }
            }
        }
        Some(Self { way: language.way, folder })
    }

    /// Runs the sample with the variables that it names.
    pub fn run(&self, sample: &Sample, variables: &[(String, String)]) -> Output {
        let folder = self.folder.path();
        let mut command = match self.way {
            Way::Compiled => {
                let mut command = Command::new(folder.join(PROGRAM));
                command.arg(&sample.operation);
                command
            }
            Way::Interpreted { command: (program, arguments), file, .. } => {
                let file = folder.join(file);
                std::fs::write(&file, &sample.source).unwrap();
                let mut command = Command::new(program);
                command.args(arguments).arg(&file);
                command
            }
        };
        let variables = variables.iter().map(|(name, value)| (name, value));
        // A proxy would not find the service on this machine.
        command.envs(variables).env("no_proxy", "*").stdin(Stdio::null()).output().unwrap()
    }
}

const PROGRAM: &str = "samples";

/// Compiles all samples into one program, which runs the one that its argument names.
fn compile_all(samples: &[Sample], folder: &Path) {
    let modules = samples.iter().map(|Sample { operation, source, .. }| {
        format!("mod {operation} {{\n{source}\npub fn run() {{ main().unwrap() }}\n}}\n")
    });
    let arms = samples
        .iter()
        .map(|Sample { operation, .. }| format!("Some({operation:?}) => {operation}::run(),\n"));
    let main = format!(
        "{}fn main() {{\nmatch std::env::args().nth(1).as_deref() {{\n{}\
         other => panic!(\"no sample {{other:?}}\"),\n}}\n}}\n",
        modules.collect::<String>(),
        arms.collect::<String>(),
    );
    let source = folder.join("samples.rs");
    std::fs::write(&source, main).unwrap();
    compile(&source, &folder.join(PROGRAM));
}

/// Links what cargo has built of ureq and `serde_json` beside these tests. There may be several
/// builds of each, and any will do that this compiler takes.
fn compile(source: &Path, program: &Path) {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let mut errors = String::new();
    for ureq in builds(&deps, "ureq") {
        for serde_json in builds(&deps, "serde_json") {
            let mut rustc = Command::new(option_env!("RUSTC").unwrap_or("rustc"));
            rustc.args(["--edition", "2024", "--crate-name", "samples", "-Dwarnings"]);
            for (name, path) in [("ureq", &ureq), ("serde_json", &serde_json)] {
                rustc.arg("--extern").arg(format!("{name}={}", path.display()));
            }
            rustc.arg("-L").arg(format!("dependency={}", deps.display()));
            let output = rustc.arg("-o").arg(program).arg(source).output().unwrap();
            if output.status.success() {
                return;
            }
            errors = String::from_utf8_lossy(&output.stderr).into_owned();
        }
    }
    panic!("the samples in Rust do not compile:\n{errors}");
}

/// The newest first.
fn builds(deps: &Path, name: &str) -> Vec<PathBuf> {
    let start = format!("lib{name}-");
    let files = std::fs::read_dir(deps).unwrap().map(|entry| entry.unwrap().path());
    let is_build = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "rlib")
            && path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&start))
    };
    let mut found: Vec<PathBuf> = files.filter(is_build).collect();
    found.sort_by_key(|path| std::fs::metadata(path).and_then(|data| data.modified()).unwrap());
    found.reverse();
    assert!(!found.is_empty(), "cargo has built no {name} in {}", deps.display());
    found
}
