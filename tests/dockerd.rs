//! Debian's dockerd, unchanged, with the product in the place of `iptables` and `ip6tables`.
//!
//! Every story is lived twice at the same time: by a daemon with the programs under test and by
//! one with the real iptables-nft. Each keeps a table of what was seen: exit codes of `docker`,
//! what became of real packets, what `iptables-save` prints. The two tables must be equal, and
//! both must hold what Docker is known to do. Whose programs are under test is the choice of
//! `PORTCULLIS_TEST_IPTABLES`: `own` (the default), `peer`, which proves the harness itself, or
//! the path of a directory of programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

mod dockerd {
    mod container;
    mod daemon;
    mod dns;
    mod hairpin;
    mod host;
    mod image;
    mod ipv6;
    mod life;
    mod networks;
    mod ports;
    mod programs;
    mod rules;
    mod site;
    mod stories;
    mod table;
    mod upgrade;
}
