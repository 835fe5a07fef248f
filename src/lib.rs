//! portcullis.
pub mod applet;
pub mod attachment;
pub mod conntrack;
pub mod firewall;
pub mod front;
pub mod link;
pub mod net;
pub mod netlink;
pub mod nft;
pub mod ruleset;
mod sys;
pub mod xtables;
