//! The entry points of the fuzz targets, with a fixed corpus and mutations that are the same in
//! every run: nothing from outside makes them panic. `fuzz/` looks further.

use portcullis::front::cni::host_local::{HOST_LOCAL, HostLocalConf};
use portcullis::front::cni::{Call, Environment, PORTMAP, portmap_intent};
use portcullis::net::{IpVersion, L4Proto};
use portcullis::netlink::Messages;
use portcullis::nft::Event;
use portcullis::xtables::conditions_for;

use super::host::Host;
use super::random::Random;

const ROUNDS: usize = 30_000;

/// Spoils a text or a message a little: changes, removes, doubles, and inserts.
fn mutate(random: &mut Random, seed: &[u8], words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(9)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
            2 => drop(bytes.drain(at..end)),
            3 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            4 => bytes.truncate(at.max(1)),
            _ => drop(bytes.splice(at..end, random.pick(words).to_vec())),
        }
    }
    bytes
}

const CONFIGURATION: &str = r#"{"cniVersion":"1.1.0","name":"net","type":"portmap","snat":true,
"masqAll":false,"markMasqBit":13,"conditionsV4":["!","-s","198.51.100.0/24"],"conditionsV6":[],
"backend":"nftables","runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,
"protocol":"tcp","hostIP":"192.0.2.1"},{"HostPort":53,"ContainerPort":53,"Protocol":"UDP"}]},
"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/x","mac":"02:00:00:00:00:01"}],
"ips":[{"interface":0,"address":"10.88.0.2/16","gateway":"10.88.0.1"},{"address":"fd00::2/64"}],
"routes":[{"dst":"0.0.0.0/0","gw":"10.88.0.1","mtu":1400}],"dns":{"nameservers":["192.0.2.53"]}},
"cni.dev/valid-attachments":[{"containerID":"a","ifname":"eth0"}]}"#;

const OLD_CONFIGURATION: &str = r#"{"cniVersion":"0.2.0","name":"net","runtimeConfig":
{"portMappings":[{"hostPort":1,"containerPort":1,"protocol":"sctp"}]},"prevResult":{"ip4":
{"ip":"10.88.0.2/16","gateway":"10.88.0.1","routes":[{"dst":"0.0.0.0/0"}]},"ip6":{"ip":"fd00::2/64"}}}"#;

const JSON: [&[u8]; 24] = [
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"0",
    b"-1",
    b"65535",
    b"65536",
    b"1e400",
    b"1.5",
    b"true",
    b"18446744073709551616",
    b"\"::\"",
    b"\"/\"",
    b"\"10.0.0.0/0\"",
    b"\"::/0\"",
    b"\\u0000",
    b"\xff",
    b"\"0.1.0\"",
    b"\"0.3.1\"",
    b"[[[[",
    b"\"-s\",",
    b"\"!\",",
    b"\"::ffff:1.2.3.4/1\"",
];

/// What the plugin does with environment and standard input before it looks at the kernel.
fn call(command: &str, stdin: &[u8]) -> bool {
    let env = Environment::read(|name| match name {
        "CNI_COMMAND" => command.to_owned(),
        "CNI_IFNAME" => "eth0".to_owned(),
        _ => "x".to_owned(),
    });
    match Call::parse(&env, stdin, PORTMAP.versions) {
        Ok(call) => {
            let _ = call.owner();
            let _ = call.config.valid_attachments();
            portmap_intent(&call).inspect_err(|error| drop(error.to_json(None))).is_ok()
        }
        Err(error) => {
            drop(error.to_json(None));
            false
        }
    }
}

#[test]
fn configurations_when_mutated_then_are_read_or_refused() {
    let mut random = Random::new(3);
    assert!(call("ADD", CONFIGURATION.as_bytes()) && call("ADD", OLD_CONFIGURATION.as_bytes()));
    let mut read = 0;
    for _ in 0..ROUNDS {
        let seed = *random.pick(&[CONFIGURATION, OLD_CONFIGURATION]);
        let stdin = mutate(&mut random, seed.as_bytes(), &JSON);
        let command = *random.pick(&["ADD", "DEL", "CHECK", "GC", "STATUS"]);
        read += usize::from(call(command, &stdin));
    }
    // Else it tested the JSON parser only.
    assert!(read > ROUNDS / 50, "{read}");
}

const RANGES: &str = r#"{"cniVersion":"1.0.0","name":"net","ipam":{"type":"host-local","subnet":"10.88.0.0/16",
"rangeStart":"10.88.0.9","rangeEnd":"10.88.9.9","gateway":"10.88.0.1","dataDir":"/nonexistent",
"resolvConf":"","ranges":[[{"Subnet":"fd00::/64","RangeStart":""},{"subnet":"fd01::/126"}]],
"routes":[{"dst":"0.0.0.0/0","gw":"10.88.0.1","mtu":1400,"table":0}]},"args":{"cni":{"ips":["10.88.0.10"]}},
"runtimeConfig":{"ipRanges":[[{"subnet":"192.0.2.0/24"}]],"ips":["fd00::7/64"]}}"#;

/// What host-local does before it looks at its directory.
fn ranges(args: &str, stdin: &[u8]) -> bool {
    let env = Environment::read(|name| match name {
        "CNI_COMMAND" => "ADD".to_owned(),
        "CNI_IFNAME" => "eth0".to_owned(),
        "CNI_ARGS" => args.to_owned(),
        _ => "x".to_owned(),
    });
    let conf =
        Call::parse(&env, stdin, HOST_LOCAL.versions).and_then(|call| HostLocalConf::parse(&call));
    conf.inspect_err(|error| drop(error.to_json(None))).is_ok()
}

#[test]
fn ranges_when_mutated_then_are_read_or_refused() {
    let mut random = Random::new(8);
    let args = "IP=10.88.0.11;IgnoreUnknown=1;K8S_POD_NAME=web";
    assert!(ranges(args, RANGES.as_bytes()));
    let mut read = 0;
    let words: [&[u8]; 5] = [b"=", b";", b"IP=", b"::1", b"\xff"];
    for round in 0..ROUNDS {
        let (mut stdin, mut text) = (RANGES.as_bytes().to_vec(), args.to_owned());
        if round % 3 == 0 {
            text =
                String::from_utf8_lossy(&mutate(&mut random, args.as_bytes(), &words)).into_owned();
        } else {
            stdin = mutate(&mut random, &stdin, &JSON);
        }
        read += usize::from(ranges(&text, &stdin));
    }
    // Else it tested the JSON parser only.
    assert!(read > ROUNDS / 50, "{read}");
}

/// Words of conditions, and parts of words.
const WORDS: [&str; 60] = [
    "!",
    "-s",
    "-d",
    "-i",
    "-o",
    "-p",
    "-m",
    "-f",
    "-j",
    "-4",
    "-6",
    "--",
    "-",
    "",
    "--sport",
    "--dport",
    "--sports",
    "--dports",
    "--ports",
    "--syn",
    "--tcp-flags",
    "--mac-source",
    "--mark",
    "--src-range",
    "--dst-range",
    "--state",
    "--ctstate",
    "--src-type",
    "--dst-type",
    "--limit",
    "--limit-burst",
    "--length",
    "--dscp",
    "--ttl-eq",
    "--hl-eq",
    "--uid-owner",
    "--icmp-type",
    "--icmpv6-type",
    "--probability",
    "--mode",
    "--pkt-type",
    "tcp",
    "udp",
    "icmp",
    "multiport",
    "conntrack",
    "iprange",
    "addrtype",
    "192.0.2.0/24",
    "192.0.2.1-192.0.2.9",
    "2001:db8::/32",
    "0.0.0.0/0",
    "80",
    "0:65535",
    "1,2,3",
    "65536",
    "eth+",
    "0x1/0xffffffff",
    "LOCAL",
    "a\0b",
];

fn conditions(words: &[String], number: usize) -> bool {
    let version = if number.is_multiple_of(2) { IpVersion::V4 } else { IpVersion::V6 };
    let protocols = [None, Some(L4Proto::Tcp), Some(L4Proto::Udp), Some(L4Proto::Sctp)];
    let outcome = conditions_for(words, version, protocols[number / 2 % protocols.len()]);
    outcome.inspect_err(|error| drop(error.to_string())).is_ok()
}

#[test]
fn conditions_when_words_are_random_then_are_translated_or_refused() {
    let mut random = Random::new(4);
    let mut translated = 0;
    for round in 0..ROUNDS {
        let mut words: Vec<String> = Vec::new();
        for _ in 0..random.below(6) {
            let word = (*random.pick(&WORDS)).to_owned();
            let parts: [&[u8]; 6] = [b"-", b":", b",", b"/", b"\xc3\xa9", b"99999999999999999999"];
            words.push(match random.below(4) {
                0 => String::from_utf8_lossy(&mutate(&mut random, word.as_bytes(), &parts))
                    .into_owned(),
                _ => word,
            });
        }
        translated += usize::from(conditions(&words, round));
    }
    assert!(translated > ROUNDS / 100, "{translated}");
}

fn decode(bytes: &[u8]) -> usize {
    Messages::new(bytes).filter(|message| message.is_ok_and(|m| Event::decode(&m).is_ok())).count()
}

/// Messages as the kernel sends them: what `nft` receives when it lists a ruleset.
fn captured() -> Vec<Vec<u8>> {
    let host = Host::inhabited();
    host.netns.nft(include_str!("../kernel/corpus/statements.nft"));
    let log = host.file("strace");
    let strace = ["strace", "-qq", "-xx", "-e", "trace=recvmsg", "-e", "abbrev=none"];
    // Netlink is decoded by strace, raw or not; the bytes are those of the read dump.
    let read = ["-e", "read=all", "-s", "65536", "-o", &log, "nft", "list", "ruleset"];
    host.tool(strace[0], &[&strace[1..], &read[..]].concat());
    let mut datagrams = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    for line in std::fs::read_to_string(log).unwrap().lines() {
        match line.strip_prefix(" | ") {
            Some(dump) => {
                let hex = dump[6..].get(..50).unwrap_or(&dump[6..]);
                bytes.extend(
                    hex.split_whitespace().map_while(|byte| u8::from_str_radix(byte, 16).ok()),
                );
            }
            None if bytes.is_empty() => {}
            None => datagrams.push(std::mem::take(&mut bytes)),
        }
    }
    datagrams
}

#[test]
fn messages_when_mutated_then_are_decoded_or_refused() {
    let corpus = captured();
    let whole: usize = corpus.iter().map(|datagram| decode(datagram)).sum();
    assert!(corpus.len() > 10 && whole > 100, "{} datagrams, {whole} messages", corpus.len());
    let mut random = Random::new(5);
    let parts: [&[u8]; 5] =
        [&[0; 4], &[0xff; 4], &[4, 0, 0, 0x80], &[8, 0, 1, 0], &[0, 0, 0, 0x7f]];
    let mut decoded = 0;
    for _ in 0..ROUNDS {
        let seed = random.pick(&corpus);
        let cut = &seed[..seed.len().min(2048)];
        decoded += decode(&mutate(&mut random, cut, &parts));
    }
    assert!(decoded > ROUNDS / 4, "{decoded}");
}
