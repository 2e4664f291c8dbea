//! What can go wrong in a run of the model, and which guards it runs without.

/// A guard of the protocol, left out on purpose to see that the model misses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A report counts whoever holds the attempt by now.
    NoAttemptToken,
    /// A job is taken whatever state its delivery is in.
    ClaimFromAnyState,
    /// A report is written whatever state the delivery is in.
    ReportToAnyState,
    /// A job is claimed for an invitation that has ended or moved on.
    ClaimOfAClosedInvitation,
    /// The broker forgets a job as soon as a worker has it.
    AckBeforeReport,
    /// A relay marks a row as published before the broker has confirmed the job.
    MarkBeforePublish,
    /// The final dot is written without a look at the lease.
    NoSelfFence,
    /// Each attempt makes a secret of its own.
    SecretPerAttempt,
    /// Of two workers that make a secret, the last one wins.
    LastSecretWins,
    /// A connection that is lost after the final dot counts as an answer.
    LostAnswerIsSent,
    /// An invitation is accepted whatever state it is in.
    AcceptFromAnyState,
    /// The secret stays where it is when the invitation ends.
    NoShredding,
    /// Nobody looks for leases that are over.
    NoRescue,
    /// Nobody looks for jobs that the broker has lost.
    NoRequeue,
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How much goes wrong in one run: crashes, pauses, lost, doubled and unconfirmed jobs, lost answers.
    pub faults: u8,
    /// How often somebody resends, revokes or accepts, or the invitation's time passes.
    pub commands: u8,
    /// Whether the broker itself may lose jobs that it has confirmed.
    pub broker_loses: bool,
    /// The guards that are missing.
    pub without: Vec<Mutation>,
}

impl Rules {
    pub fn lacks(&self, guard: Mutation) -> bool {
        self.without.contains(&guard)
    }
}
