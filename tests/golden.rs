//! Golden scenarios: what a caller's input becomes, for people and for tests.
//!
//! Each folder of `rulesets/` holds a caller's own input, the listing that must come of it, and the
//! equivalent for a reader who thinks in iptables. It is used four ways: the listing is rendered
//! without a kernel, made in a kernel and listed by nft, tried with packets beside its iptables
//! equivalent, and listed in `rulesets/README.md`. `cargo xtask bless` writes listings anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "golden/coverage.rs"]
mod coverage;
mod lab;
mod scenario;

use std::panic::resume_unwind;
use std::thread;

use lab::Lab;
use portcullis::attachment::{
    Attachment, Netns, desired_guard, desired_with, forward_on, unforward_on,
};
use portcullis::firewall::names;
use portcullis::front::cni::{Call, CniVersion, Environment, firewall_intent, portmap_intent};
use portcullis::nft::{Table, TableId};
use portcullis::ruleset::{Desired, Model, Owner, Scope, Snapshot, diff};
use scenario::{Command, Scenario, Step, blessing};

/// Our tables in memory, in the order in which they come into being.
#[derive(Default)]
struct Tables {
    inet: Model,
    bridge: Model,
}

impl Tables {
    fn list(&self) -> String {
        format!("{}{}", self.inet.list(), self.bridge.list())
    }

    /// Takes a step as the product does.
    fn take(&mut self, step: &Step) {
        for (id, model) in
            [(names::table(), &mut self.inet), (names::bridge_table(), &mut self.bridge)]
        {
            let Some((desired, scope)) = wanted(step, &id, &model.snapshot()) else { continue };
            let plan = diff(&desired, &model.snapshot(), &scope).expect("a plan");
            model.apply(plan.transaction()).expect("the model takes the plan");
            let Some((again, scope)) = wanted(step, &id, &model.snapshot()) else { continue };
            let again = diff(&again, &model.snapshot(), &scope).expect("a plan");
            assert!(again.is_empty(), "a second time changes something:\n{again}");
        }
    }
}

/// What a step wants of a table; `None` where it has nothing to do with it.
fn wanted(step: &Step, id: &TableId, snapshot: &Snapshot) -> Option<(Desired, Scope)> {
    let netns = Netns::known(&step.netns, 0);
    let nothing = || Desired::new(Table::new(id.clone()));
    let structure = Owner::structure();
    if step.caller == "bridge" {
        let (attachment, rules) = step.guarded(netns);
        return match step.command {
            Command::Add => desired_guard(id, snapshot, &attachment, &rules)
                .map(|desired| (desired, Scope::of(&[&structure, &attachment.owner]))),
            Command::Del => {
                snapshot.table.as_ref().map(|_| (nothing(), Scope::of(&[&attachment.owner])))
            }
        };
    }
    if *id != names::table() {
        return None;
    }
    let env = Environment::read(|name| step.variable(name).to_owned());
    let call = Call::parse(&env, step.input.as_bytes(), &CniVersion::ALL).expect("a call");
    let attachment =
        Attachment { owner: call.owner_as(owner_word(&step.caller)), netns: Some(netns) };
    Some(match (step.caller.as_str(), step.command) {
        ("portmap", Command::Add) => {
            let intent = portmap_intent(&call).expect("an intent");
            let scope = Scope::of(&[&structure, &attachment.owner]);
            (desired_with(snapshot, &attachment, &intent), scope)
        }
        ("portmap", Command::Del) => (nothing(), Scope::of(&[&attachment.owner])),
        ("firewall", Command::Add) => {
            let (intent, _) = firewall_intent(&call).expect("an intent");
            forward_on(snapshot, &attachment, &intent)
        }
        ("firewall", Command::Del) => unforward_on(snapshot, &attachment.owner),
        (other, _) => panic!("nobody takes the steps of {other}"),
    })
}

/// What the labels of a plugin's owners begin with.
fn owner_word(caller: &str) -> &str {
    if caller == "portmap" { "cni" } else { caller }
}

#[test]
fn listings_when_rendered_without_a_kernel_then_equal_the_files() {
    for scenario in Scenario::all() {
        let mut tables = Tables::default();
        scenario.steps.iter().for_each(|step| tables.take(step));
        assert_eq!(tables.list(), scenario.listing(), "{}", scenario.name);
    }
}

#[test]
fn listings_when_made_in_a_kernel_then_equal_the_files() {
    for scenario in Scenario::all() {
        in_a_lab(|lab| {
            let subject = scenario.subject();
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            let listed = || scenario::without_counts(&lab.host.ruleset());
            let made = listed();
            let listing = scenario::without_inodes(&made);
            if blessing() {
                scenario.bless(&listing);
            }
            assert_eq!(listing, scenario.listing(), "{}", scenario.name);
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            assert_eq!(listed(), made, "{}: taken twice", scenario.name);
            lab.host.nft("flush ruleset\n");
            lab.host.nft(&made);
            assert_eq!(listed(), made, "{}: read back by nft", scenario.name);
        });
    }
}

#[test]
fn tables_when_all_are_deleted_then_hold_nothing_of_a_container() {
    for scenario in Scenario::all() {
        in_a_lab(|lab| {
            let subject = scenario.subject();
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            scenario.steps.iter().for_each(|step| step.undo(&subject, lab));
            let left = lab.host.ruleset();
            for word in ["10.88.", "fd00:88", "cni/", "bridge/", "firewall/", "CNI-DN-", "CNI-CN-"]
            {
                assert!(!left.contains(word), "{}: {word} is left:\n{left}", scenario.name);
            }
        });
    }
}

#[test]
fn probes_when_sent_through_portcullis_then_end_as_the_scenario_says() {
    for scenario in Scenario::all() {
        in_a_lab(|lab| {
            let subject = scenario.subject();
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            scenario.expect(lab);
        });
    }
}

#[test]
fn probes_when_sent_through_the_iptables_equivalent_then_end_the_same() {
    for scenario in Scenario::all() {
        in_a_lab(|lab| {
            if blessing() {
                scenario.bless_equivalent(lab);
            }
            scenario.restore_equivalent(lab);
            scenario.expect(lab);
        });
    }
}

/// Our own words for what the kernel holds, loaded by iptables in its place.
#[test]
fn probes_when_sent_through_what_translate_prints_then_end_the_same() {
    // iptables has no tables of a bridge.
    let is_of_ip = |scenario: &Scenario| !scenario.listing().contains("table bridge");
    for scenario in Scenario::all().into_iter().filter(is_of_ip) {
        in_a_lab(|lab| {
            lab.host.nft(&scenario.listing());
            let binary = env!("CARGO_BIN_EXE_portcullis");
            let translated =
                [("iptables", None), ("ip6tables", Some("--ipv6"))].map(|(ip, word)| {
                    let mut translate = std::process::Command::new(binary);
                    translate.args(["translate", "--to=iptables"]).args(word);
                    (ip, lab.host.enter(|| lab::run(&mut translate, "")).stdout)
                });
            lab.host.nft("flush ruleset");
            for (ip, text) in translated {
                let text = String::from_utf8(text).unwrap();
                assert!(!text.contains("# -A"), "{}: {text}", scenario.name);
                let mut restore = std::process::Command::new(format!("{ip}-nft-restore"));
                lab.host.enter(|| lab::run(restore.arg("--noflush"), &text));
                // What iptables saves of it is what was printed, letter for letter.
                let mut save = std::process::Command::new(format!("{ip}-nft-save"));
                let saved = lab.host.enter(|| lab::run(&mut save, "")).stdout;
                let saved = String::from_utf8(saved).unwrap();
                assert_eq!(rules_of(&text), rules_of(&saved), "{}", scenario.name);
            }
            lab.host.sysctl("ipv4/conf/cni0/route_localnet", "1");
            scenario.expect(lab);
        });
    }
}

/// The rules of a save file, each behind its chain, which iptables lists in an order of its own.
fn rules_of(saved: &str) -> Vec<&str> {
    let mut rules: Vec<&str> = saved.lines().filter(|line| line.starts_with("-A")).collect();
    rules.sort_by_key(|rule| rule.split(' ').nth(1).unwrap_or_default());
    rules
}

#[test]
fn index_when_generated_then_equals_the_file() {
    let index = scenario::index(&Scenario::all());
    if blessing() {
        std::fs::write(scenario::index_path(), &index).expect("write the index");
    }
    let file = std::fs::read_to_string(scenario::index_path()).expect("rulesets/README.md");
    assert_eq!(index, file, "cargo xtask bless writes it anew");
}

/// A laboratory on a thread of its own, whose namespaces end with it.
fn in_a_lab(work: impl FnOnce(&Lab) + Send) {
    thread::scope(|scope| {
        let inside = scope.spawn(|| work(&Lab::new()));
        inside.join().unwrap_or_else(|panic| resume_unwind(panic));
    });
}
