//! Which version of a template a claim names.

use adapters::store::TemplateVersion;
use adapters::templates::TemplateSource;
use domain::SendOutcome;

use super::super::lab::{Lab, PAUSE};
use super::{claim_all, invite, mail, on_one_thread, report, trouble};
use crate::harness::Stack;

on_both_stacks!(what_may_have_arrived_is_repeated_as_it_was);

async fn save(lab: &Lab) -> u32 {
    let word = "{{accept_url}}".to_owned();
    let source = TemplateSource { subject: word.clone(), html: word.clone(), text: word };
    let (organization, locale, by) = (lab.organization, "default".to_owned(), lab.actor.clone());
    let saved = lab.store.save_template(organization, locale, source, by).await.unwrap();
    saved.unwrap().summary.version
}

async fn what_may_have_arrived_is_repeated_as_it_was(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let version = |version| TemplateVersion { locale: "default".to_owned(), version };
        // Uncertain without a template, uncertain with one, put off with one.
        let plain = invite(&lab, 1).await;
        let claims = claim_all(&lab, &plain).await;
        assert_eq!(claims[0].template, None);
        report(&lab, &[(&claims[0], SendOutcome::Uncertain(trouble()))]).await;
        assert_eq!(save(&lab).await, 1);
        let others = invite(&lab, 2).await;
        let claims = claim_all(&lab, &others).await;
        assert!(claims.iter().all(|claim| claim.template == Some(version(1))));
        let ended = [
            (&claims[0], SendOutcome::Uncertain(trouble())),
            (&claims[1], SendOutcome::Deferred(trouble())),
        ];
        report(&lab, &ended).await;
        assert_eq!(save(&lab).await, 2);
        lab.clock.advance(2 * PAUSE);
        let fresh = invite(&lab, 1).await;
        let all: Vec<_> = [plain, others, fresh].concat();
        let again = claim_all(&lab, &all).await;
        let named: Vec<_> = again.iter().map(|claim| claim.template.clone()).collect();
        assert_eq!(named, [None, Some(version(1)), Some(version(2)), Some(version(2))]);
        for ((invitation, _), template) in all.iter().zip(&named) {
            let recorded = mail(&lab, *invitation).await.template;
            assert_eq!(recorded, template.as_ref().map(ToString::to_string));
        }
        lab
    })
    .await;
}
