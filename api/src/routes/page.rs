//! Pages of lists: `limit` and `cursor`, whether a list is ordered by numbers or by ids.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::{ApiError, FieldError};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// Which page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// The last row of the page before; none for the first page.
    pub after: Option<C>,
    /// How many rows are shown at most.
    pub limit: usize,
}

/// What a list can be asked that is ordered by numbers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many to show; 50 without it.
    #[param(value_type = Option<u8>, nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(nullable = false, pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// What a list can be asked that is ordered by ids.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IdPageQuery {
    /// How many to show; 50 without it.
    #[param(value_type = Option<u8>, nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Uuid>, nullable = false)]
    cursor: Option<String>,
}

impl Page<u64> {
    /// Reads the query of a list that is ordered by numbers, and can be asked for nothing else.
    pub fn by_number(query: &str) -> Result<Self, ApiError> {
        let PageQuery { limit, cursor } = parse(query, "limit and cursor")?;
        Self::alone(limit, cursor)
    }

    /// The number that the rows of this page are beyond.
    pub fn number(&self) -> i64 {
        i64::try_from(self.after.unwrap_or(0)).unwrap_or(i64::MAX)
    }
}

impl<C: FromStr> Page<C> {
    /// Reads the query of a list that is ordered by ids, and can be asked for nothing else.
    pub fn by_id(query: &str) -> Result<Self, ApiError> {
        let IdPageQuery { limit, cursor } = parse(query, "limit and cursor")?;
        Self::alone(limit, cursor)
    }

    /// Reads `limit` and `cursor` among other fields; what is wrong joins the others' `errors`.
    pub fn read(
        limit: Option<String>,
        cursor: Option<String>,
        errors: &mut Vec<FieldError>,
    ) -> Self {
        let limit = limit.map_or(Some(DEFAULT_LIMIT), |text| {
            text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        });
        if limit.is_none() {
            let wrong = format!("must be a number from 1 to {MAX_LIMIT}");
            errors.push(FieldError::new("limit", wrong));
        }
        let after = cursor.map(|text| C::from_str(&text)).transpose();
        if after.is_err() {
            errors.push(FieldError::new("cursor", "must be a next_cursor of this list"));
        }
        Self { after: after.unwrap_or(None), limit: limit.unwrap_or(DEFAULT_LIMIT) }
    }

    fn alone(limit: Option<String>, cursor: Option<String>) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let page = Self::read(limit, cursor, &mut errors);
        if errors.is_empty() { Ok(page) } else { Err(ApiError::Invalid(errors)) }
    }
}

impl<C> Page<C> {
    /// How many rows to read: one more than are shown tells whether there is a next page.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.limit).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// The rows to show of those that were read, and the cursor of the next page if there is one.
    pub fn cut<T, N: Display>(
        &self,
        mut rows: Vec<T>,
        cursor: impl Fn(&T) -> N,
    ) -> (Vec<T>, Option<String>) {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|last| cursor(last).to_string());
        (rows, next)
    }
}

/// Reads a query that may have these fields, each once.
pub fn parse<'a, T: Deserialize<'a>>(query: &'a str, known: &str) -> Result<T, ApiError> {
    serde_urlencoded::from_str(query)
        .map_err(|_| ApiError::BadRequest(format!("The query may have {known}, each once.")))
}

#[cfg(test)]
mod tests {
    use domain::InvitationId;

    use super::*;

    #[test]
    fn reads_limit_and_cursor() {
        assert_eq!(Page::by_number("").unwrap(), Page { after: None, limit: 50 });
        let second = Page::by_number("limit=1&cursor=7").unwrap();
        assert_eq!((second.number(), second.limit, second.rows()), (7, 1, 2));
        let id = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11";
        let page = Page::<InvitationId>::by_id(&format!("limit=7&cursor={id}")).unwrap();
        assert_eq!((page.after.unwrap().to_string().as_str(), page.limit), (id, 7));
    }

    #[test]
    fn says_all_that_is_wrong() {
        for query in ["limit=0&cursor=x", "limit=101&cursor=-1", "limit=&cursor="] {
            let Err(ApiError::Invalid(errors)) = Page::by_number(query) else { panic!("{query}") };
            let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
            assert_eq!(fields, ["limit", "cursor"], "{query}");
        }
        assert!(matches!(Page::by_number("offset=1"), Err(ApiError::BadRequest(_))));
    }

    #[test]
    fn the_cursor_is_the_last_row_shown() {
        let page = Page::<u64> { after: None, limit: 2 };
        assert_eq!(page.cut(vec![1, 2, 3], |n| *n), (vec![1, 2], Some("2".to_owned())));
        assert_eq!(page.cut(vec![1, 2], |n| *n), (vec![1, 2], None));
    }
}
