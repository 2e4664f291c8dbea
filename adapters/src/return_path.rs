//! Where bounces go: an address for each mail, which says whose bounce it is and proves that it is ours
//! (VERP, with a message authentication code).
//!
//! `bounces@example.com` becomes `bounces+<delivery>.<proof>@example.com`. A bounce to an address whose
//! proof is wrong tells of no mail of ours: anybody can write to it.

use domain::DeliveryId;
use uuid::Uuid;

use crate::seal::SealKeys;

const PURPOSE: &str = "return path";
/// RFC 5321 §4.5.3.1.1 allows 64 octets; 50 of them are `+`, the delivery, `.` and the proof.
pub const LONGEST_LOCAL_PART: usize = 14;

/// The address that bounces go to, without what is each mail's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath {
    local: String,
    domain: String,
}

impl ReturnPath {
    /// Reads a plain address. The error ends a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (local, domain) = text.split_once('@').unwrap_or_default();
        let fits = |part: &str| {
            let good = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            !part.is_empty() && part.bytes().all(good)
        };
        if !fits(local) || !fits(domain) || local.len() > LONGEST_LOCAL_PART {
            return Err(format!(
                "must be an address such as bounces@example.com, with at most {LONGEST_LOCAL_PART} \
                 letters, digits, dots, dashes or underscores before the @"
            ));
        }
        Ok(Self { local: local.to_owned(), domain: domain.to_owned() })
    }

    /// Where the bounces of one mail go.
    pub fn of(&self, keys: &SealKeys, delivery: DeliveryId) -> String {
        let id = delivery.uuid();
        let proof = keys.proof(PURPOSE, id.as_bytes());
        format!("{}+{}.{proof}@{}", self.local, id.simple(), self.domain)
    }

    /// Whose bounces go to `address`; `None` if it is not ours, or does not prove that it is.
    pub fn delivery(&self, keys: &SealKeys, address: &str) -> Option<DeliveryId> {
        let (local, domain) = address.split_once('@')?;
        let (name, own) = local.split_once('+')?;
        let (id, proof) = own.split_once('.')?;
        // Some servers write addresses anew, in lower case or not.
        let ours =
            name.eq_ignore_ascii_case(&self.local) && domain.eq_ignore_ascii_case(&self.domain);
        let id = Uuid::parse_str(id).ok().filter(|_| ours)?;
        keys.proves(PURPOSE, id.as_bytes(), &proof.to_ascii_lowercase())
            .then_some(DeliveryId::from_uuid(id))
    }
}

impl std::fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(id: &str) -> SealKeys {
        SealKeys::parse(&format!("{id}:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")).unwrap()
    }

    #[test]
    fn an_address_is_read_back_only_if_it_is_whole() {
        let path = ReturnPath::parse("bounces@example.com").unwrap();
        let id = DeliveryId::from_uuid(Uuid::from_u128(0x0193_7a5c_8f5e_7c53_8e41_2b9f_0d7c_6a90));
        let address = path.of(&keys("a"), id);
        let local = address.split_once('@').unwrap().0;
        assert!(local.len() <= 64, "{address}");
        assert_eq!(path.delivery(&keys("a"), &address), Some(id));
        assert_eq!(path.delivery(&keys("a"), &address.to_uppercase()), Some(id));
        let (start, end) = address.split_at(20);
        let digit = if end.starts_with('0') { "1" } else { "0" };
        for forged in [
            format!("{start}{digit}{}", &end[1..]),
            address.replace("bounces", "others"),
            address.replace("example.com", "example.org"),
            "bounces@example.com".to_owned(),
            format!("bounces+{}.0000000000000000@example.com", id.uuid().simple()),
        ] {
            assert_eq!(path.delivery(&keys("a"), &forged), None, "{forged}");
        }
    }

    #[test]
    fn the_longest_local_part_just_fits() {
        let path = ReturnPath::parse(&format!("{}@example.com", "b".repeat(14))).unwrap();
        let address = path.of(&keys("a"), DeliveryId::from_uuid(Uuid::nil()));
        assert_eq!(address.split_once('@').unwrap().0.len(), 64);
        for wrong in ["", "bounces", "a+b@example.com", "@example.com", "fifteen-letters@x.org"] {
            assert!(ReturnPath::parse(wrong).is_err(), "{wrong}");
        }
    }
}
