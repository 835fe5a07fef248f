//! The Debian packages that booting a kernel needs, installed when missing.

use anyhow::{Context, Result, bail};

use crate::run::{Step, find_program};

/// A program, and the package that has it.
const PROGRAMS: [(&str, &str); 7] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("cpio", "cpio"),
    ("depmod", "kmod"),
    ("busybox", "busybox-static"),
    ("xz", "xz-utils"),
    ("ldd", "libc-bin"),
    ("timeout", "coreutils"),
];

/// Install what is missing. Silent when nothing is.
///
/// # Errors
/// On other processors, and where it cannot install, with the line to run by hand.
pub fn ensure() -> Result<()> {
    if std::env::consts::ARCH != "x86_64" {
        bail!("vm knows kernels for x86_64 only");
    }
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| find_program(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("missing packages: {} (to boot kernels)", missing.join(" "));
    let by_hand = format!(
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
        missing.join(" ")
    );
    let skip = std::env::var("XTASK_SETUP").is_ok_and(|value| value == "skip");
    if skip || find_program("apt-get").is_none() || !nix::unistd::geteuid().is_root() {
        bail!("cannot install them from here; run this line, then try again:\n  {by_hand}");
    }
    let apt = || Step::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
    let install = apt().args(["install", "-y", "--no-install-recommends"]).args(&missing);
    if install.status()?.success() {
        return Ok(());
    }
    // Lists may be missing or old.
    apt().arg("update").run()?;
    install.run().with_context(|| format!("to run by hand:\n  {by_hand}"))
}
