//! `cargo xtask vm`: the release binary on older kernels, each booted under qemu.
//!
//! Function only: qemu emulates the processor, so times say nothing.
//!
//! - `round`: what the command asks for, and the report;
//! - `packages`: the Debian packages that this needs besides those of `setup`;
//! - `mirror`: the package lists that hold kernels, in a directory of our own;
//! - `kernel`: one kernel, fetched once and kept below the target directory;
//! - `image`: the guest's files: programs with their libraries, and the scripts of `guest/`;
//! - `machine`: one boot, and what the guest says;
//! - `flow`: a UDP flow that goes on while ports come and go, for the guest.

mod flow;
mod image;
mod kernel;
mod machine;
mod mirror;
mod packages;
mod round;

pub use flow::go_on;
pub use round::start;
