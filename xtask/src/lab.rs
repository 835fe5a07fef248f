//! A private place to work in: network and mount namespaces that nobody else sees.
//!
//! Everything that `ip netns add` makes lives under a tmpfs on /run of that mount namespace and
//! is gone with the last process in it. See unshare(1), ip-netns(8).

use std::fs::File;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns};

use crate::run::Step;

/// Tells the process inside which namespaces it must not be in.
const OUTSIDE: &str = "XTASK_OUTSIDE";

/// Run `xtask COMMAND WORDS` anew, in namespaces of its own; give its exit code.
pub fn reenter(command: &str, words: &[String]) -> Result<ExitCode> {
    let exe = std::env::current_exe().context("finding xtask's own path")?;
    let mut step = Step::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        step = step.args(["--user", "--map-root-user"]);
    }
    let step = step
        .args(["--net", "--mount", "--propagation", "private", "--"])
        .arg(exe.to_string_lossy())
        .arg(command)
        .args(words);
    println!("$ {step}");
    let mut inside = step.command()?;
    inside.env(OUTSIDE, here()?.join(" "));
    let status = inside.status().context("starting unshare")?;
    match status.code() {
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => bail!("{command} was ended: {status}"),
    }
}

/// First thing inside: a /run of our own, so that namespaces, locks and records stay private.
///
/// # Errors
/// When the namespaces are still those of the caller, before anything is touched.
pub fn settle() -> Result<()> {
    let outside = std::env::var(OUTSIDE).unwrap_or_default();
    let shared = here()?.iter().any(|here| outside.contains(here.as_str()));
    if outside.is_empty() || shared {
        bail!("not in namespaces of our own; start it through `cargo xtask`");
    }
    Step::line("mount -t tmpfs tmpfs /run").run()
}

/// The network and the mount namespace of this process, as `net:[4026531840]`.
fn here() -> Result<[String; 2]> {
    let read = |name: &str| -> Result<String> {
        let path = format!("/proc/self/ns/{name}");
        let link = std::fs::read_link(&path).with_context(|| format!("reading {path}"))?;
        Ok(link.to_string_lossy().into_owned())
    };
    Ok([read("net")?, read("mnt")?])
}

/// `ip netns add NAME` was run: the way back into it for this thread and what it starts.
pub struct Namespace(File);

impl Namespace {
    pub fn open(name: &str) -> Result<Self> {
        let path = format!("/run/netns/{name}");
        Ok(Self(File::open(&path).with_context(|| format!("opening {path}"))?))
    }

    /// Move this thread there; setns(2).
    pub fn enter(&self) -> Result<()> {
        setns(&self.0, CloneFlags::CLONE_NEWNET).context("entering a network namespace")
    }
}
