//! The binaries under test.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A CNI plugin's binary.
pub struct Subject {
    binary: PathBuf,
    /// The directory of the symlink, removed when dropped.
    directory: Option<PathBuf>,
}

impl Subject {
    /// The product, called by the name `portmap` as a runtime calls it.
    pub fn portcullis() -> Subject {
        Subject::portcullis_as("portmap")
    }

    /// The product, called by the name of another plugin.
    pub fn portcullis_as(plugin: &str) -> Subject {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-lab-{}-{number}", process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory)
            .unwrap_or_else(|e| panic!("lab: mkdir {}: {e}", directory.display()));
        let binary = directory.join(plugin);
        symlink(env!("CARGO_BIN_EXE_portcullis"), &binary)
            .unwrap_or_else(|e| panic!("lab: symlink {}: {e}", binary.display()));
        Subject { binary, directory: Some(directory) }
    }

    /// Debian's plugin (containernetworking-plugins 1.1.1), which drives iptables.
    pub fn debian() -> Subject {
        let binary = PathBuf::from("/usr/lib/cni/portmap");
        assert!(
            binary.exists(),
            "lab: {} is missing: apt-get install containernetworking-plugins iptables",
            binary.display()
        );
        Subject { binary, directory: None }
    }

    pub fn binary(&self) -> &Path {
        &self.binary
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            // A directory left behind in /tmp must not turn a test's verdict.
            let _ = fs::remove_dir_all(directory);
        }
    }
}
