//! This machine: the data folder, the room on its disk, and the keys that secrets are sealed with.

use std::path::Path;

use adapters::seal::SealKeys;
use adapters::settings::Settings;
use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;

/// SQLite and its journal are unhappy with less; PostgreSQL has a disk of its own.
const LITTLE: u64 = 1 << 30;
const TOO_LITTLE: u64 = 100 << 20;

/// Looks at folder and keys.
pub fn examine(settings: &Settings) -> Vec<Finding> {
    let folder = &settings.data_dir;
    let embedded = settings.database.url.starts_with("sqlite:");
    let mut findings = Vec::new();
    if !embedded && !settings.seal_keys.is_empty() {
        // Nothing of such a process is in the folder.
    } else if !folder.exists() {
        let detail = format!("{} is not there yet; the first start makes it", folder.display());
        findings.push(Finding::good("data folder", detail));
    } else {
        findings.push(room(folder));
    }
    findings.push(keys(settings, embedded));
    findings
}

fn room(folder: &Path) -> Finding {
    const WHAT: &str = "data folder";
    let shown = folder.display();
    if access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let todo = "give it to the user that the service runs as, or set WELCOMAT_DATA_DIR";
        return Finding::bad(WHAT, format!("{shown} cannot be written by this user"), todo);
    }
    let Ok(disk) = statvfs(folder) else {
        return Finding::good(WHAT, format!("{shown} can be written"));
    };
    let free = disk.f_bavail * disk.f_frsize;
    let detail = format!("{shown} has {} MB of room", free >> 20);
    let todo = "make room: a full disk stops everything that is stored";
    match free {
        TOO_LITTLE..LITTLE => Finding::doubtful(WHAT, detail, todo),
        0..TOO_LITTLE => Finding::bad(WHAT, detail, todo),
        _ => Finding::good(WHAT, detail),
    }
}

fn keys(settings: &Settings, embedded: bool) -> Finding {
    const WHAT: &str = "seal keys";
    if settings.seal_keys.is_empty() && !embedded {
        let todo = "set WELCOMAT_SEAL_KEYS to the same keys for every process: \
                    k1:$(head -c 32 /dev/urandom | base64)";
        return Finding::bad(WHAT, "there are none that processes could share", todo);
    }
    if settings.seal_keys.is_empty() && !SealKeys::are_kept_in(&settings.data_dir) {
        return Finding::good(WHAT, "the first start makes one in the data folder");
    }
    match SealKeys::load_or_create(&settings.data_dir, &settings.seal_keys) {
        Ok(_) => Finding::good(WHAT, "secrets can be sealed and opened"),
        Err(error) => {
            let todo =
                "give the keys that were in use: without them, mails that wait cannot be sent";
            Finding::bad(WHAT, error.to_string(), todo)
        }
    }
}
