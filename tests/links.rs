//! The link room against the kernel, with ip(8) as the judge.
//!
//! Each test has a mount and a network namespace of its own for the host, and named ones for
//! containers. It needs root and iproute2.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

mod links {
    mod addresses;
    mod bridges;
    mod host;
    mod notices;
    mod parallel;
    mod routes;
    mod sysctls;
    mod veths;
}
