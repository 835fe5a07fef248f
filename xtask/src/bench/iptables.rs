//! `bench iptables`: whole processes of `iptables`, beside iptables-nft and iptables-legacy.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::docker::{self, Call};
use super::measure::{Sample, medians, outcome, timed};
use super::options::{Options, prepare};
use super::report::{better, machine, times};
use crate::lab::{self, Namespace};
use crate::run::{Step, find_program};

const RUNS: usize = 15;
/// Of what takes seconds.
const FEW_RUNS: usize = 3;
/// Rules in the chain.
const FULL: &[usize] = &[0, 100, 1_000, 5_000];
const QUICK: &[usize] = &[0, 1_000];
/// Rules of a save file.
const FILES: &[usize] = &[1_000, 10_000];

/// Set up, build, and go into namespaces.
pub fn start(words: &[String]) -> Result<ExitCode> {
    let Options { scale, paths: [ours] } = Options::read(words, ["--portcullis"])?;
    lab::reenter("__bench", &["iptables".to_owned(), prepare(ours)?, scale.to_owned()])
}

/// The part inside.
pub fn inside(words: &[String]) -> Result<ExitCode> {
    let [ours, scale] = words else { bail!("__bench iptables wants a binary and a scale") };
    let sizes = if scale == "quick" { QUICK } else { FULL };
    let begin = Instant::now();
    lab::settle()?;
    let subjects = [
        Subject::make("portcullis", |name| Ok((PathBuf::from(ours), Some(name.to_owned()))))?,
        Subject::make("iptables-nft", peer("nft"))?,
        Subject::make("iptables-legacy", peer("legacy"))?,
    ];
    println!("## iptables: whole processes\n");
    println!(
        "Medians of {RUNS} runs ({FEW_RUNS} of a daemon's start), wall ms [CPU ms with children]; ratio: the peer /"
    );
    println!("portcullis, subjects in turns. A process that only says its version is the floor.\n");
    head("call, rules in the chain");
    row("--version", &subjects, |subject| subject.run(&words_of("--version")))?;
    for size in sizes {
        for subject in &subjects {
            subject.fill(*size)?;
        }
        calls(&subjects, *size)?;
    }
    println!();
    head("save files, rules");
    for size in FILES {
        files(&subjects, *size)?;
    }
    println!();
    head("dockerd's own calls");
    sequences(&subjects)?;
    println!("\n{}\nTook {} s.", machine()?, begin.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

/// One set of programs in a namespace of its own.
struct Subject {
    name: &'static str,
    host: Namespace,
    command: (PathBuf, Option<String>),
    save: (PathBuf, Option<String>),
    restore: (PathBuf, Option<String>),
}

/// A peer's program: `iptables-nft-save`.
fn peer(kind: &str) -> impl Fn(&str) -> Result<(PathBuf, Option<String>)> + '_ {
    move |name| {
        let program = name.replacen("iptables", &format!("iptables-{kind}"), 1);
        let path = find_program(&program).with_context(|| format!("no {program}"))?;
        Ok((path, None))
    }
}

impl Subject {
    fn make(
        name: &'static str,
        program: impl Fn(&str) -> Result<(PathBuf, Option<String>)>,
    ) -> Result<Self> {
        Step::line(&format!("ip netns add {name}")).quiet()?;
        Ok(Self {
            name,
            host: Namespace::open(name)?,
            command: program("iptables")?,
            save: program("iptables-save")?,
            restore: program("iptables-restore")?,
        })
    }

    fn command_of(&self, (path, applet): &(PathBuf, Option<String>)) -> Result<Command> {
        self.host.enter()?;
        let mut command = Command::new(path);
        command.args(applet);
        Ok(command)
    }

    /// One call that must succeed.
    fn run(&self, words: &[String]) -> Result<Sample> {
        timed(self.command_of(&self.command)?.args(words))
    }

    /// Calls of which some are to say no: only the time of all of them counts.
    fn play(&self, calls: &[Call]) -> Result<Sample> {
        let mut all = Sample::default();
        for words in calls {
            let (sample, _) = outcome(self.command_of(&self.command)?.args(words))?;
            all = all.plus(sample);
        }
        Ok(all)
    }

    /// A chain with so many rules, and nothing else.
    fn fill(&self, rules: usize) -> Result<()> {
        self.restore(&save_file(rules))?;
        Ok(())
    }

    fn restore(&self, text: &str) -> Result<Sample> {
        let path = Path::new("/run/bench.save");
        std::fs::write(path, text).context("writing a save file")?;
        let mut command = self.command_of(&self.restore)?;
        timed(command.stdin(Stdio::from(File::open(path).context("opening it")?)))
    }

    fn save(&self) -> Result<Sample> {
        timed(&mut self.command_of(&self.save)?)
    }
}

/// `-A TEST -d 10.0.0.7/32 -p tcp -m tcp --dport 80 -j ACCEPT`, each with another address.
fn save_file(rules: usize) -> String {
    let mut text = String::from("*filter\n:TEST - [0:0]\n");
    for number in 0..rules {
        let address = format!("10.{}.{}.{}", number / 65_536, number / 256 % 256, number % 256);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "-A TEST -d {address}/32 -p tcp -m tcp --dport 80 -j ACCEPT");
    }
    text + "COMMIT\n"
}

fn words_of(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn head(what: &str) {
    println!("| {what} | portcullis | iptables-nft | ratio | CPU | iptables-legacy | ratio |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
}

fn row(
    what: &str,
    subjects: &[Subject; 3],
    measure: impl FnMut(&Subject) -> Result<Sample>,
) -> Result<()> {
    row_of(RUNS, what, subjects, measure)
}

fn row_of(
    runs: usize,
    what: &str,
    subjects: &[Subject; 3],
    mut measure: impl FnMut(&Subject) -> Result<Sample>,
) -> Result<()> {
    let mut samples: [Vec<Sample>; 3] = Default::default();
    for _ in 0..runs {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            samples.push(measure(subject).with_context(|| format!("{what}: {}", subject.name))?);
        }
    }
    let [own, nft, legacy] = samples.map(|samples| Some(medians(&samples)));
    let [wall, cpu] = better(own, [nft, None]);
    let [beside_legacy, _] = better(own, [legacy, None]);
    let [own, nft, legacy] = [own, nft, legacy].map(times);
    println!("| {what} | {own} | {nft} | {wall} | {cpu} | {legacy} | {beside_legacy} |");
    Ok(())
}

/// `-C` of the last rule, `-A`, `-D` of what was added, `-L`.
fn calls(subjects: &[Subject; 3], size: usize) -> Result<()> {
    const RULE: &str = "TEST -d 192.0.2.1 -p tcp --dport 80 -j ACCEPT";
    let add = words_of(&format!("--wait -A {RULE}"));
    let check = words_of(&format!("--wait -C {RULE}"));
    let delete = words_of(&format!("--wait -D {RULE}"));
    let list = words_of("--wait -n -L TEST");
    row(&format!("`-A`, {size}"), subjects, |subject| {
        let sample = subject.run(&add)?;
        subject.run(&delete)?;
        Ok(sample)
    })?;
    for subject in subjects {
        subject.run(&add)?;
    }
    row(&format!("`-C`, {size}"), subjects, |subject| subject.run(&check))?;
    row(&format!("`-D`, {size}"), subjects, |subject| {
        let sample = subject.run(&delete)?;
        subject.run(&add)?;
        Ok(sample)
    })?;
    row(&format!("`-L`, {size}"), subjects, |subject| subject.run(&list))
}

fn files(subjects: &[Subject; 3], size: usize) -> Result<()> {
    let text = save_file(size);
    row(&format!("restore, {size}"), subjects, |subject| subject.restore(&text))?;
    row(&format!("save, {size}"), subjects, Subject::save)
}

fn sequences(subjects: &[Subject; 3]) -> Result<()> {
    for subject in subjects {
        subject.restore("*filter\nCOMMIT\n*nat\nCOMMIT\n")?;
        subject.play(&docker::daemon_start())?;
    }
    row("network create", subjects, |subject| {
        let sample = subject.play(&docker::network_create(1))?;
        subject.play(&docker::network_remove(1))?;
        Ok(sample)
    })?;
    row("network rm", subjects, |subject| {
        subject.play(&docker::network_create(1))?;
        subject.play(&docker::network_remove(1))
    })?;
    row("container start, 10 ports", subjects, |subject| {
        let sample = subject.play(&docker::container_start(80..90))?;
        subject.play(&docker::container_stop(80..90))?;
        Ok(sample)
    })?;
    row("container stop, 10 ports", subjects, |subject| {
        subject.play(&docker::container_start(80..90))?;
        subject.play(&docker::container_stop(80..90))
    })?;
    row_of(FEW_RUNS, "daemon start, 50 networks", subjects, |subject| {
        subject.restore("*filter\nCOMMIT\n*nat\nCOMMIT\n")?;
        let networks = (1..=50).flat_map(docker::network_create);
        let calls: Vec<Call> = docker::daemon_start().into_iter().chain(networks).collect();
        subject.play(&calls)
    })
}
