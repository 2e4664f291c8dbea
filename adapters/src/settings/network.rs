//! Networks of addresses: which proxies are believed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// All addresses that begin with the same bits (CIDR, RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// The network of so many bits that `address` is in.
    pub fn around(address: IpAddr, prefix: u32) -> Self {
        let address = address.to_canonical();
        let (bits, width) = bits(address);
        let prefix = prefix.min(width);
        let masked = bits & mask(prefix, width);
        let address = match address {
            // The upper bits are none.
            IpAddr::V4(_) => IpAddr::from(u32::try_from(masked).unwrap_or_default().to_be_bytes()),
            IpAddr::V6(_) => IpAddr::from(masked.to_be_bytes()),
        };
        Self { address, prefix }
    }

    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && Self::around(address, self.prefix) == *self
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("must list addresses or networks such as 10.0.0.0/8, not {text:?}");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (_, width) = bits(address.to_canonical());
        let prefix = prefix.map_or(Ok(width), |prefix| prefix.parse().map_err(|_| wrong()))?;
        if prefix > width { Err(wrong()) } else { Ok(Self::around(address, prefix)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), u32::BITS),
        IpAddr::V6(address) => (address.to_bits(), u128::BITS),
    }
}

/// The first `prefix` of `width` bits.
const fn mask(prefix: u32, width: u32) -> u128 {
    if prefix == 0 { 0 } else { (u128::MAX << (width - prefix)) & (u128::MAX >> (128 - width)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(address: &str, network: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_in_the_networks_that_share_its_first_bits() {
        for (address, network, expected) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.4", "10.1.2.3", false),
            ("::ffff:10.1.2.3", "10.0.0.0/8", true),
            ("203.0.113.9", "0.0.0.0/0", true),
            ("2001:db8::1", "0.0.0.0/0", false),
            ("2001:db8:0:1::1", "2001:db8::/32", true),
            ("2001:db9::1", "2001:db8::/32", false),
            ("::1", "::1", true),
            ("::1", "::/0", true),
        ] {
            assert_eq!(is_in(address, network), expected, "{address} in {network}");
        }
    }

    #[test]
    fn is_written_as_the_network_that_it_is() {
        let written = |text: &str| text.parse::<Network>().map(|network| network.to_string());
        assert_eq!(written("10.1.2.3/8").unwrap(), "10.0.0.0/8");
        assert_eq!(written("2001:db8::1").unwrap(), "2001:db8::1/128");
        for text in ["", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129"] {
            assert!(written(text).unwrap_err().contains("10.0.0.0/8"), "{text}");
        }
    }
}
