//! Makes the mail of one invitation; whatever its template does, the worker goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use adapters::mailer::{Mail, MailError, MailParts, Sender};
use adapters::return_path::ReturnPath;
use adapters::seal::SealKeys;
use adapters::secret::Secret;
use adapters::settings::Settings;
use adapters::store::{Claimed, ClaimedTestMail};
use adapters::templates::{InvitationMail, MailContent, TemplateError, Templates};
use domain::name::defanged;
use domain::{Name, Phase, SendOutcome, TemporaryPassword, Timestamp, Trouble};
use zeroize::Zeroizing;

use crate::own_templates::{Own, told};

/// What stays the same from mail to mail.
pub struct Composer {
    templates: Templates,
    sender: Sender,
    public_url: String,
    password_valid_hours: u64,
    /// Where bounces go, and what makes each mail's own address of it.
    return_path: Option<(ReturnPath, SealKeys)>,
}

#[derive(Debug, thiserror::Error)]
enum ComposeError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("{0}")]
    Own(String),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl Composer {
    /// A composer for mails that come from `sender`.
    pub fn new(settings: &Settings, templates: Templates, sender: Sender, keys: &SealKeys) -> Self {
        let valid_for = settings.invitation.temporary_password_valid_for;
        let return_path = settings.mail.return_path.clone().map(|path| (path, keys.clone()));
        Self {
            return_path,
            templates,
            sender,
            public_url: settings.public_url.as_str().trim_end_matches('/').to_owned(),
            // Rounded down: better to promise less. The least that a mail can name is an hour.
            password_valid_hours: (valid_for.as_secs() / 3600).max(1),
        }
    }

    /// Renders and builds the mail, on the thread that asks: it takes a tenth of a millisecond, about as
    /// much as handing it to another thread and back, each of which would keep memory of its own.
    pub fn compose(
        &self,
        claimed: &Claimed,
        own: Option<&Own>,
        secret: &Secret,
        date: Timestamp,
    ) -> Result<Mail, SendOutcome> {
        // Nothing that a mail is made of is seen again after a panic.
        let made = catch_unwind(AssertUnwindSafe(|| self.build(claimed, own, secret, date)));
        let failed = match made {
            Ok(made) => made.map_err(|error| error.to_string()),
            Err(_) => Err("making the mail crashed; this is a bug".to_owned()),
        };
        failed.map_err(|detail| match own {
            Some(own) => parked(own, &detail),
            None => unrenderable(detail),
        })
    }

    /// Builds a mail that shows what a template makes. Its bounces go to the sender: it is no delivery.
    pub fn test(&self, claimed: &ClaimedTestMail, date: Timestamp) -> Result<Mail, SendOutcome> {
        let content = claimed.content.clone();
        let parts = MailParts {
            to: claimed.to.clone(),
            to_name: None,
            subject: content.subject,
            text: content.text,
            html: content.html,
            message_id: claimed.message_id.clone(),
            date,
            invitation: None,
            return_path: None,
        };
        Mail::build(&self.sender, parts).map_err(|error| unrenderable(error.to_string()))
    }

    fn return_path(&self, claimed: &Claimed) -> Option<String> {
        let (path, keys) = self.return_path.as_ref()?;
        Some(path.of(keys, claimed.delivery.id))
    }

    fn build(
        &self,
        claimed: &Claimed,
        own: Option<&Own>,
        secret: &Secret,
        date: Timestamp,
    ) -> Result<Mail, ComposeError> {
        let to = &claimed.mail;
        let accept_url = Zeroizing::new(format!("{}/i/{}", self.public_url, secret.token.expose()));
        let password = secret.password.as_ref().map(TemporaryPassword::grouped);
        // Whatever policy a name came in under: the mail bears the operator's name.
        let inviter = to.inviter.as_deref().map(defanged);
        let first_name = to.first_name.as_deref().map(defanged);
        let invitation = InvitationMail {
            kind: to.kind,
            organization: &defanged(to.organization_name.as_str()),
            inviter: inviter.as_deref(),
            first_name: first_name.as_deref(),
            role: &defanged(to.role.as_str()),
            accept_url: &accept_url,
            temporary_password: password.as_ref().map(|password| password.as_str()),
            expires_at: to.expires_at,
            password_valid_hours: self.password_valid_hours,
            support: to.support.as_deref(),
        };
        let content = match own {
            None => self.templates.mail(&to.locale, &invitation)?,
            Some(own) => own.mail(&self.templates, &to.locale, &invitation)?,
        };
        let parts = MailParts {
            to: to.email.clone(),
            to_name: full_name(to.first_name.as_deref(), to.last_name.as_deref()),
            subject: content.subject,
            text: content.text,
            html: content.html,
            message_id: to.message_id.clone(),
            date,
            invitation: Some(claimed.delivery.invitation),
            return_path: self.return_path(claimed),
        };
        Ok(Mail::build(&self.sender, parts)?)
    }
}

/// Two names may be too long to be one, or hold a link: then the mail bears none, which harms nobody.
fn full_name(first: Option<&str>, last: Option<&str>) -> Option<Name> {
    let names: Vec<_> = [first, last].into_iter().flatten().collect();
    Name::parse(&names.join(" ")).ok().filter(|name| !name.has_link())
}

fn unrenderable(detail: String) -> SendOutcome {
    SendOutcome::Unrenderable(Trouble { phase: Phase::Render, reply: None, detail })
}

/// It waits for another version of the template.
fn parked(own: &Own, detail: &str) -> SendOutcome {
    let detail = format!(
        "the organization's template {} cannot make this mail: {detail}. Save another version or \
         roll it back: the mail waits for that",
        own.version
    );
    SendOutcome::Parked(Trouble { phase: Phase::Render, reply: None, detail })
}

impl Own {
    fn mail(
        &self,
        templates: &Templates,
        locale: &str,
        invitation: &InvitationMail<'_>,
    ) -> Result<MailContent, ComposeError> {
        let template = self.template.as_ref().map_err(|why| ComposeError::Own(why.clone()))?;
        templates
            .own_mail(locale, template, invitation)
            .map_err(|fault| ComposeError::Own(told(&[fault])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_made_of_what_there_is() {
        let full = |first, last| full_name(first, last).map(|name| name.as_str().to_owned());
        assert_eq!(full(Some("Ann"), Some("Lee")).as_deref(), Some("Ann Lee"));
        assert_eq!(full(None, Some("Lee")).as_deref(), Some("Lee"));
        assert_eq!(full(None, None), None);
        assert_eq!(full(Some(&"a".repeat(60)), Some("Lee Miller")), None);
        assert!(full_name(Some("Ann"), Some("evil.com")).is_none());
    }
}
