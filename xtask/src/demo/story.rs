//! What the demo does, in order, and what it expects of every probe.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::host::{self, CONTAINER, GATEWAY, HOST, OUTSIDE};
use super::plugin::{CONTAINER_ID, Plugins};
use crate::probe::{self, Outcome, Server};
use crate::run::{Step, cargo, target_dir};
use crate::{lab, setup};

/// Set up, build, and go into namespaces.
pub fn start(words: &[String]) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Demo)?;
    match words {
        [] => {
            cargo().args(["build", "--release"]).run()?;
            let binary = target_dir()?.join("release/portcullis");
            lab::reenter("__demo", &[binary.to_string_lossy().into_owned()])
        }
        [option, path] if option == "--plugin" => {
            cargo().args(["build", "--release"]).run()?;
            let binary = target_dir()?.join("release/portcullis");
            lab::reenter("__demo", &[binary.to_string_lossy().into_owned(), path.clone()])
        }
        _ => bail!("demo takes only `--plugin PATH`"),
    }
}

/// The part inside: everything between the first namespace and the count.
pub fn inside(words: &[String]) -> Result<ExitCode> {
    let (binary, portmap, own) = match words {
        [binary] => (PathBuf::from(binary), PathBuf::from(binary), true),
        [binary, stand_in] => (PathBuf::from(binary), PathBuf::from(stand_in), false),
        _ => bail!("__demo wants the plugin's path"),
    };
    let begin = Instant::now();
    lab::settle()?;
    title("a host, a client outside, and a container without a network");
    host::make()?;

    title("a runtime has the container attached: bridge, portmap, firewall");
    let mut plugins = Plugins::install(&binary, &portmap)?;
    plugins.version()?;
    plugins.add()?;
    print!("{}", links()?);
    let server = Server::start("container", 80, 53)?;

    title("probes; each line is one `$ ip netns exec FROM xtask __probe PROTOCOL ADDRESS`");
    let mut failures = Vec::new();
    let probes = probes()?;
    for probe in &probes {
        failures.extend(probe.run()?);
    }
    let answered = probes.len() - failures.len();

    title("what the kernel and the plugin's own list show");
    print!("{}", listing()?);
    if own {
        let list = list(&binary)?;
        print!("{list}");
        must_not(&mut failures, !list.contains("8080"), "`portcullis list` shows no port 8080");
    }

    title("the container goes: DEL");
    plugins.del()?;
    let links = links()?;
    print!("{links}");
    must_not(&mut failures, links.contains("veth"), "the host still has the container's link");
    let mut refused = 0;
    for probe in probes.iter().filter(|probe| probe.from == "outside") {
        let failure = probe.run_closed()?;
        refused += usize::from(failure.is_none());
        failures.extend(failure);
    }
    let rules = listing()?;
    let elements = rules.lines().filter(|line| line.contains("elements = {"));
    println!("  (its elements: {}; chains and empty sets stay for the next ADD)", elements.count());
    for address in CONTAINER {
        let left = format!("the ruleset still holds {address} after DEL");
        must_not(&mut failures, rules.contains(address), &left);
    }
    if own {
        let list = list(&binary)?;
        print!("{list}");
        let left = "`portcullis list` still shows the container after DEL";
        must_not(&mut failures, list.contains(CONTAINER_ID) || list.contains("8080"), left);
    }
    drop(server);

    let seconds = begin.elapsed().as_secs_f64();
    println!("\n{answered} probes answered, {refused} refused after DEL, {seconds:.1} s");
    for failure in &failures {
        println!("FAILED: {failure}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn title(text: &str) {
    println!("\n== {text}");
}

fn must_not(failures: &mut Vec<String>, wrong: bool, text: &str) {
    if wrong {
        failures.push(text.to_owned());
    }
}

fn listing() -> Result<String> {
    output_of(&Step::line("ip netns exec host nft list ruleset"))
}

/// The host's links and their addresses.
fn links() -> Result<String> {
    output_of(&Step::line("ip -n host -brief address"))
}

fn list(binary: &Path) -> Result<String> {
    let step = Step::line("ip netns exec host").arg(binary.to_string_lossy()).arg("list");
    output_of(&step)
}

fn output_of(step: &Step) -> Result<String> {
    let output = step.capture()?;
    if !output.status.success() {
        bail!("`{step}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// One question from one place, and the address that the container must see.
struct Probe {
    from: &'static str,
    protocol: &'static str,
    to: SocketAddr,
    seen: &'static str,
}

/// All questions: from outside, from loopback, from the host, and from the container to itself.
fn probes() -> Result<Vec<Probe>> {
    let [outside4, outside6] = OUTSIDE;
    let [host4, host6] = HOST;
    let [gateway4, gateway6] = GATEWAY;
    let rows = [
        ("outside", host4, outside4),
        ("outside", host6, outside6),
        // IPv4 only: the kernel routes nothing from ::1 to another link.
        ("host", "127.0.0.1", gateway4),
        ("host", host4, host4),
        ("host", host6, host6),
        ("container", host4, gateway4),
        ("container", host6, gateway6),
    ];
    let mut probes = Vec::new();
    for (from, to, seen) in rows {
        let address: IpAddr = to.parse().with_context(|| format!("the address {to}"))?;
        for (protocol, port) in [("tcp", 8080), ("udp", 5353)] {
            probes.push(Probe { from, protocol, to: SocketAddr::new(address, port), seen });
        }
    }
    Ok(probes)
}

impl Probe {
    /// Ask; the container must answer and must have seen the right address.
    fn run(&self) -> Result<Option<String>> {
        let outcome = probe::run(self.from, self.protocol, self.to)?;
        let text = match &outcome {
            Outcome::Answered(seen) => format!("answered, container saw {seen}"),
            Outcome::Unanswered(why) => why.clone(),
        };
        println!("{self} {text}");
        if outcome == Outcome::Answered(self.seen.to_owned()) {
            return Ok(None);
        }
        let wanted = format!("answered, container saw {}", self.seen);
        println!("    expected: {wanted}");
        Ok(Some(format!("{}: {text}, expected: {wanted}", self.path())))
    }

    /// Ask after DEL; nobody must answer.
    fn run_closed(&self) -> Result<Option<String>> {
        match probe::run(self.from, self.protocol, self.to)? {
            Outcome::Unanswered(why) => {
                println!("{self} {why}");
                Ok(None)
            }
            Outcome::Answered(_) => {
                println!("{self} answered\n    expected: refused");
                Ok(Some(format!("{}: still answered after DEL", self.path())))
            }
        }
    }

    fn path(&self) -> String {
        format!("{} → {}/{}", self.from, self.to, self.protocol)
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<38}", self.path())
    }
}
