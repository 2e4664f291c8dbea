//! The key file of an embedded start: made once, readable by its owner only, never overwritten.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use domain::secret::random_text;
use rand::Rng;
use zeroize::Zeroizing;

use super::{BASE64, KEY_BYTES, SealError};

const FILE_NAME: &str = "seal.key";

/// Whether the folder has one.
pub fn is_in(data_dir: &Path) -> bool {
    data_dir.join(FILE_NAME).exists()
}

/// Reads the key file, making it and its folder if they are missing.
pub fn read_or_create(data_dir: &Path) -> Result<Zeroizing<String>, SealError> {
    let path = data_dir.join(FILE_NAME);
    read(&path)
        .or_else(|error| match error.kind() {
            ErrorKind::NotFound => create(data_dir, &path).and_then(|()| read(&path)),
            _ => Err(error),
        })
        .map_err(|cause| SealError::File { path, cause })
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    fs::read_to_string(path).map(Zeroizing::new)
}

/// Writes a complete file under another name and then links it to its own. Of two processes that
/// start at once, one links first; the other finds the name taken and uses that key too.
fn create(data_dir: &Path, path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let draft = data_dir.join(format!("{FILE_NAME}.{}", &*random_text(&mut crate::rng())));
    let linked = write(&draft).and_then(|()| fs::hard_link(&draft, path));
    // A draft that stays behind is a key that nobody uses.
    let _ = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => fs::File::open(data_dir)?.sync_all(),
    }
}

fn write(draft: &Path) -> io::Result<()> {
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    crate::rng().fill_bytes(&mut *key);
    // An id of its own: keys of two data folders can later stand in one list.
    let id = random_text(&mut crate::rng());
    let id = id.get(..8).unwrap_or(&id);
    let line = Zeroizing::new(format!("{id}:{}\n", *Zeroizing::new(BASE64.encode(*key))));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}
