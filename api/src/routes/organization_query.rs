//! The query of a list that belongs to an organization: a key for the whole instance may name one.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::ApiError;

/// What such a list can be asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrganizationQuery {
    /// With a key for the whole instance: only this organization's. Without it, all of the
    /// instance, or your organization's.
    #[param(value_type = Option<Uuid>, nullable = false)]
    pub organization_id: Option<String>,
}

impl OrganizationQuery {
    /// Reads the query of a request.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        serde_urlencoded::from_str(query).map_err(|_| {
            ApiError::BadRequest("The query may have organization_id, once.".to_owned())
        })
    }
}
