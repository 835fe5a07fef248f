//! Routes.

use nix::errno::Errno;
use portcullis::link::{Address, Link, LinkChange, Route};
use portcullis::net::{IpVersion, Subnet};

use super::host::{Host, ip};

fn subnet(text: &str) -> Subnet {
    text.parse().unwrap()
}

fn wired(host: &Host) -> Link {
    let (_, inner) = host.veth();
    for text in ["10.88.0.2/16", "fd00:88::2/64"] {
        let (address, subnet) = Subnet::parse_interface(text).unwrap();
        let address = Address::new(address, subnet).without_detection();
        host.inside.add_address(&inner, &address).unwrap();
    }
    host.inside.change(&inner, LinkChange::new().up()).unwrap();
    inner
}

#[test]
fn routes_when_added_then_ip_shows_every_part() {
    let host = Host::new();
    let inner = wired(&host);
    let default = Route::new(subnet("0.0.0.0/0"), Some("10.88.0.1".parse().unwrap()));
    let default6 = Route::new(subnet("::/0"), Some("fd00:88::1".parse().unwrap()));
    let mut full = Route::new(subnet("192.0.2.0/24"), Some("10.88.0.1".parse().unwrap()));
    full.priority = Some(77);
    full.table = Some(1000);
    full.mtu = Some(1300);
    full.advmss = Some(1200);
    let mut on_link = Route::new(subnet("198.51.100.0/24"), None);
    on_link.scope = Some(253);
    let mut far = Route::new(subnet("203.0.113.0/24"), Some("169.254.1.1".parse().unwrap()));
    far.is_onlink = true;
    for route in [&default, &default6, &full, &on_link, &far] {
        host.inside.add_route(&inner, route).unwrap();
    }
    let main = ip(&host.container, "route show");
    let find = |to: &str| main.as_array().unwrap().iter().find(|one| one["dst"] == to).unwrap();
    assert_eq!(find("default")["gateway"], "10.88.0.1");
    assert_eq!(find("198.51.100.0/24")["scope"], "link");
    assert_eq!(find("203.0.113.0/24")["flags"][0], "onlink");
    let other = ip(&host.container, "route show table 1000");
    let one = &other[0];
    assert_eq!((&one["dst"], &one["metric"]), (&"192.0.2.0/24".into(), &77.into()));
    assert_eq!(
        (&one["metrics"][0]["mtu"], &one["metrics"][0]["advmss"]),
        (&1300.into(), &1200.into())
    );
    let v6 = ip(&host.container, "-6 route show default");
    assert_eq!(v6[0]["gateway"], "fd00:88::1");
    let listed = host.inside.routes(&inner, IpVersion::V4).unwrap();
    full.scope = Some(0);
    for route in [&full, &Route { table: Some(254), ..on_link.clone() }] {
        assert!(listed.contains(route), "{route}: {listed:?}");
    }
    let listed = host.inside.routes(&inner, IpVersion::V6).unwrap();
    let found = listed.iter().find(|one| one.destination == default6.destination).unwrap();
    assert_eq!(found.gateway, default6.gateway);
}

#[test]
fn routes_when_listed_then_only_those_through_the_link() {
    let host = Host::new();
    let inner = wired(&host);
    host.container.ip("link add other type veth peer name rehto\nlink set other up\naddress add 192.0.2.1/24 dev other");
    let listed = host.inside.routes(&inner, IpVersion::V4).unwrap();
    let listed: Vec<String> = listed.iter().map(|one| one.destination.to_string()).collect();
    assert_eq!(listed, ["10.88.0.0/16"]);
}

#[test]
fn route_when_deleted_twice_then_the_second_is_no_such_route() {
    let host = Host::new();
    let inner = wired(&host);
    for (to, via) in [("192.0.2.0/24", "10.88.0.1"), ("2001:db8::/32", "fd00:88::1")] {
        let route = Route::new(subnet(to), Some(via.parse().unwrap()));
        host.inside.add_route(&inner, &route).unwrap();
        host.inside.delete_route(&inner, &route).unwrap();
        let error = host.inside.delete_route(&inner, &route).unwrap_err();
        assert!(error.is(Errno::ESRCH), "{error}");
    }
}

#[test]
fn route_when_the_gateway_cannot_be_reached_then_the_kernel_says_why() {
    let host = Host::new();
    let inner = wired(&host);
    let route = Route::new(subnet("192.0.2.0/24"), Some("203.0.113.1".parse().unwrap()));
    let error = host.inside.add_route(&inner, &route).unwrap_err();
    assert_eq!(
        error.to_string(),
        "kernel refused route add 192.0.2.0/24 via 203.0.113.1 dev eth0: Network is unreachable \
         (Nexthop has invalid gateway)"
    );
}
