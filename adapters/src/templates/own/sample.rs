//! Trying a template before any mail depends on it: with everything there can be in a mail, and with
//! each optional thing left out, as an invitation and as a reminder.

use domain::DeliveryKind;

use super::super::mail::{self, InvitationMail, MailContent};
use super::super::registry::Part;
use super::super::{Speaker, sample_time};
use super::{OwnTemplate, TemplateFault, is_useless, not_too_long};

/// A mail to nobody, as complete as one can be.
pub(in super::super) fn sample_mail(organization: &str) -> InvitationMail<'_> {
    InvitationMail {
        kind: DeliveryKind::Invitation,
        organization,
        inviter: Some("Ada Lovelace"),
        first_name: Some("Grace"),
        role: "member",
        accept_url: "https://invite.example.com/i/sample",
        temporary_password: Some("SAMPLE-PASSWORD"),
        expires_at: sample_time(),
        password_valid_hours: 24,
        support: Some("support@example.com"),
    }
}

/// Renders the parts of a template, all from the one version that it is.
pub(in super::super) fn content(
    speaker: &Speaker<'_>,
    template: &OwnTemplate,
    mail: &InvitationMail<'_>,
) -> Result<MailContent, TemplateFault> {
    let context = mail::context(speaker, mail)?;
    let render = |part: Part| -> Result<String, TemplateFault> {
        let rendered = speaker.registry.render_compiled(part, template.part(part), &context);
        let rendered = rendered.map_err(|(at, reason)| TemplateFault { part, at, reason })?;
        not_too_long(part, &rendered)?;
        Ok(rendered)
    };
    Ok(MailContent {
        subject: mail::one_line(&render(Part::Subject)?),
        html: render(Part::Html)?,
        text: render(Part::Text)?,
    })
}

/// Renders a template with all that can be there and not be there; the error is the first fault.
pub(in super::super) fn try_all(
    speaker: &Speaker<'_>,
    template: &OwnTemplate,
) -> Result<(), TemplateFault> {
    for case in 0_u8..32 {
        let mut mail = sample_mail("Acme");
        if case & 1 != 0 {
            mail.inviter = None;
        }
        if case & 2 != 0 {
            mail.first_name = None;
        }
        if case & 4 != 0 {
            mail.temporary_password = None;
        }
        if case & 8 != 0 {
            mail.support = None;
        }
        if case & 16 != 0 {
            mail.kind = DeliveryKind::Reminder;
        }
        let made = content(speaker, template, &mail)?;
        let useless = |part| is_useless(part, &made, mail.accept_url);
        if let Some(fault) = Part::ALL.into_iter().find_map(useless) {
            return Err(fault);
        }
    }
    Ok(())
}
