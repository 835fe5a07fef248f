//! Targets that hand a packet on: `NFQUEUE`, `NFLOG`, `TEE`, `TPROXY`, `SYNPROXY`, `CLASSIFY`, `AUDIT`, `TRACE`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, one_of};
use super::text::address;

const NFLOG_PREFIX: usize = 64;
/// `IFNAMSIZ`
const NAME: usize = 16;

/// `struct xt_NFQ_info`, `v1`, `v2` and `v3`.
pub(super) fn nfqueue(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let first = info.u16()?;
    let count = if info.revision > 0 { info.u16()? } else { 1 };
    let flags = if info.revision > 1 { u32::from(info.u16()?) } else { 0 };
    let options = [(1, "--queue-bypass"), (2, "--queue-cpu-fanout")];
    known(flags, if info.revision == 2 { 1 } else { 3 })?;
    let mut words = Words::new();
    if count > 1 {
        let last = first.checked_add(count - 1).ok_or(Flaw::Value)?;
        words.put(false, "--queue-balance", format_args!("{first}:{last}"));
    } else {
        words.put(false, "--queue-num", first);
    }
    words.flags(flags, &options)?;
    Ok(words)
}

/// `struct xt_nflog_info`. iptables 1.8.9 writes a native log; older ones leave this.
pub(super) fn nflog(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const COPY_LENGTH: u32 = 1;
    let (length, group, threshold) = (info.u32()?, info.u16()?, info.u16()?);
    let flags = u32::from(info.u16()?);
    info.u16()?;
    known(flags, COPY_LENGTH)?;
    let prefix = info.text(NFLOG_PREFIX)?;
    let mut words = Words::new();
    if !prefix.is_empty() {
        words.put(false, "--nflog-prefix", prefix);
    }
    if group != 0 {
        words.put(false, "--nflog-group", group);
    }
    if flags & COPY_LENGTH != 0 {
        words.put(false, "--nflog-size", length);
    } else if length != 0 {
        words.put(false, "--nflog-range", length);
    }
    if threshold != 0 {
        words.put(false, "--nflog-threshold", threshold);
    }
    Ok(words)
}

/// `struct xt_tee_tginfo`
pub(super) fn tee(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let gateway = info.inet_addr()?;
    let out = info.text(NAME)?;
    let mut words = Words::new();
    words.put(false, "--gateway", address(gateway));
    if !out.is_empty() {
        words.put(false, "--oif", out);
    }
    Ok(words)
}

/// `struct xt_tproxy_target_info` and `xt_tproxy_target_info_v1`.
pub(super) fn tproxy(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (mask, value) = info.u32_range()?;
    let local = if info.revision == 0 { info.in_addr()? } else { info.inet_addr()? };
    let mut words = Words::new();
    words.put(false, "--on-port", info.be16()?);
    words.put(false, "--on-ip", address(local));
    words.put(false, "--tproxy-mark", format_args!("{value:#x}/{mask:#x}"));
    Ok(words)
}

/// `struct nf_synproxy_info`
pub(super) fn synproxy(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const MSS: u32 = 0x01;
    const WINDOW_SCALE: u32 = 0x02;
    const SACK: u32 = 0x04;
    const TIMESTAMP: u32 = 0x08;
    const ECN: u32 = 0x10;
    let (options, scale, mss) = (u32::from(info.u8()?), info.u8()?, info.u16()?);
    known(options, MSS | WINDOW_SCALE | SACK | TIMESTAMP | ECN)?;
    let mut words = Words::new();
    words.flags(
        options & (SACK | TIMESTAMP),
        &[(SACK, "--sack-perm"), (TIMESTAMP, "--timestamp")],
    )?;
    if options & WINDOW_SCALE != 0 {
        words.put(false, "--wscale", scale);
    }
    if options & MSS != 0 {
        words.put(false, "--mss", mss);
    }
    words.flags(options & ECN, &[(ECN, "--ecn")])?;
    Ok(words)
}

/// `struct xt_classify_target_info`
pub(super) fn classify(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let class = info.u32()?;
    let mut words = Words::new();
    words.put(false, "--set-class", format_args!("{:04x}:{:04x}", class >> 16, class & 0xffff));
    Ok(words)
}

/// `struct xt_audit_info`
pub(super) fn audit(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    let kinds = [(0, "accept"), (1, "drop"), (2, "reject")];
    words.put(false, "--type", one_of(info.u8()?, &kinds)?);
    Ok(words)
}

/// A target without options.
pub(super) fn plain(_: &mut Info<'_>) -> Result<Words, Flaw> {
    Ok(Words::new())
}
