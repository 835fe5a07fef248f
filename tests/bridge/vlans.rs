//! VLANs as far as every kernel goes (`cargo xtask vm` has kernels that know them), and CHECK of a
//! bridge that takes on the addresses of its ports.

use serde_json::{Value, json};

use super::cases::{conf, dual};
use super::failures::{assert_undone, call, in_a_world, traces};
use super::plugins::Maker;
use super::snapshot::ip_json;
use super::world::World;

fn in_vlan() -> Value {
    conf(&json!({"isGateway": true, "vlan": 100, "ipam": dual()}))
}

/// What the kernel makes of a bridge that is to filter VLANs; it is gone again.
fn knows_vlans(world: &World) -> bool {
    let words = "link add try0 type bridge vlan_filtering 1";
    let status = world.host.enter(|| {
        std::process::Command::new("ip").args(words.split(' ')).output().expect("ip").status
    });
    if status.success() {
        world.host.ip("link del try0\n");
    }
    status.success()
}

/// Whether the bridge is there already or not.
fn add_in_vlan(before: &'static str) {
    in_a_world(|world| {
        let is_known = knows_vlans(world);
        if !before.is_empty() {
            world.host.ip(before);
        }
        let traces = traces(world, "ctr-1");
        let said = world.plugins.call(&world.host, &call(world, "ADD", 1, &in_vlan()));
        if is_known {
            assert!(said.is_success(), "{said:?}");
            let interfaces = said.json()["interfaces"].as_array().map_or(0, Vec::len);
            assert_eq!(interfaces, 4, "{said:?}");
        } else if world.plugins.maker == Maker::Own {
            assert_eq!(said.json()["code"], 106, "{said:?}");
            assert!(said.stdout.contains("this kernel lacks BRIDGE_VLAN_FILTERING"), "{said:?}");
            assert_undone(world, &traces, "VLAN", &said);
        } else {
            assert!(!said.is_success(), "{said:?}");
        }
    });
}

#[test]
fn vlan_when_the_kernel_lacks_filtering_then_it_is_named_and_nothing_is_left() {
    add_in_vlan("");
}

#[test]
fn vlan_when_the_kernel_lacks_filtering_and_the_bridge_is_there_then_it_is_named_as_well() {
    add_in_vlan("link add br0 type bridge\n");
}

/// Without a gateway a bridge has the lowest address of its ports: any container changes it. The
/// peer finds fault with the containers that were there before.
#[test]
fn check_when_another_port_changed_the_address_of_the_bridge_then_it_depends_on_the_gateway() {
    for (keys, is_pinned) in
        [(json!({"ipam": dual()}), false), (json!({"isGateway": true, "ipam": dual()}), true)]
    {
        in_a_world(|world| {
            let add = call(world, "ADD", 1, &conf(&keys));
            let said = world.plugins.call(&world.host, &add);
            assert!(said.is_success(), "{said:?}");
            world.host.ip("link add low0 address 02:00:00:00:00:0f type veth peer name low1\n\
                           link set low0 master br0\n");
            let mac = &ip_json(&world.host, &["link", "show", "br0"])[0]["address"];
            assert_eq!(mac == "02:00:00:00:00:0f", !is_pinned, "{mac}");
            let mut check = call(world, "CHECK", 1, &conf(&keys));
            check.conf["prevResult"] = said.json();
            let said = world.plugins.call(&world.host, &check);
            let is_well = is_pinned || world.plugins.maker == Maker::Own;
            assert_eq!(said.is_success(), is_well, "{said:?}");
        });
    }
}
