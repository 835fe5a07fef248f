//! What is on a host already: other containers' ports, tracked flows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::subject::{Call, Subject, quietly};

/// No host is filled for longer than this at one step.
const PATIENCE: Duration = Duration::from_secs(75);

/// The host port of the container of this number.
fn port(number: usize) -> Result<u16> {
    u16::try_from(10_000 + number).context("more containers than ports")
}

fn address(number: usize) -> String {
    format!("10.88.{}.{}", number / 250, number % 250 + 2)
}

/// Bring the host to `wanted` single-port containers by as many ADDs of its own plugin.
pub fn add_containers(subject: &mut Subject, wanted: usize) -> Result<()> {
    let Some(present) = subject.others else { return Ok(()) };
    let begin = Instant::now();
    for number in present..wanted {
        let port = port(number)?;
        let call = Call {
            container: format!("other-{number:05}"),
            address: address(number),
            protocol: "tcp",
            ports: port..port + 1,
        };
        subject.call("ADD", &call)?;
        if begin.elapsed() > PATIENCE {
            eprintln!("{}: {number} of {wanted} containers in {PATIENCE:?}; no more", subject.name);
            subject.others = None;
            return Ok(());
        }
    }
    subject.others = Some(wanted);
    Ok(())
}

/// Bring the host to `wanted` single-port containers by the rules that the iptables back end of
/// the CNI plugin makes of them, in one `iptables-restore`. Its base chains must be there.
pub fn restore_containers(subject: &mut Subject, wanted: usize) -> Result<()> {
    let Some(present) = subject.others else { return Ok(()) };
    if present >= wanted {
        return Ok(());
    }
    let mut text = String::from("*nat\n");
    for number in present..wanted {
        // Writing to a String cannot fail.
        let _ = writeln!(text, ":{} - [0:0]", chain(number));
    }
    for number in present..wanted {
        text.push_str(&rules(number)?);
    }
    text.push_str("COMMIT\n");

    subject.enter()?;
    let mut command = subject.iptables("iptables-restore");
    command.arg("--noflush").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().context("starting iptables-restore")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).context("writing to iptables-restore")?;
    }
    let status = child.wait().context("waiting for iptables-restore")?;
    if !status.success() {
        bail!("iptables-restore: {status}");
    }
    subject.others = Some(wanted);
    Ok(())
}

fn chain(number: usize) -> String {
    // 28 characters, as the plugin's own: a prefix and hexadecimal digits.
    format!("CNI-DN-{number:021x}")
}

fn rules(number: usize) -> Result<String> {
    let (chain, port, address) = (chain(number), port(number)?, address(number));
    Ok(format!(
        "-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment \"dnat name: \\\"bench\\\" id: \\\"other-{number:05}\\\"\" \
         -m multiport --dports {port} -j {chain}\n\
         -A {chain} -s 10.88.0.0/16 -p tcp -m tcp --dport {port} -j CNI-HOSTPORT-SETMARK\n\
         -A {chain} -s 127.0.0.1/32 -p tcp -m tcp --dport {port} -j CNI-HOSTPORT-SETMARK\n\
         -A {chain} -p tcp -m tcp --dport {port} -j DNAT --to-destination {address}:80\n"
    ))
}

/// Let the host's kernel track `wanted` UDP flows; give how many it tracks.
///
/// One datagram each to as many loopback addresses, with a rule that makes the kernel look.
pub fn track_flows(subject: &Subject, wanted: u32) -> Result<usize> {
    subject.enter()?;
    for line in [
        "nft add table ip flows",
        "nft add chain ip flows out { type filter hook output priority 0 ; }",
        "nft add rule ip flows out ct state new counter",
    ] {
        quietly(line)?;
    }
    // Of this namespace only: as long as the measurement lasts, not the seconds of the default.
    std::fs::write("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", "900")
        .context("setting the namespace's UDP timeout")?;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("a UDP socket")?;
    let first = u32::from(Ipv4Addr::new(127, 1, 0, 0));
    for offset in 0..wanted {
        let to = Ipv4Addr::from(first + offset);
        socket.send_to(b"flow", (to, 20_000)).with_context(|| format!("sending to {to}"))?;
    }
    let count = std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count")
        .context("reading the number of flows")?;
    count.trim().parse().context("the number of flows")
}
