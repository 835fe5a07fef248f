#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn subnet_when_the_address_has_host_bits_then_they_are_cleared() {
    for (text, network) in [
        ("10.88.3.7/16", "10.88.0.0/16"),
        ("10.88.3.7/32", "10.88.3.7/32"),
        ("10.88.3.7/0", "0.0.0.0/0"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("2001:db8::1/0", "::/0"),
    ] {
        assert_eq!(text.parse::<Subnet>().map(|s| s.to_string()), Ok(network.to_owned()));
    }
}

#[test]
fn subnet_when_the_text_is_no_cidr_then_the_error_names_it() {
    for text in ["", "10.0.0.1", "10.0.0.1/33", "::1/129", "10.0.0.1/-1", "zz/8"] {
        assert_eq!(text.parse::<Subnet>(), Err(InvalidSubnet { text: text.to_owned() }));
    }
}

#[test]
fn netmask_when_the_prefix_ends_inside_a_byte_then_the_byte_is_split() {
    assert_eq!(Subnet::netmask(IpVersion::V4, 20), [0xff, 0xff, 0xf0, 0]);
    assert_eq!(Subnet::netmask(IpVersion::V6, 64)[7..9], [0xff, 0]);
}

#[test]
fn port_when_out_of_range_then_refused_with_its_number() {
    for number in [0, -1, 65_536, i64::MAX] {
        assert_eq!(Port::try_from(number), Err(InvalidPort { number }));
    }
    assert_eq!(Port::try_from(65_535).map(Port::number), Ok(65_535));
}

#[test]
fn ifname_when_the_kernel_would_refuse_it_then_so_do_we() {
    for name in ["", "sixteen-bytes-ab", ".", "..", "a/b", "a:b", "a b"] {
        assert!(IfName::new(name).is_err(), "{name:?}");
    }
    assert!(IfName::new("fifteen-bytes-a").is_ok());
}

#[test]
fn container_id_when_outside_cni_alphabet_then_refused() {
    for name in ["", "-a", "a/b", "é", "a b"] {
        assert!(ContainerId::new(name).is_err(), "{name:?}");
    }
    assert!(ContainerId::new("0a_.-Z").is_ok());
}

#[test]
fn protocol_when_written_in_capitals_then_understood() {
    assert_eq!("TCP".parse(), Ok(L4Proto::Tcp));
    assert_eq!("icmp".parse::<L4Proto>(), Err(UnknownProtocol { word: "icmp".to_owned() }));
    for proto in L4Proto::ALL {
        assert_eq!(L4Proto::from_number(proto.number()), Some(proto));
    }
}

#[test]
fn mark_when_the_bit_is_outside_32_then_refused() {
    assert_eq!(Mark::bit(13), Ok(Mark::PORTMAP_DEFAULT));
    assert_eq!(Mark::bit(31).map(Mark::bits), Ok(0x8000_0000));
    assert_eq!(Mark::bit(32), Err(InvalidMarkBit { bit: 32 }));
    assert_eq!(Mark::bit(-1), Err(InvalidMarkBit { bit: -1 }));
}

#[test]
fn mac_when_spelled_in_any_known_form_then_it_is_the_same_address() {
    let mac = Mac::new([0x0a, 0x58, 0x0a, 0x58, 0x00, 0x02]);
    for text in ["0a:58:0a:58:00:02", "0A-58-0A-58-00-02", "0a58.0a58.0002"] {
        assert_eq!(text.parse(), Ok(mac), "{text}");
    }
    assert_eq!(mac.to_string(), "0a:58:0a:58:00:02");
}

#[test]
fn mac_when_it_is_none_then_the_error_names_it() {
    for text in [
        "",
        "zz",
        "0a:58:0a:58:00",
        "0a:58:0a:58:00:02:01:02",
        "0a:58-0a:58:00:02",
        "+a:58:0a:58:00:02",
        "a:58:0a:58:00:02",
    ] {
        let parsed = text.parse::<Mac>().map_err(|error| error.to_string());
        assert_eq!(parsed, Err(format!("address {text}: invalid MAC address")));
    }
}

#[test]
fn zone_name_when_a_record_could_not_hold_it_is_refused() {
    for name in ["trusted", "my-zone_1", "a/b"] {
        assert_eq!(ZoneName::new(name).unwrap().as_str(), name);
    }
    for name in ["", "two words", "a,b", "\"", "caf\u{e9}", &"z".repeat(41)] {
        assert_eq!(ZoneName::new(name), Err(InvalidZoneName { name: name.to_owned() }));
    }
}
