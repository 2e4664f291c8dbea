//! Reading an organization's templates.

use domain::OrganizationId;
use entity::{delivery, organization, template};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};

use super::super::{Result, Store, convert};
use super::{
    Current, TemplateRow, TemplateSummary, TemplateVersion, current_of, parked_of, versions,
};
use crate::templates::TemplateSource;

impl Store {
    /// The versions that count, by their languages.
    pub async fn templates(&self, organization: OrganizationId) -> Result<Vec<TemplateSummary>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let current = current(db, organization).await?;
                let one = |(locale, version): (&String, &u32)| {
                    Condition::all()
                        .add(template::Column::Locale.eq(locale.as_str()))
                        .add(template::Column::Version.eq(convert::column(*version)))
                };
                let counting = current.iter().map(one).fold(Condition::any(), Condition::add);
                if current.is_empty() {
                    return Ok(Vec::new());
                }
                let rows = template::Entity::find()
                    .filter(template::Column::OrganizationId.eq(organization.uuid()))
                    .filter(counting)
                    .order_by_asc(template::Column::Locale)
                    .all(db)
                    .await?;
                Ok(rows.iter().map(|row| TemplateSummary::new(row, &current)).collect())
            })
        })
        .await
    }

    /// All versions in a language that are kept, newest first.
    pub async fn template_versions(
        &self,
        organization: OrganizationId,
        locale: String,
    ) -> Result<Vec<TemplateSummary>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let current = current(db, organization).await?;
                let rows = versions(organization, &locale)
                    .order_by_desc(template::Column::Version)
                    .all(db)
                    .await?;
                Ok(rows.iter().map(|row| TemplateSummary::new(row, &current)).collect())
            })
        })
        .await
    }

    /// A version with its text; without a number, the one that counts. `None` if there is none.
    pub async fn template(
        &self,
        organization: OrganizationId,
        locale: String,
        version: Option<u32>,
    ) -> Result<Option<TemplateRow>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let current = current(db, organization).await?;
                let wanted = version.or_else(|| current.get(&locale).copied());
                let Some(version) = wanted else { return Ok(None) };
                let found = versions(organization, &locale)
                    .filter(template::Column::Version.eq(convert::column(version)))
                    .one(db)
                    .await?;
                Ok(found.map(|row| TemplateRow::new(row, &current)))
            })
        })
        .await
    }

    /// How many mails wait because their template could not make them.
    pub async fn parked(&self, organization: OrganizationId) -> Result<u64> {
        self.read(move |db, _| {
            Box::pin(async move {
                let parked = delivery::Entity::find().filter(parked_of(organization));
                Ok(parked.count(db).await?)
            })
        })
        .await
    }

    /// The text of a version that a claim named; `None` if it is not kept any more.
    pub async fn template_source(
        &self,
        organization: OrganizationId,
        named: TemplateVersion,
    ) -> Result<Option<TemplateSource>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let found = versions(organization, &named.locale)
                    .filter(template::Column::Version.eq(convert::column(named.version)))
                    .one(db)
                    .await?;
                let source = |row: template::Model| TemplateSource {
                    subject: row.subject,
                    html: row.html,
                    text: row.text,
                };
                Ok(found.map(source))
            })
        })
        .await
    }
}

async fn current(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Current> {
    let found =
        organization::Entity::find().filter(organization::Column::Id.eq(id.uuid())).one(db).await?;
    found.as_ref().map_or_else(|| Ok(Current::new()), current_of)
}
