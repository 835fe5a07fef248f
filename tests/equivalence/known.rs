//! Where native expressions cannot be what the xt module is: the differences that are known, each
//! pinned, so that one that goes away or grows is noticed.

use std::sync::atomic::Ordering;

use portcullis::net::IpVersion;

use super::compare::{NUMBER, counted, play};
use super::effects;
use super::generate::Rule;
use super::lab::isolate;
use super::lab::packet::{From, Packet, ports, tcp};
use super::side::{Side, Who};
use super::traffic::{Hosts, authenticated, fragments};

fn rules(lines: &[&str]) -> Vec<Rule> {
    lines.iter().map(|words| Rule::new("mangle", "PREROUTING", words)).collect()
}

/// xt modules take no port from a later fragment; nft reads what stands there, on kernels whose
/// short comparisons do not look at the offset, and so do the native rules of iptables-nft. Where
/// conntrack runs there are no fragments to see.
#[test]
fn later_fragments_when_conntrack_is_off_then_count_as_in_iptables_nft() {
    isolate();
    let rules = rules(&[
        "-p udp -m udp --dport 53",
        "-p udp -m udp ! --dport 53",
        "-p tcp -m tcp --sport 1024:65535",
        "-p tcp -m tcp --tcp-flags SYN,ACK SYN",
        "-p tcp",
        "-p udp",
    ]);
    for version in [IpVersion::V4, IpVersion::V6] {
        let packets = fragments(version);
        assert!(packets.len() > 5, "{} fragments", packets.len());
        let [nft, ours] = [Who::Nft, Who::Ours].map(|who| counted(who, version, &rules, &packets));
        assert_eq!(nft, ours, "{version:?}");
        let xt = counted(Who::Theirs, version, &rules, &packets);
        assert_eq!(xt[..4], [0; 4], "{version:?}: xt modules take no port from a later fragment");
        assert_eq!(xt[4..], ours[4..], "{version:?}: its protocol is known to both");
    }
}

/// ip6tables looks for the transport header behind an authentication header; nf_tables stops at it.
#[test]
fn authentication_header_when_in_front_then_hides_the_protocol_from_native_rules() {
    isolate();
    let rules = rules(&["-p tcp", "! -p tcp", "-p tcp -m tcp --dport 80", "-s 2001:db8:9::9"]);
    let packets = authenticated();
    let of = |who| counted(who, IpVersion::V6, &rules, &packets);
    assert_eq!(of(Who::Theirs), [1, 0, 1, 1]);
    assert_eq!(of(Who::Ours), [0, 1, 0, 1]);
    assert_eq!(of(Who::Nft), of(Who::Ours));
}

/// An xt module drops a packet that is too short for the header it reads, whatever the rule says.
/// A native rule reads what is there: a port that is, and no checksum that is not.
#[test]
fn header_when_cut_short_then_only_xt_modules_drop_the_packet() {
    isolate();
    let rules = rules(&["-p udp -m udp --dport 53", "-p udp"]);
    let hosts = Hosts::of(IpVersion::V4);
    let ends = (hosts.distant, hosts.container);
    let packet = Packet::new("four bytes of udp", From::Outside, ends, (17, vec![7, 208, 0, 53]));
    let packets = [Packet { raw: true, ..packet }];
    let of = |who| counted(who, IpVersion::V4, &rules, &packets);
    assert_eq!(of(Who::Theirs), [0, 0]);
    assert_eq!(of(Who::Ours), [1, 1]);
    assert_eq!(of(Who::Nft), of(Who::Ours));
}

/// xt_limit keeps its burst in 32 bits of credit: 100 packets an hour apart do not fit, and what is
/// left of them counts. A native limit takes as many as the rule says.
#[test]
fn burst_when_it_overflows_xt_limit_then_only_ours_is_as_long_as_it_says() {
    isolate();
    let rules = rules(&["-m limit --limit 1/hour --limit-burst 100"]);
    let hosts = Hosts::of(IpVersion::V4);
    let ends = (hosts.distant, hosts.container);
    let packet = Packet::new("one of many", From::Outside, ends, (17, ports(1, 2, 8)));
    let packets = vec![packet; 110];
    let of = |who| counted(who, IpVersion::V4, &rules, &packets)[0];
    assert_eq!(of(Who::Ours), 100);
    assert!(of(Who::Theirs) < 100);
}

/// xt_hashlimit knows a table by its name alone: a second rule that counts by something else counts
/// in it by what the first one said. Ours are two.
#[test]
fn hashlimit_when_modes_differ_under_one_name_then_only_xtables_mixes_them() {
    isolate();
    let rules = rules(&[
        "-p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip \
         --hashlimit-name one",
        "-p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode dstip \
         --hashlimit-name one",
    ]);
    let hosts = Hosts::of(IpVersion::V4);
    let ends = (hosts.distant, hosts.container);
    let packet = Packet::new("one of many", From::Outside, ends, (17, ports(1, 2, 8)));
    let packets = vec![packet; 8];
    let of = |who| counted(who, IpVersion::V4, &rules, &packets);
    assert_eq!((of(Who::Theirs), of(Who::Ours)), (vec![1, 1], vec![2, 2]));
}

/// xt_TCPMSS adds the option to a SYN that has none; nf_tables only changes one that is there.
#[test]
fn tcpmss_when_syn_has_no_option_then_only_xtables_adds_one() {
    isolate();
    let hosts = Hosts::of(IpVersion::V4);
    let words = "-p tcp --dport 20000 --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 500";
    let rules = [Rule::new("mangle", "FORWARD", words)];
    let packet = |options: &[u8]| {
        let data = tcp((1500, 20000), (1, 0), 0x02, options);
        Packet::new("SYN", From::Outside, (hosts.distant, hosts.container), (6, data))
    };
    let played = |options: &[u8]| {
        play(IpVersion::V4, &effects::prelude(), &rules, &[packet(options)], &Rule::clone).frames
    };
    assert_eq!(played(&[2, 4, 5, 180]), Vec::<String>::new());
    let different = played(&[]);
    assert!(
        different.iter().any(|said| said.starts_with("only xt") && said.contains("020401f4"))
            && different.iter().any(|said| said.starts_with("only ours") && !said.contains("0204")),
        "{different:#?}"
    );
}

/// nf_tables answers for a server of IPv6 only where a network card has verified the checksum: it
/// compares with that of IPv4. That is why `-j SYNPROXY` of ip6tables is refused; a kernel on which
/// this fails could have it.
#[test]
fn synproxy_of_ipv6_when_no_card_has_verified_the_checksum_then_native_drops() {
    isolate();
    let answers = |version: IpVersion, who: Who, native: bool| {
        let hosts = Hosts::of(version);
        let words = "-p tcp --dport 9400 --tcp-flags FIN,SYN,RST,ACK SYN -j SYNPROXY --mss 1460";
        let untracked = Rule::new("raw", "PREROUTING", "-p tcp --dport 9400 -j CT --notrack");
        let rules = [untracked, Rule::new("filter", "FORWARD", words)];
        let mut side = Side::new(who, version, NUMBER.fetch_add(1, Ordering::Relaxed));
        let loaded = if native { &rules[..1] } else { &rules[..] };
        assert_eq!(side.load(loaded), Vec::new());
        if native {
            side.host().nft(
                "table inet t {\n chain forward {\n type filter hook forward priority 0\n\
                 tcp dport 9400 tcp flags & (fin | syn | rst | ack) == syn synproxy mss 1460\n }\n}\n",
            );
        }
        let syn = tcp((1500, 9400), (1, 0), 0x02, &[]);
        let packet = Packet::new("SYN", From::Outside, (hosts.distant, hosts.container), (6, syn));
        side.play(&[packet], |_, _| {});
        side.captured.len()
    };
    let [v4, v6] = [IpVersion::V4, IpVersion::V6];
    assert_eq!((answers(v4, Who::Theirs, false), answers(v6, Who::Theirs, false)), (1, 1));
    assert_eq!((answers(v4, Who::Ours, true), answers(v6, Who::Ours, true)), (1, 0));
}

/// xt_recent masks the addresses of all rules of a list as the first of them says; ours are two lists.
#[test]
fn recent_when_masks_differ_under_one_name_then_only_xtables_mixes_them() {
    isolate();
    let rules = rules(&[
        "-p udp -m recent --set --name one --mask 255.255.255.0",
        "-p udp -m recent --set --name one --mask 0.0.0.0",
        "-p udp -m recent --rcheck --name one --mask 255.255.255.255",
    ]);
    let hosts = Hosts::of(IpVersion::V4);
    let ends = (hosts.distant, hosts.container);
    let packets = [Packet::new("the first", From::Outside, ends, (17, ports(1, 2, 8)))];
    let of = |who| counted(who, IpVersion::V4, &rules, &packets);
    assert_eq!((of(Who::Theirs), of(Who::Ours)), (vec![1, 1, 1], vec![1, 1, 0]));
}
