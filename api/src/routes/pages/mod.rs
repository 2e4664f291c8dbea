//! `/i/{token}`: the pages behind the link in the mail. They work without scripts.
//!
//! Reading one changes nothing, because mail scanners follow links; answering is a POST. That a link was
//! opened is noted, once, and means no more than that something has asked for the page.

mod accept;
mod decline;
mod html;
mod new_link;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{Credential, OpenInvitation};
use adapters::templates::{Page, PageBrand};
use domain::{EmailAddress, InvitationStatus, LinkHash};

use super::invitations::credential;
use super::{get, resource};
use crate::problem::ApiError;
use crate::state::State;

pub use html::html;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let question = "GET, HEAD, POST";
    config
        .service(resource("/i/{token}", "GET, HEAD").route(get().to(accept::show)))
        .service(resource("/i/{token}/accept", "POST").route(web::post().to(accept::accept)))
        .service(
            resource("/i/{token}/decline", question)
                .route(get().to(decline::ask))
                .route(web::post().to(decline::decline)),
        )
        .service(
            resource("/i/{token}/unexpected", question)
                .route(get().to(decline::ask_unexpected))
                .route(web::post().to(decline::unexpected)),
        )
        .service(resource("/i/{token}/new-link", "POST").route(web::post().to(new_link::request)));
}

/// An invitation that a link opens, and the link.
struct Opened {
    invitation: OpenInvitation,
    token: Credential,
    /// Where the forms post to, below the path under which people reach the service.
    path: String,
    /// The invited address, mostly hidden: whoever holds the link need not learn it.
    email_masked: String,
}

impl Opened {
    /// Finds the invitation; the error is a whole page for whoever has a link that opens none.
    async fn find(
        state: &State,
        request: &HttpRequest,
        typed: &Path<String>,
    ) -> Result<Self, Result<HttpResponse, ApiError>> {
        let token = Credential::Token(LinkHash::of_typed(typed));
        match credential::find(state, request, &token).await {
            Ok(invitation) => {
                let path = path(&state.public_path, typed);
                let email = EmailAddress::parse(&invitation.email);
                let email_masked = email.map_or_else(|_| "***".to_owned(), |email| email.masked());
                Ok(Self { invitation, token, path, email_masked })
            }
            Err(error) => Err(html::no_invitation(state, request, error)),
        }
    }

    fn is_pending(&self) -> bool {
        self.invitation.status == InvitationStatus::Pending
    }

    /// Notes that this link was opened, by whomever. The page is shown whether or not that can be noted.
    async fn note(&self, state: &State) {
        let OpenInvitation { id, generation, .. } = self.invitation;
        if let Err(error) = state.store.note_opened_page(id, generation).await {
            tracing::warn!(invitation.id = %id, %error, "cannot note that the page was opened");
        }
    }

    fn page(&self, state: &State, status: u16, page: &Page<'_>) -> Result<HttpResponse, ApiError> {
        let OpenInvitation { organization_id, organization_name, branding, .. } = &self.invitation;
        let brand = PageBrand::new(*organization_id, organization_name, branding);
        html(state, &self.invitation.locale, status, page, Some(&brand))
    }

    /// What there is to say about an invitation that ended so.
    fn ended(&self, state: &State, how: InvitationStatus) -> Result<HttpResponse, ApiError> {
        let organization = self.invitation.organization_name.as_str();
        let (token_path, email_masked) = (self.path.as_str(), self.email_masked.as_str());
        let (status, page) = match how {
            // Somebody answered in the meantime; a look at the page again tells.
            InvitationStatus::Pending => (409, Page::NotFound),
            InvitationStatus::Accepted => (200, Page::AlreadyAccepted { organization }),
            InvitationStatus::Declined => (410, Page::Declined { organization, token_path }),
            InvitationStatus::Revoked => (410, Page::Revoked { organization }),
            InvitationStatus::Expired => {
                (410, Page::Expired { organization, email_masked, token_path })
            }
        };
        self.page(state, status, &page)
    }
}

/// A token may have been typed with spaces and dashes: only what counts goes into the address.
fn path(public_path: &str, token: &str) -> String {
    let token: String = token.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{public_path}i/{token}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_post_below_the_public_path() {
        assert_eq!(path("/", "ABCD-EF 12"), "/i/ABCDEF12");
        assert_eq!(path("/welcomat/", "A\"><b>"), "/welcomat/i/Ab");
    }
}
