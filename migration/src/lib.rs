//! The history of the schema; every step runs on both databases.

pub use sea_orm_migration::{MigrationTrait, MigratorTrait};

mod m20261124_000001_create_invitations;
mod m20261124_000002_describe_members;
mod m20261125_000003_count_sends;
mod m20261126_000004_tell_others;
mod m20261126_000005_hear_back;
mod m20261126_000006_open_consoles;
mod m20261126_000007_take_batches;
mod m20261126_000008_rule_life_cycle;
mod m20261126_000009_own_templates;
mod m20261127_000010_keep_less;
mod m20261127_000011_follow_traces;
mod m20261127_000012_test_mails;
mod m20261127_000013_brand_pages;
mod m20261127_000014_overlap_links;
mod m20261127_000015_follow_batches;
mod m20261127_000016_know_workers;
mod m20261127_000017_let_one_go_first;
mod m20261127_000018_index_less;
mod m20261128_000019_list_by_status;

/// All steps, oldest first.
///
/// A step only adds: tables, and columns that rows of the version before need no value for. So programs of
/// both versions work on the same tables while one replaces the other. What no program needs any more is taken
/// away a release later, by a step whose name has [`CONTRACTION`].
pub struct Migrator;

/// What the name of a step says that takes something away.
pub const CONTRACTION: &str = "_contract_";

/// Contractions of later releases that this program can do with: nothing here needs what they take away.
pub const PREPARED: &[&str] = &[];

/// Whether a step that this program does not know may have taken away what it needs.
pub fn takes_away(step: &str) -> bool {
    step.contains(CONTRACTION) && !PREPARED.contains(&step)
}

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_create_invitations::Migration),
            Box::new(m20261124_000002_describe_members::Migration),
            Box::new(m20261125_000003_count_sends::Migration),
            Box::new(m20261126_000004_tell_others::Migration),
            Box::new(m20261126_000005_hear_back::Migration),
            Box::new(m20261126_000006_open_consoles::Migration),
            Box::new(m20261126_000007_take_batches::Migration),
            Box::new(m20261126_000008_rule_life_cycle::Migration),
            Box::new(m20261126_000009_own_templates::Migration),
            Box::new(m20261127_000010_keep_less::Migration),
            Box::new(m20261127_000011_follow_traces::Migration),
            Box::new(m20261127_000012_test_mails::Migration),
            Box::new(m20261127_000013_brand_pages::Migration),
            Box::new(m20261127_000014_overlap_links::Migration),
            Box::new(m20261127_000015_follow_batches::Migration),
            Box::new(m20261127_000016_know_workers::Migration),
            Box::new(m20261127_000017_let_one_go_first::Migration),
            Box::new(m20261127_000018_index_less::Migration),
            Box::new(m20261128_000019_list_by_status::Migration),
        ]
    }
}
