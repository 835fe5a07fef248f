//! firewalld forgets, and is told again.

use std::process::{Command, Output};

use serde_json::json;

use crate::in_a_lab;
use crate::lab::{Echo, Lab};
use crate::plugin::{CONTAINER, Maker, add, del};
use crate::service::{Service, bus, cmd, firewalld, sources, wait_until};
use crate::zones::{BOTH, REJECTED, TRUSTED, call_with};

const PORTCULLIS: &str = env!("CARGO_BIN_EXE_portcullis");

fn reapply_once(lab: &Lab) -> Output {
    let mut command = Command::new("timeout");
    command.args(["60", PORTCULLIS, "reapply", "--once"]);
    lab.host.enter(|| command.output().unwrap())
}

fn printed(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn reload_when_it_forgets_then_check_says_so_and_reapply_heals() {
    in_a_lab(|lab| {
        let _echo = Echo::serve(&lab.host, 53);
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        lab.expect(&TRUSTED);
        cmd(lab, &["--reload"]);
        assert_eq!(sources(lab, "trusted"), [""; 0]);
        lab.expect(&REJECTED);
        assert_eq!(call_with(lab, "CHECK", &json!({})).unwrap_err()["code"], 105);
        let answer = printed(&reapply_once(lab));
        assert_eq!(answer, "put back: 2 addresses in zones, 1 rules in other chains\n");
        lab.expect(&TRUSTED);
        call_with(lab, "CHECK", &json!({})).unwrap();
        let answer = printed(&reapply_once(lab));
        assert_eq!(answer, "put back: 0 addresses in zones, 0 rules in other chains\n");
        // Only the sources are lost, and nobody reapplies: a repeated ADD heals too.
        cmd(lab, &["--zone=trusted", "--remove-source=10.88.0.2/32"]);
        let error = call_with(lab, "CHECK", &json!({})).unwrap_err();
        assert_eq!(error["code"], 105);
        assert_eq!(error["msg"], "10.88.0.2 is not a source of zone \"trusted\" of firewalld");
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        assert_eq!(sources(lab, "trusted"), BOTH);
    });
}

#[test]
fn reapply_when_it_stays_then_heals_after_a_reload_and_after_a_restart() {
    in_a_lab(|lab| {
        let _echo = Echo::serve(&lab.host, 53);
        let _bus = bus(lab);
        let first = firewalld(lab);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        let _watch = Service::start(lab, &[PORTCULLIS, "reapply"]);
        let healed = || sources(lab, "trusted") == BOTH;
        // One that was too early for the watch is found all the same.
        cmd(lab, &["--reload"]);
        wait_until("the first reload is healed", healed);
        cmd(lab, &["--reload"]);
        wait_until("the second reload is healed", healed);
        lab.expect(&TRUSTED);
        drop(first);
        let _second = firewalld(lab);
        wait_until("the restart is healed", healed);
        wait_until("the rule is back", || call_with(lab, "CHECK", &json!({})).is_ok());
        lab.expect(&TRUSTED);
        del(lab, &CONTAINER);
        cmd(lab, &["--reload"]);
        assert_eq!(sources(lab, "trusted"), [""; 0]);
    });
}

#[test]
fn reapply_when_a_zone_is_gone_then_says_which_address_and_fails() {
    in_a_lab(|lab| {
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        cmd(lab, &["--permanent", "--new-zone=ours"]);
        cmd(lab, &["--reload"]);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({"firewalldZone": "ours"}));
        cmd(lab, &["--permanent", "--delete-zone=ours"]);
        cmd(lab, &["--reload"]);
        let output = reapply_once(lab);
        assert!(!output.status.success());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("10.88.0.2/32 in zone \"ours\": INVALID_ZONE"), "{errors}");
        assert!(errors.contains("firewalld refused 2 of the addresses"), "{errors}");
    });
}
