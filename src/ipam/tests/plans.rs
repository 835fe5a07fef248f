//! Which addresses are given, by what is configured, wished for and taken.

use super::*;

fn planned(requested: &[&str], taken: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
    let sets = sets(&[&["10.0.0.0/24", "10.0.1.0/24"], &["fd00::/64"]])?;
    let addresses = |texts: &[&str]| -> Result<Vec<IpAddr>, String> {
        texts.iter().map(|text| parsed(text)).collect()
    };
    let taken = addresses(taken)?.into_iter().collect();
    let occupied = Occupied { taken, ..Occupied::default() };
    let wishes = Wishes::new(&sets, &addresses(requested)?);
    let leases = plan(&sets, &wishes, &occupied, "web");
    Ok(match leases {
        Ok(leases) => {
            let text = |lease: &Lease| format!("{} via {}", lease.address, lease.gateway);
            leases.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        Err(error) => error.to_string(),
    })
}

#[test]
fn addresses_when_asked_for_then_are_given_and_the_rest_in_turn() -> Tested {
    let free = "10.0.0.2/24 via 10.0.0.1, fd00::2/64 via fd00::1";
    assert_eq!(planned(&[], &[])?, free);
    assert_eq!(planned(&["10.0.1.7"], &[])?, "10.0.1.7/24 via 10.0.1.1, fd00::2/64 via fd00::1");
    let both = "10.0.1.7/24 via 10.0.1.1, fd00::9/64 via fd00::1";
    assert_eq!(planned(&["fd00::9", "::ffff:10.0.1.7", "10.0.1.7"], &[])?, both);
    assert_eq!(planned(&["10.0.0.2"], &["fd00::2"])?, free.replace("fd00::2", "fd00::3"));
    Ok(())
}

#[test]
fn addresses_when_they_cannot_be_given_then_the_cni_plugins_words_say_so() -> Tested {
    let range = "failed to allocate for range 0: requested";
    let set = "10.0.0.1-10.0.0.254,10.0.1.1-10.0.1.254";
    for (requested, taken, expected) in [
        (vec!["10.0.1.1"], vec![], format!("{range} ip 10.0.1.1 is subnet's gateway")),
        (
            vec!["10.0.1.2"],
            vec!["10.0.1.2"],
            format!("{range} IP address 10.0.1.2 is not available in range set {set}"),
        ),
        (
            vec!["10.0.0.2", "10.0.0.3", "192.0.2.1"],
            vec![],
            "failed to allocate all requested IPs: 10.0.0.3 192.0.2.1".to_owned(),
        ),
    ] {
        assert_eq!(planned(&requested, &taken)?, expected);
    }
    Ok(())
}

#[test]
fn huge_range_when_much_is_taken_then_is_searched_no_further_than_needed() -> Tested {
    let sets = sets(&[&["fd00::/16"]])?;
    let taken = (2..5000_u32)
        .map(|n| IpAddr::from(std::net::Ipv6Addr::from((0xfd00_u128 << 112) + u128::from(n))));
    let occupied = Occupied { taken: taken.collect(), ..Occupied::default() };
    let leases = plan(&sets, &Wishes::new(&sets, &[]), &occupied, "web")?;
    assert_eq!(leases[0].address.to_string(), "fd00::1388/16");
    Ok(())
}
