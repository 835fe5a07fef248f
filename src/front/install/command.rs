//! `portcullis install cni|iptables` and `portcullis uninstall cni|iptables`.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::directory::{Directory, Standing, sha256};
use super::error::Error;
use super::iptables;
use super::journal::Journal;
use super::plan::{BackStep, Step};
use super::record::{Placed, Record};
use super::report;

/// Where containerd, CRI-O and the reference plugins look by default.
const CNI_BIN_DIR: &str = "/opt/cni/bin";
/// Where callers of iptables look: firewalld runs `/usr/sbin/iptables`.
const IPTABLES_BIN_DIR: &str = "/usr/sbin";

/// The names that can be installed.
#[derive(Debug, Clone, Copy)]
pub struct Applets<'a> {
    /// Plugins of CNI.
    pub cni: &'a [&'a str],
    /// `iptables` and its relatives.
    pub iptables: &'a [&'a str],
}

/// What to install.
#[derive(Debug, Clone, clap::Args)]
pub struct Install {
    #[command(subcommand)]
    what: InstallWhat,
}

/// What to uninstall.
#[derive(Debug, Clone, clap::Args)]
pub struct Uninstall {
    #[command(subcommand)]
    what: UninstallWhat,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum InstallWhat {
    /// The CNI plugins: what is in their place is kept
    Cni {
        #[command(flatten)]
        place: Place,
        /// Put copies of this program there, not links to it
        #[arg(long)]
        copy: bool,
        /// Change nothing; list each plugin, what is there now, and whose it is
        #[arg(long, conflicts_with = "copy")]
        list: bool,
        /// List as JSON
        #[arg(long, requires = "list")]
        json: bool,
    },
    /// iptables, ip6tables and their relatives: as an alternative where they are alternatives, or
    /// else in the place of what is there, which is kept
    Iptables {
        #[command(flatten)]
        place: ProgramPlace,
    },
}

impl Install {
    /// Whether it is the programs for iptables that are to be installed.
    #[must_use]
    pub fn is_for_iptables(&self) -> bool {
        match self.what {
            InstallWhat::Iptables { .. } => true,
            InstallWhat::Cni { .. } => false,
        }
    }
}

#[derive(Debug, Clone, clap::Subcommand)]
enum UninstallWhat {
    /// The CNI plugins: what was in their place before is put back
    Cni {
        #[command(flatten)]
        place: Place,
    },
    /// iptables and its relatives: what they were before is put back
    Iptables {
        #[command(flatten)]
        place: ProgramPlace,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct ProgramPlace {
    /// Links in this directory, whether or not there are alternatives, which stay as they are
    /// [default: the alternatives where there are some, or else /usr/sbin]
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
}

impl ProgramPlace {
    fn directory(&self) -> Directory {
        Directory::new(self.bin_dir.as_deref().unwrap_or(Path::new(IPTABLES_BIN_DIR)))
    }
}

#[derive(Debug, Clone, clap::Args)]
struct Place {
    /// The directory that the runtime looks in
    #[arg(long, value_name = "DIR", default_value = CNI_BIN_DIR)]
    bin_dir: PathBuf,
}

/// Installs applets of these names, or lists them.
///
/// # Errors
/// [`Error`]; nothing is changed then.
pub fn install(options: &Install, applets: Applets<'_>, out: &mut impl Write) -> Result<(), Error> {
    let binary = own_file()?;
    match &options.what {
        InstallWhat::Cni { place, list: true, json, .. } => {
            let directory = Directory::new(&place.bin_dir);
            report::list(&directory, applets.cni, &binary, *json, out)
        }
        InstallWhat::Cni { place, copy, .. } => {
            let directory = Directory::new(&place.bin_dir);
            let wanted = if *copy { Placed::Copy(sha256(&binary)?) } else { link_to(&binary)? };
            put(&directory, applets.cni, &wanted, &binary, out)
        }
        InstallWhat::Iptables { place } => {
            let directory = place.directory();
            let wanted = link_to(&binary)?;
            match &wanted {
                // Who names a directory wants the programs there, and the host as it is.
                Placed::Link(target)
                    if place.bin_dir.is_none() && iptables::has_alternatives()? =>
                {
                    iptables::install(&directory, applets.iptables, target, out)
                }
                Placed::Link(_) | Placed::Copy(_) => {
                    put(&directory, applets.iptables, &wanted, &binary, out)
                }
            }
        }
    }
}

fn link_to(binary: &Path) -> Result<Placed, Error> {
    let target = binary.to_str().ok_or_else(|| Error::NotUtf8 { path: binary.to_owned() })?;
    Ok(Placed::Link(target.to_owned()))
}

/// Puts links or copies into a directory, all or none.
fn put(
    directory: &Directory,
    applets: &[&str],
    wanted: &Placed,
    binary: &Path,
    out: &mut impl Write,
) -> Result<(), Error> {
    let before = directory.record()?;
    let mut after = before.clone();
    let mut steps = Vec::new();
    for name in applets {
        let entry = before.entries.get(*name);
        let step = Step::decide(directory, name, entry, wanted, binary)?;
        if let Some(entry) = step.entry(entry, wanted) {
            after.entries.insert((*name).to_owned(), entry);
        }
        steps.push((*name, step));
    }
    if steps.iter().any(|(_, step)| *step != Step::Leave) {
        fs::create_dir_all(directory.path())
            .map_err(Error::file("make directory", directory.path()))?;
        let mut journal = Journal::default();
        match place_all(&mut journal, directory, &steps, wanted, binary, &after) {
            Ok(()) => journal.commit(),
            Err(error) => return Err(journal.roll_back(error)),
        }
    }
    report::installed(directory, &steps, wanted, out)
}

fn place_all(
    journal: &mut Journal,
    directory: &Directory,
    steps: &[(&str, Step)],
    wanted: &Placed,
    binary: &Path,
    after: &Record,
) -> Result<(), Error> {
    journal.directory(&directory.before())?;
    // First the record: a process that is killed must not leave what nobody knows of.
    let text = format!("{:#}\n", after.to_json());
    journal.put(&directory.record_path(), |path| fs::write(path, &text))?;
    for (name, step) in steps {
        let path = directory.place(name);
        match step {
            Step::Leave => continue,
            Step::Place | Step::Replace => {}
            Step::KeepAndPlace => journal.keep(&path, &directory.kept(name))?,
        }
        journal.put(&path, |new| make(new, wanted, binary))?;
    }
    Ok(())
}

fn make(path: &Path, wanted: &Placed, binary: &Path) -> io::Result<()> {
    match wanted {
        Placed::Link(target) => symlink(target, path),
        Placed::Copy(_) => {
            fs::copy(binary, path)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        }
    }
}

/// Takes away what was installed and puts back what was there before. That nothing is installed
/// is success.
///
/// # Errors
/// [`Error`]; nothing is changed then.
pub fn uninstall(options: &Uninstall, out: &mut impl Write) -> Result<(), Error> {
    match &options.what {
        UninstallWhat::Cni { place } => take_away(&Directory::new(&place.bin_dir), out),
        UninstallWhat::Iptables { place } => {
            let directory = place.directory();
            // Links of a directory that was named go first: both can be there.
            let has_links = place.bin_dir.is_some() && !directory.record()?.entries.is_empty();
            if iptables::is_installed(&directory) && !has_links {
                iptables::uninstall(&directory, out)
            } else {
                take_away(&directory, out)
            }
        }
    }
}

/// Takes what [`put`] has put there out of a directory.
fn take_away(directory: &Directory, out: &mut impl Write) -> Result<(), Error> {
    let record = directory.record()?;
    let mut steps = Vec::new();
    for (name, entry) in &record.entries {
        steps.push((name.as_str(), BackStep::decide(directory, name, entry)?));
    }
    if Standing::at(&directory.record_path())? != Standing::Nothing {
        let mut journal = Journal::default();
        match restore_all(&mut journal, directory, &steps) {
            Ok(()) => journal.commit(),
            Err(error) => return Err(journal.roll_back(error)),
        }
        let before = directory.before();
        if let Err(error) = fs::remove_dir(&before) {
            tracing::warn!(path = %before.display(), %error, "the directory stays");
        }
    }
    report::uninstalled(directory, &steps, out)
}

fn restore_all(
    journal: &mut Journal,
    directory: &Directory,
    steps: &[(&str, BackStep)],
) -> Result<(), Error> {
    for (name, step) in steps {
        let (path, kept) = (directory.place(name), directory.kept(name));
        match step {
            BackStep::Leave => {}
            BackStep::Remove => journal.clear(&path)?,
            BackStep::Restore => journal.put(&path, |new| super::journal::duplicate(&kept, new))?,
        }
        journal.clear(&kept)?;
    }
    // Last the record: as long as it is there, this can be done again.
    journal.clear(&directory.record_path())
}

fn own_file() -> Result<PathBuf, Error> {
    std::env::current_exe().and_then(fs::canonicalize).map_err(Error::OwnFile)
}
