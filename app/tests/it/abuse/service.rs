//! The real programs, with their log in files.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use app::http::Client;

use crate::harness::KEY;
use crate::servers::eventually;

/// Processes that end with the test.
pub struct Service {
    processes: Vec<Child>,
    folder: PathBuf,
    pub client: Client,
}

impl Service {
    /// Starts the programs and waits until one of them answers. Nothing but `env`, and what is said
    /// of each, is set for them.
    pub async fn start(
        programs: &[(&str, &[(&str, String)])],
        folder: &Path,
        env: &[(&str, String)],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut processes = Vec::new();
        for (program, own) in programs {
            let (name, arguments) = program.split_once(' ').unwrap_or((program, ""));
            let path = Path::new(env!("CARGO_BIN_EXE_welcomat")).with_file_name(name);
            assert!(
                path.exists(),
                "{name} is not built; run `make test`, which builds all programs"
            );
            let log = File::create(folder.join(format!("{name}.log"))).unwrap();
            let mut command = Command::new(path);
            command.args(arguments.split_whitespace()).env_clear().stdin(Stdio::null());
            command.envs(env.iter().map(|(name, value)| (*name, value.as_str())));
            command.envs(own.iter().map(|(name, value)| (*name, value.as_str())));
            command.env("WELCOMAT_HTTP_BIND", address.to_string());
            command.stdout(log.try_clone().unwrap()).stderr(log);
            processes.push(command.spawn().unwrap());
        }
        let client = Client::new(address, Some(KEY.to_owned()));
        let mut service = Self { processes, folder: folder.to_owned(), client };
        eventually("the service answers", async || {
            for process in &mut service.processes {
                let ended = process.try_wait().unwrap();
                assert!(ended.is_none(), "ended at once: {:?}", logs(folder));
            }
            service.client.get("/v1/me").await.ok()
        })
        .await;
        service
    }

    /// Lets all of them end in order; gives what they have logged.
    pub fn stop(mut self) -> Vec<String> {
        for mut process in self.processes.drain(..) {
            let id = process.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            assert!(process.wait().unwrap().success());
        }
        logs(&self.folder)
    }
}

fn logs(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|kind| kind == "log"));
    logs.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

impl Drop for Service {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
