//! The package lists that hold kernels, in a directory of our own.
//!
//! The machine's own mirror of Debian is asked for the suites that have the kernels, whichever
//! suite the machine itself runs. See apt.conf(5), sources.list(5).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::Step;

/// The releases whose kernels are tried; each has a suite `NAME-security` too.
const SUITES: [&str; 2] = ["bullseye", "bookworm"];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const PREFIX: &str = "linux-image-";
const SUFFIX: &str = "-cloud-amd64";

/// apt with lists of its own: nothing of the machine's apt is changed.
pub struct Mirror {
    dir: PathBuf,
    config: PathBuf,
}

impl Mirror {
    /// Use the lists below `dir`; fetch them where there are none, or `anew`.
    pub fn open(dir: &Path, anew: bool) -> Result<Self> {
        let mirror = Self { dir: dir.to_owned(), config: dir.join("apt.conf") };
        if anew || !mirror.config.is_file() {
            mirror.update()?;
        }
        Ok(mirror)
    }

    fn update(&self) -> Result<()> {
        for below in ["lists/partial", "cache/archives/partial"] {
            let path = self.dir.join(below);
            fs::create_dir_all(&path).with_context(|| format!("making {path:?}"))?;
        }
        let sources = self.dir.join("sources.list");
        fs::write(&sources, sources_list()?).with_context(|| format!("writing {sources:?}"))?;
        let dir = self.dir.display();
        let config = format!(
            "Dir::Etc::sourcelist \"{dir}/sources.list\";\n\
             Dir::Etc::sourceparts \"-\";\n\
             Dir::State::lists \"{dir}/lists\";\n\
             Dir::Cache \"{dir}/cache\";\n\
             APT::Sandbox::User \"root\";\n\
             Acquire::Languages \"none\";\n\
             Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n"
        );
        fs::write(&self.config, config).with_context(|| format!("writing {:?}", self.config))?;
        // A suite that the mirror does not have leaves the others usable.
        if !self.apt("apt-get").arg("update").status()?.success() {
            println!("not all package lists could be had; going on with the others");
        }
        Ok(())
    }

    fn apt(&self, program: &str) -> Step {
        Step::new(program).env("APT_CONFIG", &self.config.to_string_lossy()).within(&self.dir)
    }

    /// The release of the newest kernel of a series: `6.1.0-56-cloud-amd64`.
    pub fn newest(&self, series: &str) -> Result<String> {
        let words = ["search", "--names-only", "^linux-image-[0-9.]+.*-cloud-amd64$"];
        let output = self.apt("apt-cache").args(words).quiet()?;
        let listing = String::from_utf8_lossy(&output.stdout);
        match newest_of(&listing, series) {
            Some(version) => Ok(format!("{version}{SUFFIX}")),
            None => bail!("the mirror lists no kernel of Linux {series}"),
        }
    }

    /// Fetch a kernel's package; gives its path.
    pub fn download(&self, release: &str) -> Result<PathBuf> {
        let package = format!("{PREFIX}{release}");
        self.apt("apt-get").args(["download", &package]).run()?;
        let entries = fs::read_dir(&self.dir).with_context(|| format!("reading {:?}", self.dir))?;
        let mut names = entries.flatten().map(|entry| entry.path());
        let start = format!("{package}_");
        names
            .find(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&start)))
            .with_context(|| format!("apt-get download left no {package}"))
    }
}

/// The machine's own mirrors, asked for [`SUITES`].
fn sources_list() -> Result<String> {
    let system = fs::read_to_string("/etc/os-release").context("reading /etc/os-release")?;
    let name = system.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = name.context("/etc/os-release names no Debian release")?.trim_matches('"');
    let words =
        ["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"];
    let output = Step::new("apt-get").args(words).quiet()?;
    let targets = String::from_utf8_lossy(&output.stdout);
    let signed = if Path::new(KEYRING).is_file() { KEYRING } else { "" };
    let list = sources(&targets, name, signed);
    if list.is_empty() {
        bail!("apt knows no mirror of Debian {name}");
    }
    Ok(list)
}

/// Lines of sources.list(5) from lines of `URI RELEASE COMPONENT`, for a machine of a release.
fn sources(targets: &str, name: &str, keyring: &str) -> String {
    let option = if keyring.is_empty() { String::new() } else { format!("[signed-by={keyring}] ") };
    let mut list = String::new();
    for ending in ["", "-security"] {
        let release = format!("{name}{ending}");
        let uri = targets.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let uri = words.next()?;
            (words.next() == Some(&*release) && words.next() == Some("main")).then_some(uri)
        });
        for suite in uri.iter().flat_map(|_| SUITES) {
            let uri = uri.unwrap_or_default();
            list.push_str(&format!("deb {option}{uri} {suite}{ending} main\n"));
        }
    }
    list
}

/// The highest version of a series among lines of `linux-image-VERSION-cloud-amd64 - …`.
fn newest_of(listing: &str, series: &str) -> Option<String> {
    let start = format!("{series}.");
    listing
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter_map(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX))
        .filter(|version| version.starts_with(&start))
        .max_by_key(|version| numbers(version))
        .map(str::to_owned)
}

fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_of_when_backported_or_meta_is_the_release_of_its_own() {
        let listing = "linux-image-6.1-cloud-amd64 - Linux (meta-package)\n\
                       linux-image-6.1.0-9-cloud-amd64 - Linux 6.1\n\
                       linux-image-6.1.0-50-cloud-amd64 - Linux 6.1\n\
                       linux-image-6.1.0-0.deb11.52-cloud-amd64 - Linux 6.1\n\
                       linux-image-6.12.95+deb12-cloud-amd64 - Linux 6.12\n";
        assert_eq!(newest_of(listing, "6.1").as_deref(), Some("6.1.0-50"));
        assert_eq!(newest_of(listing, "6.12").as_deref(), Some("6.12.95+deb12"));
        assert_eq!(newest_of(listing, "5.10"), None);
    }

    #[test]
    fn sources_when_other_repositories_are_there_takes_debians_own() {
        let targets = "http://other/ nodistro main\nhttp://m/debian/ trixie contrib\n\
                       http://m/debian/ trixie main\nhttp://m/security/ trixie-security main\n";
        let list = sources(targets, "trixie", "");
        assert_eq!(
            list,
            "deb http://m/debian/ bullseye main\ndeb http://m/debian/ bookworm main\n\
             deb http://m/security/ bullseye-security main\n\
             deb http://m/security/ bookworm-security main\n"
        );
    }
}
