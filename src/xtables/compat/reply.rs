//! Targets that answer, report or repair: `REJECT`, `LOG`, `CHECKSUM`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, one_of};
use crate::net::IpVersion;

const REJECT4: &[(u32, &str)] = &[
    (0, "icmp-net-unreachable"),
    (1, "icmp-host-unreachable"),
    (2, "icmp-proto-unreachable"),
    (3, "icmp-port-unreachable"),
    (5, "icmp-net-prohibited"),
    (6, "icmp-host-prohibited"),
    (7, "tcp-reset"),
    (8, "icmp-admin-prohibited"),
];

const REJECT6: &[(u32, &str)] = &[
    (0, "icmp6-no-route"),
    (1, "icmp6-adm-prohibited"),
    (3, "icmp6-addr-unreachable"),
    (4, "icmp6-port-unreachable"),
    (6, "tcp-reset"),
    (7, "icmp6-policy-fail"),
    (8, "icmp6-reject-route"),
];

/// The level that `LOG` has if none is given: "warning".
const LEVEL: u8 = 4;
const LOG_PREFIX: usize = 30;

const LOG_FLAGS: &[(u32, &str)] = &[
    (0x01, "--log-tcp-sequence"),
    (0x02, "--log-tcp-options"),
    (0x04, "--log-ip-options"),
    (0x08, "--log-uid"),
    (0x20, "--log-macdecode"),
];

/// `struct ipt_reject_info` and `ip6t_reject_info`.
pub(super) fn reject(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let table = match info.version {
        IpVersion::V4 => REJECT4,
        IpVersion::V6 => REJECT6,
    };
    let mut words = Words::new();
    words.put(false, "--reject-with", one_of(info.u32()?, table)?);
    Ok(words)
}

/// `struct xt_log_info`
pub(super) fn log(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (level, flags) = (info.u8()?, info.u8()?);
    let prefix = info.text(LOG_PREFIX)?;
    let mut words = Words::new();
    if !prefix.is_empty() {
        words.put(false, "--log-prefix", prefix);
    }
    if level != LEVEL {
        words.put(false, "--log-level", level);
    }
    words.flags(flags.into(), LOG_FLAGS)?;
    Ok(words)
}

/// `struct xt_CHECKSUM_info`
pub(super) fn checksum(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    words.flag(false, one_of(info.u8()?, &[(1, "--checksum-fill")])?);
    Ok(words)
}
