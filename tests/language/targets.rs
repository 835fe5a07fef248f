//! Targets: every option of each, as iptables-nft-save prints it.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::{judge, refused};

#[test]
fn reject_when_appended_then_saved_as_iptables_does() {
    judge(
        V4,
        &[
            ("filter/INPUT", "-j REJECT"),
            ("filter/INPUT", "-j REJECT --reject-with icmp-net-unreachable"),
            ("filter/INPUT", "-j REJECT --reject-with host-unreach"),
            ("filter/FORWARD", "-j REJECT --reject-with icmp-proto-unreachable"),
            ("filter/FORWARD", "-j REJECT --reject-with icmp-port-unreachable"),
            ("filter/OUTPUT", "-j REJECT --reject-with icmp-net-prohibited"),
            ("filter/OUTPUT", "-j REJECT --reject-with icmp-host-prohibited"),
            ("filter/OUTPUT", "-j REJECT --reject-with icmp-admin-prohib"),
            ("filter/INPUT", "-p tcp -j REJECT --reject-with tcp-reset"),
            ("filter/INPUT", "-p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset"),
        ],
    );
    judge(
        V6,
        &[
            ("filter/INPUT", "-j REJECT"),
            ("filter/INPUT", "-j REJECT --reject-with icmp6-no-route"),
            ("filter/INPUT", "-j REJECT --reject-with adm-prohibited"),
            ("filter/FORWARD", "-j REJECT --reject-with icmp6-addr-unreachable"),
            ("filter/FORWARD", "-j REJECT --reject-with icmp6-port-unreachable"),
            ("filter/OUTPUT", "-j REJECT --reject-with icmp6-policy-fail"),
            ("filter/OUTPUT", "-j REJECT --reject-with icmp6-reject-route"),
            ("filter/INPUT", "-p tcp -j REJECT --reject-with tcp-reset"),
        ],
    );
}

#[test]
fn prefix_when_too_long_then_is_cut_where_iptables_cuts_it() {
    for (option, length) in
        [("LOG --log-prefix", 30), ("NFLOG --nflog-prefix", 64), ("NFLOG --nflog-prefix", 200)]
    {
        let rule: &str = format!("-j {option} {}", "p".repeat(length)).leak();
        judge(V4, &[("filter/INPUT", rule)]);
    }
}

#[test]
fn log_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("filter/INPUT", "-j LOG"),
                ("filter/INPUT", "-j LOG --log-level 0"),
                ("filter/INPUT", "-j LOG --log-level 7 --log-prefix P:"),
                ("filter/INPUT", "-j LOG --log-level warning"),
                ("filter/INPUT", "-j LOG --log-level error"),
                ("filter/INPUT", "-j LOG --log-level panic --log-prefix \"two words \""),
                ("filter/INPUT", "-j LOG --log-tcp-sequence"),
                ("filter/INPUT", "-j LOG --log-tcp-options --log-uid"),
                ("filter/INPUT", "-j LOG --log-ip-options --log-macdecode"),
                (
                    "filter/INPUT",
                    "-j LOG --log-uid --log-tcp-sequence --log-ip-options --log-tcp-options \
                     --log-macdecode --log-level debug --log-prefix abcdefghijklmnopqrstuvwxyz012",
                ),
                ("filter/INPUT", "-j AUDIT --type accept"),
                ("filter/INPUT", "-j AUDIT --type drop"),
                ("filter/INPUT", "-j AUDIT --type reject"),
            ],
        );
    }
}

#[test]
fn nflog_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("filter/INPUT", "-j NFLOG"),
                ("filter/INPUT", "-j NFLOG --nflog-group 3"),
                ("filter/INPUT", "-j NFLOG --nflog-group 0xffff --nflog-prefix P"),
                ("filter/INPUT", "-j NFLOG --nflog-prefix \"two words: \" --nflog-group 1"),
                ("filter/INPUT", "-j NFLOG --nflog-size 256"),
                ("filter/INPUT", "-j NFLOG --nflog-size 0"),
                ("filter/INPUT", "-j NFLOG --nflog-threshold 1"),
                ("filter/INPUT", "-j NFLOG --nflog-threshold 5 --nflog-group 2"),
                ("filter/INPUT", "-j NFLOG --nflog-threshold 0"),
            ],
        );
    }
}

#[test]
fn nat_targets_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("nat/PREROUTING", "-j REDIRECT"),
                ("nat/PREROUTING", "-j REDIRECT --random"),
                ("nat/PREROUTING", "-p tcp -j REDIRECT --to-ports 80"),
                ("nat/OUTPUT", "-p udp -j REDIRECT --to-ports 80-90 --random"),
                ("nat/OUTPUT", "-p udp -j REDIRECT --to-ports 0x50-0x5a"),
                ("nat/POSTROUTING", "-j MASQUERADE"),
                ("nat/POSTROUTING", "-j MASQUERADE --random"),
                ("nat/POSTROUTING", "-j MASQUERADE --random-fully"),
                ("nat/POSTROUTING", "-j MASQUERADE --random-fully --random"),
                ("nat/POSTROUTING", "-p tcp -j MASQUERADE --to-ports 1024"),
                ("nat/POSTROUTING", "-p udp -j MASQUERADE --to-ports 1024-2048 --random"),
                ("nat/POSTROUTING", "-p sctp -j MASQUERADE --to-ports 1024-2048 --random-fully"),
            ],
        );
    }
}

#[test]
fn dnat_and_snat_when_appended_then_saved_as_iptables_does() {
    judge(
        V4,
        &[
            ("nat/PREROUTING", "-j DNAT --to-destination 10.0.0.2"),
            ("nat/PREROUTING", "-j DNAT --to-destination 10.0.0.2-10.0.0.9"),
            ("nat/PREROUTING", "-p tcp -j DNAT --to-destination 10.0.0.2:80"),
            ("nat/PREROUTING", "-p udp -j DNAT --to-destination 10.0.0.2-10.0.0.9:80-90"),
            ("nat/OUTPUT", "-p tcp -j DNAT --to-destination :80"),
            ("nat/OUTPUT", "-p sctp -j DNAT --to-destination :80-90 --random"),
            ("nat/OUTPUT", "-j DNAT --to-destination 10.0.0.2 --persistent"),
            ("nat/OUTPUT", "-j DNAT --to-destination 10.0.0.2 --persistent --random"),
            ("nat/POSTROUTING", "-j SNAT --to-source 192.0.2.1"),
            ("nat/POSTROUTING", "-j SNAT --to-source 192.0.2.1-192.0.2.9 --persistent"),
            ("nat/POSTROUTING", "-p tcp -j SNAT --to-source 192.0.2.1:1024-2048"),
            ("nat/POSTROUTING", "-p udp -j SNAT --to-source :1024"),
            ("nat/POSTROUTING", "-j SNAT --to-source 192.0.2.1 --random"),
            ("nat/POSTROUTING", "-j SNAT --to-source 192.0.2.1 --random-fully"),
            (
                "nat/POSTROUTING",
                "-j SNAT --persistent --random-fully --random --to-source 192.0.2.1",
            ),
        ],
    );
    judge(
        V6,
        &[
            ("nat/PREROUTING", "-j DNAT --to-destination fd00::2"),
            ("nat/PREROUTING", "-j DNAT --to-destination [fd00::2]"),
            ("nat/PREROUTING", "-j DNAT --to-destination fd00::2-fd00::9"),
            ("nat/PREROUTING", "-p tcp -j DNAT --to-destination [fd00::2]:80"),
            ("nat/PREROUTING", "-p udp -j DNAT --to-destination [fd00::2-fd00::9]:80-90"),
            ("nat/OUTPUT", "-p tcp -j DNAT --to-destination :80"),
            ("nat/OUTPUT", "-j DNAT --to-destination fd00::2 --persistent --random"),
            ("nat/POSTROUTING", "-j SNAT --to-source 2001:db8::1"),
            ("nat/POSTROUTING", "-j SNAT --to-source 2001:db8::1-2001:db8::9 --random"),
            ("nat/POSTROUTING", "-p tcp -j SNAT --to-source [2001:db8::1]:1024-2048"),
            ("nat/POSTROUTING", "-p udp -j SNAT --to-source :1024 --persistent"),
            (
                "nat/POSTROUTING",
                "-j SNAT --to-source 2001:db8::1 --persistent --random-fully --random",
            ),
        ],
    );
}

#[test]
fn marks_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("mangle/PREROUTING", "-j MARK --set-mark 1"),
                ("mangle/PREROUTING", "-j MARK --set-mark 1/3"),
                ("mangle/PREROUTING", "-j MARK --set-mark 7/3"),
                ("mangle/PREROUTING", "-j MARK --set-xmark 7/3"),
                ("mangle/PREROUTING", "-j MARK --set-xmark 0/0"),
                ("mangle/PREROUTING", "-j MARK --and-mark 0xf0"),
                ("mangle/PREROUTING", "-j MARK --or-mark 0xf0"),
                ("mangle/PREROUTING", "-j MARK --xor-mark 0xf0"),
                ("mangle/PREROUTING", "-j CONNMARK --set-mark 1"),
                ("mangle/PREROUTING", "-j CONNMARK --set-mark 1/3"),
                ("mangle/PREROUTING", "-j CONNMARK --set-mark 7/3"),
                ("mangle/PREROUTING", "-j CONNMARK --set-xmark 7/3"),
                ("mangle/PREROUTING", "-j CONNMARK --set-xmark 0/0"),
                ("mangle/PREROUTING", "-j CONNMARK --and-mark 0xf0"),
                ("mangle/PREROUTING", "-j CONNMARK --or-mark 0xf0"),
                ("mangle/PREROUTING", "-j CONNMARK --xor-mark 0xf0"),
                ("mangle/PREROUTING", "-j CONNMARK --save-mark"),
                ("mangle/PREROUTING", "-j CONNMARK --save-mark --nfmask 0xff00"),
                ("mangle/PREROUTING", "-j CONNMARK --save-mark --nfmask 0 --ctmask 0xff"),
                ("mangle/PREROUTING", "-j CONNMARK --save-mark --mask 0xffffffff"),
                ("mangle/PREROUTING", "-j CONNMARK --save-mark --mask 0"),
                ("mangle/PREROUTING", "-j CONNMARK --restore-mark"),
                ("mangle/PREROUTING", "-j CONNMARK --restore-mark --ctmask 0xff00"),
                ("mangle/PREROUTING", "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0"),
                ("mangle/POSTROUTING", "-j CLASSIFY --set-class 1:3"),
                ("mangle/POSTROUTING", "-j CLASSIFY --set-class ffff:10"),
                ("mangle/POSTROUTING", "-j CLASSIFY --set-class 0:0"),
            ],
        );
    }
    refused(
        V4,
        &[
            (
                "-j CONNMARK --save-mark --mask 0xff",
                "option --mask: \"0xff\" has no native nftables form: the bits that stay come from \
                 one mark and the others from another, which nf_tables can join since Linux 6.13 \
                 only, and nft 1.0.6 ends with an abort when it lists such a rule",
            ),
            (
                "-j CONNMARK --restore-mark --mask 0xff --ctmask 1",
                "option --ctmask cannot be used together with --mask",
            ),
            (
                "-j CONNMARK --set-mark 1 --nfmask 1",
                "option --nfmask cannot be used together with --set-mark",
            ),
            (
                "-j CONNMARK --set-mark 1 --left-shift-mark 2",
                "option --left-shift-mark is not supported: shifted marks are not translated",
            ),
        ],
    );
}

#[test]
fn tracking_targets_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("raw/PREROUTING", "-j NOTRACK"),
                ("raw/OUTPUT", "-j CT --notrack"),
                ("raw/PREROUTING", "-j CT --zone 3"),
                ("raw/PREROUTING", "-j CT --zone-orig 65535"),
                ("raw/OUTPUT", "-j CT --zone-reply 0x10"),
                ("raw/PREROUTING", "-j TRACE"),
                ("raw/OUTPUT", "-p tcp -m tcp --dport 80 -j TRACE"),
            ],
        );
    }
}

#[test]
fn header_targets_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("mangle/FORWARD", "-j DSCP --set-dscp 3"),
                ("mangle/FORWARD", "-j DSCP --set-dscp 0x3f"),
                ("mangle/FORWARD", "-j DSCP --set-dscp-class CS3"),
                ("mangle/FORWARD", "-j DSCP --set-dscp-class af43"),
                ("mangle/FORWARD", "-j DSCP --set-dscp-class EF"),
                ("mangle/FORWARD", "-j DSCP --set-dscp-class BE"),
                ("mangle/FORWARD", "-j TOS --set-tos 0x10"),
                ("mangle/FORWARD", "-j TOS --set-tos 0xff"),
                ("mangle/FORWARD", "-j TOS --set-tos 0x1/0x3"),
                ("mangle/FORWARD", "-j TOS --set-tos 0x4/0xfc"),
                ("mangle/FORWARD", "-j TOS --and-tos 0x3"),
                ("mangle/FORWARD", "-j TOS --and-tos 0xfc"),
                ("mangle/FORWARD", "-j TOS --or-tos 0"),
                ("mangle/FORWARD", "-j TOS --xor-tos 0"),
            ],
        );
    }
    judge(
        V4,
        &[
            ("mangle/FORWARD", "-j TTL --ttl-set 64"),
            ("mangle/FORWARD", "-j TTL --ttl-set 0"),
            ("mangle/FORWARD", "-j TTL --ttl-set 255"),
        ],
    );
    judge(
        V6,
        &[
            ("mangle/FORWARD", "-j HL --hl-set 64"),
            ("mangle/FORWARD", "-j HL --hl-set 0"),
            ("mangle/FORWARD", "-j HL --hl-set 255"),
        ],
    );
}

#[test]
fn tcp_targets_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("mangle/FORWARD", "-p tcp -m tcp --syn -j TCPMSS --clamp-mss-to-pmtu"),
                ("mangle/FORWARD", "-p tcp -m tcp --syn -j TCPMSS --set-mss 1400"),
                ("mangle/FORWARD", "-p tcp -j TCPOPTSTRIP --strip-options 8"),
                ("mangle/FORWARD", "-p tcp -j TCPOPTSTRIP --strip-options timestamp,sack,2,wscale"),
            ],
        );
    }
    judge(
        V4,
        &[
            ("filter/INPUT", "-p tcp -j SYNPROXY"),
            ("filter/INPUT", "-p tcp -j SYNPROXY --mss 1460 --wscale 7 --timestamp"),
            (
                "filter/FORWARD",
                "-p tcp -m tcp --dport 80 -j SYNPROXY --sack-perm --timestamp --wscale 0 --mss 0",
            ),
        ],
    );
    refused(
        V6,
        &[(
            "-p tcp -j SYNPROXY",
            "target \"SYNPROXY\" has no native nftables form: for IPv6 the kernel compares with the \
             checksum of IPv4, and drops every packet whose checksum the network card has not verified",
        )],
    );
    judge(V4, &[("mangle/FORWARD", "-j TEE --gateway 192.0.2.9")]);
    judge(V6, &[("mangle/FORWARD", "-j TEE --gateway 2001:db8::9")]);
}

/// What of `-A CHAIN …` is printed, where the judge has no kernel for it or its chains.
fn printed(version: portcullis::net::IpVersion, rule: &str) -> String {
    let words = crate::lab::split(&format!("-A {rule}"));
    let command = portcullis::xtables::command(&words, version).unwrap();
    let portcullis::xtables::Operation::Append { chain, rules } = command.operation else {
        panic!("-A is no append")
    };
    let read = portcullis::xtables::Rule::read(&rules[0].rule, version).unwrap();
    format!("{chain} {}", read.saved())
}

#[test]
fn nfqueue_when_compiled_then_prints_as_iptables_does() {
    // This kernel may have no NFT_QUEUE; the texts are those of iptables-nft-save 1.8.9.
    for (rule, expected) in [
        ("INPUT -j NFQUEUE", "INPUT -j NFQUEUE --queue-num 0"),
        (
            "INPUT -j NFQUEUE --queue-num 3 --queue-bypass",
            "INPUT -j NFQUEUE --queue-num 3 --queue-bypass",
        ),
        (
            "INPUT -j NFQUEUE --queue-cpu-fanout --queue-balance 1:3 --queue-bypass",
            "INPUT -j NFQUEUE --queue-balance 1:3 --queue-bypass --queue-cpu-fanout",
        ),
    ] {
        assert_eq!(printed(V4, rule), expected);
        assert_eq!(printed(V6, rule), expected);
    }
}

#[test]
fn netmap_when_compiled_then_prints_as_iptables_does() {
    for (rule, expected) in [
        ("PREROUTING -j NETMAP --to 10.0.0.7/24", "PREROUTING -j NETMAP --to 10.0.0.0/24"),
        ("POSTROUTING -j NETMAP --to 10.0.0.7", "POSTROUTING -j NETMAP --to 10.0.0.7/32"),
        ("OUTPUT -j NETMAP --to 10.0.0.7/255.0.0.0", "OUTPUT -j NETMAP --to 10.0.0.0/8"),
    ] {
        assert_eq!(printed(V4, rule), expected);
    }
    for (rule, expected) in [
        ("PREROUTING -j NETMAP --to fd00::/64", "PREROUTING -j NETMAP --to fd00::/64"),
        ("INPUT -j NETMAP --to fd00::1", "INPUT -j NETMAP --to fd00::1/128"),
    ] {
        assert_eq!(printed(V6, rule), expected);
    }
}

#[test]
fn nflog_range_when_compiled_then_is_kept() {
    // iptables warns of it: the kernel has never done anything with it.
    let rule = "INPUT -j NFLOG --nflog-group 2 --nflog-range 64";
    assert_eq!(printed(V4, rule), rule);
}

#[test]
fn targets_without_native_form_when_given_then_error_says_why() {
    refused(
        V4,
        &[
            (
                "-j NETMAP --to 10.0.0.0/24",
                "target \"NETMAP\" has no native nftables form: nf_tables translates the source or \
                 the destination, and only the chains PREROUTING, INPUT, OUTPUT and POSTROUTING \
                 tell which of them is meant",
            ),
            (
                "-p tcp -j CT --helper ftp",
                "option --helper is not supported: nf_tables gives a flow its properties after \
                 connection tracking has made it; in the raw table there is no flow yet, and the \
                 rule would do nothing",
            ),
            (
                "-j TTL --ttl-dec 1",
                "option --ttl-dec is not supported: nf_tables writes numbers into a header, it does \
                 not add to what is there",
            ),
            (
                "-j TOS --set-tos Minimize-Delay",
                "option --set-tos: \"Minimize-Delay\" has no native nftables form: nft lists a \
                 change of the whole DSCP (0xfc) or ECN (0x03), not one of some of their bits, and \
                 could not read it back",
            ),
            (
                "-j REJECT --reject-with tcp-reset",
                "match \"REJECT\" needs \"-p tcp\" in the rule for tcp-reset",
            ),
            (
                "-j TEE --gateway 192.0.2.9 --oif eth0",
                "option --oif is not supported: nf_tables takes the number of the interface, which \
                 another gets when it is made anew",
            ),
        ],
    );
    for name in [
        "CHECKSUM",
        "CLUSTERIP",
        "CONNSECMARK",
        "DNPT",
        "ECN",
        "HMARK",
        "IDLETIMER",
        "LED",
        "MIRROR",
        "RATEEST",
        "SAME",
        "SECMARK",
        "SET",
        "SNPT",
        "ULOG",
    ] {
        let error = crate::rules::compile(V4, &format!("-j {name}")).unwrap_err().to_string();
        let begin = format!("target \"{name}\" has no native nftables form: ");
        assert!(error.starts_with(&begin), "{error}");
    }
}
