//! The guest's files: programs with their libraries, and the scripts that it runs.
//!
//! An initial file system may be several archives in a row; the guest's own is one, a kernel's
//! modules are another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{Step, find_program, target_dir};

/// What the guest runs, by its path there. The first one is what the kernel starts.
const SCRIPTS: [(&str, &str); 7] = [
    ("init", include_str!("guest/init.sh")),
    ("lib/house.sh", include_str!("guest/house.sh")),
    ("lib/without.sh", include_str!("guest/without.sh")),
    ("lib/with.sh", include_str!("guest/with.sh")),
    ("lib/firewall.sh", include_str!("guest/firewall.sh")),
    ("lib/bridge.sh", include_str!("guest/bridge.sh")),
    ("lib/traffic.sh", include_str!("guest/traffic.sh")),
];
const DIRS: [&str; 11] =
    ["bin", "sbin", "usr/sbin", "opt/cni", "var/lib", "etc", "proc", "sys", "dev", "run", "tmp"];
/// Without it nft shows numbers in place of names.
const PROTOCOLS: &str = "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\ndccp 33 DCCP\nipv6-icmp 58 IPv6-ICMP\n\
                         sctp 132 SCTP\nudplite 136 UDPLite\n";

/// Pack what every guest gets; gives the archive.
pub fn build(dir: &Path) -> Result<PathBuf> {
    let root = empty(&dir.join("guest"))?;
    for below in DIRS {
        let path = root.join(below);
        fs::create_dir_all(&path).with_context(|| format!("making {path:?}"))?;
    }
    let own = std::env::current_exe().context("finding xtask's own path")?;
    for (program, to) in [
        (installed("busybox")?, "bin/busybox"),
        (installed("ip")?, "usr/sbin/ip"),
        (installed("bridge")?, "usr/sbin/bridge"),
        (installed("nft")?, "usr/sbin/nft"),
        (target_dir()?.join("release/portcullis"), "usr/sbin/portcullis"),
        (own, "usr/sbin/xtask"),
    ] {
        copy(&program, &root.join(to))?;
        for library in libraries(&program)? {
            copy(&library, &root.join(library.strip_prefix("/").unwrap_or(&library)))?;
        }
    }
    for (name, text) in SCRIPTS {
        write(&root.join(name), text)?;
    }
    write(&root.join("etc/protocols"), PROTOCOLS)?;
    let init = fs::Permissions::from_mode(0o755);
    fs::set_permissions(root.join("init"), init).context("making init a program")?;
    let archive = dir.join("guest.img");
    pack(&root, &archive)?;
    Ok(archive)
}

/// Pack a directory as a part of an initial file system.
pub fn pack(root: &Path, to: &Path) -> Result<()> {
    let words = ["-c", "find . | cpio -o -H newc --quiet -R 0:0 | gzip -1 > \"$0\""];
    Step::new("sh").args(words).arg(to.to_string_lossy()).within(root).run()
}

/// A directory with nothing in it.
pub fn empty(dir: &Path) -> Result<PathBuf> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("removing {dir:?}"))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("making {dir:?}"))?;
    Ok(dir.to_owned())
}

fn installed(program: &str) -> Result<PathBuf> {
    find_program(program).with_context(|| format!("no {program} on this machine"))
}

/// The shared libraries of a program, as ldd(1) lists them: paths that begin with `/`.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let output = Step::new("ldd").arg(program.to_string_lossy()).quiet()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("not found") {
        bail!("{program:?} lacks a library:\n{text}");
    }
    Ok(text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(|| format!("making {parent:?}"))?;
    }
    fs::copy(from, to).with_context(|| format!("copying {from:?} to {to:?}"))?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {path:?}"))
}
