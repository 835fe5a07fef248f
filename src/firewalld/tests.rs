#![allow(clippy::unwrap_used)]

use super::bus::address;
use super::client::source;
use super::error::Refusal;

#[test]
fn address_when_its_socket_is_missing_is_none() {
    assert_eq!(address(Some("unix:path=/nonexistent/bus")), None);
    assert_eq!(address(Some("unix:path=/nonexistent/bus,guid=00")), None);
}

#[test]
fn address_when_it_names_no_file_is_left_to_the_connection() {
    let abstract_one = "unix:abstract=/tmp/bus";
    assert_eq!(address(Some(abstract_one)).as_deref(), Some(abstract_one));
}

#[test]
fn source_when_of_either_version_is_the_single_address() {
    assert_eq!(source([10, 88, 0, 2].into()), "10.88.0.2/32");
    assert_eq!(source("fd00:88::2".parse().unwrap()), "fd00:88::2/128");
}

#[test]
fn refusal_when_firewalld_names_a_code_is_known_by_it() {
    let of = Refusal::of_message;
    assert_eq!(
        of("ZONE_ALREADY_SET: '10.88.0.2/32' already bound to 'trusted'"),
        Refusal::AlreadySet
    );
    assert_eq!(of("ZONE_CONFLICT: '10.88.0.2/32' already bound to a zone"), Refusal::OtherZone);
    assert_eq!(of("UNKNOWN_SOURCE: '10.88.0.2/32' is not in any zone"), Refusal::UnknownSource);
    assert_eq!(of("INVALID_ZONE: nowhere"), Refusal::NoSuchZone);
    assert_eq!(of("PANIC_MODE"), Refusal::Other);
}
