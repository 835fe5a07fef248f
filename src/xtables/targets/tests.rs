//! What `iptables-nft -L` 1.8.9 prints behind the columns of a rule with each target.

use crate::net::IpVersion::{V4, V6};
use crate::xtables::tests::listed_by;

#[test]
fn targets_when_listed_then_print_as_iptables_does() {
    listed_by(
        V4,
        &[
            ("-j REJECT", "reject-with icmp-port-unreachable"),
            ("-j LOG --log-prefix x --log-level 3 --log-uid", "LOG flags 8 level 3 prefix \"x\""),
            ("-j LOG", "LOG flags 0 level 4"),
            ("-j NFLOG --nflog-group 3 --nflog-prefix a", "nflog-prefix a nflog-group 3"),
            ("-p tcp -j REDIRECT --to-ports 80", "redir ports 80"),
            ("-j CONNMARK --set-mark 1/3", "CONNMARK xset 0x1/0x3"),
            ("-j CONNMARK --save-mark", "CONNMARK save"),
            ("-j CONNMARK --save-mark --mask 0", "CONNMARK save mask 0x0"),
            ("-j NOTRACK", "NOTRACK"),
            ("-j CT --zone 3", "CT zone 3"),
            ("-j NFQUEUE --queue-balance 1:3 --queue-bypass", "NFQUEUE balance 1:3 bypass"),
            ("-p tcp -j TCPMSS --clamp-mss-to-pmtu", "TCPMSS clamp to PMTU"),
            ("-p tcp -j TCPMSS --set-mss 1400", "TCPMSS set 1400"),
            ("-p tcp -j TCPOPTSTRIP --strip-options 8", "TCPOPTSTRIP options 8"),
            ("-j DSCP --set-dscp 3", "DSCP set 0x03"),
            ("-j TOS --set-tos 0x10", "TOS set 0x10/0xff"),
            ("-j TTL --ttl-set 3", "TTL set to 3"),
            ("-j TEE --gateway 10.0.0.1", "TEE gw:10.0.0.1"),
            ("-j CLASSIFY --set-class 1:3", "CLASSIFY set 1:3"),
            ("-j AUDIT --type accept", "AUDIT accept"),
            ("-p tcp -j SYNPROXY --mss 1460 --sack-perm", "SYNPROXY sack-perm mss 1460 "),
            (
                "-p tcp -j TPROXY --on-port 80 --tproxy-mark 3/1",
                "TPROXY redirect 0.0.0.0:80 mark 0x3/0x1",
            ),
            ("-j TRACE", ""),
        ],
    );
    listed_by(
        V6,
        &[("-j REJECT", "reject-with icmp6-port-unreachable"), ("-j HL --hl-set 3", "HL set to 3")],
    );
}
