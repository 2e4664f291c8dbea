//! The command line: `--mode=`, `--database=`, `--rounds=`, `--scenes=`, `--settings=`, and the role of
//! a helper process.

use crate::Result;

/// What this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Measures.
    Bench,
    /// Takes mails.
    Sink,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All figures, on empty databases.
    Usual,
    /// What two million settled invitations cost.
    Large,
    /// What an invitation costs, without the limits.
    Profile,
}

/// What the product keeps its data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// API and worker over `PostgreSQL` and `RabbitMQ`.
    Postgres,
    /// The embedded product: one process, no broker.
    Sqlite,
}

/// A part of the usual run that can be had without the others, together with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    Idle,
    Accept,
    Outage,
    Drain,
    Bulk,
    /// Minutes by itself: only where it is named.
    Fair,
    /// As well.
    Scale,
}

impl Scene {
    const ALL: [(&str, Self); 7] = [
        ("idle", Self::Idle),
        ("accept", Self::Accept),
        ("outage", Self::Outage),
        ("drain", Self::Drain),
        ("bulk", Self::Bulk),
        ("fair", Self::Fair),
        ("scale", Self::Scale),
    ];

    fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        let unknown = || {
            let known = Self::ALL.map(|(name, _)| name).join(", ");
            format!("unknown scene {name}; there are {known}")
        };
        Ok(found.ok_or_else(unknown)?.1)
    }
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// What this process is.
    pub role: Role,
    /// What is measured.
    pub mode: Mode,
    /// On which database.
    pub database: Database,
    /// How often; each figure is the median.
    pub rounds: usize,
    /// Which parts of the usual run; all of them but the last if none is named.
    pub scenes: Vec<Scene>,
    /// Settings of the product that are not its defaults, by their variables.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// Reads the arguments without the program's name; empty values count as absent.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            role: Role::Bench,
            mode: Mode::Usual,
            database: Database::Postgres,
            rounds: 3,
            scenes: Vec::new(),
            settings: Vec::new(),
        };
        for argument in arguments {
            match argument.split_once('=').unwrap_or((&argument, "")) {
                // `cargo bench` adds it.
                ("--bench", _)
                | ("--mode" | "--database" | "--rounds" | "--scenes" | "--settings", "") => {}
                ("--role", "sink") => options.role = Role::Sink,
                ("--mode", "usual") => options.mode = Mode::Usual,
                ("--mode", "large") => options.mode = Mode::Large,
                ("--mode", "profile") => options.mode = Mode::Profile,
                ("--database", "postgres") => options.database = Database::Postgres,
                ("--database", "sqlite") => options.database = Database::Sqlite,
                ("--rounds", number) => options.rounds = number.parse::<usize>()?.max(1),
                ("--scenes", names) => {
                    options.scenes = names.split(',').map(Scene::parse).collect::<Result<_>>()?;
                }
                ("--settings", settings) => options.settings = variables(settings)?,
                _ => {
                    let known = "MODE=large or profile, DATABASE=sqlite, ROUNDS=3, \
                                 SCENES=idle,accept and SETTINGS=WELCOMAT_…=…,…";
                    return Err(
                        format!("unknown option {argument}; make bench knows {known}").into()
                    );
                }
            }
        }
        Ok(options)
    }

    /// Whether this part of the usual run was asked for.
    pub fn wants(&self, scene: Scene) -> bool {
        let usual = !matches!(scene, Scene::Fair | Scene::Scale);
        self.scenes.contains(&scene) || self.scenes.is_empty() && usual
    }
}

fn variables(settings: &str) -> Result<Vec<(String, String)>> {
    let variable = |setting: &str| {
        let wrong = || format!("{setting} is no setting; write WELCOMAT_WORKER_PREFETCH=256");
        let (name, value) = setting.split_once('=').ok_or_else(wrong)?;
        Ok((name.to_owned(), value.to_owned()))
    };
    settings.split(',').map(variable).collect()
}
