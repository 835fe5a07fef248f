//! `-j REJECT`: refuses a packet and says so to its sender.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Reject, RejectKind};
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::words::OptionSpec;

/// `reject`, `reject with icmp host-prohibited`, `reject with tcp reset`.
pub(super) static REJECT: Module =
    Module::new("REJECT", &[OptionSpec::setting(&["reject-with"])], build).read_by(134, read, list);

/// An answer: the name that iptables-save prints, the other one, and the code of the unreachable
/// message.
type Answer = (&'static str, &'static str, u8);

const RESET: &str = "tcp-reset";
/// Codes of ICMP's destination unreachable (RFC 792, RFC 1122, RFC 1812).
const ICMP: [Answer; 7] = [
    ("icmp-net-unreachable", "net-unreach", 0),
    ("icmp-host-unreachable", "host-unreach", 1),
    ("icmp-proto-unreachable", "proto-unreach", 2),
    ("icmp-port-unreachable", "port-unreach", 3),
    ("icmp-net-prohibited", "net-prohib", 9),
    ("icmp-host-prohibited", "host-prohib", 10),
    ("icmp-admin-prohibited", "admin-prohib", 13),
];
/// Codes of ICMPv6's destination unreachable (RFC 4443).
const ICMPV6: [Answer; 6] = [
    ("icmp6-no-route", "no-route", 0),
    ("icmp6-adm-prohibited", "adm-prohibited", 1),
    ("icmp6-addr-unreachable", "addr-unreach", 3),
    ("icmp6-port-unreachable", "port-unreach", 4),
    ("icmp6-policy-fail", "policy-fail", 5),
    ("icmp6-reject-route", "reject-route", 6),
];

fn answers(version: IpVersion) -> &'static [Answer] {
    match version {
        IpVersion::V4 => &ICMP,
        IpVersion::V6 => &ICMPV6,
    }
}

/// Without an option it is the port that is unreachable.
fn build(reject: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let version = reject.context.version;
    let icmp = |code| vec![Reject { kind: RejectKind::IcmpUnreachable, code: Some(code) }.into()];
    let Some(given) = reject.find("reject-with") else {
        return Ok(icmp(match version {
            IpVersion::V4 => 3,
            IpVersion::V6 => 4,
        }));
    };
    let value = given.value();
    if begins(RESET, value) && value.len() > 3 {
        if reject.context.protocol != Some(6) {
            let (name, needs) = (reject.name.to_owned(), "\"-p tcp\" in the rule for tcp-reset");
            return Err(Error::NeedsProtocol { name, needs });
        }
        return Ok(vec![Reject { kind: RejectKind::TcpReset, code: Some(0) }.into()]);
    }
    // The first that the value begins, as iptables reads it.
    let wanted = |(name, alias, _): &&Answer| begins(name, value) || begins(alias, value);
    let expected = match version {
        IpVersion::V4 => {
            "tcp-reset or one of icmp-net-unreachable, icmp-host-unreachable, \
             icmp-proto-unreachable, icmp-port-unreachable, icmp-net-prohibited, \
             icmp-host-prohibited, icmp-admin-prohibited"
        }
        IpVersion::V6 => {
            "tcp-reset or one of icmp6-no-route, icmp6-adm-prohibited, icmp6-addr-unreachable, \
             icmp6-port-unreachable, icmp6-policy-fail, icmp6-reject-route"
        }
    };
    match answers(version).iter().find(wanted) {
        Some((_, _, code)) if !value.is_empty() => Ok(icmp(*code)),
        Some(_) | None => Err(given.bad(value, expected)),
    }
}

fn begins(name: &str, value: &str) -> bool {
    name.get(..value.len()).is_some_and(|front| front.eq_ignore_ascii_case(value))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Reject(reject)] = span.exprs else { return None };
    let code = reject.code.unwrap_or(0);
    let by_code = |code: u8| {
        let found = answers(span.context.version).iter().find(|(_, _, known)| *known == code);
        found.map(|(name, _, _)| *name)
    };
    let name = match (&reject.kind, span.context.version, code) {
        (RejectKind::TcpReset, _, _) => RESET,
        (RejectKind::IcmpUnreachable, _, code) => by_code(code)?,
        // The codes that both families have: no route, port, host, administrator.
        (RejectKind::IcmpxUnreachable, IpVersion::V4, 0) => by_code(0)?,
        (RejectKind::IcmpxUnreachable, IpVersion::V4, 1) => by_code(3)?,
        (RejectKind::IcmpxUnreachable, IpVersion::V4, 2) => by_code(1)?,
        (RejectKind::IcmpxUnreachable, IpVersion::V4, 3) => by_code(13)?,
        (RejectKind::IcmpxUnreachable, IpVersion::V6, 0) => by_code(0)?,
        (RejectKind::IcmpxUnreachable, IpVersion::V6, 1) => by_code(4)?,
        (RejectKind::IcmpxUnreachable, IpVersion::V6, 2) => by_code(3)?,
        (RejectKind::IcmpxUnreachable, IpVersion::V6, 3) => by_code(1)?,
        (RejectKind::IcmpxUnreachable | RejectKind::Other(_), _, _) => return None,
    };
    Some(vec![Setting::new("reject-with", name)])
}

fn list(settings: &[Setting], _style: &Style) -> String {
    format!("reject-with {}", find(settings, "reject-with").map_or("", Setting::value))
}
