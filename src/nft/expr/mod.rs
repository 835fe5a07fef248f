//! Expressions: the instructions of a rule, one file for each.
//!
//! Each type encodes, decodes and lists itself. A known expression with an attribute that its
//! type has no place for, and an expression without a type here, is kept whole as
//! [`Expr::Other`]. Attribute numbers are `NFTA_<NAME>_*` of `linux/netfilter/nf_tables.h`; the
//! order of attributes is the kernel's own, so that a decoded rule encodes to the same bytes.

mod bitwise;
mod byteorder;
mod cmp;
mod compat;
mod connlimit;
mod counter;
mod ct;
mod dup;
mod dynset;
mod expression;
mod exthdr;
mod fib;
mod fields;
mod fwd;
mod hash;
mod immediate;
mod last;
mod limit;
mod log;
mod lookup;
mod masquerade;
mod meta;
mod nat;
mod notrack;
mod numbers;
mod numgen;
mod objref;
mod osf;
mod payload;
mod queue;
mod quota;
mod range;
mod redirect;
mod register;
mod reject;
mod rt;
mod socket;
mod synproxy;
mod tproxy;
mod verdict;
mod xfrm;

pub use bitwise::{Bitwise, BitwiseOp, RegisterOp, ShiftOp};
pub use byteorder::{Byteorder, ByteorderOp};
pub use cmp::{Cmp, CmpOp};
pub use connlimit::Connlimit;
pub use counter::Counter;
pub use ct::{Ct, CtDirection, CtKey};
pub use dup::Dup;
pub(in crate::nft) use dynset::listing_time;
pub use dynset::{Dynset, DynsetOp};
pub use expression::{Expr, Opaque};
pub use exthdr::{Extension, Exthdr, ExthdrOp};
pub use fib::{Fib, FibResult};
pub use fwd::Fwd;
pub use hash::{Hash, HashKind};
pub use immediate::Immediate;
pub use last::Last;
pub use limit::{Limit, LimitKind};
pub use log::{Log, LogTarget};
pub use lookup::{Lookup, SetRef};
pub use masquerade::Masquerade;
pub use meta::{Meta, MetaKey};
pub use nat::{Nat, NatFlags, NatKind};
pub use notrack::Notrack;
pub use numgen::{Numgen, NumgenKind};
pub use objref::Objref;
pub use osf::Osf;
pub use payload::{Checksum, Payload, PayloadBase, PayloadWrite};
pub use queue::{Queue, QueueFlags, QueueTarget};
pub use quota::Quota;
pub use range::Range;
pub use redirect::Redirect;
pub use register::Register;
pub use reject::{Reject, RejectKind};
pub use rt::{Rt, RtKey};
pub use socket::{Socket, SocketKey};
pub use synproxy::Synproxy;
pub use tproxy::Tproxy;
pub use verdict::Verdict;
pub use xfrm::{Xfrm, XfrmDirection, XfrmKey};

use fields::{Expression, Fields, put_data, put_maybe, put_register};
pub(in crate::nft) use fields::{NFTA_DATA_VALUE, NFTA_LIST_ELEM};
use numbers::kernel_numbers;

#[cfg(test)]
mod tests;
