//! Extension headers, options and chunks: nft's words for them and for their fields.

use super::fields::named;
use super::headers::Field;
use super::rule::{Implied, RuleListing};
use super::term::{Header, Place, Term};
use crate::nft::DataType;
use crate::nft::expr::{Extension, ExthdrOp};

// `NFPROTO_*`.
const IPV4: u8 = 2;
const IPV6: u8 = 10;

const fn number(bits: u32) -> DataType {
    DataType::Integer(bits.div_ceil(8) as u8)
}

const HBH: &[Field] =
    &[(0, 8, "hbh nexthdr", DataType::InetProto), (8, 8, "hbh hdrlength", number(8))];
/// Where both words fit, nft prints those of the segment routing header.
const RT: &[Field] = &[
    (0, 8, "rt nexthdr", DataType::InetProto),
    (8, 8, "rt hdrlength", number(8)),
    (16, 8, "rt type", number(8)),
    (24, 8, "rt seg-left", number(8)),
    (32, 8, "srh last-entry", number(8)),
    (40, 8, "srh flags", number(8)),
    (48, 16, "srh tag", number(16)),
    (64, 128, "srh sid[1]", DataType::Ipv6Addr),
    (192, 128, "srh sid[2]", DataType::Ipv6Addr),
];
const FRAG: &[Field] = &[
    (0, 8, "frag nexthdr", DataType::InetProto),
    (8, 8, "frag reserved", number(8)),
    (16, 13, "frag frag-off", number(13)),
    (29, 2, "frag reserved2", number(2)),
    (31, 1, "frag more-fragments", number(1)),
    (32, 32, "frag id", number(32)),
];
const DST: &[Field] =
    &[(0, 8, "dst nexthdr", DataType::InetProto), (8, 8, "dst hdrlength", number(8))];
const MH: &[Field] = &[
    (0, 8, "mh nexthdr", DataType::InetProto),
    (8, 8, "mh hdrlength", number(8)),
    (16, 8, "mh type", DataType::MhType),
    (24, 8, "mh reserved", number(8)),
    (32, 16, "mh checksum", number(16)),
];

/// An option of TCP without more fields than these has its kind and its length.
macro_rules! tcp_option {
    ($name:literal $(, $field:expr)*) => {
        &[
            (0, 8, concat!("tcp option ", $name, " kind"), number(8)),
            (8, 8, concat!("tcp option ", $name, " length"), number(8)),
            $($field,)*
        ]
    };
}

/// Options of TCP by kind: their name and fields.
const TCP_OPTIONS: &[(u8, &str, &[Field])] = &[
    (0, "tcp option eol", &[(0, 8, "tcp option eol kind", number(8))]),
    (1, "tcp option nop", &[(0, 8, "tcp option nop kind", number(8))]),
    (2, "tcp option maxseg", tcp_option!("maxseg", (16, 16, "tcp option maxseg size", number(16)))),
    (3, "tcp option window", tcp_option!("window", (16, 8, "tcp option window count", number(8)))),
    (4, "tcp option sack-perm", tcp_option!("sack-perm")),
    (
        5,
        "tcp option sack",
        tcp_option!(
            "sack",
            (16, 32, "tcp option sack left", number(32)),
            (48, 32, "tcp option sack right", number(32)),
            (80, 32, "tcp option sack1 left", number(32)),
            (112, 32, "tcp option sack1 right", number(32)),
            (144, 32, "tcp option sack2 left", number(32)),
            (176, 32, "tcp option sack2 right", number(32)),
            (208, 32, "tcp option sack3 left", number(32)),
            (240, 32, "tcp option sack3 right", number(32))
        ),
    ),
    (
        8,
        "tcp option timestamp",
        tcp_option!(
            "timestamp",
            (16, 32, "tcp option timestamp tsval", number(32)),
            (48, 32, "tcp option timestamp tsecr", number(32))
        ),
    ),
    (19, "tcp option md5sig", tcp_option!("md5sig")),
    (30, "tcp option mptcp", tcp_option!("mptcp", (16, 4, "tcp option mptcp subtype", number(4)))),
    (34, "tcp option fastopen", tcp_option!("fastopen")),
];

/// Options of IPv4 by type.
const IP_OPTIONS: &[(u8, &str, &[Field])] = &[
    (
        7,
        "ip option rr",
        &[
            (0, 8, "ip option rr type", number(8)),
            (8, 8, "ip option rr length", number(8)),
            (16, 8, "ip option rr ptr", number(8)),
            (24, 32, "ip option rr addr", DataType::Ipv4Addr),
        ],
    ),
    (
        131,
        "ip option lsrr",
        &[
            (0, 8, "ip option lsrr type", number(8)),
            (8, 8, "ip option lsrr length", number(8)),
            (16, 8, "ip option lsrr ptr", number(8)),
            (24, 32, "ip option lsrr addr", DataType::Ipv4Addr),
        ],
    ),
    (
        137,
        "ip option ssrr",
        &[
            (0, 8, "ip option ssrr type", number(8)),
            (8, 8, "ip option ssrr length", number(8)),
            (16, 8, "ip option ssrr ptr", number(8)),
            (24, 32, "ip option ssrr addr", DataType::Ipv4Addr),
        ],
    ),
    (
        148,
        "ip option ra",
        &[
            (0, 8, "ip option ra type", number(8)),
            (8, 8, "ip option ra length", number(8)),
            (16, 16, "ip option ra value", number(16)),
        ],
    ),
];

macro_rules! chunk {
    ($name:literal $(, $field:expr)*) => {
        &[
            (0, 8, concat!("sctp chunk ", $name, " type"), number(8)),
            (8, 8, concat!("sctp chunk ", $name, " flags"), number(8)),
            (16, 16, concat!("sctp chunk ", $name, " length"), number(16)),
            $($field,)*
        ]
    };
}

/// Chunks of SCTP by type.
const CHUNKS: &[(u8, &str, &[Field])] = &[
    (
        0,
        "sctp chunk data",
        chunk!(
            "data",
            (32, 32, "sctp chunk data tsn", number(32)),
            (64, 16, "sctp chunk data stream", number(16)),
            (80, 16, "sctp chunk data ssn", number(16)),
            (96, 32, "sctp chunk data ppid", number(32))
        ),
    ),
    (1, "sctp chunk init", chunk!("init", (32, 32, "sctp chunk init init-tag", number(32)))),
    (
        2,
        "sctp chunk init-ack",
        chunk!("init-ack", (32, 32, "sctp chunk init-ack init-tag", number(32))),
    ),
    (3, "sctp chunk sack", chunk!("sack", (32, 32, "sctp chunk sack cum-tsn-ack", number(32)))),
    (4, "sctp chunk heartbeat", chunk!("heartbeat")),
    (5, "sctp chunk heartbeat-ack", chunk!("heartbeat-ack")),
    (6, "sctp chunk abort", chunk!("abort")),
    (
        7,
        "sctp chunk shutdown",
        chunk!("shutdown", (32, 32, "sctp chunk shutdown cum-tsn-ack", number(32))),
    ),
    (8, "sctp chunk shutdown-ack", chunk!("shutdown-ack")),
    (9, "sctp chunk error", chunk!("error")),
    (10, "sctp chunk cookie-echo", chunk!("cookie-echo")),
    (11, "sctp chunk cookie-ack", chunk!("cookie-ack")),
    (12, "sctp chunk ecne", chunk!("ecne", (32, 32, "sctp chunk ecne lowest-tsn", number(32)))),
    (13, "sctp chunk cwr", chunk!("cwr", (32, 32, "sctp chunk cwr lowest-tsn", number(32)))),
    (14, "sctp chunk shutdown-complete", chunk!("shutdown-complete")),
    (128, "sctp chunk asconf-ack", chunk!("asconf-ack")),
    (
        192,
        "sctp chunk forward-tsn",
        chunk!("forward-tsn", (32, 32, "sctp chunk forward-tsn new-cum-tsn", number(32))),
    ),
    (193, "sctp chunk asconf", chunk!("asconf", (32, 32, "sctp chunk asconf seqno", number(32)))),
];

const HEADERS: &[(u8, &str, &[Field])] = &[
    (0, "exthdr hbh", HBH),
    (43, "exthdr rt", RT),
    (44, "exthdr frag", FRAG),
    (60, "exthdr dst", DST),
    (135, "exthdr mh", MH),
];

/// The name of an extension and its fields; `None` where nft has no name for it.
fn known(of: Extension) -> Option<&'static (u8, &'static str, &'static [Field])> {
    let all = match of.op {
        ExthdrOp::Ipv6 => HEADERS,
        ExthdrOp::TcpOption => TCP_OPTIONS,
        ExthdrOp::Ipv4Option => IP_OPTIONS,
        ExthdrOp::SctpChunk => CHUNKS,
        ExthdrOp::DccpOption | ExthdrOp::Other(_) => &[],
    };
    all.iter().find(|(kind, ..)| *kind == of.kind)
}

/// The fields of an extension, and the word that it makes superfluous.
pub(super) fn fields_of_extension(of: Extension) -> (&'static [Field], Option<Implied>) {
    (known(of).map_or(&[][..], |(_, _, fields)| fields), implied(of))
}

fn implied(of: Extension) -> Option<Implied> {
    match of.op {
        ExthdrOp::Ipv6 => Some(Implied::Network(IPV6)),
        ExthdrOp::Ipv4Option => Some(Implied::Network(IPV4)),
        ExthdrOp::TcpOption | ExthdrOp::SctpChunk | ExthdrOp::DccpOption | ExthdrOp::Other(_) => {
            None
        }
    }
}

impl RuleListing<'_> {
    /// Whether an extension is there: `exthdr frag`, `tcp option maxseg`.
    pub(in crate::nft) fn extension(&mut self, of: Extension) -> Term {
        self.drop_chosen(implied(of));
        let text = match known(of) {
            Some((_, name, _)) => (*name).to_owned(),
            None => format!("{} {}", of.op.word(), of.kind),
        };
        Term::plain(text, DataType::Boolean)
    }

    /// Names bytes of an extension.
    pub(in crate::nft) fn extension_field(&mut self, of: Extension, offset: u32, len: u32) -> Term {
        let place = Place { header: Header::Extension(of), offset, len };
        let (fields, implied) = fields_of_extension(of);
        let found = fields.iter().find(|(at, bits, ..)| *at == offset * 8 && *bits == len * 8);
        let Some(field) = found else {
            let text = format!("{} @{},{},{}", of.op.word(), of.kind, offset * 8, len * 8);
            let data_type = DataType::Integer(u8::try_from(len).unwrap_or(0));
            return Term { place: Some(place), is_raw: true, ..Term::plain(text, data_type) };
        };
        self.drop_chosen(implied);
        Term { place: Some(place), ..named(field) }
    }
}
