//! Whether people want the mail of an organization: what its invitations have come to so far.

/// Of the invitations that people have had time to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// How many were mailed.
    pub invited: u64,
    /// How many of these were accepted.
    pub accepted: u64,
}

/// How many must be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptanceRule {
    /// So many of a hundred; 0 asks for nothing.
    pub min_percent: u64,
    /// Fewer than so many say nothing yet.
    pub sample: u64,
}

impl Acceptance {
    /// Whether too few are accepted.
    pub const fn breaks(self, rule: AcceptanceRule) -> bool {
        let accepted = self.accepted.saturating_mul(100);
        self.invited >= rule.sample && accepted < self.invited.saturating_mul(rule.min_percent)
    }
}
