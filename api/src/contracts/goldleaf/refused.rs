//! Mails that must not be sent now: nobody is invited, and the answer says whom to leave out.

use domain::SendRefusal;

use super::error::{Code, Detail, Problems, Refusal};
use super::request::Row;
use crate::problem::ApiError;

/// Tells which entries are refused, or why all are.
pub fn refusal(rows: &[Row], refused: &[(usize, SendRefusal)]) -> Refusal {
    let mut problems = Problems::default();
    let (mut longest, mut not_allowed) = (std::time::Duration::ZERO, false);
    for (index, row) in rows.iter().enumerate() {
        let Some((_, why)) = refused.iter().find(|(person, _)| *person == row.person) else {
            continue;
        };
        match *why {
            SendRefusal::Limit { limit, retry_after } if limit.is_about_recipient() => {
                longest = longest.max(retry_after);
            }
            SendRefusal::Policy(why) if why.is_about_address() => not_allowed = true,
            // Leaving out a few would not help.
            why => return ApiError::Refused(why).into(),
        }
        problems.add(Detail {
            index,
            email: Some(row.email.clone()),
            code: match why {
                SendRefusal::Policy(_) => Code::AddressNotAllowed,
                _ => Code::TooManyMails,
            },
            message: ApiError::Refused(*why).to_string(),
        });
    }
    // Policy is asked before limits are: never are there both.
    if not_allowed { Refusal::Invalid(problems) } else { Refusal::TooMany(problems, longest) }
}
