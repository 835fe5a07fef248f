//! More matches: every option of each, as iptables-nft-save prints it.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::{judge, refused};

#[test]
fn counts_of_flows_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                (
                    "filter/INPUT",
                    "-m connbytes --connbytes 3 --connbytes-mode packets --connbytes-dir original",
                ),
                (
                    "filter/INPUT",
                    "-m connbytes --connbytes 3:7 --connbytes-mode bytes --connbytes-dir reply",
                ),
                (
                    "filter/INPUT",
                    "-m connbytes ! --connbytes 3:7 --connbytes-mode avgpkt --connbytes-dir both",
                ),
                (
                    "filter/INPUT",
                    "-m connbytes ! --connbytes 0x10 --connbytes-mode bytes --connbytes-dir both",
                ),
                (
                    "filter/INPUT",
                    "-m connbytes --connbytes :7 --connbytes-mode bytes --connbytes-dir both",
                ),
                (
                    "filter/INPUT",
                    "-m connbytes --connbytes 4294967296: --connbytes-mode bytes --connbytes-dir both",
                ),
                (
                    "filter/INPUT",
                    "-m connbytes --connbytes 5:5 --connbytes-mode bytes --connbytes-dir both",
                ),
                ("filter/INPUT", "-m connlimit --connlimit-above 3"),
                ("filter/INPUT", "-m connlimit --connlimit-upto 3 --connlimit-daddr"),
                ("filter/INPUT", "-m connlimit ! --connlimit-above 3 --connlimit-saddr"),
                ("filter/INPUT", "-m connlimit ! --connlimit-upto 3 --connlimit-mask 24"),
                ("filter/INPUT", "-m connlimit --connlimit-above 0 --connlimit-mask 0"),
                (
                    "filter/INPUT",
                    "-p tcp -m tcp --dport 80 --syn -m connlimit --connlimit-above 20 \
                     --connlimit-mask 21 -j REJECT --reject-with tcp-reset",
                ),
                (
                    "filter/INPUT",
                    "-m connlimit --connlimit-above 3 -m connlimit --connlimit-above 4 --connlimit-daddr",
                ),
                ("filter/INPUT", "-m quota --quota 100"),
                ("filter/INPUT", "-m quota ! --quota 0x100000000"),
            ],
        );
    }
}

#[test]
fn rates_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                (
                    "filter/INPUT",
                    "-m hashlimit --hashlimit-upto 5/sec --hashlimit-mode srcip --hashlimit-name a",
                ),
                (
                    "filter/INPUT",
                    "-m hashlimit --hashlimit-above 5/min --hashlimit-burst 7 --hashlimit-mode \
                     dstip,srcip --hashlimit-name b --hashlimit-srcmask 24 --hashlimit-dstmask 16",
                ),
                (
                    "filter/INPUT",
                    "-p tcp -m hashlimit ! --hashlimit-upto 90/min --hashlimit-mode \
                     srcip,srcport,dstip,dstport --hashlimit-name c",
                ),
                (
                    "filter/INPUT",
                    "-p udp -m hashlimit --hashlimit-upto 1000/hour --hashlimit-mode dstport \
                     --hashlimit-name d --hashlimit-htable-expire 5000",
                ),
                (
                    "filter/INPUT",
                    "-m hashlimit ! --hashlimit-above 60/m --hashlimit-mode dstip --hashlimit-name e",
                ),
                (
                    "filter/INPUT",
                    "-m hashlimit --hashlimit 7/d --hashlimit-mode srcip --hashlimit-name f",
                ),
                (
                    "filter/INPUT",
                    "-m hashlimit --hashlimit-upto 10000 --hashlimit-mode srcip --hashlimit-name g",
                ),
            ],
        );
    }
}

#[test]
fn flow_matches_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("filter/INPUT", "-m helper --helper ftp"),
                ("filter/INPUT", "-m helper --helper ftp-2121"),
                ("filter/INPUT", "-m policy --dir in --pol none"),
                ("filter/INPUT", "-m policy --dir in --pol ipsec"),
                ("filter/OUTPUT", "-m policy --pol none --dir out"),
                ("filter/FORWARD", "-m policy --dir out --pol ipsec"),
                ("mangle/PREROUTING", "-m socket --transparent --nowildcard"),
                ("filter/INPUT", "-m cpu --cpu 1"),
                ("filter/INPUT", "-m cpu ! --cpu 0x10"),
                ("filter/INPUT", "-m devgroup --src-group 3"),
                ("filter/FORWARD", "-m devgroup --src-group 0x3/0xff ! --dst-group 4"),
                ("filter/OUTPUT", "-m devgroup ! --dst-group 0x4/0xffffffff"),
                ("filter/INPUT", "-m cgroup --cgroup 1"),
                ("filter/OUTPUT", "-m cgroup ! --cgroup 0x100001"),
            ],
        );
    }
    judge(
        V4,
        &[
            ("filter/INPUT", "-m realm --realm 1"),
            ("filter/INPUT", "-m realm ! --realm 0x1/0xff"),
            ("filter/INPUT", "-m realm ! --realm 9"),
        ],
    );
}

#[test]
fn header_matches_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("filter/INPUT", "-p tcp -m tcpmss --mss 1000"),
                ("filter/INPUT", "-p tcp -m tcp --syn -m tcpmss --mss 1000:1400"),
                ("filter/INPUT", "-p tcp -m ecn --ecn-tcp-cwr"),
                ("filter/INPUT", "-p tcp -m ecn --ecn-tcp-cwr ! --ecn-tcp-ece"),
                ("filter/INPUT", "-p tcp -m ecn ! --ecn-tcp-cwr --ecn-ip-ect 2"),
                ("filter/INPUT", "-m ecn --ecn-ip-ect 0"),
                ("filter/INPUT", "-m ecn ! --ecn-ip-ect 3"),
                ("filter/INPUT", "-m tos --tos 0x10"),
                ("filter/INPUT", "-m tos ! --tos 0x10"),
                ("filter/INPUT", "-m tos --tos 0x10/0x3f"),
                ("filter/INPUT", "-m tos --tos Minimize-Delay"),
                ("filter/INPUT", "-m tos ! --tos maximize-throughput"),
                ("filter/INPUT", "-m tos --tos 0x30/0xfc"),
                ("filter/INPUT", "-m tos --tos 0x2/0x3"),
                ("filter/INPUT", "-m tos --tos 0/0"),
                ("filter/INPUT", "-p esp -m esp --espspi 3"),
                ("filter/INPUT", "-p esp -m esp ! --espspi 0x3:0x10"),
                ("filter/INPUT", "-p esp -m esp --espspi :7"),
                ("filter/INPUT", "-p esp -m esp"),
                ("filter/INPUT", "-p ipcomp -m ipcomp --ipcompspi 3"),
                ("filter/INPUT", "-p ipcomp -m ipcomp ! --ipcompspi 3:0xff"),
            ],
        );
    }
    judge(
        V4,
        &[
            ("filter/INPUT", "-p tcp -m osf --genre Linux"),
            ("filter/INPUT", "-p tcp -m osf ! --genre Linux --ttl 0"),
            ("filter/INPUT", "-p tcp -m osf --genre Windows --ttl 2"),
            ("filter/INPUT", "-p ah -m ah --ahspi 3"),
            ("filter/INPUT", "-p ah -m ah ! --ahspi 3:5"),
            ("filter/INPUT", "-p ah -m ah"),
            ("filter/INPUT", "-p udp -m u32 --u32 \"0>>22&0x3C@12&0xFFFFFF00=1048832\""),
            (
                "filter/INPUT",
                "-p udp -m udp --dport 4789 -m u32 --u32 0>>22&0x3C@12&0xFFFFFF00=0x100",
            ),
            (
                "filter/INPUT",
                "-p udp -m bpf --bytecode \"6,177 0 0 0,64 0 0 12,84 0 0 4294967040,\
                 21 1 0 1048832,6 0 0 0,6 0 0 4294967295\"",
            ),
        ],
    );
}

#[test]
fn extension_headers_when_appended_then_saved_as_iptables_does() {
    judge(
        V6,
        &[
            ("filter/INPUT", "-m frag"),
            ("filter/INPUT", "-m frag --fragid 3"),
            ("filter/INPUT", "-m frag ! --fragid 3:5 --fragmore"),
            ("filter/INPUT", "-m frag --fragres --fragfirst --fraglast"),
            ("filter/INPUT", "-m frag --fragfirst"),
            ("filter/INPUT", "-m rt"),
            ("filter/INPUT", "-m rt --rt-type 0"),
            ("filter/INPUT", "-m rt ! --rt-type 2 --rt-segsleft 1:3 --rt-len 8"),
            ("filter/INPUT", "-m rt ! --rt-segsleft 1 ! --rt-len 24"),
            ("filter/INPUT", "-m hbh"),
            ("filter/INPUT", "-m hbh --hbh-len 8"),
            ("filter/INPUT", "-m hbh ! --hbh-len 16"),
            ("filter/INPUT", "-m dst"),
            ("filter/INPUT", "-m dst --dst-len 8"),
            ("filter/INPUT", "-m dst ! --dst-len 2048"),
            ("filter/INPUT", "-p mobility-header -m mh"),
            ("filter/INPUT", "-p 135 -m mh --mh-type 3"),
            ("filter/INPUT", "-p 135 -m mh --mh-type binding-update"),
            ("filter/INPUT", "-p 135 -m mh ! --mh-type 1:cot"),
            ("filter/INPUT", "-m ipv6header --header frag --soft"),
            ("filter/INPUT", "-m ipv6header --header route,hop,frag,dst --soft"),
            ("filter/INPUT", "-m ipv6header ! --header 44,hop-by-hop --soft"),
        ],
    );
}

#[test]
fn connlabel_when_compiled_then_prints_as_iptables_does() {
    // iptables-nft warns of the file of names, which is not there.
    for rule in ["-m connlabel --label 3", "-m connlabel --label 127 -j ACCEPT"] {
        let compiled = crate::rules::compile(V4, rule).unwrap();
        let read = portcullis::xtables::Rule::read(&compiled[0].rule, V4).unwrap();
        assert_eq!(read.words().join(" "), rule);
    }
}

#[test]
fn matches_without_native_form_when_given_then_error_says_why() {
    refused(
        V4,
        &[
            (
                "-m helper ! --helper ftp",
                "option --helper: \"ftp\" has no native nftables form: negated it means packets \
                 without such a flow too, and nf_tables has nothing to compare for those",
            ),
            (
                "-p tcp -m tcpmss ! --mss 100",
                "option --mss: \"100\" has no native nftables form: negated it means packets \
                 without this option of TCP too, and nf_tables has nothing to compare for those",
            ),
            (
                "-m policy --dir in --pol ipsec --reqid 3",
                "option --reqid is not supported: nf_tables reads one transformation of a packet by \
                 its place, and does not know how many there are",
            ),
            (
                "-p udp -m u32 --u32 0=0",
                "option --u32: \"0=0\" has no native nftables form: the kernel runs no program \
                 inside a rule; the one that is known reads the network number of VXLAN behind UDP \
                 over IPv4",
            ),
        ],
    );
}

#[test]
fn times_when_appended_then_saved_as_iptables_does() {
    for version in [V4, V6] {
        judge(
            version,
            &[
                ("filter/INPUT", "-m time"),
                ("filter/INPUT", "-m time --timestart 10:00"),
                ("filter/INPUT", "-m time --timestop 6:30:59"),
                ("filter/INPUT", "-m time --timestart 09:00 --timestop 17:30"),
                ("filter/INPUT", "-m time --timestart 22:00 --timestop 06:00 --weekdays Mon,Tue"),
                ("filter/INPUT", "-m time --timestart 10:00 --timestop 10:00"),
                ("filter/INPUT", "-m time --weekdays 7"),
                ("filter/INPUT", "-m time --weekdays Mon,Tue"),
                ("filter/INPUT", "-m time --weekdays Mon,Sun"),
                ("filter/INPUT", "-m time ! --weekdays Sa,Su"),
                ("filter/INPUT", "-m time --weekdays 1,2,3,4,5,6"),
                ("filter/INPUT", "-m time --datestart 2020-02-29T10:00"),
                ("filter/INPUT", "-m time --datestop 2021"),
                (
                    "filter/INPUT",
                    "-m time --datestart 2020-12-31T23:59:59 --datestop 2022-03-01T00:00:01 \
                     --timestart 01:02:03 --weekdays Wed",
                ),
            ],
        );
    }
}
