//! The languages that are installed here, and how each runs a sample.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::Sample;

/// What runs the samples of one language.
pub struct Runtime {
    pub language: &'static str,
    kind: Kind,
    folder: TempDir,
}

enum Kind {
    /// A program that reads the sample from a file of this name.
    Script { program: &'static [&'static str], file: &'static str },
    /// One program with all samples in it.
    Compiled(PathBuf),
}

/// Language, how to ask whether it is there, how to run a file.
type Script = (&'static str, [&'static str; 2], &'static [&'static str], &'static str);
const SCRIPTS: [Script; 4] = [
    ("curl", ["curl", "--version"], &["sh"], "sample.sh"),
    ("JavaScript", ["node", "--version"], &["node"], "sample.mjs"),
    ("Python", ["python3", "--version"], &["python3"], "sample.py"),
    ("Go", ["go", "version"], &["go", "run"], "sample.go"),
];

/// All that are there; says which are not. Rust is: it builds these tests.
pub fn installed(samples: &[Sample]) -> Vec<Runtime> {
    let mut found = vec![rust(samples)];
    for (language, [program, argument], command, file) in SCRIPTS {
        let asked = Command::new(program).arg(argument).output();
        if asked.is_ok_and(|output| output.status.success()) {
            let kind = Kind::Script { program: command, file };
            found.push(Runtime { language, kind, folder: tempfile::tempdir().unwrap() });
        } else {
            // Straight to the terminal: of a test that passes, nobody sees what it prints.
            let line = format!("{program} is not installed: no sample in {language} is run\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
    }
    found
}

impl Runtime {
    /// Runs the sample with the variables that it names.
    pub fn run(&self, sample: &Sample, variables: &[(String, String)]) -> Output {
        let mut command = match &self.kind {
            Kind::Compiled(program) => {
                let mut command = Command::new(program);
                command.arg(&sample.operation);
                command
            }
            Kind::Script { program, file } => {
                let file = self.folder.path().join(file);
                std::fs::write(&file, &sample.source).unwrap();
                let mut command = Command::new(program[0]);
                command.args(&program[1..]).arg(&file);
                command
            }
        };
        let variables = variables.iter().map(|(name, value)| (name, value));
        // A proxy would not find the service on this machine.
        command.envs(variables).env("no_proxy", "*").stdin(Stdio::null()).output().unwrap()
    }
}

/// Compiles all samples into one program, which runs the one that its argument names.
fn rust(samples: &[Sample]) -> Runtime {
    let samples = || samples.iter().filter(|sample| sample.language == "Rust");
    let modules = samples().map(|Sample { operation, source, .. }| {
        format!("mod {operation} {{\n{source}\npub fn run() {{ main().unwrap() }}\n}}\n")
    });
    let arms = samples()
        .map(|Sample { operation, .. }| format!("Some({operation:?}) => {operation}::run(),\n"));
    let main = format!(
        "{}fn main() {{\nmatch std::env::args().nth(1).as_deref() {{\n{}\
         other => panic!(\"no sample {{other:?}}\"),\n}}\n}}\n",
        modules.collect::<String>(),
        arms.collect::<String>(),
    );
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("samples.rs"), folder.path().join("samples"));
    std::fs::write(&source, main).unwrap();
    compile(&source, &program);
    Runtime { language: "Rust", kind: Kind::Compiled(program), folder }
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
