//! Addresses as text, with the zones of link-local IPv6 ones.

use std::net::{SocketAddr, SocketAddrV6};

use ferronet_core::address::{IpText, read_ip};

use crate::socket::errno::Errno;
use crate::sys;

/// Makes a socket address of an IP address in text, which may carry a zone (`fe80::1%eth0`, `fe80::1%2`).
///
/// # Errors
/// [`Errno::EINVAL`] when the text is no IP address.
pub fn parse_ip(address: &str, port: u16) -> Result<SocketAddr, Errno> {
    match read_ip(address).ok_or(Errno::EINVAL)? {
        IpText::V4(ip) => Ok(SocketAddr::from((ip, port))),
        IpText::V6 { ip, zone } => {
            let scope = zone.map_or(0, sys::zone_to_scope);
            Ok(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope)))
        }
    }
}

/// The IP address in text, a link-local IPv6 one with its zone, as Node prints it.
pub fn format_ip(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() != 0 => {
            match sys::scope_to_zone(v6.scope_id()) {
                Some(zone) => format!("{}%{zone}", v6.ip()),
                None => v6.ip().to_string(),
            }
        }
        _ => address.ip().to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed_as_node_prints_them() {
        for text in [
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "2001:db8::8:800:200c:417a",
        ] {
            let address = parse_ip(text, 80).unwrap();
            assert_eq!(address.port(), 80);
            assert_eq!(format_ip(&address), text);
        }
    }

    #[test]
    fn a_zone_becomes_a_scope_and_a_scope_a_zone() {
        let SocketAddr::V6(numbered) = parse_ip("fe80::1%1", 0).unwrap() else {
            panic!("no IPv6 address")
        };
        assert_eq!(numbered.scope_id(), 1);
        let name = format_ip(&SocketAddr::V6(numbered));
        let (_, zone) = name.split_once('%').unwrap();
        assert_eq!(
            parse_ip(&format!("fe80::1%{zone}"), 0).unwrap(),
            SocketAddr::V6(numbered)
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "localhost", "127.0.0.1%lo", "1.2.3", "::1::"] {
            assert_eq!(parse_ip(text, 0), Err(Errno::EINVAL), "{text}");
        }
    }
}
