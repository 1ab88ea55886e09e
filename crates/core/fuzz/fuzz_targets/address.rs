//! Addresses in text, as programs give them: `connect({ host })`, `listen({ host })`, `localAddress`.
#![no_main]

use std::net::{IpAddr, Ipv6Addr};

use ferronet_core::address::{IpText, read_ip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let plain: Option<IpAddr> = text.parse().ok();
    match read_ip(text) {
        Some(IpText::V4(ip)) => assert_eq!(plain, Some(IpAddr::V4(ip))),
        Some(IpText::V6 { ip, zone: None }) => assert_eq!(plain, Some(IpAddr::V6(ip))),
        Some(IpText::V6 { ip, zone: Some(zone) }) => {
            let before = text.strip_suffix(zone).and_then(|text| text.strip_suffix('%'));
            assert_eq!(before.and_then(|text| text.parse().ok()), Some(ip));
            // Printed as an address is, it is read as the same one.
            let printed = format!("{ip}%{zone}");
            assert_eq!(read_ip(&printed), Some(IpText::V6 { ip, zone: Some(zone) }));
        }
        None => {
            assert_eq!(plain, None);
            let zoned = text
                .split_once('%')
                .and_then(|(ip, _)| ip.parse::<Ipv6Addr>().ok());
            assert_eq!(zoned, None);
        }
    }
});
