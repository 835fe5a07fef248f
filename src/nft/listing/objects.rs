//! Stateful objects as text.

use crate::nft::expr::{Synproxy, listing_time};
use crate::nft::object::type_word;
use crate::nft::{CtExpectation, CtHelper, CtTimeout, DataType, Object, ObjectKind};

/// Names of the states of a protocol, from 1, and how many seconds nft takes for their default.
type States = &'static [(&'static str, u32)];

const TCP: States = &[
    ("syn_sent", 120),
    ("syn_recv", 60),
    ("established", 432_000),
    ("fin_wait", 120),
    ("close_wait", 60),
    ("last_ack", 30),
    ("time_wait", 120),
    ("close", 10),
    ("syn_sent2", 120),
    ("retrans", 300),
    ("unack", 300),
];
const UDP: States = &[("unreplied", 30), ("replied", 120)];

/// An object as nft lists it, a line each.
pub(super) fn object_lines(object: &Object) -> Vec<String> {
    let mut lines = vec![format!("{} {} {{", type_word(object.kind.number()), object.name)];
    lines.extend(object.userdata.comment().map(|comment| format!("\tcomment \"{comment}\"")));
    lines.extend(data_lines(&object.kind).into_iter().map(|line| format!("\t{line}")));
    lines.push("}".to_owned());
    lines
}

fn data_lines(kind: &ObjectKind) -> Vec<String> {
    match kind {
        ObjectKind::Counter { packets, bytes } => vec![format!("packets {packets} bytes {bytes}")],
        ObjectKind::Quota(quota) => vec![quota.text(true)],
        ObjectKind::Limit(limit) => vec![limit.text()],
        ObjectKind::CtHelper(helper) => helper_lines(helper),
        ObjectKind::CtTimeout(timeout) => timeout_lines(timeout),
        ObjectKind::CtExpectation(expectation) => expectation_lines(expectation),
        ObjectKind::Secmark(context) => vec![format!("\"{context}\"")],
        ObjectKind::Synproxy(synproxy) => synproxy_lines(synproxy),
        ObjectKind::Other { .. } => vec![],
    }
}

fn protocol(number: u8) -> String {
    DataType::InetProto.list(&[number])
}

fn helper_lines(helper: &CtHelper) -> Vec<String> {
    vec![
        format!("type \"{}\" protocol {}", helper.helper, protocol(helper.l4proto)),
        format!("l3proto {}", helper.l3proto),
    ]
}

fn timeout_lines(timeout: &CtTimeout) -> Vec<String> {
    let states = match timeout.l4proto {
        6 => TCP,
        17 => UDP,
        _ => &[],
    };
    // What is as it would be anyway is left out.
    let policy = timeout.seconds.iter().filter_map(|(state, seconds)| {
        let (name, default) = states.get(usize::from(*state).checked_sub(1)?)?;
        (seconds != default).then(|| format!("{name} : {seconds}"))
    });
    vec![
        format!("protocol {}", protocol(timeout.l4proto)),
        format!("l3proto {}", timeout.l3proto),
        format!("policy = {{ {} }}", policy.collect::<Vec<_>>().join(", ")),
    ]
}

fn expectation_lines(expectation: &CtExpectation) -> Vec<String> {
    vec![
        format!("protocol {}", protocol(expectation.l4proto)),
        format!("dport {}", expectation.dport),
        format!("timeout {}", listing_time(u64::from(expectation.timeout))),
        format!("size {}", expectation.size),
        format!("l3proto {}", expectation.l3proto),
    ]
}

fn synproxy_lines(synproxy: &Synproxy) -> Vec<String> {
    let (mut lines, options) = synproxy.words();
    lines.extend((!options.is_empty()).then(|| options.join(" ")));
    lines
}
