#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use proptest::prelude::*;

use super::error::{Error, Flaw, Kind};
use super::modules::{Known, MATCHES, TARGETS};
use super::words;
use crate::net::IpVersion;
use crate::nft::expr::Opaque;

/// A C structure, built field after field with the alignment of the C ABI.
#[derive(Default, Clone)]
struct Struct(Vec<u8>);

impl Struct {
    fn put<const N: usize>(mut self, bytes: [u8; N]) -> Self {
        self.0.resize(self.0.len().next_multiple_of(N), 0);
        self.0.extend(bytes);
        self
    }

    fn u8(self, value: u8) -> Self {
        self.put([value])
    }

    fn u16(self, value: u16) -> Self {
        self.put(value.to_ne_bytes())
    }

    fn be16(self, value: u16) -> Self {
        self.put(value.to_be_bytes())
    }

    fn u32(self, value: u32) -> Self {
        self.put(value.to_ne_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.put(value.to_ne_bytes())
    }

    fn text(mut self, text: &str, length: usize) -> Self {
        self.0.extend(text.bytes().chain(std::iter::repeat(0)).take(length));
        self
    }

    fn zeros(self, length: usize) -> Self {
        self.text("", length)
    }

    /// `struct in_addr` or `in6_addr`
    fn address(self, address: &str) -> Self {
        match address.parse().unwrap() {
            IpAddr::V4(v4) => self.put(v4.octets()),
            IpAddr::V6(v6) => {
                let end = self.0.len() + 16;
                let mut this = self;
                this.0.extend(v6.octets());
                this.0.resize(end, 0);
                this
            }
        }
    }

    /// `union nf_inet_addr`
    fn inet(self, address: &str) -> Self {
        let end = self.0.len().next_multiple_of(4) + 16;
        let mut this = self.u32_aligned().address(address);
        this.0.resize(end, 0);
        this
    }

    fn u32_aligned(mut self) -> Self {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }
}

fn attribute(data: &mut Vec<u8>, number: u16, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 4).unwrap();
    data.extend(length.to_ne_bytes());
    data.extend(number.to_ne_bytes());
    data.extend(payload);
    data.resize(data.len().next_multiple_of(4), 0);
}

fn expr(kind: Kind, name: &str, revision: u32, info: &[u8]) -> Opaque {
    let mut data = Vec::new();
    attribute(&mut data, 1, format!("{name}\0").as_bytes());
    attribute(&mut data, 2, &revision.to_be_bytes());
    attribute(&mut data, 3, info);
    Opaque { name: kind.to_string(), data }
}

fn known() -> impl Iterator<Item = (Kind, &'static Known)> {
    let of = |kind| move |known| (kind, known);
    MATCHES.iter().map(of(Kind::Match)).chain(TARGETS.iter().map(of(Kind::Target)))
}

/// The words of an IPv4 rule's expression, joined.
fn v4(kind: Kind, name: &str, revision: u32, Struct(info): Struct) -> String {
    words(&expr(kind, name, revision, &info), IpVersion::V4).unwrap().join(" ")
}

fn v6(kind: Kind, name: &str, revision: u32, Struct(info): Struct) -> String {
    words(&expr(kind, name, revision, &info), IpVersion::V6).unwrap().join(" ")
}

fn s() -> Struct {
    Struct::default()
}

#[test]
fn matches_of_old_revisions_when_decoded_have_the_words_of_today() {
    use Kind::Match;
    let addrtype = s().u16(4).u16(1 << 5).u32(1).u32(0);
    assert_eq!(
        v4(Match, "addrtype", 0, addrtype),
        "-m addrtype ! --src-type LOCAL --dst-type MULTICAST"
    );
    let multiport = s().u8(1).u8(2).u16(80).u16(443).zeros(26);
    assert_eq!(v4(Match, "multiport", 0, multiport), "-m multiport --dports 80,443");
    assert_eq!(v4(Match, "state", 0, s().u32(64 | 2)), "-m state --state ESTABLISHED,UNTRACKED");
    let limit = s().u32(10_000 / 5).u32(7).zeros(24);
    assert_eq!(v4(Match, "limit", 0, limit), "-m limit --limit 5/sec --limit-burst 7");
    let limit = s().u32(36_000_000 / 3).u32(5).zeros(24);
    assert_eq!(v4(Match, "limit", 0, limit), "-m limit --limit 3/hour");
    let string = s().u16(0).u16(u16::MAX).text("bm", 16).text("x", 128).u8(1).u8(1);
    assert_eq!(v4(Match, "string", 0, string), "-m string ! --string x --algo bm");
    let recent = s().u32(60).u32(0).u8(1).u8(0).text("n", 200).u8(1);
    assert_eq!(v4(Match, "recent", 0, recent), "-m recent --rcheck --seconds 60 --name n --rdest");
    assert_eq!(v4(Match, "socket", 0, s()), "-m socket");
    assert_eq!(v4(Match, "socket", 1, s().u8(1)), "-m socket --transparent");
    let srh = s().u8(17).u8(0).u8(2).u8(0).u16(5).u16(1 | 0x40 | 0x400).u16(1);
    assert_eq!(
        v6(Match, "srh", 0, srh),
        "-m srh ! --srh-next-hdr 17 --srh-segs-left-lt 2 --srh-tag 5"
    );
}

#[test]
fn conntrack_of_old_revisions_when_decoded_reads_ports_as_in_a_packet() {
    for revision in [1, 2] {
        let mut info = s();
        for address in ["192.0.2.0", "255.255.255.0"].into_iter().chain(["0.0.0.0"; 6]) {
            info = info.inet(address);
        }
        let info = info.u32(0).u32(0).u16(6).be16(0).be16(443).be16(0).be16(0);
        let info = info.u16(1 | 4 | 1 << 6 | 1 << 9).u16(4);
        let info = if revision == 1 { info.u8(2 | 4).u8(4) } else { info.u16(2 | 4).u16(4) };
        assert_eq!(
            v4(Kind::Match, "conntrack", revision, info),
            "-m conntrack --ctstate RELATED,ESTABLISHED ! --ctorigsrc 192.0.2.0/24 \
             --ctorigdstport 443 --ctstatus ASSURED"
        );
    }
}

#[test]
fn hashlimit_of_old_revisions_when_decoded_has_its_scale_and_layout() {
    let cfg1 = s().text("a", 16).u32(1 << 2).u32(2_000).u32(5).u32(0).u32(0).u32(1000).u32(1000);
    assert_eq!(
        v4(Kind::Match, "hashlimit", 1, cfg1.u8(24).u8(32)),
        "-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-mode srcip \
         --hashlimit-name a --hashlimit-srcmask 24"
    );
    let cfg2 = s().text("b", 255).u64(200_000).u64(5).u32(1 << 4);
    let cfg2 = cfg2.u32(0).u32(0).u32(1000).u32(1000).u8(128).u8(64);
    assert_eq!(
        v6(Kind::Match, "hashlimit", 2, cfg2),
        "-m hashlimit --hashlimit-above 5/sec --hashlimit-burst 5 --hashlimit-name b \
         --hashlimit-dstmask 64"
    );
}

#[test]
fn matches_that_kernels_may_lack_when_decoded_have_their_words() {
    use Kind::Match;
    let udplite = s().u16(53).u16(53).u16(0).u16(u16::MAX).u8(1);
    assert_eq!(v4(Match, "udplite", 0, udplite), "-m udplite ! --sport 53");
    for revision in [0, 1] {
        let nfacct = s().text("counter", 32).u64(0);
        assert_eq!(v4(Match, "nfacct", revision, nfacct), "-m nfacct --nfacct-name counter");
    }
    assert_eq!(v4(Match, "cgroup", 0, s().u32(5).u32(1)), "-m cgroup ! --cgroup 5");
    let path1 = s().u8(1).u8(0).u8(1).u8(0).text("a/b", 4096).u32(0);
    assert_eq!(v4(Match, "cgroup", 1, path1), "-m cgroup ! --path a/b");
    let class1 = s().u8(0).u8(1).u8(0).u8(0).zeros(4096).u32(7);
    assert_eq!(v4(Match, "cgroup", 1, class1), "-m cgroup --cgroup 7");
    let path2 = s().u8(1).u8(0).u8(0).u8(0).text("a/b", 512);
    assert_eq!(v4(Match, "cgroup", 2, path2), "-m cgroup --path a/b");
    let pinned = s().u16(1).u16(0).u32(3).text("/sys/fs/bpf/x", 512);
    assert_eq!(v4(Match, "bpf", 1, pinned), "-m bpf --object-pinned /sys/fs/bpf/x");
    let old = s().u16(1).u32_aligned().u16(6).u8(0).u8(0).u32(65_535).zeros(63 * 8);
    assert_eq!(v4(Match, "bpf", 0, old), "-m bpf --bytecode 1,6 0 0 65535");
}

#[test]
fn targets_of_old_revisions_when_decoded_have_the_words_of_today() {
    use Kind::Target;
    let dnat4 = s().u32(1).u32(1 | 2 | 8).address("192.0.2.1").address("192.0.2.9");
    assert_eq!(
        v4(Target, "DNAT", 0, dnat4.be16(80).be16(80)),
        "-j DNAT --to-destination 192.0.2.1-192.0.2.9:80 --persistent"
    );
    let dnat6 = s().u32(1 | 2).inet("2001:db8::1").inet("2001:db8::1").be16(80).be16(90);
    assert_eq!(v6(Target, "DNAT", 1, dnat6), "-j DNAT --to-destination [2001:db8::1]:80-90");
    let connmark = s().u32(1).u32(0xf).u32(u32::MAX).u8(0);
    assert_eq!(v4(Target, "CONNMARK", 1, connmark), "-j CONNMARK --set-xmark 0x1/0xf");
    assert_eq!(v4(Target, "NFQUEUE", 0, s().u16(3)), "-j NFQUEUE --queue-num 3");
    assert_eq!(v4(Target, "NFQUEUE", 1, s().u16(3).u16(2)), "-j NFQUEUE --queue-balance 3:4");
    assert_eq!(
        v4(Target, "NFQUEUE", 2, s().u16(3).u16(1).u16(1)),
        "-j NFQUEUE --queue-num 3 --queue-bypass"
    );
    let ct = s().u16(0).u16(9).u32(1).u32(0).text("ftp", 16);
    assert_eq!(v4(Target, "CT", 0, ct), "-j CT --helper ftp --ctevents new --zone 9");
    let tproxy = s().u32(0xff).u32(1).address("127.0.0.1").be16(8080);
    assert_eq!(
        v4(Target, "TPROXY", 0, tproxy),
        "-j TPROXY --on-port 8080 --on-ip 127.0.0.1 --tproxy-mark 0x1/0xff"
    );
    let idletimer = s().u32(10).text("a", 28);
    assert_eq!(v4(Target, "IDLETIMER", 0, idletimer), "-j IDLETIMER --timeout 10 --label a");
    let nflog = s().u32(64).u16(2).u16(3).u16(1).u16(0).text("a b", 64);
    assert_eq!(
        v4(Target, "NFLOG", 0, nflog),
        "-j NFLOG --nflog-prefix a b --nflog-group 2 --nflog-size 64 --nflog-threshold 3"
    );
    assert_eq!(v4(Target, "TRACE", 0, s()), "-j TRACE");
    assert_eq!(v4(Target, "NOTRACK", 0, s()), "-j NOTRACK");
}

#[test]
fn targets_that_kernels_may_lack_when_decoded_have_their_words() {
    use Kind::Target;
    for revision in [1, 2] {
        let ct = s().u16(0).u16(0).u32(0).u32(0).text("", 16).text("slow", 32);
        assert_eq!(v4(Target, "CT", revision, ct), "-j CT --timeout slow");
    }
    let secmark = s().u8(1).u32(0).text("a:b:c", 256);
    assert_eq!(v4(Target, "SECMARK", 0, secmark), "-j SECMARK --selctx a:b:c");
    let secmark = s().u8(1).text("a:b:c", 256).u32(0);
    assert_eq!(v4(Target, "SECMARK", 1, secmark), "-j SECMARK --selctx a:b:c");
    for (delay, blink, options) in [
        (0, 0, ""),
        (1000, 1, " --led-delay 1000 --led-always-blink"),
        (u32::MAX, 0, " --led-delay inf"),
    ] {
        let led = s().text("netfilter-x", 27).u8(blink).u32(delay);
        assert_eq!(v4(Target, "LED", 0, led), format!("-j LED --led-trigger-id x{options}"));
    }
}

#[test]
fn expression_when_it_is_no_module_is_refused() {
    let other = Opaque { name: "fwd".to_owned(), data: Vec::new() };
    let error = words(&other, IpVersion::V4).unwrap_err();
    assert_eq!(error, Error::NotCompat { name: "fwd".to_owned() });
    for data in [vec![], vec![4, 0, 1], vec![3, 0, 1, 0], vec![200, 0, 1, 0, 0, 0, 0, 0]] {
        let broken = Opaque { name: "match".to_owned(), data };
        assert!(matches!(words(&broken, IpVersion::V4), Err(Error::Attributes { .. })));
    }
}

#[test]
fn module_when_unknown_is_named_with_its_revision() {
    let message = |kind, name, revision| {
        words(&expr(kind, name, revision, &[]), IpVersion::V4).unwrap_err().to_string()
    };
    assert_eq!(message(Kind::Match, "l2tp", 0), "unknown match l2tp revision 0");
    assert_eq!(message(Kind::Target, "addrtype", 1), "unknown target addrtype revision 1");
    assert_eq!(message(Kind::Match, "conntrack", 9), "match conntrack has no known revision 9");
    assert_eq!(
        message(Kind::Match, "set", 4),
        "match set revision 4 cannot be put into words: \
         it holds the kernel's number of an ipset, not its name"
    );
    assert_eq!(message(Kind::Match, "mark", 1), "malformed match mark revision 1: too short");
}

#[test]
fn structure_when_shorter_than_its_last_field_is_malformed() {
    // What has no structure, or one of which nothing is read.
    let empty = ["NOTRACK", "TRACE", "eui64"];
    for (kind, (name, revisions, _)) in known() {
        for revision in *revisions {
            if empty.contains(name) || (*name, *revision) == ("socket", 0) {
                continue;
            }
            for version in IpVersion::BOTH {
                let error = words(&expr(kind, name, *revision, &[]), version).unwrap_err();
                let short = matches!(error, Error::Malformed { reason: Flaw::Short, .. });
                assert!(short, "{kind} {name} {revision}: {error}");
            }
        }
    }
}

#[test]
fn structure_when_a_bit_is_unknown_is_malformed_and_not_cut() {
    let cases = [
        ("addrtype", 1, s().u16(4).u16(0).u32(0x10)),
        ("addrtype", 1, s().u16(1 << 12).u16(0).u32(0)),
        ("tcp", 0, s().u16(0).u16(1).u16(0).u16(1).u8(0).u8(0x40).u8(0).u8(0)),
        ("rpfilter", 0, s().u8(0x10)),
        ("pkttype", 0, s().u32(9).u32(0)),
        ("multiport", 1, s().u8(1).u8(16).zeros(30).zeros(15).u8(0)),
    ];
    for (name, revision, info) in cases {
        let error = words(&expr(Kind::Match, name, revision, &info.0), IpVersion::V4).unwrap_err();
        assert!(matches!(error, Error::Malformed { reason: Flaw::Value, .. }), "{name}: {error}");
    }
}

#[test]
fn text_when_not_utf8_is_malformed() {
    let error = words(&expr(Kind::Match, "comment", 0, &[0xff; 256]), IpVersion::V4).unwrap_err();
    assert!(matches!(error, Error::Malformed { reason: Flaw::Text, .. }), "{error}");
}

#[test]
fn modules_when_listed_stand_once_and_in_order() {
    for table in [MATCHES, TARGETS] {
        assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0), "{table:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn attributes_when_random_never_panic(data: Vec<u8>, target: bool) {
        let name = if target { "target" } else { "match" };
        let _ = words(&Opaque { name: name.to_owned(), data }, IpVersion::V4);
    }

    #[test]
    fn structures_when_random_never_panic(
        at in 0..MATCHES.len() + TARGETS.len(),
        revision in 0..4_u32,
        pattern in prop::collection::vec(any::<u8>(), 1..200),
        mask: u8,
        length in 0..4200_usize,
        six: bool,
    ) {
        let (kind, (name, _, _)) = known().nth(at).unwrap();
        let info: Vec<u8> = pattern.iter().map(|byte| byte & mask).cycle().take(length).collect();
        let version = IpVersion::BOTH[usize::from(six)];
        if let Ok(words) = words(&expr(kind, name, revision, &info), version) {
            prop_assert!(words.len() >= 2 && words[0].starts_with('-'));
        }
    }
}
