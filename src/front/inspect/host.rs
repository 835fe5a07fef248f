//! What the host's files say, read and never changed: legacy tables, modules of xtables, programs
//! that keep firewalls, and which `iptables` the PATH leads to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the files are; other directories in tests.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// `/proc`.
    pub(super) proc: PathBuf,
    /// The PATH.
    pub(super) path: String,
}

/// A module of xtables that the kernel has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) name: String,
    /// How many rules and modules use it.
    pub(super) uses: u32,
}

/// Which implementation a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// iptables-legacy: the old tables of the kernel.
    Legacy,
    /// iptables-nft: nf_tables with modules of xtables.
    Nft,
    /// This program.
    Portcullis,
    /// Something else.
    Unknown,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Legacy => "legacy",
            Kind::Nft => "nft",
            Kind::Portcullis => "portcullis",
            Kind::Unknown => "unknown",
        }
    }
}

/// A program of the PATH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// Where the PATH finds it.
    pub(super) path: PathBuf,
    /// The file that it leads to.
    pub(super) file: PathBuf,
    pub(super) kind: Kind,
}

/// Programs that change the firewall, by the name of their process.
const KEEPERS: [&str; 9] = [
    "firewalld",
    "dockerd",
    "containerd",
    "kube-proxy",
    "kubelet",
    "calico-node",
    "libvirtd",
    "tailscaled",
    "fail2ban-server",
];

impl Host {
    /// This one.
    pub(super) fn here() -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        Host { proc: PathBuf::from("/proc"), path }
    }

    /// The tables that iptables-legacy has in this network namespace: of `ip_tables_names`, or of
    /// `ip6_tables_names`. None where the kernel has no such file.
    pub(super) fn legacy_tables(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.proc.join("net").join(file)).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// The loaded modules of xtables. What is built into the kernel is in no list.
    pub(super) fn modules(&self) -> Vec<Module> {
        let text = fs::read_to_string(self.proc.join("modules")).unwrap_or_default();
        let starts = ["xt_", "ipt_", "ip6t_", "iptable_", "ip6table_"];
        let exact = ["nft_compat", "x_tables", "ip_tables", "ip6_tables"];
        text.lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let (name, _, uses) = (words.next()?, words.next()?, words.next()?);
                let is_one = exact.contains(&name) || starts.iter().any(|s| name.starts_with(s));
                is_one.then(|| Module { name: name.to_owned(), uses: uses.parse().unwrap_or(0) })
            })
            .collect()
    }

    /// The running programs that change the firewall, each once.
    pub(super) fn keepers(&self) -> Vec<&'static str> {
        let Ok(processes) = fs::read_dir(&self.proc) else { return Vec::new() };
        let running: Vec<String> = processes
            .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok())
            .map(|name| name.trim().to_owned())
            .collect();
        // The kernel keeps 15 bytes of a name.
        let is_running =
            |name: &&str| running.iter().any(|comm| comm == &name[..name.len().min(15)]);
        KEEPERS.into_iter().filter(is_running).collect()
    }

    /// What a name leads to by the PATH.
    pub(super) fn program(&self, name: &str) -> Option<Program> {
        let is_program = |path: &PathBuf| {
            fs::metadata(path)
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        };
        let path = self.path.split(':').map(|dir| Path::new(dir).join(name)).find(is_program)?;
        let file = path.canonicalize().unwrap_or_else(|_| path.clone());
        let own = std::env::current_exe().and_then(fs::canonicalize).ok();
        let called = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let called = called.unwrap_or_default();
        let kind = if own.as_ref() == Some(&file) || called == "portcullis" {
            Kind::Portcullis
        } else if called.contains("legacy") {
            Kind::Legacy
        } else if called.contains("nft") {
            Kind::Nft
        } else {
            Kind::Unknown
        };
        Some(Program { path, file, kind })
    }
}
