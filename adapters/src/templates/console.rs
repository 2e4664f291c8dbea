//! The pages of the console, for those who run the service: in English, and as they are.

use domain::Timestamp;
use serde::Serialize;

use super::chart::Chart;
use super::registry::Registry;
use super::{TemplateError, language::Direction};
use crate::store::{
    ApiKeyView, BatchDetail, BatchRowView, BatchView, DeadLetterView, InvitationDetail,
    InvitationView, OpenMails, OrganizationRef, OrganizationView, SuppressionView, TemplateSummary,
    WebhookDeliveryView, WebhookView,
};

/// A page of the console, and what it shows.
#[derive(Serialize)]
#[serde(untagged)]
pub enum ConsolePage<'a> {
    /// Asks for an API key.
    SignIn {
        /// What was wrong with the last one.
        problem: Option<&'a str>,
    },
    /// All organizations, for a key of the instance.
    Organizations {
        /// In the order in which they were made.
        organizations: &'a [OrganizationView],
        /// The cursor of the next page.
        next: Option<String>,
    },
    /// What goes on in an organization.
    Overview(Overview<'a>),
    /// Invitations, newest first.
    Invitations(Invitations<'a>),
    /// One invitation with everything that happened to it.
    Invitation {
        /// The invitation.
        invitation: &'a InvitationDetail,
        /// Whether it can still be changed.
        pending: bool,
    },
    /// The organization's webhooks.
    Webhooks {
        /// Oldest first.
        webhooks: &'a [WebhookView],
    },
    /// One webhook with what it was told.
    Webhook {
        /// The webhook.
        webhook: &'a WebhookView,
        /// Newest first.
        deliveries: &'a [WebhookDeliveryView],
        /// The cursor of the next page.
        next: Option<String>,
    },
    /// The mail in the organization's own words.
    Templates(TemplateEditor<'a>),
    /// How the organization looks on its pages.
    Branding(BrandingEditor<'a>),
    /// Many invitations at once, newest first, and a form for more.
    Batches {
        /// One page of them.
        batches: &'a [BatchView],
        /// The cursor of the next page.
        next: Option<String>,
        /// What was wrong with the last file.
        problem: Option<&'a str>,
        /// The rows that were wrong with it.
        faults: &'a [String],
        /// Whether nobody was to be invited by it if one of its rows is wrong.
        atomic: bool,
    },
    /// One batch, how far it is, and what became of its rows.
    Batch {
        /// The batch.
        batch: &'a BatchDetail,
        /// How many of its rows are done.
        done: u32,
        /// Some of those that nobody is invited by.
        rows: &'a [BatchRowView],
        /// Whether rows still wait.
        working: bool,
        /// Whether some can be tried again.
        again: bool,
    },
    /// Addresses that get no mail.
    Suppressions {
        /// Newest first.
        suppressions: &'a [SuppressionView],
        /// The cursor of the next page.
        next: Option<String>,
        /// What was wrong with the last address, and the address as it was typed.
        wrong: Option<(&'a str, &'a str)>,
    },
    /// Broker messages that nobody could process.
    DeadLetters {
        /// Newest first.
        dead_letters: &'a [DeadLetterView],
    },
    /// The organization's API keys.
    Keys {
        /// Newest first.
        keys: &'a [ApiKeyView],
        /// A key that was just made, shown only now.
        made: Option<&'a str>,
        /// What was wrong with the last try to make one.
        problem: Option<&'a str>,
        /// What was typed in that try.
        typed: TypedKey<'a>,
    },
    /// Why what was asked for cannot be.
    Problem {
        /// The HTTP status in words.
        heading: &'a str,
        /// What to do next.
        problem: &'a str,
    },
}

/// See [`ConsolePage::Overview`].
#[derive(Serialize)]
pub struct Overview<'a> {
    /// The last hour.
    pub chart: Chart,
    /// Since when the chart shows it, if more happened than it does.
    pub cut: Option<Timestamp>,
    /// How many of the invitations of this time have a mail that is still to be sent.
    pub waiting: u64,
    /// Whether there are more than that.
    pub more_waiting: bool,
    /// The newest invitations whose mails wait for another try, or failed.
    pub troubled: &'a [InvitationView],
    /// Rows of the outbox that are due; only for those who look after the instance.
    pub outbox_waiting: Option<u64>,
    /// For how many seconds the oldest of them has been due.
    pub outbox_age: Option<i64>,
    /// The mails that are still to be sent; for the same.
    pub open: Option<OpenFigures>,
    /// What the broker says of their queue; for the same, and if it says anything.
    pub queue: Option<QueueFigures>,
    /// Whether this process is connected to the broker.
    pub broker: bool,
    /// Why mails cannot be sent at present, if a worker of this process has found that out.
    pub mail_trouble: Option<String>,
}

/// The mails that are still to be sent, in figures.
#[derive(Serialize)]
pub struct OpenFigures {
    /// Wait for a worker.
    pub queued: u64,
    /// For how many seconds the oldest of them has.
    pub oldest: i64,
    /// Are being sent.
    pub sending: u64,
    /// How many can be sent at a time.
    pub slots: u64,
    /// Come again, by how soon.
    pub retries: Vec<Retries>,
}

/// The queue of the mails at the broker, in figures.
#[derive(Serialize)]
pub struct QueueFigures {
    /// Jobs that no worker has in hand.
    pub jobs: u32,
    /// Workers that wait for them.
    pub workers: u32,
}

/// How many mails come again within a while.
#[derive(Serialize)]
pub struct Retries {
    /// The while, for people.
    pub within: &'static str,
    /// How many.
    pub count: u64,
    /// The width of its bar, in percent of the longest.
    pub width: u64,
}

impl OpenFigures {
    /// What is open at `now`.
    pub fn new(open: &OpenMails, now: Timestamp) -> Self {
        let most = open.retries.iter().copied().max().unwrap_or_default().max(1);
        let names = ["within a minute", "within ten minutes", "within an hour", "later"];
        let retries = names.into_iter().zip(open.retries);
        let one = |(within, count)| Retries { within, count, width: count * 100 / most };
        Self {
            queued: open.queued,
            oldest: open.oldest_queued.map_or(0, |since| (now - since).num_seconds().max(0)),
            sending: open.sending,
            slots: open.slots,
            retries: retries.map(one).collect(),
        }
    }
}

/// See [`ConsolePage::Invitations`].
#[derive(Serialize)]
pub struct Invitations<'a> {
    /// One page of them.
    pub invitations: &'a [InvitationView],
    /// What to choose an invitation's state from.
    pub statuses: Vec<Choice>,
    /// What to choose a mail's state from.
    pub delivery_statuses: Vec<Choice>,
    /// The address that was looked for.
    pub email: String,
    /// The query of the next page.
    pub next: Option<String>,
    /// What was wrong with the last try to invite somebody.
    pub problem: Option<&'a str>,
    /// What was typed in that try.
    pub typed: Typed,
}

/// See [`ConsolePage::Templates`].
#[derive(Serialize)]
pub struct TemplateEditor<'a> {
    /// Those that mails are made from.
    pub templates: &'a [TemplateSummary],
    /// How many mails wait because their template could not make them.
    pub parked: u64,
    /// The language whose template is edited.
    pub locale: &'a str,
    /// Its versions, newest first.
    pub versions: &'a [TemplateSummary],
    /// Whether mails are made from one of them.
    pub counts: bool,
    /// The version that is shown; none for the mail that everybody has, or for what was typed.
    pub version: Option<u32>,
    /// The parts, as saved or typed.
    pub subject: &'a str,
    /// See there.
    pub html: &'a str,
    /// See there.
    pub text: &'a str,
    /// What can be shown.
    pub variables: &'a [&'a str],
    /// What was wrong with the last try to save.
    pub problem: Option<&'a str>,
    /// The address for a test, as typed in that try.
    pub to: &'a str,
}

/// See [`ConsolePage::Branding`].
#[derive(Serialize)]
pub struct BrandingEditor<'a> {
    /// What the organization is called on pages, as saved or typed.
    pub name: &'a str,
    /// Its colour.
    pub accent: &'a str,
    /// Whom to ask.
    pub support_url: &'a str,
    /// The logo that is saved, below `/assets/`.
    pub logo: Option<String>,
    /// What the colour that is saved looks like by day and by night.
    pub shown: Option<[String; 2]>,
    /// Whether the logo was to be removed in the last try to save.
    pub remove: bool,
    /// What was wrong with that try.
    pub problem: Option<&'a str>,
}

/// One of the words to choose from.
#[derive(Serialize)]
pub struct Choice {
    /// The word.
    pub word: &'static str,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// An API key to be made, as typed.
#[derive(Default, Serialize)]
pub struct TypedKey<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Whether it may change things.
    pub admin: bool,
}

/// A person to invite, as typed.
#[derive(Default, Serialize)]
pub struct Typed {
    /// The address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The role.
    pub role: String,
}

/// What surrounds a page: who looks, and where.
#[derive(Serialize)]
pub struct Frame<'a> {
    /// Proves that a form comes from us; none for somebody who is not signed in.
    pub csrf: Option<&'a str>,
    /// Where they are.
    pub organization: Option<&'a OrganizationRef>,
    /// Whether they see every organization.
    pub instance: bool,
    /// What was just done.
    pub notice: Option<&'static str>,
}

#[derive(Serialize)]
struct Context<'a> {
    lang: &'static str,
    dir: Direction,
    base: &'a str,
    here: &'static str,
    #[serde(flatten)]
    frame: &'a Frame<'a>,
    #[serde(flatten)]
    page: &'a ConsolePage<'a>,
}

impl ConsolePage<'_> {
    /// The template, and the part of the console that it belongs to.
    const fn template(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignIn { .. } => ("console/sign_in.html", ""),
            Self::Organizations { .. } => ("console/organizations.html", "organizations"),
            Self::Overview(_) => ("console/overview.html", "overview"),
            Self::Invitations(_) => ("console/invitations.html", "invitations"),
            Self::Invitation { .. } => ("console/invitation.html", "invitations"),
            Self::Webhooks { .. } => ("console/webhooks.html", "webhooks"),
            Self::Webhook { .. } => ("console/webhook.html", "webhooks"),
            Self::Templates(_) => ("console/templates.html", "templates"),
            Self::Branding(_) => ("console/branding.html", "branding"),
            Self::Batches { .. } => ("console/batches.html", "batches"),
            Self::Batch { .. } => ("console/batch.html", "batches"),
            Self::Suppressions { .. } => ("console/suppressions.html", "suppressions"),
            Self::DeadLetters { .. } => ("console/dead_letters.html", "dead_letters"),
            Self::Keys { .. } => ("console/keys.html", "keys"),
            Self::Problem { .. } => ("console/problem.html", ""),
        }
    }
}

/// Renders a page as a whole document.
pub(super) fn render(
    registry: &Registry,
    base: &str,
    frame: &Frame<'_>,
    page: &ConsolePage<'_>,
) -> Result<String, TemplateError> {
    let (template, here) = page.template();
    let context = Context { lang: "en", dir: Direction::LeftToRight, base, here, frame, page };
    registry.render(template, &context)
}
