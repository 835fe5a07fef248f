//! Names and comments as nft reads them.

use super::error::Error;

/// Words that nft 1.0.6 reads as its own where the name of a chain is to stand, as seen by trying
/// each word of nft(8).
const KEYWORDS: &str = "add update replace create insert delete get list reset flush rename import \
    export monitor position index comment describe all include define redefine undefine fib osf \
    synproxy typeof hook device devices table chain rule set element map flowtable handle ruleset \
    socket accept drop continue jump goto return inet netdev counter quota log limit reject \
    tproxy meter secmark ct icmp icmpv6 igmp tcp udp udplite sctp dccp ip ip6 arp ether vlan esp \
    ah comp th exthdr hbh rt rt0 rt2 srh frag dst mh numgen jhash symhash random dup fwd queue \
    snat dnat masquerade redirect notrack xt type policy size flow priority constant interval \
    dynamic auto-merge timeout gc-interval elements expires hour day mark meta iif iifname oif \
    oifname iifgroup oifgroup iiftype oiftype skuid skgid nftrace rtclassid cgroup cpu pkttype \
    ibrname obrname ipsec missing exists ecn flags or and xor eq lt gt not vmap bridge ibriport \
    obriport";

/// The most bytes that nft reads as a comment (`NFTNL_UDATA_COMMENT_MAXLEN`).
const COMMENT: usize = 128;

/// A chain's name, if nft can read it: letters, digits and `_ . / : -`, of which neither a digit
/// nor `/ : -` is the first.
pub(super) fn name(name: &str) -> Result<&str, Error> {
    let starts = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '.');
    let goes_on = |c: char| starts(c) || c.is_ascii_digit() || matches!(c, '/' | ':' | '-');
    let is_word = name.chars().next().is_some_and(starts) && name.chars().all(goes_on);
    if is_word && !KEYWORDS.split_ascii_whitespace().any(|word| word == name) {
        Ok(name)
    } else {
        Err(Error::Name { name: name.to_owned() })
    }
}

/// A comment as nft can read it: a comment means nothing to a packet, so what nft has no way to
/// write is written in another way, and what is too long for it is cut.
pub(super) fn comment(text: &str) -> String {
    let mut written = String::new();
    for c in text.chars() {
        let c = match c {
            '"' => '\'',
            c if c.is_control() => ' ',
            c => c,
        };
        if written.len() + c.len_utf8() > COMMENT {
            break;
        }
        written.push(c);
    }
    written
}
