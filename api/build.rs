//! Compresses the script of the page at `/docs`: as it is, it would be a tenth of the program.
#![expect(clippy::disallowed_methods, reason = "cargo says by a variable where to write")]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let script = scalar_api_reference::get_asset("scalar.js").ok_or("the crate has no script")?;
    let folder = std::env::var_os("OUT_DIR").ok_or("cargo names no folder")?;
    let file = File::create(Path::new(&folder).join("scalar.js.gz"))?;
    let mut encoder = GzEncoder::new(file, Compression::default());
    encoder.write_all(&script)?;
    encoder.finish()?;
    Ok(())
}
