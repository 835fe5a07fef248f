//! Golden scenarios: what a caller's input becomes, for people and for tests.
//!
//! Each folder of `rulesets/` holds a caller's own input, the listing that must come of it, and the
//! equivalent for a reader who thinks in iptables. It is used four ways: the listing is rendered
//! without a kernel, made in a kernel and listed by nft, tried with packets beside its iptables
//! equivalent, and listed in `rulesets/README.md`. `cargo xtask bless` writes listings anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;
mod scenario;

use std::panic::resume_unwind;
use std::thread;

use lab::{Lab, Subject};
use portcullis::attachment::{Attachment, Netns, desired_with};
use portcullis::front::cni::{Call, CniVersion, Environment, portmap_intent};
use portcullis::ruleset::{Model, Owner, Scope, diff};
use scenario::{Command, Scenario, Step, blessing};

/// Takes a step as the product does, on a table in memory.
fn take(model: &mut Model, step: &Step) {
    let env = Environment::read(|name| step.variable(name).to_owned());
    let call = Call::parse(&env, step.input.as_bytes(), &CniVersion::ALL).expect("a call");
    let snapshot = model.snapshot();
    let intent = portmap_intent(&call).expect("an intent");
    let netns = Some(Netns::known(&call.netns_path, 0));
    let attachment = Attachment { owner: call.owner(), netns };
    let (desired, scope) = match step.command {
        Command::Add => {
            let scope = Scope::of(&[&Owner::structure(), &attachment.owner]);
            (desired_with(&snapshot, &attachment, &intent), scope)
        }
        Command::Del => {
            let table = portcullis::nft::Table::new(portcullis::firewall::names::table());
            (portcullis::ruleset::Desired::new(table), Scope::of(&[&attachment.owner]))
        }
    };
    let plan = diff(&desired, &snapshot, &scope).expect("a plan");
    model.apply(plan.transaction()).expect("the model takes the plan");
    let again = diff(&desired, &model.snapshot(), &scope).expect("a plan");
    assert!(again.is_empty(), "a second time changes something:\n{again}");
}

#[test]
fn listings_when_rendered_without_a_kernel_then_equal_the_files() {
    for scenario in Scenario::all() {
        let mut model = Model::default();
        scenario.steps.iter().for_each(|step| take(&mut model, step));
        assert_eq!(model.list(), scenario.listing(), "{}", scenario.name);
    }
}

#[test]
fn listings_when_made_in_a_kernel_then_equal_the_files() {
    for scenario in Scenario::all() {
        in_a_lab(|lab| {
            let subject = Subject::portcullis();
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            let made = lab.host.ruleset();
            let listing = scenario::without_inodes(&made);
            if blessing() {
                scenario.bless(&listing);
            }
            assert_eq!(listing, scenario.listing(), "{}", scenario.name);
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            assert_eq!(lab.host.ruleset(), made, "{}: taken twice", scenario.name);
            lab.host.nft("flush ruleset\n");
            lab.host.nft(&made);
            assert_eq!(lab.host.ruleset(), made, "{}: read back by nft", scenario.name);
        });
    }
}

#[test]
fn tables_when_all_are_deleted_then_hold_nothing_of_a_container() {
    for scenario in Scenario::all() {
        in_a_lab(|lab| {
            let subject = Subject::portcullis();
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            scenario.steps.iter().for_each(|step| step.undo(&subject, lab));
            let left = lab.host.ruleset();
            for word in ["10.88.", "fd00:88", "cni/", "CNI-DN-", "CNI-CN-"] {
                assert!(!left.contains(word), "{}: {word} is left:\n{left}", scenario.name);
            }
        });
    }
}

#[test]
fn probes_when_sent_through_portcullis_then_end_as_the_scenario_says() {
    for scenario in Scenario::all() {
        in_a_lab(|lab| {
            let subject = Subject::portcullis();
            scenario.steps.iter().for_each(|step| step.run(&subject, lab));
            lab.expect(&scenario.probes());
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
            lab.expect(&scenario.probes());
        });
    }
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
