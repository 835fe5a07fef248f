//! Ranges and sets of them: what is in one, in which order, and what is none.

use super::*;

#[test]
fn range_when_only_a_subnet_then_is_all_but_network_and_broadcast() -> Tested {
    for (text, expected, gateway) in [
        ("10.88.0.0/24", "10.88.0.1-10.88.0.254", "10.88.0.1"),
        ("10.88.0.0/30", "10.88.0.1-10.88.0.2", "10.88.0.1"),
        ("0.0.0.0/0", "0.0.0.1-255.255.255.254", "0.0.0.1"),
        ("fd00::/64", "fd00::1-fd00::ffff:ffff:ffff:ffff", "fd00::1"),
        ("fd00::/126", "fd00::1-fd00::3", "fd00::1"),
        ("::/0", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1"),
    ] {
        let range = Range::new(&spec(text)?)?;
        assert_eq!(range.to_string(), expected, "{text}");
        assert_eq!(range.gateway(), parsed::<IpAddr>(gateway)?, "{text}");
    }
    Ok(())
}

#[test]
fn range_when_wrong_then_says_why_in_the_words_of_the_cni_plugin() -> Tested {
    for (text, expected) in [
        ("10.88.0.0/31", "Network 10.88.0.0/31 too small to allocate from"),
        ("fd00::/127", "Network fd00::/127 too small to allocate from"),
        (
            "10.88.0.1/24",
            "Network has host bits set. For a subnet mask of length 24 the network address is 10.88.0.0",
        ),
        ("::ffff:10.0.0.0/112", "IPNet IP and Mask version mismatch"),
        ("10.88.0.0/24 10.89.0.1", "RangeStart 10.89.0.1 not in network 10.88.0.0/24"),
        ("10.88.0.0/24 fd00::1", "RangeStart fd00::1 not in network 10.88.0.0/24"),
        ("10.88.0.0/24 10.88.0.9 10.88.0.8", "RangeStart 10.88.0.9 not in network 10.88.0.0/24"),
        ("10.88.0.0/24 - 10.88.1.1", "RangeEnd 10.88.1.1 not in network 10.88.0.0/24"),
        ("10.88.0.0/24 - 10.88.0.0", "RangeEnd 10.88.0.0 not in network 10.88.0.0/24"),
    ] {
        let error = Range::new(&spec(text)?).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "{text}");
    }
    Ok(())
}

/// The CNI plugin counts up beyond it, into the neighbour's addresses.
#[test]
fn range_when_it_begins_at_the_broadcast_then_is_refused() -> Tested {
    assert!(Range::new(&spec("10.88.0.0/24 10.88.0.255")?).is_err());
    Ok(())
}

#[test]
fn addresses_when_mapped_into_ipv6_then_are_ipv4() -> Tested {
    let range = Range::new(&spec("10.0.0.0/8 ::ffff:10.0.0.5 ::ffff:10.0.0.9 ::ffff:10.0.0.5")?)?;
    assert_eq!(range.to_string(), "10.0.0.5-10.0.0.9");
    assert_eq!(range.gateway(), parsed::<IpAddr>("10.0.0.5")?);
    Ok(())
}

#[test]
fn sets_when_wrong_then_say_why_in_the_words_of_the_cni_plugin() -> Tested {
    let cases: [(&[&[&str]], &str); 6] = [
        (&[], "no IP ranges specified"),
        (&[&["10.0.0.0/8"], &[]], "invalid range set 1: empty range set"),
        (&[&["10.0.0.0/8", "fd00::/64"]], "invalid range set 0: mixed address families"),
        (
            &[&["10.1.0.0/24", "10.1.0.0/16"]],
            "invalid range set 0: subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.255.254 overlap",
        ),
        (&[&["10.1.0.0/24"], &["fd00::/64"], &["10.1.0.0/16"]], "range set 0 overlaps with 2"),
        (
            &[&["10.1.0.0/31"]],
            "invalid range set 0: Network 10.1.0.0/31 too small to allocate from",
        ),
    ];
    for (texts, expected) in cases {
        let error = sets(texts).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "{texts:?}");
    }
    Ok(())
}

#[test]
fn sets_when_side_by_side_in_one_subnet_then_do_not_overlap() -> Tested {
    let sets = sets(&[
        &["10.0.0.0/24 10.0.0.10 10.0.0.19", "10.0.0.0/24 10.0.0.30 10.0.0.39"],
        &["10.0.0.0/24 10.0.0.20 10.0.0.29"],
        &["fd00::/64"],
    ])?;
    assert_eq!(IpVersion::BOTH.map(|version| sets.count(version)), [2, 1]);
    Ok(())
}

fn order(set: &RangeSet, last: Option<&str>) -> Result<String, String> {
    let last = last.map(parsed).transpose()?;
    let texts: Vec<String> = set.after(last).map(|(address, _)| address.to_string()).collect();
    Ok(texts.join(" ").replace("10.0.", ""))
}

#[test]
fn addresses_when_some_was_last_then_go_round_from_there() -> Tested {
    let set = set(&["10.0.0.0/29 - - 10.0.0.3", "10.0.1.0/30", "10.0.2.0/30 - - 10.9.9.9"])?;
    assert_eq!(order(&set, None)?, "0.1 0.2 0.4 0.5 0.6 1.2 2.1 2.2");
    assert_eq!(order(&set, Some("10.0.0.4"))?, "0.5 0.6 1.2 2.1 2.2 0.1 0.2 0.4");
    assert_eq!(order(&set, Some("10.0.0.6"))?, "1.2 2.1 2.2 0.1 0.2 0.4 0.5 0.6");
    assert_eq!(order(&set, Some("10.0.1.2"))?, "2.1 2.2 0.1 0.2 0.4 0.5 0.6 1.2");
    assert_eq!(order(&set, Some("10.0.2.2"))?, "0.1 0.2 0.4 0.5 0.6 1.2 2.1 2.2");
    assert_eq!(order(&set, Some("10.0.3.1"))?, order(&set, None)?);
    assert_eq!(order(&set, Some("fd00::1"))?, order(&set, None)?);
    Ok(())
}

#[test]
fn addresses_when_the_last_of_all_was_given_then_nothing_overflows() -> Tested {
    for (subnet, last) in [
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("255.255.255.240/28", "255.255.255.254"),
    ] {
        let set = set(&[subnet])?;
        let addresses: BTreeSet<IpAddr> =
            set.after(Some(parsed(last)?)).map(|(address, _)| address).collect();
        assert!(addresses.contains(&parsed(last)?));
        assert_eq!(addresses.len(), if last.contains(':') { 14 } else { 13 });
    }
    Ok(())
}

proptest! {
    /// Wherever it begins, each address comes once, and the last one last.
    #[test]
    fn addresses_when_begun_anywhere_then_come_once_each(bits in 2_u32..7, at in any::<u32>()) {
        let prefix = 32 - bits;
        let set = set(&[&format!("10.0.0.0/{prefix}"), &format!("10.0.1.0/{prefix}")]);
        let set = set.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let all: Vec<IpAddr> = set.after(None).map(|(address, _)| address).collect();
        let last = all[at as usize % all.len()];
        let mut round: Vec<IpAddr> = set.after(Some(last)).map(|(address, _)| address).collect();
        prop_assert_eq!(round.last(), Some(&last));
        round.sort();
        prop_assert_eq!(round, all);
    }
}
