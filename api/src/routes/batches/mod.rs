//! `/v1/organizations/{id}/batches`: inviting many at once.

pub mod create;
pub mod csv;
mod intake;
pub mod read;
pub mod steer;
mod upload;

use std::str::FromStr;

use actix_web::web::{self, ServiceConfig};
use domain::BatchId;

use super::resource;
use crate::problem::ApiError;

/// Adds the routes, inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    const ALL: &str = "/organizations/{organization}/batches";
    const ONE: &str = "/organizations/{organization}/batches/{batch}";
    let below = |path: &str, allow| resource(&format!("{ONE}/{path}"), allow);
    config
        .service(
            resource(ALL, "GET, HEAD, POST")
                .route(super::get().to(read::list))
                .route(web::post().to(create::create)),
        )
        .service(resource(ONE, "GET, HEAD").route(super::get().to(read::get)))
        .service(below("rows", "GET, HEAD").route(super::get().to(read::rows)))
        .service(below("rows.csv", "GET, HEAD").route(super::get().to(csv::rows_as_csv)))
        .service(below("retry", "POST").route(web::post().to(steer::retry)))
        .service(below("cancel", "POST").route(web::post().to(steer::cancel)));
}

fn batch_id(in_path: &str) -> Result<BatchId, ApiError> {
    BatchId::from_str(in_path).map_err(|_| ApiError::NotFound)
}
