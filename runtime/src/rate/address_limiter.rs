//! A rate limiter that counts by network address.

use std::hash::RandomState;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use super::Rate;
use super::keyed_limiter::{KeyedLimiter, hash_16};

/// How much higher the rate of an IPv6 site is than that of each of its networks.
const SITE_FACTOR: NonZeroU32 = NonZeroU32::new(16).unwrap();

/// Counts an IPv4 client by its address, and an IPv6 client by its network of 64 bits, because a client has a whole network,
/// and by its site of 48 bits, because a provider may give out sites. Beyond the number of keys of a [`KeyedLimiter`] the
/// prefixes of 16 and of 32 bits count.
///
/// Each kind has keys of its own: addresses of IPv6, of which an attacker may have many, leave those of IPv4 room.
pub(crate) struct AddressLimiter {
    addresses: KeyedLimiter<Ipv4Addr>,
    networks: KeyedLimiter<u64>,
    sites: KeyedLimiter<u64>,
}

impl AddressLimiter {
    pub(crate) fn new(rate: Rate) -> AddressLimiter {
        let (addresses, networks) = (KeyedLimiter::new(rate), KeyedLimiter::new(rate));
        AddressLimiter { addresses, networks, sites: KeyedLimiter::new(rate.times(SITE_FACTOR)) }
    }

    /// Counts an occurrence.
    ///
    /// # Errors
    ///
    /// The time after which it would be admitted, if a rate is exceeded.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Duration> {
        // An IPv4 address may be written as one of IPv6.
        match address.to_canonical() {
            IpAddr::V4(address) => {
                self.addresses.check_coarse(&address, |_| u32::from_be_bytes(address.octets()) >> 16)
            }
            IpAddr::V6(address) => {
                let prefix = |bits| prefix(address, bits);
                let (network, site) = (prefix(64), prefix(48));
                // A hash has a bounded number of values, unlike the prefixes.
                let coarse_key = |hasher: &RandomState| hash_16(hasher, prefix(32));
                // A network that is counted does not use up the allowance of its site. An unknown one asks the site first, so
                // that a site with many networks fills no table with those that are refused.
                if self.networks.contains(&network) {
                    self.networks.check_coarse(&network, coarse_key)?;
                    self.sites.check_coarse(&site, coarse_key)
                } else {
                    self.sites.check_coarse(&site, coarse_key)?;
                    self.networks.check_coarse(&network, coarse_key)
                }
            }
        }
    }
}

/// Returns the first bits of an address, at most 64.
fn prefix(address: Ipv6Addr, bits: u32) -> u64 {
    let [a, b, c, d, ..] = address.segments().map(u64::from);
    (a << 48 | b << 32 | c << 16 | d) >> (64 - bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::per_hour(1).burst(2);

    fn count_admitted(limiter: &AddressLimiter, addresses: impl IntoIterator<Item = String>) -> usize {
        addresses.into_iter().filter(|address| limiter.check(address.parse().unwrap()).is_ok()).count()
    }

    #[test]
    fn addresses_of_ipv4_are_counted_one_by_one() {
        let limiter = AddressLimiter::new(RATE);
        assert_eq!(count_admitted(&limiter, (0..10).map(|_| "192.0.2.1".to_owned())), 2);
        assert_eq!(count_admitted(&limiter, (0..10).map(|_| "::ffff:192.0.2.1".to_owned())), 0, "the same address");
        assert_eq!(count_admitted(&limiter, (0..10).map(|last| format!("192.0.2.{last}"))), 9);
        let wait = limiter.check("192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(wait > Duration::from_mins(59) && wait <= Duration::from_hours(1), "{wait:?}");
    }

    #[test]
    fn networks_of_ipv6_are_counted_within_their_site() {
        let limiter = AddressLimiter::new(RATE);
        assert_eq!(count_admitted(&limiter, (0..100).map(|last| format!("2001:db8:1:1::{last:x}"))), 2, "one network");
        assert_eq!(
            count_admitted(&limiter, (2..100).map(|network| format!("2001:db8:1:{network:x}::1"))),
            30,
            "one site"
        );
        assert_eq!(count_admitted(&limiter, (2..100).map(|site| format!("2001:db8:{site:x}::1"))), 98);
    }

    #[test]
    fn networks_that_their_site_refuses_leave_others_room() {
        let networks = KeyedLimiter::with_max_keys(RATE, 300);
        let limiter = AddressLimiter { networks, ..AddressLimiter::new(RATE) };
        let of_two_sites = (0..20_000).map(|number| format!("2001:db8:{:x}:{:x}::1", number % 2, number / 2));
        assert_eq!(count_admitted(&limiter, of_two_sites), 64);
        let of_other_sites = (0..400).map(|number| format!("2001:db8:{:x}:1::1", 2 + number / 2));
        assert_eq!(count_admitted(&limiter, of_other_sites), 400, "each network has its own allowance");
    }

    #[test]
    fn prefix_has_the_first_bits() {
        let address = "2001:db8:1234:5678::1".parse().unwrap();
        let prefixes = [32, 48, 64].map(|bits| prefix(address, bits));
        assert_eq!(prefixes, [0x2001_0db8, 0x2001_0db8_1234, 0x2001_0db8_1234_5678]);
    }
}
