//! The Debian packages that the build and the tests need, installed when missing.
//!
//! Asks dpkg once; calls apt-get only when something is missing, and says what it does.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{Step, find_program};

/// What is needed and why: by the build, by the demo, by the tests as their judges, and as the
/// runtimes that the product is a drop-in for.
const PACKAGES: [(&str, &[&str]); 4] = [
    ("to build", &["libmnl-dev", "libnftnl-dev", "pkg-config", "gcc"]),
    ("to show", &["iproute2", "nftables", "procps", "util-linux"]),
    ("to test", &["iptables", "containernetworking-plugins", "strace", "dbus", "firewalld"]),
    (
        "to test under unchanged",
        &["podman", "docker.io", "containerd", "runc", "crun", "busybox-static", "ufw", "fail2ban"],
    ),
];

/// The units that a package enables for the next boot. The tests start what they need themselves,
/// in namespaces of their own; the machine's owner has not asked for a daemon.
const UNITS: [(&str, &[&str]); 6] = [
    ("containerd", &["containerd.service"]),
    ("docker.io", &["docker.service", "docker.socket"]),
    ("fail2ban", &["fail2ban.service"]),
    ("firewalld", &["firewalld.service"]),
    (
        "podman",
        &[
            "podman.service",
            "podman.socket",
            "podman-restart.service",
            "podman-auto-update.service",
            "podman-auto-update.timer",
        ],
    ),
    ("ufw", &["ufw.service"]),
];

/// Where invoke-rc.d(8) asks whether a package may start its service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// How much of [`PACKAGES`] is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The first two: to build and to show.
    Demo,
    /// All of them.
    Tests,
}

impl Purpose {
    fn packages(self) -> impl Iterator<Item = &'static str> {
        let kinds = match self {
            Purpose::Demo => &PACKAGES[..2],
            Purpose::Tests => &PACKAGES,
        };
        kinds.iter().flat_map(|(_, names)| names.iter().copied())
    }
}

/// Install what is missing. Silent, and without any apt call, when nothing is.
///
/// # Errors
/// Where it cannot install (not root, no apt-get), with the line to run by hand.
pub fn ensure(purpose: Purpose) -> Result<()> {
    if std::env::var("XTASK_SETUP").is_ok_and(|value| value == "skip") {
        return Ok(());
    }
    let wanted = purpose.packages();
    if find_program("dpkg-query").is_none() {
        bail!(
            "the set-up knows Debian and Ubuntu only, and finds no dpkg-query. Install what these \
             packages hold and set XTASK_SETUP=skip: {}",
            wanted.collect::<Vec<_>>().join(" ")
        );
    }
    let listing = dpkg_listing()?;
    let present = installed(&listing);
    let missing: Vec<&str> = wanted.filter(|name| !present.contains(*name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("missing packages: {}", explain(&missing));
    if find_program("apt-get").is_none() || !nix::unistd::geteuid().is_root() {
        bail!(
            "cannot install them from here; run this line, then try again:\n  {}",
            by_hand(&missing)
        );
    }
    install(&missing)
}

fn dpkg_listing() -> Result<String> {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status}\t${Package}\t${Provides}\n"])
        .output()
        .context("starting dpkg-query")?;
    if !output.status.success() {
        bail!("dpkg-query failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The names that installed packages have or provide, from `status TAB name TAB provides` lines.
fn installed(listing: &str) -> HashSet<&str> {
    let mut names = HashSet::new();
    for line in listing.lines() {
        let mut fields = line.split('\t');
        if fields.next() != Some("installed") {
            continue;
        }
        names.extend(fields.next());
        let provides = fields.next().unwrap_or_default().split(',');
        names.extend(provides.filter_map(|entry| entry.split_whitespace().next()));
    }
    names
}

fn explain(missing: &[&str]) -> String {
    let mut parts = Vec::new();
    for (why, names) in PACKAGES {
        let these: Vec<&str> = names.iter().copied().filter(|n| missing.contains(n)).collect();
        if !these.is_empty() {
            parts.push(format!("{} ({why})", these.join(" ")));
        }
    }
    parts.join(", ")
}

fn by_hand(missing: &[&str]) -> String {
    format!(
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
        missing.join(" ")
    )
}

fn install(missing: &[&str]) -> Result<()> {
    let apt = |words: &[&str]| {
        let step = Step::new("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive");
        // systemctl(1) then does not talk to a running systemd: no package starts its service.
        step.env("SYSTEMD_OFFLINE", "1")
    };
    let _nothing_starts = Policy::deny(Path::new(POLICY))?;
    let install = apt(&["install", "-y", "--no-install-recommends"]).args(missing);
    // Lists that are there may be old: when they are not good enough, they are fetched as well.
    if !has_lists(Path::new("/var/lib/apt/lists")) || !install.status()?.success() {
        apt(&["update"]).run()?;
        install.run().with_context(|| format!("to run by hand:\n  {}", by_hand(missing)))?;
    }
    disable_services(missing)
}

/// A machine without systemd as its first process obeys no `SYSTEMD_OFFLINE`: there a package's
/// init script is executed, and Docker's would change the firewall. While this value lives, no
/// script is.
struct Policy<'a> {
    /// The file to remove at the end; none where the machine has a policy of its own.
    file: Option<&'a Path>,
}

impl<'a> Policy<'a> {
    fn deny(path: &'a Path) -> Result<Policy<'a>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path);
        match file {
            Ok(mut file) => {
                let policy = Policy { file: Some(path) };
                // 101: "action forbidden by policy".
                file.write_all(b"#!/bin/sh\nexit 101\n").context("writing policy-rc.d")?;
                Ok(policy)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Policy { file: None }),
            Err(error) => Err(error).with_context(|| format!("creating {}", path.display())),
        }
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.file
            && let Err(error) = std::fs::remove_file(path)
        {
            eprintln!("{} is left, and keeps services from starting: {error}", path.display());
        }
    }
}

/// Undo what `added` packages have enabled, and those only: a service that was there before is its
/// owner's.
fn disable_services(added: &[&str]) -> Result<()> {
    let units = services(added);
    if units.is_empty() || find_program("systemctl").is_none() {
        return Ok(());
    }
    Step::new("systemctl")
        .args(["--quiet", "disable"])
        .args(units)
        .env("SYSTEMD_OFFLINE", "1")
        .run()
}

fn services(added: &[&str]) -> Vec<&'static str> {
    let rows = UNITS.iter().filter(|(package, _)| added.contains(package));
    rows.flat_map(|(_, units)| units.iter().copied()).collect()
}

fn has_lists(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_when_removed_or_provided_counts_only_what_is_there() {
        let names = installed(
            "installed\tpkgconf\tpkg-config (= 1.8.1-1), x\n\
             config-files\tstrace\t\n\
             installed\tgcc\tc-compiler\n",
        );
        assert!(names.contains("pkg-config") && names.contains("gcc") && names.contains("x"));
        assert!(!names.contains("strace"));
    }

    #[test]
    fn services_when_a_package_was_there_before_leaves_its_units_alone() {
        assert_eq!(services(&["runc", "containerd"]), ["containerd.service"]);
    }

    #[test]
    fn policy_when_there_is_none_denies_until_it_is_dropped() -> Result<()> {
        let path = std::env::temp_dir().join(format!("policy-rc.d-{}", std::process::id()));
        let policy = Policy::deny(&path)?;
        assert_eq!(Command::new("sh").arg(&path).status()?.code(), Some(101));
        drop(Policy::deny(&path)?);
        assert!(path.exists(), "a policy that was there before is its owner's");
        drop(policy);
        assert!(!path.exists());
        Ok(())
    }

    #[test]
    fn by_hand_when_two_are_missing_is_one_line_to_copy() {
        assert_eq!(
            by_hand(&["gcc", "strace"]),
            "sudo apt-get update && sudo apt-get install -y --no-install-recommends gcc strace"
        );
    }
}
