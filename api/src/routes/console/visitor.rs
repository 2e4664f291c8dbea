//! Who looks at the console, and the forms that they send.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use adapters::store::OrganizationRef;
use domain::SecretHash;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::cookie;
use crate::auth::Auth;
use crate::form;
use crate::problem::ApiError;
use crate::state::State;

/// What somebody hears whose form is of another session, or of another site.
pub const STALE: &str = "This form is out of date. Go back, reload the page and send it again.";
/// A template of the largest size, written as a form. Only who is signed in gets so far.
const LONGEST: usize = 512 * 1024;

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Visitor {
    /// Whose rights they have.
    pub auth: Auth,
    /// What their forms carry.
    pub csrf: String,
    /// What their session is recognized by.
    pub session: SecretHash,
}

/// A form that a page of ours sent, and who sent it.
pub struct Signed<T> {
    /// Who.
    pub visitor: Visitor,
    /// What.
    pub fields: T,
}

/// A form that says nothing.
#[derive(Deserialize)]
pub struct Nothing {}

#[derive(Deserialize)]
struct Form<T> {
    csrf: String,
    #[serde(flatten)]
    fields: T,
}

impl Visitor {
    /// Whoever shows the token of a session.
    pub fn new(auth: Auth, token: &str) -> Self {
        Self { auth, csrf: cookie::csrf(token), session: SecretHash::of_exact(token) }
    }

    /// The organization named in a path, if they may see it.
    pub async fn organization(
        &self,
        state: &State,
        in_path: &str,
    ) -> Result<OrganizationRef, ApiError> {
        self.auth.organization(&state.store, in_path).await
    }

    /// Whether a form carries what a page of ours gave it.
    pub fn sent(&self, csrf: &str) -> bool {
        SecretHash::of_exact(csrf) == SecretHash::of_exact(&self.csrf)
    }
}

impl FromRequest for Visitor {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(ApiError::Unauthorized))
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Signed<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let visitor = Visitor::extract(&request).await?;
            let mut payload = payload;
            let payload = web::Payload::from_request(&request, &mut payload).await;
            let payload = payload.map_err(|_| ApiError::Internal)?;
            let form: Form<T> = form::read_up_to(LONGEST, &request, payload).await?;
            if visitor.sent(&form.csrf) {
                return Ok(Self { visitor, fields: form.fields });
            }
            Err(ApiError::BadRequest(STALE.to_owned()))
        })
    }
}
