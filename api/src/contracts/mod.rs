//! Four public invite APIs, served as drop-in: a client of theirs needs a new base URL and token.
//!
//! Each folder is one contract and a thin translation: its request becomes a `NewInvitation`, the
//! outcome its response. What all of them share is in `invite` (the one operation) and `headers`
//! (what their documented bodies have no place for). Every error that is no business of a contract
//! (no key, no such path, a timeout) is told in the contract's own words by [`in_its_own_words`].

pub mod doit;
pub mod goldleaf;
mod headers;
mod invite;
pub mod jobsim;
pub mod users_organizations;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::middleware::Next;
use actix_web::web::ServiceConfig;
use actix_web::{Error, HttpResponse};
use adapters::settings::ContractSettings;

use crate::problem::ApiError;
use crate::state::State;

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contract {
    Jobsim,
    UsersOrganizations,
    Doit,
    Goldleaf,
}

/// Adds the routes of all contracts.
pub fn configure(config: &mut ServiceConfig, settings: &ContractSettings) {
    jobsim::configure(config);
    doit::configure(config);
    users_organizations::configure(config, &settings.users_organizations.prefix);
    goldleaf::configure(config);
}

/// Tells errors that were found outside a contract's own code in that contract's words.
pub async fn in_its_own_words<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(contract) = Contract::of(&request) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    match next.call(request).await {
        Ok(response) => {
            let error = response.response().error().and_then(Error::as_error::<ApiError>);
            match error.map(|error| contract.answer(error)) {
                Some(answer) => Ok(response.into_response(answer)),
                None => Ok(response.map_into_boxed_body()),
            }
        }
        // The request is gone, and with it the place for an answer: it travels in the error.
        Err(error) => Err(match error.as_error::<ApiError>().map(|error| contract.answer(error)) {
            Some(answer) => InternalError::from_response(error, answer).into(),
            None => error,
        }),
    }
}

impl Contract {
    /// Whose path this is, spelt as the router sees it.
    fn of(request: &ServiceRequest) -> Option<Self> {
        let settings = &request.app_data::<State>()?.contracts;
        Self::at(request.match_info().as_str(), settings)
    }

    fn at(path: &str, settings: &ContractSettings) -> Option<Self> {
        let prefix = &settings.users_organizations.prefix;
        match path {
            doit::PATH => Some(Self::Doit),
            _ if path.starts_with(jobsim::PATH) => Some(Self::Jobsim),
            _ if users_organizations::is_at(path, prefix) => Some(Self::UsersOrganizations),
            _ if goldleaf::PATHS.contains(&path) => Some(Self::Goldleaf),
            _ => None,
        }
    }

    fn answer(self, error: &ApiError) -> HttpResponse {
        match self {
            Self::Jobsim => jobsim::answer(error),
            Self::UsersOrganizations => users_organizations::answer(error),
            Self::Doit => doit::answer(error),
            Self::Goldleaf => goldleaf::answer(error),
        }
    }
}
