//! IPv6 zones: libuv on Windows takes and gives them as numbers only.

pub(crate) fn zone_to_scope(zone: &str) -> u32 {
    zone.parse().unwrap_or(0)
}

pub(crate) fn scope_to_zone(scope: u32) -> Option<String> {
    Some(scope.to_string())
}
