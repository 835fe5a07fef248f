//! Links the programs at a fixed address: a plugin lives for milliseconds, and relocating a
//! position-independent one is a third of its start.

fn main() {
    println!("cargo:rustc-link-arg-bins=-no-pie");
    println!("cargo:rerun-if-changed=build.rs");
}
