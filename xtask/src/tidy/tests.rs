use super::code::Code;
use super::rules::{FILE_LINES, FUNCTION_LINES, check};

/// The messages for a file whose first line is its `//!`; line 1 of `body` is line 2.
fn faults(path: &str, body: &str) -> Vec<String> {
    let found = check(path, &format!("//! A file.\n{body}"));
    found.into_iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect()
}

#[test]
fn room_when_it_uses_what_it_may_has_no_fault() {
    let body = "use crate::net::Mark;\nuse crate::{netlink, sys::{lock, socket as s}, nft::*};\n";
    assert_eq!(faults("nft/table.rs", body), Vec::<String>::new());
}

#[test]
fn room_when_it_uses_another_names_both_and_the_line() {
    assert_eq!(
        faults("nft/table.rs", "\nuse crate::link::Veth;\n"),
        ["3: `nft` must not use `link` (it may use net, sys, netlink)"]
    );
}

#[test]
fn room_when_a_path_in_a_body_leads_out_is_found() {
    let body = "fn f() { let x = crate::nft::Table::new(); }\n";
    assert_eq!(faults("link/veth.rs", body).len(), 1);
}

#[test]
fn room_when_one_of_a_group_leads_out_finds_that_one() {
    let body = "use crate::{\n    net::{Mark, Port as P},\n    conntrack,\n};\n";
    assert_eq!(
        faults("ruleset/plan.rs", body),
        ["2: `ruleset` must not use `conntrack` (it may use net, nft)"]
    );
}

#[test]
fn room_when_supers_lead_out_is_found() {
    assert_eq!(faults("nft/expr/meta.rs", "use super::super::super::link::Veth;\n").len(), 1);
    assert_eq!(faults("nft/expr/meta.rs", "use super::super::table::Table;\n").len(), 0);
    assert_eq!(faults("front/cni/config.rs", "use super::super::netavark::Run;\n").len(), 1);
}

#[test]
fn front_when_it_uses_another_front_is_found_but_not_what_they_share() {
    assert_eq!(
        faults("front/cni/mod.rs", "use crate::front::netavark;\nuse crate::front::Exit;\n"),
        [
            "2: `front::cni` must not use `front::netavark` (it may use net, attachment, firewall, ipam)"
        ]
    );
    assert_eq!(faults("front/mod.rs", "pub mod cni;\npub use self::cni::run;\n").len(), 0);
}

#[test]
fn front_when_it_reads_the_kernel_may_do_so_only_where_the_table_says() {
    let body = "use crate::nft::Kernel;\n";
    assert_eq!(faults("front/inspect/list.rs", body).len(), 0);
    assert_eq!(faults("front/cni/portmap.rs", body).len(), 1);
    assert_eq!(
        faults("firewall/hostports.rs", body),
        ["2: `firewall` must never use `nft::Kernel`"]
    );
}

#[test]
fn root_when_it_uses_any_room_has_no_fault() {
    assert_eq!(faults("lib.rs", "pub use crate::front::cni;\nuse crate::sys::x;\n").len(), 0);
    assert_eq!(faults("applet.rs", "use crate::front::cni;\n").len(), 0);
}

#[test]
fn unsafe_when_outside_sys_is_found_but_not_in_texts_and_attributes() {
    let body = "#![deny(unsafe_code)]\n// unsafe\nconst A: &str = \"unsafe\";\nunsafe fn f() {}\n";
    assert_eq!(faults("link/veth.rs", body), ["5: `unsafe` outside src/sys"]);
    assert_eq!(faults("sys/socket.rs", body).len(), 0);
}

#[test]
fn file_when_its_first_line_is_no_door_text_is_found_save_in_tests() {
    assert_eq!(check("net/mark.rs", "use std::fmt;\n").len(), 1);
    assert_eq!(check("net/tests.rs", "use std::fmt;\n").len(), 0);
}

#[test]
fn file_when_too_long_is_found_save_in_tests() {
    let body = "\n".repeat(FILE_LINES);
    let message = format!("{0}: file has {0} lines, more than {FILE_LINES}", FILE_LINES + 1);
    assert_eq!(faults("net/mark.rs", &body), [message]);
    assert_eq!(faults("net/mark.rs", &body[1..]).len(), 0);
    assert_eq!(faults("net/tests.rs", &body).len(), 0);
}

#[test]
fn function_when_too_long_is_found_with_its_name() {
    let long = format!("fn long(a: [u8; 3]) {{\n{}}}\n", "    f();\n".repeat(FUNCTION_LINES - 1));
    let lines = FUNCTION_LINES + 1;
    let message = format!("2: `fn long` has {lines} lines, more than {FUNCTION_LINES}");
    assert_eq!(faults("net/mark.rs", &long), [message]);
    let just = long.replacen("    f();\n", "", 1);
    assert_eq!(faults("net/mark.rs", &just).len(), 0);
}

#[test]
fn door_when_it_has_a_body_is_found_but_not_a_declared_function() {
    let body = "mod a;\npub use a::A;\ntrait T { fn only(&self); }\nfn body() {}\n";
    assert_eq!(faults("net/mod.rs", body), ["5: `fn body` in a mod.rs, which is only a door"]);
}

#[test]
fn module_when_its_name_says_nothing_is_found_as_a_file_and_as_a_word() {
    assert_eq!(faults("net/utils.rs", "").len(), 1);
    assert_eq!(faults("net/mod.rs", "mod types;\n").len(), 1);
    assert_eq!(faults("net/mod.rs", "mod prototypes;\n").len(), 0);
}

#[test]
fn code_when_blanked_keeps_lines_lifetimes_and_lengths() {
    let source =
        "fn f<'a>(x: &'a str) { g('\"', '\\'', r#\"{\"#, \"\\\"}\"); } /* { /* } */ */\n// }\n";
    let code = Code::new(source);
    assert_eq!(code.text().len(), source.len());
    assert_eq!(code.text().matches(['{', '}']).count(), 2);
    assert!(code.text().contains("<'a>(x: &'a str)"));
    assert_eq!(code.text().lines().count(), 2);
}
