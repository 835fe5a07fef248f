//! What `iptables-nft -L` 1.8.9 prints behind the columns of a rule with each match.

use crate::net::IpVersion::{V4, V6};
use crate::xtables::tests::listed_by;
use crate::xtables::{matches, targets};

#[test]
fn modules_when_counted_then_each_number_is_of_one() {
    let matches = matches::every().map(|module| module.id);
    let targets = targets::every().map(|module| module.id);
    let mut numbers: Vec<u8> = matches.chain(targets).filter(|id| *id > 0).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}

#[test]
fn matches_when_listed_then_print_as_iptables_does() {
    listed_by(
        V4,
        &[
            (
                "-p udp -m hashlimit --hashlimit-above 5/min --hashlimit-mode srcip,dstport \
                 --hashlimit-name foo --hashlimit-burst 7 --hashlimit-srcmask 24",
                "limit: above 5/min burst 7 mode srcip-dstport srcmask 24",
            ),
            ("-m connlimit --connlimit-upto 3 --connlimit-daddr", "#conn dst/32 <= 3"),
            ("-m connlimit --connlimit-above 3", "#conn src/32 > 3"),
            (
                "-m recent ! --rcheck --seconds 60 --reap --name X --rdest --mask 255.255.255.0",
                "! recent: CHECK seconds: 60 reap name: X side: dest mask: 255.255.255.0",
            ),
            ("-m recent --set", "recent: SET name: DEFAULT side: source mask: 255.255.255.255"),
            ("-m conntrack ! --ctstate DNAT,NEW", "! ctstate NEW,DNAT"),
            (
                "-m connbytes ! --connbytes 3:7 --connbytes-mode avgpkt --connbytes-dir reply",
                "! connbytes 3:7 connbytes mode avgpkt connbytes direction reply",
            ),
            ("-m connlabel --label 3", "connlabel 3"),
            ("-m helper --helper ftp", "helper match \"ftp\""),
            ("-m policy --dir in --pol none", "policy match dir in pol none"),
            ("-m socket --transparent --nowildcard", "socket --transparent --nowildcard"),
            (
                "-m time --timestart 22:00 --timestop 06:00 --weekdays Mon,Tue",
                "TIME from 22:00:00 to 06:00:00 on Mon,Tue UTC",
            ),
            (
                "-m time --datestart 2020-01-01T10:00 --datestop 2021",
                "TIME starting from 2020-01-01 10:00:00 until date 2021-01-01 00:00:00 UTC",
            ),
            ("-p sctp --chunk-types any DATA", "sctp any 0x0000"),
            ("-p sctp ! --chunk-types any SACK,INIT --dport 9", "sctp dpt:9 ! any 0x0001,0x0003"),
            ("-p tcp --tcp-option 8", "tcp option=8"),
            ("-p tcp --dport 80 ! --tcp-option 8 --syn", "tcp dpt:80 option=!8 flags:0x17/0x02"),
            ("-p tcp -m tcpmss --mss 100:200", "tcpmss match 100:200"),
            ("-p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr", "ECN match !ECE CWR"),
            ("-m ecn ! --ecn-ip-ect 2", "ECN match !ECT=2"),
            ("-m tos --tos 0x10/0x3f", "tos match0x10/0x3f"),
            ("-m tos ! --tos 0x10", "tos match!0x10/0xff"),
            ("-p ah -m ah ! --ahspi 3:5", "ah spis:!3:5"),
            ("-p ah -m ah", "ah "),
            ("-p esp -m esp --espspi 3", "esp spi:3"),
            ("-p ipcomp -m ipcomp --ipcompspi 3", "comp spi:3"),
            ("-m cpu ! --cpu 1", "cpu ! 1"),
            ("-m realm ! --realm 1/0xff", "! realm 0x1/0xff"),
            ("-m cgroup --cgroup 1", "cgroup 1"),
            ("-m quota ! --quota 100", "quota: 100 bytes"),
            (
                "-m devgroup --src-group 3/0xff ! --dst-group 3",
                "src-group 0x3/0xff ! dst-group 0x3",
            ),
            ("-p tcp -m osf ! --genre Linux --ttl 1", "OS fingerprint match ! Linux"),
            (
                "-p udp -m u32 --u32 0>>22&0x3C@12&0xFFFFFF00=1048832",
                "u32 \"0x0>>0x16&0x3c@0xc&0xffffff00=0x100100\"",
            ),
        ],
    );
    listed_by(
        V6,
        &[
            ("-m frag ! --fragid 3:5 --fragres --fragfirst", "frag ids:!3:5 reserved first"),
            ("-m frag", "frag "),
            ("-m rt --rt-type 0 --rt-len 8", "rt type:0 length:8"),
            ("-m rt", "rt"),
            ("-m hbh ! --hbh-len 8", "hbh length:!8"),
            ("-m dst", "dst"),
            ("-m ipv6header ! --header frag --soft", "ipv6header flags:!0x10 soft"),
            ("-p 135 -m mh ! --mh-type 1:4", "mh !1:4"),
        ],
    );
}
