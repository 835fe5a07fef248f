//! Matches of devices and routes: `physdev`, `devgroup`, `realm`, `rpfilter`, `cluster`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, masked};

/// `IFNAMSIZ`
const NAME: usize = 16;

/// `struct xt_physdev_info`
pub(super) fn physdev(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const IN: u32 = 1;
    const OUT: u32 = 2;
    const BRIDGED: u32 = 4;
    const IS_IN: u32 = 8;
    const IS_OUT: u32 = 16;
    let (input, output) = (interface(info)?, interface(info)?);
    let (inverted, fields) = (u32::from(info.u8()?), u32::from(info.u8()?));
    known(fields | inverted, IN | OUT | BRIDGED | IS_IN | IS_OUT)?;
    let mut words = Words::new();
    for (bit, option, value) in [
        (IS_IN, "--physdev-is-in", None),
        (IN, "--physdev-in", Some(&input)),
        (IS_OUT, "--physdev-is-out", None),
        (OUT, "--physdev-out", Some(&output)),
        (BRIDGED, "--physdev-is-bridged", None),
    ] {
        if fields & bit != 0 {
            words.flag(inverted & bit != 0, option);
            words.words.extend(value.cloned());
        }
    }
    Ok(words)
}

/// A name and its mask: a mask that ends before the name's NUL makes it a beginning, `eth+`.
fn interface(info: &mut Info<'_>) -> Result<String, Flaw> {
    let (name, mask) = (info.bytes(NAME)?, info.bytes(NAME)?);
    let compared = mask.iter().take_while(|byte| **byte != 0).count();
    let name = name.get(..compared).ok_or(Flaw::Short)?;
    let whole = name.contains(&0) || compared == NAME;
    let text = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(text).map_err(|_| Flaw::Text)?;
    Ok(if whole { text.to_owned() } else { format!("{text}+") })
}

/// `struct xt_devgroup_info`
pub(super) fn devgroup(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const SOURCE: u32 = 1;
    const NOT_SOURCE: u32 = 2;
    const DESTINATION: u32 = 4;
    const NOT_DESTINATION: u32 = 8;
    let (flags, source, destination) = (info.u32()?, info.u32_range()?, info.u32_range()?);
    known(flags, SOURCE | NOT_SOURCE | DESTINATION | NOT_DESTINATION)?;
    let mut words = Words::new();
    for (bit, not, option, (group, mask)) in [
        (SOURCE, NOT_SOURCE, "--src-group", source),
        (DESTINATION, NOT_DESTINATION, "--dst-group", destination),
    ] {
        if flags & bit != 0 {
            words.put(flags & not != 0, option, masked(group, mask));
        }
    }
    Ok(words)
}

/// `struct xt_realm_info`
pub(super) fn realm(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (id, mask) = info.u32_range()?;
    let mut words = Words::new();
    words.put(info.truth()?, "--realm", masked(id, mask));
    Ok(words)
}

/// `struct xt_rpfilter_info`
pub(super) fn rpfilter(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let flags = [(1, "--loose"), (2, "--validmark"), (4, "--accept-local"), (8, "--invert")];
    let mut words = Words::new();
    words.flags(info.u8()?.into(), &flags)?;
    Ok(words)
}

/// `struct xt_cluster_match_info`
pub(super) fn cluster(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let ((nodes, mask), (seed, flags)) = (info.u32_range()?, info.u32_range()?);
    known(flags, 1)?;
    let mut words = Words::new();
    words.put(flags != 0, "--cluster-local-nodemask", format_args!("{mask:#010x}"));
    words.put(false, "--cluster-total-nodes", nodes);
    words.put(false, "--cluster-hash-seed", format_args!("{seed:#010x}"));
    Ok(words)
}
