//! `/console/{organization}/branding`: how the organization looks on the pages behind its links.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{BrandingChange, LogoChange, Look, OrganizationRef};
use adapters::templates::{AcceptForm, BrandingEditor, ConsolePage, Page, PageBrand, logo_path};
use chrono::TimeDelta;
use domain::Branding;
use domain::branding::{Colour, Palette, SupportLink};

use super::show::{again, sentence};
use super::upload::Upload;
use super::visitor::STALE;
use super::{Visitor, done, page};
use crate::problem::ApiError;
use crate::routes::branding::fields::Fields;
use crate::routes::branding::logo;
use crate::routes::invitations::password;
use crate::routes::pages;
use crate::security_headers;
use crate::state::State;

/// Enough for whoever has to hear that a logo is too large.
const LARGEST: usize = 4 * 1024 * 1024;

/// Shows how it looks, to be changed.
pub async fn show(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let branding = branding_of(&state, &organization).await?;
    let saved = Typed::of(&branding);
    let shown = ConsolePage::Branding(editor(&organization, &branding, &saved, None));
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Changes it, or says what is wrong.
pub async fn save(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let form = read(&visitor, &request, payload).await?;
    let typed = Typed::in_form(&form);
    let saved = async {
        let look = Some(typed.check(&state)?);
        let logo = match form.field("remove") {
            "" if form.file.is_empty() => LogoChange::Keep,
            "" => logo::check(form.file.to_vec())?,
            _ => LogoChange::Remove,
        };
        let by = visitor.auth.actor();
        let change = BrandingChange { look, logo };
        state.store.change_branding(organization.id, by, change).await?.ok_or(ApiError::NotFound)
    };
    match saved.await {
        Ok(_) => Ok(done(&state, &format!("/{}/branding", organization.id), "branding-saved")),
        Err(error) => {
            let branding = branding_of(&state, &organization).await?;
            let why = sentence(&error);
            let shown = BrandingEditor {
                remove: !form.field("remove").is_empty(),
                ..editor(&organization, &branding, &typed, Some(&why))
            };
            again(&state, &visitor, &organization, &error, &ConsolePage::Branding(shown))
        }
    }
}

/// The accept page as it will look, to be shown in a frame; with the logo that is saved.
pub async fn preview(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let form = read(&visitor, &request, payload).await?;
    let mut branding = branding_of(&state, &organization).await?;
    let mut shown = match Typed::in_form(&form).check(&state) {
        Ok(Look { name, accent, support_url }) => {
            let name = name.map(|name| name.as_str().to_owned());
            branding = Branding { name, accent, support_url, logo: branding.logo };
            accept_page(&state, &organization, &branding)?
        }
        // What is wrong is what the frame shows: the page around it is fine.
        Err(error) => HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(sentence(&error).replace(". ", ".\n\n")),
    };
    let (name, policy) = security_headers::PREVIEW;
    shown.headers_mut().insert(name, policy);
    Ok(shown)
}

fn accept_page(
    state: &State,
    organization: &OrganizationRef,
    branding: &Branding,
) -> Result<HttpResponse, ApiError> {
    let name = branding.name.as_deref().unwrap_or(&organization.name);
    let form = AcceptForm {
        organization: name,
        inviter: None,
        email_masked: "a***@example.com",
        expires_at: state.store.clock().now() + TimeDelta::days(7),
        // The form of no token: nothing comes of what is pressed.
        token_path: "/i/sample",
        password_min: *password::LENGTH.start(),
        error: None,
    };
    let brand = PageBrand::new(organization.id, name, branding);
    pages::html(state, &state.locale, 200, &Page::Accept(form), Some(&brand))
}

async fn branding_of(state: &State, organization: &OrganizationRef) -> Result<Branding, ApiError> {
    state.store.branding(organization.id).await?.ok_or(ApiError::NotFound)
}

async fn read(
    visitor: &Visitor,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Upload, ApiError> {
    let form = Upload::read(LARGEST, request, payload).await?;
    if visitor.sent(form.field("csrf")) {
        return Ok(form);
    }
    Err(ApiError::BadRequest(STALE.to_owned()))
}

/// What stands in the form.
struct Typed {
    name: String,
    accent: String,
    support_url: String,
}

impl Typed {
    fn of(branding: &Branding) -> Self {
        let support_url = branding.support_url.as_ref().map(SupportLink::to_string);
        Self {
            name: branding.name.clone().unwrap_or_default(),
            accent: branding.accent.as_ref().map(Colour::to_string).unwrap_or_default(),
            support_url: support_url.unwrap_or_default(),
        }
    }

    fn in_form(form: &Upload) -> Self {
        let field = |name| form.field(name).to_owned();
        Self { name: field("name"), accent: field("accent"), support_url: field("support_url") }
    }

    /// What is left empty is as everybody has it.
    fn check(&self, state: &State) -> Result<Look, ApiError> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (name, accent) = (given(&self.name), given(&self.accent));
        Fields { name, accent, support_url: given(&self.support_url) }.check(state.names)
    }
}

fn editor<'a>(
    organization: &OrganizationRef,
    branding: &Branding,
    typed: &'a Typed,
    problem: Option<&'a str>,
) -> BrandingEditor<'a> {
    let palette = branding.accent.map(Palette::of);
    let shades = |palette: Palette| [palette.light.accent, palette.dark.accent];
    BrandingEditor {
        name: &typed.name,
        accent: &typed.accent,
        support_url: &typed.support_url,
        logo: branding.logo.as_ref().map(|logo| logo_path(organization.id, &logo.hash)),
        shown: palette.map(|palette| shades(palette).map(|shade| shade.to_string())),
        remove: false,
        problem,
    }
}
