//! Makes the programs start fast: a plugin lives for milliseconds.
//!
//! They are linked at a fixed address, as relocating a position-independent one is a third of its
//! start; and the unwinder of GCC is linked into them, as loading `libgcc_s.so.1` and its
//! constructor, whose `cpuid` instructions a virtual machine traps, takes 0.2 ms more.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // All of it, so that nothing is left for the shared library to define, and the linker drops
    // that one. Where the compiler has no archive of it the shared library stays.
    if let Some(directory) = unwinder() {
        println!("cargo:rustc-link-search=native={directory}");
        println!("cargo:rustc-link-lib=static:+whole-archive=gcc_eh");
    }
}

/// The directory of the C compiler's `libgcc_eh.a`; it prints the bare name where it has none.
fn unwinder() -> Option<String> {
    let output = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let directory = Path::new(path.trim()).parent()?.to_str()?;
    (!directory.is_empty()).then(|| directory.to_owned())
}
