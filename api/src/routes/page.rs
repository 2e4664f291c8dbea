//! Pages of lists that are ordered by a number: `limit` and `cursor`.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::{ApiError, FieldError};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// Which page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The number of the last row of the page before; 0 for the first page.
    pub after: i64,
    /// How many rows are shown at most.
    pub limit: usize,
}

/// What such a list can be asked.
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

impl Page {
    /// Reads the query of a request.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let query: PageQuery = serde_urlencoded::from_str(query).map_err(|_| {
            ApiError::BadRequest("The query may have limit and cursor, each once.".to_owned())
        })?;
        let limit = query.limit.map_or(Some(DEFAULT_LIMIT), |text| {
            text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        });
        let after =
            query.cursor.map_or(Some(0), |text| text.parse().ok().filter(|number| *number >= 0));
        match (after, limit) {
            (Some(after), Some(limit)) => Ok(Self { after, limit }),
            (after, limit) => {
                let limit_wrong = format!("must be a number from 1 to {MAX_LIMIT}");
                let cursor_wrong = "must be a next_cursor of this list";
                let errors = [
                    limit.is_none().then(|| FieldError::new("limit", limit_wrong)),
                    after.is_none().then(|| FieldError::new("cursor", cursor_wrong)),
                ];
                Err(ApiError::Invalid(errors.into_iter().flatten().collect()))
            }
        }
    }

    /// How many rows to read: one more than are shown tells whether there is a next page.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.limit).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// The rows of a page, and the cursor of the next one if there is one.
pub fn cut<T>(
    mut rows: Vec<T>,
    limit: usize,
    number: impl Fn(&T) -> i64,
) -> (Vec<T>, Option<String>) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|last| number(last).to_string());
    (rows, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_limit_and_cursor() {
        assert_eq!(Page::parse("").unwrap(), Page { after: 0, limit: 50 });
        assert_eq!(Page::parse("limit=1&cursor=7").unwrap(), Page { after: 7, limit: 1 });
        let Err(ApiError::Invalid(errors)) = Page::parse("limit=0&cursor=x") else { panic!() };
        assert_eq!(errors.len(), 2);
        assert!(matches!(Page::parse("offset=1"), Err(ApiError::BadRequest(_))));
    }

    #[test]
    fn the_cursor_is_the_last_row_shown() {
        assert_eq!(cut(vec![1, 2, 3], 2, |n| *n), (vec![1, 2], Some("2".to_owned())));
        assert_eq!(cut(vec![1, 2], 2, |n| *n), (vec![1, 2], None));
    }
}
