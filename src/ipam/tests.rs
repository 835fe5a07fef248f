//! Ranges and plans by themselves, and the operations in directories of the tests' own.

mod histories;
mod holders;
mod indexes;
mod operations;
mod plans;
mod ranges;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::holder::Holder;
use super::plan::{Occupied, Wishes, plan};
use super::*;
use crate::net::IpVersion;

type Tested = Result<(), Box<dyn std::error::Error>>;

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("cannot parse {text:?}"))
}

/// `subnet [start end [gateway]]`
fn spec(text: &str) -> Result<RangeSpec, String> {
    let mut words = text.split(' ');
    let subnet = parsed(words.next().unwrap_or_default())?;
    let mut address = || words.next().filter(|word| *word != "-").map(parsed).transpose();
    Ok(RangeSpec { subnet, start: address()?, end: address()?, gateway: address()? })
}

fn set(texts: &[&str]) -> Result<RangeSet, Box<dyn std::error::Error>> {
    let specs: Vec<RangeSpec> = texts.iter().map(|text| spec(text)).collect::<Result<_, _>>()?;
    Ok(RangeSet::new(&specs)?)
}

fn sets(sets: &[&[&str]]) -> Result<RangeSets, Box<dyn std::error::Error>> {
    let specs = |texts: &&[&str]| texts.iter().map(|text| spec(text)).collect();
    let specs: Vec<Vec<RangeSpec>> = sets.iter().map(specs).collect::<Result<_, String>>()?;
    Ok(RangeSets::new(&specs)?)
}

fn attachment(container: &str) -> Attachment {
    Attachment { container: container.to_owned(), ifname: "eth0".to_owned() }
}

/// A directory that goes when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> io::Result<Directory> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-ipam-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)?;
        Ok(Directory(path))
    }

    fn network(&self) -> PathBuf {
        self.0.join("net")
    }

    fn write(&self, name: &str, content: &str) -> io::Result<()> {
        fs::create_dir_all(self.network())?;
        fs::write(self.network().join(name), content)
    }

    /// A machine that is started anew after it lost power.
    fn start_anew(&self) {
        // That there was none is as good.
        let _ = fs::remove_file(self.network().join(".portcullis.index"));
    }

    /// `name=content` of each file but the lock and the index, in order.
    fn listing(&self) -> io::Result<Vec<String>> {
        let mut listing = Vec::new();
        for entry in fs::read_dir(self.network())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != "lock" && name != ".portcullis.index" {
                listing.push(format!("{name}={}", fs::read_to_string(path)?.replace("\r\n", "/")));
            }
        }
        listing.sort();
        Ok(listing)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory left behind in /tmp must not turn a test's verdict.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn config(directory: &Directory, texts: &[&[&str]]) -> Result<Config, Box<dyn std::error::Error>> {
    Ok(Config { directory: directory.network(), sets: sets(texts)?, requested: Vec::new() })
}

fn given(config: &Config, container: &str) -> Result<String, Error> {
    let leases = allocate(config, &attachment(container))?;
    Ok(leases.iter().map(|lease| lease.address.address().to_string()).collect::<Vec<_>>().join(" "))
}
