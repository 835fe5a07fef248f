//! One kernel and its network modules, fetched once and kept below the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::image;
use super::mirror::Mirror;
use crate::run::Step;

/// What a guest gets of a kernel's modules, as a shell finds it.
const PARTS: &str = "modules.builtin modules.order kernel/net/netfilter kernel/net/ipv4 \
     kernel/net/ipv6 kernel/net/bridge kernel/net/llc kernel/net/802 kernel/net/core \
     kernel/drivers/net/veth.ko* kernel/lib/libcrc32c.ko* kernel/crypto";

/// A kernel that can be booted.
pub struct Kernel {
    /// What `uname -r` says.
    pub release: String,
    pub vmlinuz: PathBuf,
    /// Its modules, as a part of an initial file system.
    pub modules: PathBuf,
}

/// The kernels that were fetched.
pub struct Store {
    dir: PathBuf,
    fetch: bool,
}

impl Store {
    /// Those below `dir`; with `fetch`, newer ones are looked for.
    pub fn open(dir: PathBuf, fetch: bool) -> Result<Self> {
        fs::create_dir_all(&dir).with_context(|| format!("making {dir:?}"))?;
        Ok(Self { dir, fetch })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A kernel of a series, fetched where there is none.
    pub fn kernel(&self, series: &str) -> Result<Kernel> {
        let home = self.dir.join("kernels").join(series);
        if self.fetch || !home.join("release").is_file() {
            self.fetch(series, &home)?;
        }
        let release = fs::read_to_string(home.join("release")).context("reading a release")?;
        Ok(Kernel { release, vmlinuz: home.join("vmlinuz"), modules: home.join("modules.img") })
    }

    fn fetch(&self, series: &str, home: &Path) -> Result<()> {
        let mirror = Mirror::open(&self.dir.join("apt"), self.fetch)?;
        let release = mirror.newest(series)?;
        if fs::read_to_string(home.join("release")).is_ok_and(|present| present == release) {
            return Ok(());
        }
        let package = mirror.download(&release)?;
        let unpacked = image::empty(&self.dir.join("unpacked"))?;
        run("dpkg-deb -x", &[&package, &unpacked])?;
        fs::create_dir_all(home).with_context(|| format!("making {home:?}"))?;
        let vmlinuz = unpacked.join("boot").join(format!("vmlinuz-{release}"));
        run("cp", &[&vmlinuz, &home.join("vmlinuz")])?;
        self.pack_modules(&release, &unpacked, &home.join("modules.img"))?;
        // Last: a kernel with a release is complete.
        fs::write(home.join("release"), &release).context("writing a release")?;
        for done in [&unpacked, &self.dir.join("modules")] {
            fs::remove_dir_all(done).with_context(|| format!("removing {done:?}"))?;
        }
        fs::remove_file(&package).with_context(|| format!("removing {package:?}"))
    }

    /// Newer packages have their modules packed by xz, which not every kernel unpacks itself.
    fn pack_modules(&self, release: &str, unpacked: &Path, to: &Path) -> Result<()> {
        let all = unpacked.join("lib/modules").join(release);
        let root = image::empty(&self.dir.join("modules"))?;
        let few = root.join("lib/modules").join(release);
        fs::create_dir_all(&few).with_context(|| format!("making {few:?}"))?;
        let copy = format!("cp -a --parents {PARTS} \"$0\"");
        Step::new("sh").args(["-c", &copy, &few.to_string_lossy()]).within(&all).run()?;
        let unpack = "find . -name '*.ko.xz' -exec xz -d {} +";
        Step::new("sh").args(["-c", unpack]).within(&root).run()?;
        Step::line("depmod -b").arg(root.to_string_lossy()).arg(release).run()?;
        image::pack(&root, to)
    }
}

fn run(line: &str, paths: &[&Path]) -> Result<()> {
    Step::line(line).args(paths.iter().map(|path| path.to_string_lossy())).run()
}
