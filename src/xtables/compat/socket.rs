//! Matches of the local end: `owner`, `socket`, `cgroup`, `cpu`, `helper`, `connlabel`, `osf`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, joined, known};

/// `PATH_MAX`
const PATH: usize = 4096;
/// `XT_CGROUP_PATH_MAX`
const SHORT_PATH: usize = 512;
const HELPER: usize = 30;
const GENRE: usize = 32;

/// `struct xt_owner_match_info`
pub(super) fn owner(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const UID: u32 = 1;
    const GID: u32 = 2;
    const SOCKET: u32 = 4;
    const GROUPS: u32 = 8;
    let (uids, gids) = (info.u32_range()?, info.u32_range()?);
    let (matched, inverted) = (u32::from(info.u8()?), u32::from(info.u8()?));
    known(matched | inverted, UID | GID | SOCKET | GROUPS)?;
    let mut words = Words::new();
    if matched & SOCKET != 0 {
        words.flag(inverted & SOCKET != 0, "--socket-exists");
    }
    if matched & UID != 0 {
        words.put(inverted & UID != 0, "--uid-owner", joined(uids, '-'));
    }
    if matched & GID != 0 {
        words.put(inverted & GID != 0, "--gid-owner", joined(gids, '-'));
    }
    if matched & GROUPS != 0 {
        words.flag(inverted & GROUPS != 0, "--suppl-groups");
    }
    Ok(words)
}

/// `socket`: revision 0 has no structure, the others a byte of flags.
pub(super) fn socket(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    if info.revision > 0 {
        let flags = [(1, "--transparent"), (2, "--nowildcard"), (4, "--restore-skmark")];
        words.flags(info.u8()?.into(), &flags)?;
    }
    Ok(words)
}

/// `struct xt_cgroup_info_v0`, `v1` and `v2`.
pub(super) fn cgroup(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    if info.revision == 0 {
        let (id, inverted) = info.u32_range()?;
        words.put(inverted != 0, "--cgroup", id);
        return Ok(words);
    }
    let (has_path, has_class) = (info.truth()?, info.truth()?);
    let (not_path, not_class) = (info.truth()?, info.truth()?);
    let mut class = info.clone();
    if has_path {
        let length = if info.revision == 1 { PATH } else { SHORT_PATH };
        words.put(not_path, "--path", info.text(length)?);
    }
    if has_class {
        if info.revision == 1 {
            class.skip(PATH)?; // behind the path, not in its place
        }
        words.put(not_class, "--cgroup", class.u32()?);
    }
    Ok(words)
}

/// `struct xt_cpu_info`
pub(super) fn cpu(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (cpu, inverted) = info.u32_range()?;
    let mut words = Words::new();
    words.put(inverted != 0, "--cpu", cpu);
    Ok(words)
}

/// `struct xt_helper_info`
pub(super) fn helper(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let inverted = info.u32()? != 0;
    let mut words = Words::new();
    words.put(inverted, "--helper", info.text(HELPER)?);
    Ok(words)
}

/// `struct xt_connlabel_mtinfo`
pub(super) fn connlabel(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const INVERT: u32 = 1;
    const SET: u32 = 2;
    let (bit, options) = (info.u16()?, u32::from(info.u16()?));
    known(options, INVERT | SET)?;
    let mut words = Words::new();
    words.put(options & INVERT != 0, "--label", bit);
    words.flags(options & SET, &[(SET, "--set")])?;
    Ok(words)
}

/// `struct nf_osf_info`
pub(super) fn osf(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const TTL: u32 = 2;
    const LOG: u32 = 4;
    const INVERT: u32 = 8;
    let genre = info.text(GENRE)?;
    info.u32()?; // the length of the name
    let ((flags, level), ttl) = (info.u32_range()?, info.u32()?);
    known(flags, 1 | TTL | LOG | INVERT)?;
    let mut words = Words::new();
    words.put(flags & INVERT != 0, "--genre", genre);
    if flags & TTL != 0 {
        words.put(false, "--ttl", ttl);
    }
    if flags & LOG != 0 {
        words.put(false, "--log", level);
    }
    Ok(words)
}
