//! Sets that were declared with `typeof`: nft keeps the expression in the set's userdata.

use super::headers::{ESP, ETHER, Field, ICMP, IP, IP6, SCTP, TCP, TH, UDP, UDPLITE, VLAN_HEADER};
use crate::nft::expr::MetaKey;
use crate::nft::{Set, SetData, Userdata};

/// Types of a set's userdata: the expressions of its keys and of its data.
const KEY: u8 = 3;
const DATA: u8 = 4;
/// Inside one: the type of the expression, and what more it needs.
const KIND: u8 = 0;
const MORE: u8 = 1;
/// nft's numbers of expressions (`enum expr_types`).
const PAYLOAD: u32 = 7;
const META: u32 = 9;
const CONCAT: u32 = 13;
/// Inside a payload: which header, and which of its fields, counted from 1.
const HEADER: u8 = 0;
const FIELD: u8 = 1;

/// `ip saddr . tcp dport`, or `ip saddr : meta mark` for a map; `None` where the set was declared
/// by type, or by an expression that is not known here.
pub(super) fn type_of(set: &Set) -> Option<String> {
    let key = expression(set.userdata.find(KEY)?)?;
    match &set.data {
        None => Some(key),
        Some(SetData::Value(_)) => {
            Some(format!("{key} : {}", expression(set.userdata.find(DATA)?)?))
        }
        Some(SetData::Verdict) => Some(format!("{key} : verdict")),
        Some(SetData::Object(_)) => None,
    }
}

fn expression(bytes: &[u8]) -> Option<String> {
    let userdata = Userdata::decode(bytes);
    let more = userdata.find(MORE).unwrap_or_default();
    match userdata.find_u32(KIND)? {
        CONCAT => {
            let parts = Userdata::decode(more);
            let words: Option<Vec<String>> =
                (0..8).map_while(|at| parts.find(at)).map(expression).collect();
            words.filter(|words| !words.is_empty()).map(|words| words.join(" . "))
        }
        PAYLOAD => payload(&Userdata::decode(more)),
        META => {
            let key = MetaKey::from_number(Userdata::decode(more).find_u32(0)?);
            (!matches!(key, MetaKey::Other(_))).then(|| key.word().to_owned())
        }
        _ => None,
    }
}

/// nft's numbers of headers (`enum proto_desc_id`); the fields here stand in nft's order.
fn payload(userdata: &Userdata) -> Option<String> {
    let fields: &[Field] = match userdata.find_u32(HEADER)? {
        2 => ESP,
        4 => ICMP,
        6 => UDP,
        7 => UDPLITE,
        8 => TCP,
        10 => SCTP,
        11 => TH,
        12 => IP,
        13 => IP6,
        16 => VLAN_HEADER,
        17 => ETHER,
        _ => return None,
    };
    let at = usize::try_from(userdata.find_u32(FIELD)?).ok()?.checked_sub(1)?;
    fields.get(at).map(|(_, _, words, _)| (*words).to_owned())
}
