//! `bench bridge`: bridge with host-local, and Podman's whole chain, beside Debian's plugins.
//!
//! The other containers come through each side's own plugins, on all hosts at once: at the peer's
//! 130 to 340 ms each, 500 of them take minutes.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use super::kernel::{Kernel, pair};
use super::measure::{Sample, medians};
use super::options::{Options, absolute, prepare};
use super::report::{better, least, mib, ms, times};
use super::subject::memory_floor;
use super::wires::{Chain, Host, Wire};
use crate::lab;

const PEER: &str = "/usr/lib/cni";
const RUNS: usize = 11;
const FULL: &[usize] = &[0, 100, 500];
const QUICK: &[usize] = &[0, 20];

/// Set up, build, and go into namespaces.
pub fn start(words: &[String]) -> Result<ExitCode> {
    let Options { scale, paths: [plugins, peer] } = Options::read(words, ["--plugins", "--peer"])?;
    let (plugins, peer) = (prepare(plugins)?, peer.unwrap_or_else(|| PEER.to_owned()));
    lab::reenter("__bench", &["bridge".to_owned(), plugins, peer, scale.to_owned()])
}

/// The part inside. `plugins` is a directory of plugins, or the one binary that is them all.
pub fn inside(words: &[String]) -> Result<ExitCode> {
    let [plugins, peer, scale] = words else { bail!("__bench bridge wants plugins, peer, scale") };
    let sizes = if scale == "quick" { QUICK } else { FULL };
    let (plugins, peer) = (absolute(plugins)?, absolute(peer)?);
    let begin = Instant::now();
    lab::settle()?;
    // tuning is Debian's on both sides: portcullis has none.
    let own = |name: &str| match name {
        "tuning" => peer.join(name),
        _ if plugins.is_dir() => plugins.join(name),
        _ => plugins.clone(),
    };
    let mut hosts = [
        Host::make("portcullis", own, "nft")?,
        Host::make("iptables-nft", |name| peer.join(name), "nft")?,
        Host::make("iptables-legacy", |name| peer.join(name), "legacy")?,
    ];
    let mut shares = Vec::new();
    head();
    for size in sizes {
        fill(&mut hosts, *size)?;
        for chain in [Chain::Bridge, Chain::Podman] {
            shares.extend(measure(&hosts, chain, *size)?);
        }
    }
    whose(&shares);
    memory(&hosts)?;
    pair(RUNS)?;
    println!("\nThe whole bench took {:.0} s.", begin.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn head() {
    println!("\n## bridge: whole processes\n");
    println!(
        "Medians of {RUNS} runs, wall ms [CPU ms with children], IPv4; the containers present"
    );
    println!("have Podman's chain; ratio: the better of the two peers / portcullis, in turns.\n");
    println!("| call, present | portcullis | iptables-nft | iptables-legacy | wall ratio | CPU |");
    println!("| --- | --- | --- | --- | --- | --- |");
}

/// Bring all hosts to that size at once, each in a thread of its own, and wait until they are
/// quiet.
fn fill(hosts: &mut [Host; 3], size: usize) -> Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            hosts.iter_mut().map(|host| scope.spawn(|| host.fill(size))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(filled) => filled,
            Err(_) => bail!("a thread that fills a host panicked"),
        })
    })?;
    for host in &*hosts {
        let (name, frames) = (host.name, host.settle()?);
        eprintln!("{name}: {} containers, {frames} frames a second on its bridge", host.others);
    }
    Ok(())
}

/// Whose the time of one call is.
struct Share {
    what: String,
    own: Sample,
    kernel: Sample,
    peer: Option<Sample>,
}

/// ADD and DEL of one container, the hosts in turns, the first round thrown away. A host with
/// fewer containers than that is left out.
fn measure(hosts: &[Host; 3], chain: Chain, size: usize) -> Result<Vec<Share>> {
    let mut samples = [(); 3].map(|()| [const { Vec::new() }; 2]);
    let mut kernel = Kernel::default();
    for round in 0..=RUNS {
        let mut turns: Vec<_> = hosts.iter().zip(&mut samples).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (host, [adds, dels]) in turns.into_iter().filter(|(host, _)| host.others == size) {
            let wire = Wire::measured(host, chain);
            let (add, result) = host.add(&wire)?;
            let del = host.del(&wire, &result)?;
            if round > 0 {
                adds.push(add);
                dels.push(del);
            }
        }
        if chain == Chain::Bridge {
            kernel.run(&hosts[0], round)?;
        }
    }
    let mut shares = Vec::new();
    for ((verb, call), kernel) in ["ADD", "DEL"].into_iter().zip(0..).zip(kernel.medians()) {
        let what = format!("{verb} {}, {size}", chain.name());
        let middle = |all: &Vec<Sample>| (!all.is_empty()).then(|| medians(all));
        let found = [0, 1, 2].map(|host: usize| middle(&samples[host][call]));
        row(&what, found, hosts);
        if let (Chain::Bridge, [Some(own), peers @ ..]) = (chain, found) {
            shares.push(Share { what, own, kernel, peer: least(peers) });
        }
    }
    Ok(shares)
}

fn row(what: &str, found: [Option<Sample>; 3], hosts: &[Host; 3]) {
    let [own, peers @ ..] = found;
    let [wall, cpu] = better(own, peers);
    let text = |host: usize| match found[host] {
        Some(sample) => times(Some(sample)),
        None => format!("– (only {} made)", hosts[host].others),
    };
    let [own, nft, legacy] = [0, 1, 2].map(text);
    println!("| {what} | {own} | {nft} | {legacy} | {wall} | {cpu} |");
}

/// The calls that only wire, by what the kernel takes for the wires.
fn whose(shares: &[Share]) {
    println!("\n## bridge + host-local: ours and the kernel's\n");
    println!(
        "The kernel's: the same pair, port, address and default route by `ip -batch`, without"
    );
    println!("its start. User: mean, as the kernel counts it in ticks.\n");
    println!("| call, present | portcullis | user | the kernel's | ours: less that | peer's |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for Share { what, own, kernel, peer } in shares {
        let rest = |sample: Sample| times(Some(sample.minus(*kernel)));
        let (peer, user) = (peer.map_or_else(|| "–".to_owned(), rest), ms(own.user));
        let [all, links] = [own, kernel].map(|sample| times(Some(*sample)));
        println!("| {what} | {all} | {user} | {links} | {} | {peer} |", rest(*own));
    }
}

fn memory(hosts: &[Host; 3]) -> Result<()> {
    println!("\nPeak resident memory of the largest process of bridge + host-local, MiB");
    println!("(floor of this measurement: {}):\n", mib(memory_floor()?));
    println!("| plugins | ADD | DEL |\n| --- | --- | --- |");
    for host in hosts {
        let (add, del) = host.memory()?;
        println!("| {} | {} | {} |", host.name, mib(add), mib(del));
    }
    Ok(())
}
