//! `welcomat openapi`: the API's description, for generators of clients; needs no settings.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use app::Failure;

/// Prints the document as `GET /openapi.json` answers it at the root of a host.
pub fn run() -> Result<(), Failure> {
    println!("{}", api::openapi::json("/")?);
    Ok(())
}
