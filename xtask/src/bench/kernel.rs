//! What the kernel takes for the same links when one `ip -batch` asks for them: nobody's plugin
//! can go below that, and what a plugin takes more is its own.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::measure::{Sample, medians, timed};
use super::report::ms;
use super::subject::quietly;
use super::wires::{DIR, Host};

/// The links, addresses and routes of one attachment, made and deleted on a host.
#[derive(Default)]
pub struct Kernel {
    adds: Vec<Sample>,
    dels: Vec<Sample>,
    /// The programs alone, with nothing to do.
    nothings: Vec<Sample>,
}

impl Kernel {
    /// Make and delete them once; the first time of all does not count.
    pub fn run(&mut self, host: &Host, round: usize) -> Result<()> {
        let (name, measured) = (host.name, host.measured());
        let pair = format!(
            "link add kernel master br0 type veth peer name eth0 netns {measured}\n\
             link set kernel up\n"
        );
        let inside = "addr add 10.88.255.250/16 dev eth0\n\
                      link set eth0 up\n\
                      route add default via 10.88.0.1\n";
        // Who comes first after the plugins finds cold caches, the last one warm ones.
        let first = batch(name, "")?;
        let add = batch(name, &pair)?.plus(batch(&measured, inside)?);
        let del = batch(&measured, "link del eth0\n")?;
        let last = batch(name, "")?;
        if round > 0 {
            self.nothings.extend([first, last]);
            self.adds.push(add);
            self.dels.push(del);
        }
        Ok(())
    }

    /// What ADD and DEL take without the programs' own start.
    pub fn medians(&self) -> [Sample; 2] {
        let nothing = medians(&self.nothings);
        // ADD is two programs: one asks in the host's namespace, one in the container's.
        [medians(&self.adds).minus(nothing).minus(nothing), medians(&self.dels).minus(nothing)]
    }
}

fn batch(netns: &str, lines: &str) -> Result<Sample> {
    let file = format!("{DIR}/batch");
    std::fs::write(&file, lines).context("writing the batch")?;
    // Not `ip -n`: it copies the mount table, which holds a line for each container there is.
    timed(
        Command::new("nsenter")
            .arg(format!("--net=/run/netns/{netns}"))
            .args(["ip", "-batch", &file]),
    )
}

/// What the kernel takes for a veth pair alone: the time of one `ip -batch` that makes (deletes)
/// many, less that of one which makes none, by their number.
pub fn pair(runs: usize) -> Result<()> {
    const PAIRS: u32 = 20;
    quietly("ip netns add floor")?;
    let pairs = 0..PAIRS;
    let adds = pairs.clone().map(|n| format!("link add v{n} type veth peer name w{n}\n"));
    let dels = pairs.map(|n| format!("link del v{n}\n"));
    let batches = [String::new(), adds.collect(), dels.collect()];
    let mut samples = [(); 3].map(|()| Vec::new());
    for _ in 0..runs {
        for (lines, samples) in batches.iter().zip(&mut samples) {
            samples.push(batch("floor", lines)?);
        }
    }
    let [nothing, add, del] = samples.map(|samples| medians(&samples).wall);
    let each = |all: Duration| ms(all.saturating_sub(nothing) / PAIRS);
    println!("\nA veth pair alone, without a bridge, in one `ip -batch` of {PAIRS} each:");
    println!("made {} ms, deleted {} ms.", each(add), each(del));
    Ok(())
}
