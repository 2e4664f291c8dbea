//! Who makes a change, for the audit log.

use domain::{ApiKeyId, SecretHash, UserId};

/// Whoever calls: the holder of an API key, or of a token that somebody else issued.
#[derive(Clone)]
pub enum Actor {
    /// A key of ours.
    Key {
        /// Which one.
        key: ApiKeyId,
        /// Whose it is; a key for the whole instance is nobody's.
        user: Option<UserId>,
    },
    /// A token that we only verify.
    Token {
        /// The issuer's name for the person.
        subject: String,
        /// Who that is here, if anybody.
        user: Option<UserId>,
    },
    /// Somebody who has been invited and asks for it once more.
    Invitee {
        /// That person.
        user: UserId,
        /// In whose name they were invited, and are again.
        inviter: Option<UserId>,
    },
}

impl Actor {
    /// The person in whose name it happens, if it is one we know.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Key { user, .. }
            | Self::Token { user, .. }
            | Self::Invitee { inviter: user, .. } => *user,
        }
    }

    /// The same key or token, used for that person.
    #[must_use]
    pub fn in_the_name_of(self, person: UserId) -> Self {
        let user = Some(person);
        match self {
            Self::Key { key, .. } => Self::Key { key, user },
            Self::Token { subject, .. } => Self::Token { subject, user },
            Self::Invitee { user, .. } => Self::Invitee { user, inviter: Some(person) },
        }
    }

    /// The key or the token's subject, as what limits count.
    pub(super) fn credential(&self) -> Vec<u8> {
        match self {
            Self::Key { key, .. } => key.uuid().into_bytes().to_vec(),
            Self::Token { subject, .. } => SecretHash::of_exact(subject).to_vec(),
            Self::Invitee { user, .. } => user.uuid().into_bytes().to_vec(),
        }
    }

    /// The same for somebody whom only the issuer of their token knows.
    pub(super) fn stranger(&self) -> Option<Vec<u8>> {
        matches!(self, Self::Token { .. }).then(|| self.credential())
    }

    /// As the audit log has it.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Key { key, user: Some(user) } => format!("user:{user} key:{key}"),
            Self::Key { key, user: None } => format!("key:{key}"),
            Self::Token { user: Some(user), .. } => format!("user:{user} token"),
            Self::Token { subject, user: None } => format!("token:{subject}"),
            Self::Invitee { user, .. } => format!("user:{user}"),
        }
    }
}

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // A subject may be an address, which stays out of logs.
            Self::Token { user: None, .. } => f.write_str("Actor(token)"),
            known => write!(f, "Actor({})", known.written()),
        }
    }
}
