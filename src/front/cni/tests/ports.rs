//! What `portmap` makes of mappings.

use super::*;

#[test]
fn mapping_when_without_address_then_is_published_in_both_families() {
    let both = ["tcp * 8080 10.88.0.2 80", "tcp * 8080 fd00:88::2 80"];
    assert_eq!(published(&tcp(&json!({}))), both);
    assert_eq!(published(&tcp(&json!({"hostIP": ""}))), both);
    assert_eq!(published(&tcp(&json!({"hostIP": null}))), both);
}

#[test]
fn mapping_when_with_an_address_then_is_published_in_its_family() {
    for (host_ip, expected) in [
        ("0.0.0.0", "tcp * 8080 10.88.0.2 80"),
        ("::", "tcp * 8080 fd00:88::2 80"),
        ("192.0.2.1", "tcp 192.0.2.1 8080 10.88.0.2 80"),
        ("::ffff:192.0.2.1", "tcp 192.0.2.1 8080 10.88.0.2 80"),
        ("2001:DB8::1", "tcp 2001:db8::1 8080 fd00:88::2 80"),
    ] {
        assert_eq!(published(&tcp(&json!({"hostIP": host_ip}))), [expected], "{host_ip}");
    }
}

#[test]
fn mapping_when_given_twice_then_is_published_once() {
    let entry = json!({"hostPort": 1, "containerPort": 2, "protocol": "UDP"});
    let keys = json!({"runtimeConfig": {"portMappings": [entry, entry]}});
    assert_eq!(published(&keys), ["udp * 1 10.88.0.2 2", "udp * 1 fd00:88::2 2"]);
}

#[test]
fn masquerading_when_chosen_then_follows_snat_and_masq_all() {
    let masquerading = |mut keys: Value, snat: bool, all: bool| {
        keys["snat"] = snat.into();
        keys["masqAll"] = all.into();
        intent(&keys).map(|hostports| hostports.masquerading).ok()
    };
    let keys = tcp(&json!({}));
    assert_eq!(masquerading(keys.clone(), false, true), Some(Masquerading::Never));
    assert_eq!(masquerading(keys.clone(), false, false), Some(Masquerading::Never));
    assert_eq!(masquerading(keys.clone(), true, true), Some(Masquerading::Always));
    let subnets = match masquerading(keys, true, false) {
        Some(Masquerading::Hairpin(subnets)) => subnets,
        Some(Masquerading::Never | Masquerading::Always) | None => vec![],
    };
    let subnets: Vec<String> = subnets.iter().map(ToString::to_string).collect();
    assert_eq!(subnets, ["10.88.0.0/16", "fd00:88::/64"]);
}

/// The words may speak of ports, so they are translated for each protocol.
#[test]
fn conditions_when_given_then_there_is_one_for_each_protocol_of_the_family() {
    let entry = |protocol: &str| json!({"hostPort": 1, "containerPort": 1, "protocol": protocol});
    let keys = json!({
        "conditionsV4": ["!", "-s", "198.51.100.0/24"],
        "runtimeConfig": {"portMappings": [entry("tcp"), entry("udp"), entry("sctp")]},
    });
    let conditions = intent(&keys).map(|hostports| hostports.conditions).unwrap_or_default();
    assert_eq!(conditions.len(), 3);
    assert!(conditions.iter().all(|c| c.version == IpVersion::V4 && !c.exprs.is_empty()));
}

#[test]
fn conditions_when_wrong_and_nothing_is_published_then_are_refused() {
    for keys in [json!({"conditionsV4": ["--bogus"]}), json!({"conditionsV6": ["-j", "DROP"]})] {
        assert!(matches!(intent(&keys), Err(Error::Conditions { .. })), "{keys}");
    }
}

fn mapping() -> impl Strategy<Value = Value> {
    let address = prop::sample::select(vec!["", "0.0.0.0", "::", "192.0.2.1", "2001:db8::1"]);
    let protocol = prop::sample::select(vec!["tcp", "udp", "SCTP"]);
    (1..6_u16, 1..4_u16, protocol, address).prop_map(|(host, container, protocol, address)| {
        json!({"hostPort": host, "containerPort": container, "protocol": protocol,
               "hostIP": address})
    })
}

proptest! {
    /// Each host port leads to one place, or the configuration is refused; the order of the
    /// entries does not matter.
    #[test]
    fn publishes_when_random_then_are_unambiguous(entries in prop::collection::vec(mapping(), 0..8)) {
        let forward = json!({"runtimeConfig": {"portMappings": entries}});
        let backward: Vec<Value> = entries.iter().rev().cloned().collect();
        let backward = json!({"runtimeConfig": {"portMappings": backward}});
        match (intent(&forward), intent(&backward)) {
            (Ok(one), Ok(other)) => {
                prop_assert_eq!(&one.publishes, &other.publishes);
                let mut keys: Vec<_> = one
                    .publishes
                    .iter()
                    .map(|p| (p.version(), p.host_address, p.host_port, p.proto))
                    .collect();
                keys.dedup();
                prop_assert_eq!(keys.len(), one.publishes.len());
                let of_family =
                    |p: &Publish| p.host_address.is_none_or(|a| IpVersion::of(a) == p.version());
                prop_assert!(one.publishes.iter().all(of_family));
                // Every mapping is there, in each family that it is for.
                let root = json!({"runtimeConfig": {"portMappings": entries}});
                let root = Object::root(&root)?;
                let addresses: [IpAddr; 2] = ["10.88.0.2".parse()?, "fd00:88::2".parse()?];
                for mapping in Mapping::parse_all(&root)? {
                    for address in addresses {
                        let publish = mapping.publish_at(address);
                        prop_assert!(publish.is_none_or(|p| one.publishes.contains(&p)));
                    }
                }
            }
            (Err(Error::Value { key, .. }), Err(Error::Value { .. })) => {
                prop_assert_eq!(key, "runtimeConfig.portMappings");
            }
            (one, other) => prop_assert!(false, "{one:?} {other:?}"),
        }
    }

    #[test]
    fn port_numbers_when_out_of_range_then_are_refused(number in prop_oneof![
        Just(0_i64), any::<i64>().prop_filter("no port", |n| !(1..=65_535).contains(n))
    ]) {
        for key in ["hostPort", "containerPort"] {
            let refused = intent(&tcp(&json!({key: number})));
            let is_the_same =
                matches!(refused, Err(Error::PortNumber { number: told, .. }) if told == number);
            prop_assert!(is_the_same);
        }
    }
}

#[test]
fn publishes_when_there_is_no_address_then_are_none() {
    let root = tcp(&json!({}));
    let mappings = Object::root(&root).and_then(|root| Mapping::parse_all(&root));
    let publishes = mappings.and_then(|mappings| mappings::publishes(&mappings, &[]));
    assert_eq!(publishes.map(|publishes| publishes.len()).ok(), Some(0));
}
