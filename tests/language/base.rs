//! General options, tcp, udp, and the comment.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::{judge, refused};

#[test]
fn ipv4_rules_when_saved_then_print_as_iptables_does() {
    judge(
        V4,
        &[
            ("filter/INPUT", ""),
            ("filter/INPUT", "-j ACCEPT"),
            ("filter/FORWARD", "! -i docker0 -o docker0 -j DROP"),
            ("filter/FORWARD", "-i + -j DOCKER"),
            ("filter/FORWARD", "! -i + -j DOCKER"),
            ("filter/FORWARD", "-i eth+ ! -o veth1+ -j RETURN"),
            ("filter/INPUT", "-s 10.1.2.3/255.0.255.0 -g next"),
            ("filter/INPUT", "! -s 10.1.2.3/9 -d 0/0 -j DROP"),
            ("filter/INPUT", "-s 10.0.0.1,10.0.0.2 -d 1.1.1.1,2.2.2.0/24 -j DROP"),
            ("filter/INPUT", "-f -j DROP"),
            ("filter/INPUT", "! -f -p 4 -j DROP"),
            ("filter/INPUT", "-p all -j DROP"),
            ("filter/INPUT", "! -p ICMP -j DROP"),
            ("filter/INPUT", "-p 250 -j DROP"),
            ("filter/INPUT", "-d 172.17.0.2 -p tcp --dport 80 -j ACCEPT"),
            ("filter/INPUT", "-p tcp ! --dport :80 --sport 1024: -j ACCEPT"),
            ("filter/INPUT", "-p tcp --dport 0:65535 -j ACCEPT"),
            ("filter/INPUT", "-p tcp --syn -m comment --comment hello"),
            (
                "filter/INPUT",
                "-m comment --comment cali:3VSRmN-G_8lYSRmN -p tcp -m comment --comment \"Policy a\" \
                 -m mark --mark 1 -m comment --comment c -j ACCEPT",
            ),
            (
                "filter/INPUT",
                "-m comment --comment a -m comment --comment a -m comment --comment b",
            ),
            ("filter/INPUT", "-p tcp -m tcp"),
            ("filter/INPUT", "-p tcp ! --syn -m comment --comment \"hello world's\""),
            ("filter/INPUT", "-p tcp --tcp-flags ALL NONE --dport 1"),
            ("filter/INPUT", "-p udp ! --sport 1:9 -j ACCEPT"),
            ("filter/INPUT", "-p udp --dport 53 --sport 53 -j ACCEPT"),
        ],
    );
}

#[test]
fn ipv6_rules_when_saved_then_print_as_iptables_does() {
    judge(
        V6,
        &[
            ("filter/INPUT", "-s 2001:db8::/32 ! -d fd00::1/ffff::ffff -j DROP"),
            ("filter/INPUT", "-s ::/0 -j DROP"),
            ("filter/INPUT", "-s 2001:db8::/33 -p icmpv6 -j DROP"),
            ("filter/INPUT", "-p tcp --dport 80 -j ACCEPT"),
        ],
    );
}

#[test]
fn words_when_refused_then_the_error_says_why() {
    refused(
        V4,
        &[
            ("-m tcp --dport 80", "match \"tcp\" needs \"-p tcp\" in the rule"),
            ("-p udp --syn", "unknown option \"--syn\": no match named in front of it has it"),
        ],
    );
}

#[test]
fn options_of_tcp_when_asked_for_then_print_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("filter/INPUT", "-p tcp --tcp-option 2"),
                ("filter/INPUT", "-p tcp ! --tcp-option 0x8 --syn --dport 80"),
                ("filter/INPUT", "-p tcp ! --tcp-option 5 ! --tcp-flags ALL NONE"),
                ("filter/INPUT", "-p tcp ! --tcp-option 99"),
                ("filter/INPUT", "-p tcp --tcp-option 254 --sport 1:9"),
            ],
        );
    }
    let number = "is not the number of an option, 1 to 255";
    refused(
        V4,
        &[
            ("-p tcp --tcp-option 0", &format!("option --tcp-option: \"0\" {number}")),
            ("-p tcp --tcp-option 256", &format!("option --tcp-option: \"256\" {number}")),
            (
                "-p tcp --tcp-option 1",
                "option --tcp-option: \"1\" has no native nftables form: nf_tables does not look \
                 for an option in the last byte, where this one may be",
            ),
        ],
    );
}

#[test]
fn chunks_of_sctp_when_asked_for_then_print_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("filter/INPUT", "-p sctp --chunk-types any DATA"),
                ("filter/INPUT", "-p sctp --chunk-types all data"),
                ("filter/INPUT", "-p sctp ! --chunk-types any ASCONF --dport 80"),
                ("filter/INPUT", "-p sctp ! --chunk-types all SHUTDOWN_COMPLETE --sport 1:9"),
                ("filter/INPUT", "-p sctp --chunk-types all SACK,INIT,ECN_CWR"),
                ("filter/INPUT", "-p sctp ! --chunk-types any FORWARD_TSN,ASCONF_ACK"),
            ],
        );
    }
    let option = "option --chunk-types:";
    let form = "has no native nftables form:";
    let several = "one rule cannot say that one of several chunks is there";
    let named = "it looks for chunks that nft has names for, without their flags";
    refused(
        V4,
        &[
            ("-p sctp --chunk-types any DATA,INIT", &format!("{option} \"any\" {form} {several}")),
            (
                "-p sctp ! --chunk-types all DATA,INIT",
                &format!("{option} \"all\" {form} {several}"),
            ),
            (
                "-p sctp --chunk-types only DATA",
                &format!("{option} \"only\" {form} nf_tables does not look for all other chunks"),
            ),
            ("-p sctp --chunk-types any I_DATA", &format!("{option} \"I_DATA\" {form} {named}")),
            ("-p sctp --chunk-types any DATA:Be", &format!("{option} \"DATA:Be\" {form} {named}")),
        ],
    );
}

#[test]
fn services_when_named_then_are_the_ports_that_iptables_means() {
    judge(
        V4,
        &[
            ("filter/INPUT", "-p tcp --dport ssh"),
            ("filter/INPUT", "-p tcp ! --sport http:https"),
            ("filter/INPUT", "-p tcp --dport 20:ftp"),
            ("filter/INPUT", "-p tcp --dport :domain"),
            ("filter/INPUT", "-p tcp --dport http-alt"),
            ("filter/INPUT", "-p udp --dport domain"),
            ("filter/INPUT", "-p udp --dport syslog"),
            ("filter/INPUT", "-p tcp -m multiport --dports http,https,x11:6010"),
            ("filter/INPUT", "-p udp -m multiport ! --ports ntp,bootps:bootpc"),
        ],
    );
    let error = |option: &str, value: &str| {
        format!(
            "option {option}: \"{value}\" is not a port or a range of ports (of services the usual \
             names of the protocol are known, /etc/services is not read)"
        )
    };
    refused(
        V4,
        &[
            ("-p tcp --dport no-such", &error("--dport", "no-such")),
            ("-p udp --dport ssh", &error("--dport", "ssh")),
            ("-p sctp --dport ssh", &error("--dport", "ssh")),
            ("-p tcp --dport SSH", &error("--dport", "SSH")),
            ("-p tcp -m multiport --dports ssh,ssl", &error("--dports", "ssl")),
        ],
    );
}

#[test]
fn comments_when_more_than_a_rule_keeps_then_the_error_says_so() {
    let x = |count: usize| "x".repeat(count);
    let rule = |first, second| {
        format!("-m comment --comment {} -m comment --comment {}", x(first), x(second))
    };
    let (fits, long, longer) = (rule(120, 123), rule(120, 124), rule(1, 255));
    judge(V4, &[("filter/INPUT", fits.leak())]);
    let error = |bytes: usize| {
        format!("the rule needs {bytes} bytes for its comment and its shape, the kernel keeps 256")
    };
    refused(V4, &[(&long, &error(257)), (&longer, &error(256))]);
}
