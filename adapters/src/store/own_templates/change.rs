//! Changing which mail an organization sends. Whatever waited for that leaves at once.

use domain::{EventKind, OrganizationId, Timestamp};
use entity::{delivery, organization, outbox as outbox_row, template};
use sea_orm::prelude::Expr;
use sea_orm::sea_query::{LockType, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Set,
};

use super::super::audit::Entry;
use super::super::{Actor, Result, Store, StoreError, Verdict, announce, convert};
use super::{Current, TemplateRow, current_of, parked_of, versions};
use crate::templates::TemplateSource;

/// Versions that are kept in a language, beside the one that counts.
const KEPT: u64 = 100;
/// Languages that an organization may have templates for.
const LOCALES: usize = 50;

impl Store {
    /// Makes a text the newest version in a language, and the one that counts. `None` if the
    /// organization has templates for as many languages as it may have.
    pub async fn save_template(
        &self,
        organization: OrganizationId,
        locale: String,
        source: TemplateSource,
        by: Actor,
    ) -> Result<Option<TemplateRow>> {
        let saved = self.write(move |tx, now| {
            Box::pin(async move {
                let mut current = hold(tx, organization).await?;
                if current.len() >= LOCALES && !current.contains_key(&locale) {
                    return Ok(Verdict::RollBack(None));
                }
                let newest = versions(organization, &locale)
                    .order_by_desc(template::Column::Version)
                    .one(tx)
                    .await?;
                let version = newest.map_or(1, |newest| newest.version.saturating_add(1));
                let row = template::Model {
                    organization_id: organization.uuid(),
                    locale: locale.clone(),
                    version,
                    subject: source.subject,
                    html: source.html,
                    text: source.text,
                    actor: by.written(),
                    created_at: now,
                };
                let added = row.clone().into_active_model();
                template::Entity::insert(added).exec_without_returning(tx).await?;
                current.insert(locale.clone(), convert::count(version));
                let change = Change { organization, locale, current, by };
                change.write(tx, now).await?;
                forget(tx, &change).await?;
                Ok(Verdict::Commit(Some(TemplateRow::new(row, &change.current))))
            })
        });
        let saved = saved.await?;
        self.outlet.wake();
        Ok(saved)
    }

    /// Lets another version count in its language; `None` if there is no such version.
    pub async fn roll_back_template(
        &self,
        organization: OrganizationId,
        locale: String,
        version: u32,
        by: Actor,
    ) -> Result<Option<TemplateRow>> {
        let chosen = self.write(move |tx, now| {
            Box::pin(async move {
                let mut current = hold(tx, organization).await?;
                let found = versions(organization, &locale)
                    .filter(template::Column::Version.eq(convert::column(version)))
                    .one(tx)
                    .await?;
                let Some(row) = found else { return Ok(Verdict::RollBack(None)) };
                current.insert(locale.clone(), version);
                if current.len() > LOCALES {
                    return Ok(Verdict::RollBack(None));
                }
                let change = Change { organization, locale, current, by };
                change.write(tx, now).await?;
                Ok(Verdict::Commit(Some(TemplateRow::new(row, &change.current))))
            })
        });
        let chosen = chosen.await?;
        self.outlet.wake();
        Ok(chosen)
    }

    /// Lets no version count in a language; `false` if none did. They are kept.
    pub async fn drop_template(
        &self,
        organization: OrganizationId,
        locale: String,
        by: Actor,
    ) -> Result<bool> {
        let dropped = self.write(move |tx, now| {
            Box::pin(async move {
                let mut current = hold(tx, organization).await?;
                if current.remove(&locale).is_none() {
                    return Ok(Verdict::RollBack(false));
                }
                Change { organization, locale, current, by }.write(tx, now).await?;
                Ok(Verdict::Commit(true))
            })
        });
        let dropped = dropped.await?;
        self.outlet.wake();
        Ok(dropped)
    }

    /// Lets the mails leave that wait because their template could not make them. Returns how many.
    pub async fn retry_parked(&self, organization: OrganizationId) -> Result<u64> {
        let woken = self
            .write(move |tx, now| {
                Box::pin(async move { Ok(Verdict::Commit(wake(tx, now, organization).await?)) })
            })
            .await?;
        self.outlet.wake();
        Ok(woken)
    }
}

struct Change {
    organization: OrganizationId,
    locale: String,
    current: Current,
    by: Actor,
}

impl Change {
    async fn write(&self, tx: &DatabaseTransaction, now: Timestamp) -> Result<()> {
        let current = &self.current;
        let templates = (!current.is_empty()).then(|| convert::json(current)).transpose()?;
        let changed = organization::ActiveModel {
            templates: Set(templates),
            updated_at: Set(now),
            ..Default::default()
        };
        organization::Entity::update_many()
            .set(changed)
            .filter(organization::Column::Id.eq(self.organization.uuid()))
            .exec(tx)
            .await?;
        wake(tx, now, self.organization).await?;
        let data = serde_json::json!({
            "locale": self.locale, "version": current.get(&self.locale),
        });
        let (kind, id) = (EventKind::TemplateChanged, self.organization.uuid());
        let entry = Entry::of_organization(now, id, kind, self.by.written(), data);
        announce::record(tx, now, vec![entry]).await
    }
}

/// Two that change templates at once do so one after the other. Whoever invites meanwhile does not
/// wait: no key of the row changes.
async fn hold(tx: &DatabaseTransaction, id: OrganizationId) -> Result<Current> {
    let mut row = organization::Entity::find().filter(organization::Column::Id.eq(id.uuid()));
    if tx.get_database_backend() == DbBackend::Postgres {
        row = row.lock(LockType::NoKeyUpdate);
    }
    current_of(&row.one(tx).await?.ok_or(StoreError::Busy)?)
}

/// What is very old goes, but for the version that counts.
async fn forget(tx: &DatabaseTransaction, change: &Change) -> Result<()> {
    let of_locale = versions(change.organization, &change.locale);
    let newest = of_locale.order_by_desc(template::Column::Version);
    let Some(oldest) = newest.offset(KEPT).one(tx).await? else { return Ok(()) };
    let counts = change.current.get(&change.locale).copied().unwrap_or_default();
    template::Entity::delete_many()
        .filter(template::Column::OrganizationId.eq(change.organization.uuid()))
        .filter(template::Column::Locale.eq(change.locale.as_str()))
        .filter(template::Column::Version.lte(oldest.version))
        .filter(template::Column::Version.ne(convert::column(counts)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes mails due that wait for a template.
async fn wake(tx: &DatabaseTransaction, now: Timestamp, id: OrganizationId) -> Result<u64> {
    let parked = Query::select()
        .column(delivery::Column::Id)
        .from(delivery::Entity)
        .and_where(parked_of(id))
        .to_owned();
    let woken = outbox_row::Entity::update_many()
        .col_expr(outbox_row::Column::AvailableAt, Expr::value(now))
        .filter(outbox_row::Column::PublishedAt.is_null())
        .filter(outbox_row::Column::AvailableAt.gt(now))
        .filter(outbox_row::Column::SubjectId.in_subquery(parked))
        .exec(tx)
        .await?;
    delivery::Entity::update_many()
        .col_expr(delivery::Column::NextAttemptAt, Expr::value(now))
        .filter(parked_of(id))
        .filter(delivery::Column::NextAttemptAt.gt(now))
        .exec(tx)
        .await?;
    Ok(woken.rows_affected)
}
