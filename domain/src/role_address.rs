//! Addresses of a task instead of a person: what such names are, and what is said of an address that can be
//! invited but hardly means a person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::EmailAddress;
use crate::disposable::is_disposable;

/// The names of RFC 2142, and others behind which many people or nobody reads.
const NAMES: [&str; 42] = [
    "abuse",
    "admin",
    "administrator",
    "billing",
    "bounce",
    "bounces",
    "contact",
    "daemon",
    "do-not-reply",
    "do_not_reply",
    "donotreply",
    "everyone",
    "ftp",
    "help",
    "helpdesk",
    "hostmaster",
    "info",
    "list",
    "list-request",
    "mailer-daemon",
    "majordomo",
    "marketing",
    "news",
    "no-reply",
    "no_reply",
    "nobody",
    "noc",
    "noreply",
    "office",
    "postmaster",
    "privacy",
    "root",
    "sales",
    "security",
    "staff",
    "support",
    "team",
    "undisclosed-recipients",
    "usenet",
    "uucp",
    "webmaster",
    "www",
];

/// What makes it doubtful that a person reads what is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressWarning {
    /// It is one of a task, such as `postmaster@`: whoever reads its mail can accept.
    RoleAddress,
    /// It is one to be thrown away.
    DisposableAddress,
}

impl AddressWarning {
    /// All that is doubtful about an address.
    pub fn of(address: &EmailAddress) -> Vec<Self> {
        let role = is_role_address(address).then_some(Self::RoleAddress);
        let disposable = is_disposable(address.domain()).then_some(Self::DisposableAddress);
        role.into_iter().chain(disposable).collect()
    }
}

/// Whether an address is one of a task, whatever its domain; what follows a `+` does not count.
pub fn is_role_address(address: &EmailAddress) -> bool {
    let local = address.local().to_ascii_lowercase();
    let name = local.split_once('+').map_or(local.as_str(), |(name, _)| name);
    NAMES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_for_they_are_searched_so() {
        assert!(NAMES.is_sorted(), "{NAMES:?}");
    }
}
