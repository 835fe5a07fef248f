//! The built binary as its callers see it: environment and standard input in, standard output,
//! standard error, exit code and the kernel's ruleset out.
//!
//! Each test has namespaces of its own, see [`fronts::host::Host`]. What a plugin must say is in
//! the CNI specification (<https://www.cni.dev/docs/spec/>); what the reference plugins say beyond
//! it, and runtimes rely on, is noted where it is asserted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

mod fronts {
    mod bridge_check;
    mod bridge_commands;
    mod bridge_conf;
    mod bridge_del;
    mod bridge_delegates;
    mod bridge_rights;
    mod bridge_site;
    pub mod call;
    mod captures;
    mod doctor;
    mod faults;
    mod garbage;
    pub mod host;
    mod host_local;
    mod host_local_crashes;
    mod host_local_debian;
    mod install;
    mod install_iptables;
    mod list;
    mod loopback;
    mod marks;
    mod mutations;
    mod ownership;
    mod permissions;
    mod processes;
    mod protocol;
    mod random;
    mod refusals;
    mod reload;
    mod repeats;
    mod results;
    mod spelling;
    mod translate;
    mod translate_families;
}
