//! Mails that organizations have written themselves: their versions, and which of them counts.
//!
//! A version is a row of `template` and never changes. Which one counts in which language stands in the
//! organization's own row, so that a claim reads it beside the name, and whoever has none pays nothing.
//! To switch is one update: a mail sees one version or the other.

mod change;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use domain::{OrganizationId, Timestamp};
use entity::{delivery, organization, template};
use sea_orm::prelude::{Expr, Json};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Select};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Result, convert};
use crate::templates::{TemplateSource, nearest};

/// Names one version of an organization's template: a language and a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemplateVersion {
    /// The language, such as `pt-BR`; `default` for all of them.
    pub locale: String,
    /// Counts the versions in that language from 1.
    pub version: u32,
}

/// A version, without its text.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TemplateVersion)]
pub struct TemplateSummary {
    /// The language; `default` counts for each that has no template of its own.
    #[schema(example = "de")]
    pub locale: String,
    /// Counts the versions in that language.
    #[schema(minimum = 1, example = 3)]
    pub version: u32,
    /// Whether mails are made from it.
    #[schema(example = true)]
    pub current: bool,
    /// Who wrote it: `user:…` with `key:…`.
    #[schema(
        example = "user:01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37 key:01937a5d-0c44-7f0a-b7d2-95c1e3a86b04"
    )]
    pub actor: String,
    /// When.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub created_at: Timestamp,
}

/// A version with its text.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Template)]
pub struct TemplateRow {
    /// Which one, and since when.
    #[serde(flatten)]
    pub summary: TemplateSummary,
    /// The subject.
    #[schema(example = "{{organization}} invites you")]
    pub subject: String,
    /// The HTML part.
    #[schema(example = "<p><a href=\"{{accept_url}}\">Join {{organization}}</a></p>")]
    pub html: String,
    /// The plain text part.
    #[schema(example = "Join {{organization}}: {{accept_url}}")]
    pub text: String,
}

/// Which version counts in which language.
type Current = BTreeMap<String, u32>;

impl TemplateVersion {
    /// Reads what `Display` writes.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let read = || {
            let (locale, version) = text.split_once('/')?;
            Some(Self { locale: locale.to_owned(), version: version.parse().ok()? })
        };
        read().ok_or(convert::inconsistent("delivery", "template"))
    }

    /// The one that counts for a reader of a language, if any does.
    pub(super) fn of(current: &Json, wanted: &str) -> Option<Self> {
        let current = current.as_object()?;
        let known: Vec<String> = current.keys().cloned().collect();
        let locale = nearest(wanted, &known)?;
        let version = u32::try_from(current.get(locale)?.as_u64()?).ok()?;
        Some(Self { locale: locale.to_owned(), version })
    }
}

impl fmt::Display for TemplateVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.locale, self.version)
    }
}

impl TemplateSummary {
    fn new(row: &template::Model, current: &Current) -> Self {
        let version = convert::count(row.version);
        Self {
            current: current.get(&row.locale) == Some(&version),
            locale: row.locale.clone(),
            version,
            actor: row.actor.clone(),
            created_at: row.created_at,
        }
    }
}

impl TemplateRow {
    fn new(row: template::Model, current: &Current) -> Self {
        let summary = TemplateSummary::new(&row, current);
        Self { summary, subject: row.subject, html: row.html, text: row.text }
    }

    /// Its text alone.
    pub fn source(&self) -> TemplateSource {
        let (subject, html, text) = (self.subject.clone(), self.html.clone(), self.text.clone());
        TemplateSource { subject, html, text }
    }
}

fn current_of(row: &organization::Model) -> Result<Current> {
    let Some(current) = &row.templates else { return Ok(Current::new()) };
    serde_json::from_value(current.clone())
        .map_err(|_| convert::inconsistent("organization", "templates"))
}

/// Deliveries whose template could not make their mail. The condition is written out, so that the
/// planner sees that the index with this condition will do.
fn parked_of(organization: OrganizationId) -> Expr {
    let parked = Expr::cust("status = 'retrying' AND reason = 'parked'");
    delivery::Column::OrganizationId.eq(organization.uuid()).and(parked)
}

fn versions(organization: OrganizationId, locale: &str) -> Select<template::Entity> {
    template::Entity::find()
        .filter(template::Column::OrganizationId.eq(organization.uuid()))
        .filter(template::Column::Locale.eq(locale))
}
