//! The plugins `bridge` and `host-local` beside Debian's, call by call: what they say and what
//! they leave in the kernel and on disk.
//!
//! `PORTCULLIS_TEST_PLUGINS=peer` puts Debian's plugins in our place: all must pass then as well,
//! which proves that the comparison sees only what differs. `PORTCULLIS_TEST_LONG=N` tries N
//! generated configurations in place of the few that every run tries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

mod bridge {
    mod cases;
    mod compare;
    mod crowd;
    mod deletes;
    mod differences;
    mod failures;
    mod faults;
    mod generate;
    mod names;
    mod play;
    mod plugins;
    mod reach;
    mod snapshot;
    mod vlans;
    mod world;
}
