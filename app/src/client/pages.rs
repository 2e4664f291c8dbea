//! Lists that come in pages: follows their cursors as far as they are wanted.

use clap::Args;
use serde_json::{Value, json};

use super::api::Api;
use super::error::ClientError;
use super::session::Session;
use super::table::Shape;

/// What the server gives at most in one page.
const PAGE: usize = 100;
/// What a process should hold at once; narrower filters reach the rest.
const MOST: usize = 100_000;

/// How much of a list is wanted.
#[derive(Debug, Clone, Args)]
pub struct Extent {
    /// Show at most this many.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    limit: u32,
    /// Show all.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// How the server gives a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paging {
    Pages,
    Whole,
}

impl Extent {
    fn rows(&self) -> usize {
        if self.all { MOST } else { usize::try_from(self.limit).unwrap_or(MOST).min(MOST) }
    }

    /// Reads as many pages as are needed and shows them as one.
    pub fn show(
        &self,
        session: &Session,
        path: &[&str],
        filters: &[(&str, Option<&str>)],
        shape: &Shape,
    ) -> Result<(), ClientError> {
        self.show_read(session, self.read(&session.api, path, filters, Paging::Pages)?, shape)
    }

    /// Reads a list that the server gives whole, and shows as much of it as is wanted.
    pub fn show_whole(
        &self,
        session: &Session,
        path: &[&str],
        filters: &[(&str, Option<&str>)],
        shape: &Shape,
    ) -> Result<(), ClientError> {
        self.show_read(session, self.read(&session.api, path, filters, Paging::Whole)?, shape)
    }

    fn show_read(
        &self,
        session: &Session,
        (list, more): (Value, bool),
        shape: &Shape,
    ) -> Result<(), ClientError> {
        session.output.list(&list, shape)?;
        if more {
            let how = if self.all { "a filter" } else { "--all or a larger --limit" };
            session.output.remark(&format!("there are more; {how} shows them"));
        }
        Ok(())
    }

    /// The list with the cursor after it, and whether there is more to it.
    fn read(
        &self,
        api: &Api,
        path: &[&str],
        filters: &[(&str, Option<&str>)],
        paging: Paging,
    ) -> Result<(Value, bool), ClientError> {
        let wanted = self.rows();
        let filters: Vec<_> =
            filters.iter().filter_map(|(name, it)| Some((*name, (*it)?))).collect();
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let size = (wanted - rows.len()).min(PAGE).to_string();
            let mut query = filters.clone();
            if paging == Paging::Pages {
                query.push(("limit", &size));
            }
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = api.get(path, &query)?.body;
            let next = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            let data = page.get_mut("data").and_then(Value::as_array_mut).map(std::mem::take);
            let data = data.ok_or_else(|| no_list(path))?;
            let ends = data.is_empty() || next.is_none() || next == cursor;
            rows.extend(data);
            cursor = next;
            if ends || rows.len() >= wanted {
                break;
            }
        }
        let more = cursor.is_some() || rows.len() > wanted;
        rows.truncate(wanted);
        Ok((json!({ "data": rows, "next_cursor": cursor }), more))
    }
}

fn no_list(path: &[&str]) -> ClientError {
    ClientError::Local(format!("the answer from /{} is no list; check --url", path.join("/")))
}
