//! The `iptables` programs that a daemon is given, in `PATH` and where everyone else looks.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

/// Where a daemon finds the programs first, in a test's own mount namespace.
pub const DIRECTORY: &str = "/run/iptables";
/// Where the product's binary is seen.
const PRODUCT: &str = "/run/portcullis";
/// What all of Debian's names of iptables-nft lead to.
const NFT_MULTI: &str = "/usr/sbin/xtables-nft-multi";
/// Where that program is seen, once the product covers it.
const REAL: &str = "/run/xtables-nft-multi";
/// What no daemon may execute.
const MASKED: [&str; 2] = ["/usr/sbin/nft", "/usr/sbin/xtables-legacy-multi"];
const NAMES: [&str; 6] = [
    "iptables",
    "iptables-restore",
    "iptables-save",
    "ip6tables",
    "ip6tables-restore",
    "ip6tables-save",
];

/// Whose programs they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Programs {
    /// The product's.
    Own,
    /// Debian's iptables-nft.
    Peer,
    /// Those of a directory: another build of the product, or programs that are wrong on purpose.
    Given(&'static str),
}

impl Programs {
    /// Those under test: the environment variable `PORTCULLIS_TEST_IPTABLES`.
    pub fn chosen() -> Programs {
        match std::env::var("PORTCULLIS_TEST_IPTABLES").as_deref() {
            Err(_) | Ok("" | "own") => Programs::Own,
            Ok("peer") => Programs::Peer,
            Ok(directory) if directory.starts_with('/') => {
                Programs::Given(Box::leak(directory.to_owned().into_boxed_str()))
            }
            Ok(other) => panic!("PORTCULLIS_TEST_IPTABLES={other}: own, peer, or a directory"),
        }
    }

    /// Makes [`DIRECTORY`], and shows the programs that may be linked in it.
    pub fn prepare() {
        fs::create_dir(DIRECTORY).unwrap_or_else(|e| panic!("mkdir {DIRECTORY}: {e}"));
        assert!(Path::new(NFT_MULTI).exists(), "no {NFT_MULTI}: apt-get install iptables");
        for (from, place) in [(env!("CARGO_BIN_EXE_portcullis"), PRODUCT), (NFT_MULTI, REAL)] {
            fs::write(place, "").unwrap_or_else(|e| panic!("{place}: {e}"));
            let none = None::<&str>;
            mount(Some(from), place, none, MsFlags::MS_BIND, none)
                .unwrap_or_else(|errno| panic!("mount --bind {from} {place}: {errno}"));
        }
    }

    /// Fills [`DIRECTORY`], in the place of what was there.
    pub fn link(self) {
        for name in NAMES {
            let program = match self {
                Programs::Own => PathBuf::from(PRODUCT),
                Programs::Peer => PathBuf::from(REAL),
                Programs::Given(directory) => Path::new(directory).join(name),
            };
            let path = Path::new(DIRECTORY).join(name);
            // There is none at first.
            let _ = fs::remove_file(&path);
            symlink(program, &path).unwrap_or_else(|e| panic!("symlink {}: {e}", path.display()));
        }
    }

    /// What the daemon's mount namespace shows in the place of a file: `(what, where)`. Every path
    /// to a program of iptables ends at a program of this supply.
    pub fn covers(self) -> Vec<(&'static str, &'static str)> {
        let masks = MASKED.into_iter().filter(|path| Path::new(path).exists());
        let masks = masks.map(|path| ("/dev/null", path));
        let own = match self {
            Programs::Own => Some((PRODUCT, NFT_MULTI)),
            Programs::Peer | Programs::Given(_) => None,
        };
        masks.chain(own).collect()
    }
}
