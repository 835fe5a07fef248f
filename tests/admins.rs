//! Debian's ufw and fail2ban, unchanged, with the product in the place of `iptables` and
//! `ip6tables`.
//!
//! Every story is lived twice at the same time: on a machine with the product's programs and on one
//! with the real iptables-nft. Each keeps a diary: what was called, what it answered, what
//! `iptables-save` and `ip6tables-save` then print, what became of real packets. The two diaries
//! must be equal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

#[path = "iptables/world.rs"]
mod world;

mod admins {
    mod diary;
    mod fail2ban;
    mod machine;
    mod ufw;
}
