//! What our side refuses, each with what names it in a rule; all else that iptables takes, we take.

/// A part of a rule that makes us refuse it, and a part of what we then say.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub part: &'static str,
    pub says: &'static str,
}

const fn refused(part: &'static str, says: &'static str) -> Refused {
    Refused { part, says }
}

/// Matches and their options. An entry that refuses nothing any more fails the test.
pub const MATCHES: &[Refused] = &[
    refused("--tcp-option 1", "nf_tables does not look for an option in the last byte"),
    refused("--chunk-types", "one rule cannot say that one of several chunks is there"),
    refused("--chunk-types only", "nf_tables does not look for all other chunks"),
    refused("--chunk-types", "it looks for chunks that nft has names for, without their flags"),
    refused("--dccp-option", "nft 1.0.6 has no words for options of DCCP"),
    refused("--ctstate", "negated no target too: a map decides of packets by their states"),
    refused("! --uid-owner", "it also matches packets without a socket"),
    refused("! --gid-owner", "it also matches packets without a socket"),
    refused("--socket-exists", "nftables does not see the kernel's own sockets"),
    refused("--accept-local", "the fib expression has no flag for it"),
    refused("--compres", "only the index of the header is translated"),
    refused("-m string", "they do not search"),
    refused("-m bpf", "bpf needs"),
    refused("-m u32", "u32 needs"),
    refused("! --u32", "cannot be inverted"),
    refused("--monthdays", "does not know the day of the month"),
    refused("! --weekdays", "never matches"),
    refused("! --mss", "it means packets without this option of TCP too"),
    refused("! --label", "it means packets without such a flow too"),
    refused("! --helper", "it means packets without such a flow too"),
    refused("--helper \"\"", "any helper is no name to compare with"),
    refused("-m socket", "nf_tables does not tell of a socket that is being opened or closed"),
    refused("-m socket", "nf_tables asks what a socket is"),
    refused("-m physdev", "ports of a bridge are matched in tables of the bridge family"),
    refused("--seconds 61", "would have to keep addresses for two times"),
    refused("--hitcount", "a set remembers the last time only"),
    refused("--rttl", "a set remembers addresses, not what else came with them"),
    refused("! --set", "it never matches, and adds the address all the same"),
    refused("--remove", "what a rule deletes stays in the set's hash table"),
    refused("-m hashlimit", "in the rule"),
    refused("-m cluster", "it hashes with a seed of its own"),
    refused("! --dst-type LOCAL,MULTICAST", "ip6tables asks for all types of this list at once"),
    refused("-m ah", "ah needs"),
    refused("--ahlen", "only the index of the header is translated"),
    refused("--ahres", "only the index of the header is translated"),
    refused("--hbh-len 0", "is not a length that a header can have"),
    refused("--dst-len 0", "is not a length that a header can have"),
    refused("--rt-len 0", "is not a length that a header can have"),
    refused("--hbh-opts", "what is inside of this header is not translated"),
    refused("--dst-opts", "what is inside of this header is not translated"),
    refused("--fraglen", "what is inside of this header is not translated"),
    refused("-m ipv6header", "nft has words for the headers hop, dst, route and frag only"),
    refused("-m ipv6header", "without --soft it means these headers and no other"),
    refused("-m srh", "what is inside of extension headers of IPv6 is not translated"),
    refused("-m eui64", "a rule cannot compare an address with a hardware address"),
];

/// Options that are refused beside others only: rules at random have them.
pub const COMBINED: &[Refused] = &[
    refused("--bytecode", "the kernel runs no program inside a rule"),
    refused("--u32", "the kernel runs no program inside a rule"),
    refused("--ctstate", "iptables then skips the other options of this match"),
    refused("--ctstate", "beside others a map decides, behind which the other"),
    refused("--ctstate", "decide of some packets alone, so that it would not be asked"),
];

/// Targets and their options, in the same way.
pub const TARGETS: &[Refused] = &[
    refused("CONNMARK", "the bits that stay come from one mark and the others from another"),
    refused("TOS", "nft lists a change of the whole DSCP (0xfc) or ECN (0x03)"),
    refused("-dec", "it does not add to what is there"),
    refused("-inc", "it does not add to what is there"),
    refused("TCPOPTSTRIP", "nft 1.0.6 has no word for an option of this number"),
    refused("ECN", "it clears two of the flags of TCP"),
    refused("--zone mark", "a mark has 32 bits and a zone has 16"),
    refused(
        "--ctevents",
        "nf_tables gives a flow its properties after connection tracking has made it",
    ),
    refused("/19990", "is not a port or a range of ports"),
];

/// What this kernel does not have, which is no fault of the rule: it is said, not passed over.
pub const KERNEL: &[Refused] = &[
    // CONFIG_NFT_QUEUE
    refused("-j NFQUEUE", "RULE_APPEND failed (No such file or directory)"),
];

/// The entry that is the reason for an error, of either list.
pub fn reason(words: &str, error: &str) -> Option<&'static Refused> {
    let padded = format!(" {words} ");
    let mut all = MATCHES.iter().chain(COMBINED).chain(TARGETS).chain(KERNEL);
    all.find(|entry| padded.contains(entry.part) && error.contains(entry.says))
}

/// The entries of a list that refused nothing.
pub fn idle(list: &'static [Refused], refused: &[&'static Refused]) -> String {
    list.iter()
        .filter(|entry| !refused.contains(entry))
        .map(|entry| format!("nothing is refused any more for {entry:?}\n"))
        .collect()
}
