//! The result as Markdown: times with their ratio to the peer of the same run, then memory.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::measure::{Sample, medians};
use crate::run::find_program;

/// One call under given circumstances: the median of each subject.
pub struct Cell {
    what: String,
    medians: Vec<(String, Sample)>,
}

impl Cell {
    pub fn new<'a>(what: String, samples: impl Iterator<Item = (&'a str, Vec<Sample>)>) -> Self {
        let medians = samples.map(|(name, samples)| (name.to_owned(), medians(&samples)));
        Self { what, medians: medians.collect() }
    }

    fn of(&self, subject: &str) -> Option<Sample> {
        self.medians.iter().find(|(name, _)| name == subject).map(|(_, sample)| *sample)
    }
}

/// The peak memory of a subject's calls, in KiB.
pub struct Memory {
    pub subject: String,
    pub others: usize,
    pub add: u64,
    pub del: u64,
}

/// All of it.
pub struct Report {
    pub cells: Vec<Cell>,
    pub memory: Vec<Memory>,
    pub memory_floor: u64,
    pub runs: usize,
    machine: String,
    versions: String,
}

impl Report {
    /// An empty report that knows the machine and the peer.
    pub fn new(plugin: &Path, peer: &Path) -> Result<Self> {
        let versions = format!(
            "portcullis: `{}`; peer: `{}` ({}), {}.",
            plugin.display(),
            peer.display(),
            plugin_version(peer)?,
            iptables_version()?
        );
        Ok(Self {
            cells: Vec::new(),
            memory: Vec::new(),
            memory_floor: 0,
            runs: 0,
            machine: machine()?,
            versions,
        })
    }
}

/// What the plugin says of itself, and which Debian package it is of, where it is of one.
fn plugin_version(plugin: &Path) -> Result<String> {
    let output = Command::new(plugin).env_remove("CNI_COMMAND").output();
    let output = output.with_context(|| format!("starting {plugin:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = said.lines().next().unwrap_or("no version").to_owned();
    let Some(package) = first_line(Command::new("dpkg-query").arg("-S").arg(plugin)) else {
        return Ok(said);
    };
    let name = package.split(':').next().unwrap_or_default();
    let version = first_line(Command::new("dpkg-query").args(["-W", name]));
    Ok(version.map_or(said, |version| version.replace('\t', " ")))
}

/// The first line of a command's output; nothing where it fails.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

fn iptables_version() -> Result<String> {
    let program = find_program("iptables-nft").context("no iptables-nft")?;
    let output = Command::new(program).arg("-V").output().context("starting iptables-nft")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Kernel, processors and load.
pub fn machine() -> Result<String> {
    let read =
        |path: &str| std::fs::read_to_string(path).with_context(|| format!("reading {path}"));
    let kernel = read("/proc/sys/kernel/osrelease")?;
    let cpus = std::thread::available_parallelism().context("counting CPUs")?;
    let info = read("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, name)| name.trim());
    let load = read("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!("Linux {}, {cpus} CPUs ({model}), load {load} at the start.", kernel.trim()))
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.runs;
        writeln!(out, "## portmap: whole processes\n")?;
        writeln!(
            out,
            "Medians of {runs} runs (11 with tracked flows), wall ms [CPU ms with children],"
        )?;
        writeln!(
            out,
            "IPv4, `backend` unset; ratio: the better peer / portcullis, subjects in turns."
        )?;
        writeln!(out, "The legacy peer is left out beyond 100 containers: more take it hours.\n")?;
        writeln!(
            out,
            "| call, present | portcullis | iptables-nft | iptables-legacy | wall ratio | CPU |"
        )?;
        writeln!(out, "| --- | --- | --- | --- | --- | --- |")?;
        for cell in &self.cells {
            let [own, peers @ ..] = ["portcullis", "peer", "legacy"].map(|name| cell.of(name));
            let [wall, cpu] = better(own, peers);
            let [own, nft, legacy] = [own, peers[0], peers[1]].map(times);
            writeln!(out, "| {} | {own} | {nft} | {legacy} | {wall} | {cpu} |", cell.what)?;
        }
        self.write_memory(out)?;
        writeln!(out, "\n{}\n\n{}", self.machine, self.versions)
    }
}

impl Report {
    fn write_memory(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\nPeak resident memory of the largest process of a call with 10 ports, MiB"
        )?;
        writeln!(out, "(floor of this measurement: {}):\n", mib(self.memory_floor))?;
        writeln!(out, "| containers present | subject | ADD | DEL |")?;
        writeln!(out, "| --- | --- | --- | --- |")?;
        for Memory { subject, others, add, del } in &self.memory {
            writeln!(out, "| {others} | {subject} | {} | {} |", mib(*add), mib(*del))?;
        }
        Ok(())
    }
}

/// The ratios of wall and CPU time of the better of the peers that were measured.
pub fn better(own: Option<Sample>, peers: [Option<Sample>; 2]) -> [String; 2] {
    let of = |part: fn(Sample) -> Duration| {
        let best = peers.into_iter().flatten().map(part).min();
        own.zip(best).map_or_else(dash, |(own, best)| ratio(best, part(own)))
    };
    [of(|sample| sample.wall), of(|sample| sample.cpu)]
}

/// The least wall and the least CPU time of those that were measured, each by itself.
pub fn least(samples: [Option<Sample>; 2]) -> Option<Sample> {
    samples.into_iter().flatten().reduce(|one, other| Sample {
        wall: one.wall.min(other.wall),
        cpu: one.cpu.min(other.cpu),
        user: one.user.min(other.user),
    })
}

/// `wall [CPU]` in ms, or a dash.
pub fn times(sample: Option<Sample>) -> String {
    match sample {
        Some(sample) => format!("{} [{}]", ms(sample.wall), ms(sample.cpu)),
        None => dash(),
    }
}

fn dash() -> String {
    "–".to_owned()
}

/// Milliseconds with three digits or so.
pub fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.2}") } else { format!("{ms:.1}") }
}

fn ratio(peer: Duration, own: Duration) -> String {
    if own.is_zero() {
        return dash();
    }
    format!("{:.1}", peer.as_secs_f64() / own.as_secs_f64())
}

/// KiB as MiB.
pub fn mib(kib: u64) -> String {
    // Exact for anything a process has: far below 2^52 KiB.
    format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024)
}
