//! How organizations look: with the organization's row what pages need of it, and its logo apart.

use domain::branding::{Colour, Logo, LogoKind, SupportLink};
use domain::{Branding, EventKind, Name, OrganizationId, Timestamp};
use entity::logo::{self, Column};
use entity::organization;
use sea_orm::prelude::Json;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QuerySelect, Set,
};

use super::caller::{self, OrganizationKey};
use super::{Actor, Result, Store, Verdict, convert, limit};

/// What is to be different.
#[derive(Debug, Default)]
pub struct BrandingChange {
    /// Everything but the logo; it stays as it is without this.
    pub look: Option<Look>,
    /// The logo.
    pub logo: LogoChange,
}

/// Everything but the logo: what is not in it is ours.
#[derive(Debug, Default)]
pub struct Look {
    /// See [`Branding::name`].
    pub name: Option<Name>,
    /// See [`Branding::accent`].
    pub accent: Option<Colour>,
    /// See [`Branding::support_url`].
    pub support_url: Option<SupportLink>,
}

/// What becomes of the logo.
#[derive(Debug, Default)]
pub enum LogoChange {
    /// It stays.
    #[default]
    Keep,
    /// There is none any more.
    Remove,
    /// It is this one.
    Replace(Logo, Vec<u8>),
}

/// A logo, to be shown.
#[derive(Debug, Clone)]
pub struct LogoFile {
    /// What kind of picture it is.
    pub kind: LogoKind,
    /// The picture.
    pub bytes: Vec<u8>,
}

impl Store {
    /// How the organization looks; `None` if there is no such organization.
    pub async fn branding(&self, id: OrganizationId) -> Result<Option<Branding>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let row = caller::find(db, OrganizationKey::Id(id)).await?;
                row.as_ref().map(of).transpose()
            })
        })
        .await
    }

    /// Changes how the organization looks; gives all of it. `None` if there is no such organization.
    pub async fn change_branding(
        &self,
        id: OrganizationId,
        actor: Actor,
        change: BrandingChange,
    ) -> Result<Option<Branding>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let Some(row) = hold(tx, id).await? else { return Ok(Verdict::RollBack(None)) };
                let mut branding = of(&row)?;
                if let Some(Look { name, accent, support_url }) = change.look {
                    let name = name.map(|name| name.as_str().to_owned());
                    branding = Branding { name, accent, support_url, logo: branding.logo };
                }
                change.logo.write(tx, now, id, &mut branding).await?;
                write(tx, now, id, &branding).await?;
                let kind = EventKind::BrandingChanged;
                limit::record_standing(tx, now, id, kind, actor.written()).await?;
                Ok(Verdict::Commit(Some(branding)))
            })
        })
        .await
    }

    /// The organization's logo, if it is the one with that hash.
    pub async fn logo(&self, id: OrganizationId, hash: String) -> Result<Option<LogoFile>> {
        self.read(move |db, _| {
            Box::pin(async move {
                // By the hash as well: without it, nothing is read.
                let own = logo::Entity::find_by_id(id.uuid()).filter(Column::Hash.eq(hash));
                let file = |row: logo::Model| {
                    let kind = LogoKind::parse(&row.kind);
                    let kind = kind.ok_or(convert::inconsistent("logo", "kind"))?;
                    Ok(LogoFile { kind, bytes: row.bytes })
                };
                own.one(db).await?.map(file).transpose()
            })
        })
        .await
    }
}

impl LogoChange {
    async fn write(
        self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        id: OrganizationId,
        branding: &mut Branding,
    ) -> Result<()> {
        match self {
            Self::Keep => {}
            Self::Remove => {
                logo::Entity::delete_by_id(id.uuid()).exec(tx).await?;
                branding.logo = None;
            }
            Self::Replace(known, bytes) => {
                let row = logo::ActiveModel {
                    organization_id: Set(id.uuid()),
                    hash: Set(known.hash.clone()),
                    kind: Set(known.kind.media_type().to_owned()),
                    bytes: Set(bytes),
                    created_at: Set(now),
                };
                let all = [Column::Hash, Column::Kind, Column::Bytes, Column::CreatedAt];
                let instead =
                    OnConflict::column(Column::OrganizationId).update_columns(all).to_owned();
                let insert = logo::Entity::insert(row).on_conflict(instead);
                insert.exec_without_returning(tx).await?;
                branding.logo = Some(known);
            }
        }
        Ok(())
    }
}

/// What a row says.
pub(super) fn of(row: &organization::Model) -> Result<Branding> {
    said_in(row.branding.as_ref())
}

/// What the column says.
pub(super) fn said_in(column: Option<&Json>) -> Result<Branding> {
    let Some(column) = column else { return Ok(Branding::default()) };
    serde_json::from_value(column.clone())
        .map_err(|_| convert::inconsistent("organization", "branding"))
}

/// Two that change it at once do so one after the other. Whoever invites meanwhile does not wait: no
/// key of the row changes.
async fn hold(tx: &DatabaseTransaction, id: OrganizationId) -> Result<Option<organization::Model>> {
    let mut row = organization::Entity::find().filter(organization::Column::Id.eq(id.uuid()));
    if tx.get_database_backend() == DbBackend::Postgres {
        row = row.lock(LockType::NoKeyUpdate);
    }
    Ok(row.one(tx).await?)
}

async fn write(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: OrganizationId,
    branding: &Branding,
) -> Result<()> {
    // Whoever looks as everybody does costs nothing.
    let column = (*branding != Branding::default()).then(|| convert::json(branding)).transpose()?;
    let changed = organization::ActiveModel {
        branding: Set(column),
        updated_at: Set(now),
        ..Default::default()
    };
    organization::Entity::update_many()
        .set(changed)
        .filter(organization::Column::Id.eq(id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}
