//! The directory of CNI plugins that a consumer is given.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::recording;

/// Where the consumers' plugins are, in a test's own mount namespace.
pub const DIRECTORY: &str = "/run/plugins";
/// Where Debian's plugins are seen, once their own place shows [`DIRECTORY`].
pub const DEBIAN: &str = "/run/debian-plugins";
/// Where the product's binary is seen.
pub const PRODUCT: &str = "/run/portcullis";
/// Where the product is linked under each of its names.
const OWN: &str = "/run/own-plugins";

/// What Podman's and containerd's configurations name.
const WANTED: [&str; 5] = ["bridge", "host-local", "portmap", "firewall", "loopback"];
/// What is always Debian's: Podman names it in every network, and it does nothing unless told to.
const LENT: &str = "tuning";

/// Whose plugins a run of the suite is about: the environment variable `PORTCULLIS_TEST_PLUGINS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// The product's, and Debian's `tuning`. The default.
    Own,
    /// The product's where it has one of that name, else Debian's.
    Mixed,
    /// Debian's, to prove the suite itself.
    Peer,
}

impl Supply {
    pub fn chosen() -> Supply {
        match std::env::var("PORTCULLIS_TEST_PLUGINS").as_deref() {
            Err(_) | Ok("" | "own") => Supply::Own,
            Ok("mixed") => Supply::Mixed,
            Ok("peer") => Supply::Peer,
            Ok(other) => panic!("PORTCULLIS_TEST_PLUGINS={other}: own, mixed or peer"),
        }
    }

    /// Fills [`DIRECTORY`]; [`PRODUCT`] and [`DEBIAN`] are in place. Gives the product's plugins.
    pub fn assemble(self) -> Vec<&'static str> {
        for path in [DIRECTORY, OWN] {
            fs::create_dir(path).unwrap_or_else(|e| panic!("mkdir {path}: {e}"));
        }
        let ours: Vec<&str> = match self {
            Supply::Peer => Vec::new(),
            Supply::Own | Supply::Mixed => {
                WANTED.into_iter().filter(|name| answers(&link(name))).collect()
            }
        };
        for name in WANTED {
            if ours.contains(&name) {
                install(name, &Path::new(OWN).join(name));
            } else {
                assert!(self != Supply::Own, "portcullis is no plugin of the name `{name}`");
                lend(name);
            }
        }
        lend(LENT);
        ours
    }
}

/// The product under a plugin's name.
fn link(name: &str) -> PathBuf {
    let path = Path::new(OWN).join(name);
    symlink(PRODUCT, &path).unwrap_or_else(|e| panic!("symlink {}: {e}", path.display()));
    path
}

/// Whether the product is a plugin by this name: it says which versions it speaks.
fn answers(path: &Path) -> bool {
    let output = Command::new(path)
        .env_clear()
        .env("CNI_COMMAND", "VERSION")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("start {}: {e}", path.display()));
    output.status.success() && String::from_utf8_lossy(&output.stdout).contains("supportedVersions")
}

fn lend(name: &str) {
    let path = Path::new(DEBIAN).join(name);
    assert!(path.exists(), "no {name}: apt-get install containernetworking-plugins");
    install(name, &path);
}

/// Puts a plugin into the directory: itself, or what records its calls first.
fn install(name: &str, plugin: &Path) {
    let place = Path::new(DIRECTORY).join(name);
    match recording::directory() {
        None => symlink(plugin, &place).unwrap_or_else(|e| panic!("{}: {e}", place.display())),
        Some(_) => recording::install(plugin, &place),
    }
}
