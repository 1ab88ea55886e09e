//! IP addresses in text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP address, with what a text says of its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpText<'a> {
    /// IPv4, which has no zones.
    V4(Ipv4Addr),
    /// IPv6.
    V6 {
        /// The address without the zone.
        ip: Ipv6Addr,
        /// A number or the name of an interface (`fe80::1%eth0`, `fe80::1%2`); it may be empty.
        zone: Option<&'a str>,
    },
}

/// Reads an IP address. `None` for anything else, an IPv4 address with a zone among it.
pub fn read_ip(text: &str) -> Option<IpText<'_>> {
    let (ip, zone) = match text.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (text, None),
    };
    match (ip.parse().ok()?, zone) {
        (IpAddr::V6(ip), zone) => Some(IpText::V6 { ip, zone }),
        (IpAddr::V4(ip), None) => Some(IpText::V4(ip)),
        (IpAddr::V4(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_whatever_follows_the_first_percent_sign_of_an_ipv6_address() {
        let ip = Ipv6Addr::LOCALHOST;
        for (text, zone) in [
            ("::1", None),
            ("::1%", Some("")),
            ("::1%eth0", Some("eth0")),
            ("::1%a%b", Some("a%b")),
        ] {
            assert_eq!(read_ip(text), Some(IpText::V6 { ip, zone }), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_has_no_zone() {
        assert_eq!(read_ip("127.0.0.1"), Some(IpText::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(read_ip("127.0.0.1%lo"), None);
    }

    #[test]
    fn anything_else_is_no_address() {
        for text in ["", "%", "%eth0", "localhost", "127.1", "::1 ", "[::1]", "::1/64"] {
            assert_eq!(read_ip(text), None, "{text}");
        }
    }
}
