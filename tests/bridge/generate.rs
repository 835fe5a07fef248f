//! Configurations by number: each number gives the same one in every run.

use serde_json::{Value, json};

use super::cases::{conf, ipam, life};
use super::play::Case;

/// Steele, Lea and Flood's SplitMix64: a number's next one, well mixed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides).expect("few sides");
        usize::try_from((mixed ^ (mixed >> 31)) % sides).expect("less than sides")
    }

    fn pick(&mut self, from: &[Value]) -> Value {
        from[self.roll(from.len())].clone()
    }

    fn coin(&mut self) -> Value {
        (self.roll(2) == 0).into()
    }
}

/// The configuration of this number, played by two containers.
pub fn generated(number: u64) -> Case {
    let dice = &mut Dice(number);
    let ipam = addresses(dice);
    let mut keys = json!({
        "cniVersion": dice.pick(&["0.3.1".into(), "0.4.0".into(), "1.0.0".into()]),
        "name": dice.pick(&["net".into(), "a.b-c_9".into()]),
        "isGateway": dice.coin(),
        "isDefaultGateway": dice.coin(),
        "forceAddress": dice.coin(),
        "hairpinMode": dice.coin(),
        "ipMasq": dice.coin(),
        "enabledad": dice.coin(),
        "mtu": dice.pick(&[0.into(), 1280.into(), 1500.into(), 9000.into()]),
        "ipam": ipam,
    });
    if keys["hairpinMode"] == false {
        keys["promiscMode"] = dice.coin();
    }
    if dice.roll(3) == 0 {
        keys["dns"] = json!({"nameservers": ["192.0.2.53"], "search": ["lab"]});
    }
    life(&format!("generated {number}"), &conf(&keys))
}

fn addresses(dice: &mut Dice) -> Value {
    let (v4, v6) = ("10.1.0.0/24", "fd00:1::/64");
    let mut ipam = match dice.roll(5) {
        0 => ipam(&[&[v4]]),
        1 => ipam(&[&[v6]]),
        2 => ipam(&[&[v4], &[v6]]),
        3 => ipam(&[&[v6], &[v4]]),
        _ => ipam(&[&["10.1.0.0/30", "10.3.0.128/25"], &[v6]]),
    };
    let has_v4 = ipam.to_string().contains("10.1.0");
    let mut routes = Vec::new();
    if has_v4 && dice.roll(3) == 0 {
        routes.push(json!({"dst": "198.51.100.0/24"}));
    }
    if has_v4 && dice.roll(3) == 0 {
        routes.push(json!({"dst": "0.0.0.0/0"}));
    }
    if ipam.to_string().contains(v6) && dice.roll(3) == 0 {
        routes.push(json!({"dst": "2001:db8:2::/48", "gw": "fd00:1::1"}));
    }
    if !routes.is_empty() {
        ipam["routes"] = routes.into();
    }
    ipam
}

#[test]
fn generated_when_asked_twice_then_gives_the_same_and_many_different() {
    let texts: Vec<String> = (1..=40).map(|n| generated(n).steps[0].conf.to_string()).collect();
    let again: Vec<String> = (1..=40).map(|n| generated(n).steps[0].conf.to_string()).collect();
    assert_eq!(texts, again);
    let different: std::collections::BTreeSet<&String> = texts.iter().collect();
    assert!(different.len() > 35, "only {} different", different.len());
}
