//! Container engines, unchanged, on CNI plugins from one directory: containerd and Podman 4.3 of
//! Debian 12, with busybox containers, real packets and nothing from a registry.
//!
//! Whose plugins they get is the choice of `PORTCULLIS_TEST_PLUGINS`: `own` (the default; then no
//! process of the engines finds an `iptables` or `nft` to execute), `mixed` or `peer`, see
//! [`consumers::plugins::Supply`]. `PORTCULLIS_TEST_RECORD=DIR` writes
//! all calls of plugins into that directory; `tests/captures` was made so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

mod consumers {
    mod container;
    mod containerd;
    mod containerd_run;
    pub mod plugins;
    mod podman;
    mod podman_networks;
    mod podman_ports;
    mod recording;
    mod rootfs;
    mod world;
}
