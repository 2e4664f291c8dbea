//! End to end: the whole product, seen only through HTTP and mail.
//!
//! Each behaviour is one function and two tests: `embedded` (`SQLite`, memory broker, captured mail)
//! and `distributed` (`PostgreSQL`, `RabbitMQ`, a real SMTP conversation). The second needs servers;
//! `make test` starts private ones. `processes` runs the real binaries.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

/// Makes two tests of each behaviour, one per stack.
macro_rules! on_both_stacks {
    ($($behaviour:ident),+ $(,)?) => {
        mod embedded {
            $(#[test]
            fn $behaviour() {
                crate::harness::block_on(super::$behaviour(crate::harness::Stack::Embedded));
            })+
        }
        mod distributed {
            $(#[test]
            fn $behaviour() {
                crate::harness::block_on(super::$behaviour(crate::harness::Stack::Distributed));
            })+
        }
    };
}

mod abuse;
mod accept;
mod address;
mod bad_input;
mod batches;
mod bounces;
mod branding;
mod cli;
mod console;
mod contracts;
mod create;
mod database;
mod dead_letters;
mod deliver;
mod docs;
#[cfg(feature = "failpoints")]
mod faults;
mod guide;
mod harness;
mod idempotency;
mod inbox;
mod interleavings;
mod keys;
mod languages;
mod life;
mod limits;
mod list;
mod list_reads;
mod mail;
mod members;
mod metrics;
mod moving;
mod one_domain;
mod organizations;
mod overlap;
mod overload;
mod own_invitations;
mod pages;
mod people;
mod policy;
mod processes;
mod reminders;
mod restart;
mod retry;
mod schedule;
mod servers;
#[cfg(feature = "failpoints")]
mod smtp_script;
mod smtp_sink;
#[cfg(feature = "long-faults")]
mod soak;
mod start;
mod templates;
mod test_mails;
mod tls_front;
mod together;
mod tokens;
mod traces;
mod upgrade;
mod webhooks;
