//! Results of all versions, read and printed.

use super::*;

fn addresses(prev: &Value, ifname: &str) -> Vec<String> {
    let parsed = CniResult::parse(prev, CniVersion::V1_0_0);
    let addresses = parsed.map(|prev| prev.container_addresses(ifname)).unwrap_or_default();
    addresses.iter().map(|(host, subnet)| format!("{host} {subnet}")).collect()
}

#[test]
fn addresses_when_of_interfaces_then_the_containers_count() {
    let prev = json!({
        "interfaces": [{"name": "eth0"}, {"name": "eth0", "sandbox": "/x"},
                       {"name": "eth1", "sandbox": "/x"}],
        "ips": [{"interface": 0, "address": "10.0.0.1/8"}, {"interface": 2, "address": "10.0.0.2/8"},
                {"interface": 1, "address": "10.0.0.3/8"}, {"interface": 1, "address": "fd00::3/8"},
                {"interface": 1, "address": "10.0.0.4/8"}],
    });
    assert_eq!(addresses(&prev, "eth0"), ["10.0.0.3 10.0.0.0/8", "fd00::3 fd00::/8"]);
    assert_eq!(addresses(&prev, "eth1"), ["10.0.0.2 10.0.0.0/8"]);
    assert!(addresses(&prev, "eth2").is_empty());
}

#[test]
fn addresses_when_of_no_known_interface_then_count() {
    for index in [json!(null), json!(7), json!(-1)] {
        let prev = json!({"ips": [{"interface": index, "address": "10.0.0.1/8"}]});
        assert_eq!(addresses(&prev, "eth0"), ["10.0.0.1 10.0.0.0/8"]);
    }
}

#[test]
fn delegated_result_when_of_any_version_then_is_read_in_its_own_shape() {
    let texts = [
        r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/8","gateway":"10.0.0.1"}}"#,
        r#"{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.0.0.2/8","gateway":"10.0.0.1"}]}"#,
        r#"{"ips":[{"address":"10.0.0.2/8","gateway":"10.0.0.1"}]}"#,
    ];
    for text in texts {
        let result = CniResult::parse_delegated(text.as_bytes(), CniVersion::V1_0_0);
        let ips = result.map(|result| result.ips).unwrap_or_default();
        let (address, gateway) = ("10.0.0.2/8".parse().ok(), "10.0.0.1".parse().ok());
        let expected = address.map(|address| vec![Ip::new(address, gateway)]);
        assert_eq!(Some(ips), expected, "{text}");
    }
    let error = CniResult::parse_delegated(br#"{"cniVersion":"9"}"#, CniVersion::V1_0_0).err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(text.ends_with("unsupported CNI result version \"9\""), "{text}");
}

fn ip() -> impl Strategy<Value = Value> {
    let v4 = (any::<[u8; 4]>(), 0..=32_u8).prop_map(|(a, p)| format!("{}/{p}", IpAddr::from(a)));
    // Not those that are IPv4 in other clothes.
    let v6 = (any::<[u8; 15]>(), 0..=128_u8).prop_map(|(rest, prefix)| {
        let mut octets = [0x20; 16];
        octets[1..].copy_from_slice(&rest);
        format!("{}/{prefix}", IpAddr::from(octets))
    });
    let gateway = prop::option::of(prop::sample::select(vec!["", "10.0.0.1", "fd00::1"]));
    (prop_oneof![v4, v6], prop::option::of(0..4_i64), gateway)
        .prop_map(|(address, at, gw)| json!({"address": address, "interface": at, "gateway": gw}))
}

fn interface() -> impl Strategy<Value = Value> {
    let text = || prop::option::of("[a-z0-9:/.<&]{0,9}");
    (text(), text(), text(), prop::option::of(0..9000_u16)).prop_map(|(name, mac, sandbox, mtu)| {
        json!({"name": name, "mac": mac, "sandbox": sandbox, "mtu": mtu})
    })
}

fn result() -> impl Strategy<Value = Value> {
    let dns = prop::option::of(prop::collection::vec("[a-z.]{1,9}", 0..3))
        .prop_map(|list| json!({"search": list, "domain": ""}));
    let interfaces = prop::collection::vec(interface(), 0..4);
    let routes = prop::collection::vec(ip().prop_map(|ip| json!({"dst": ip["address"]})), 0..3);
    (interfaces, prop::collection::vec(ip(), 0..4), routes, dns)
        .prop_map(|(i, ips, r, dns)| json!({"interfaces": i, "ips": ips, "routes": r, "dns": dns}))
}

proptest! {
    /// What is printed at a version is a result of that version, with the same content.
    #[test]
    fn result_when_printed_and_read_again_then_is_the_same(result in result()) {
        for version in CniVersion::ALL.into_iter().skip(2) {
            let once = CniResult::parse(&result, version)?.to_json(version);
            let again = CniResult::parse(&once, version)?;
            prop_assert_eq!(again.to_json(version), once);
        }
    }

    #[test]
    fn addresses_when_printed_at_any_version_then_are_kept(result in result()) {
        let prev = CniResult::parse(&result, CniVersion::V1_0_0)?;
        for version in CniVersion::ALL.into_iter().skip(2) {
            let again = CniResult::parse(&prev.to_json(version), version)?;
            prop_assert_eq!(again.container_addresses("eth0"), prev.container_addresses("eth0"));
        }
    }
}
