//! Marks of packets and connections, and comments: `mark`, `connmark`, `comment`; `MARK`, `CONNMARK`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, masked};

const COMMENT: usize = 256;

/// `struct xt_mark_mtinfo1` and `struct xt_connmark_mtinfo1`.
pub(super) fn mark_match(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (value, mask) = info.u32_range()?;
    let mut words = Words::new();
    words.put(info.truth()?, "--mark", masked(value, mask));
    Ok(words)
}

/// `struct xt_comment_info`
pub(super) fn comment(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    words.put(false, "--comment", info.text(COMMENT)?);
    Ok(words)
}

/// `struct xt_mark_tginfo2`
pub(super) fn set_mark(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (value, mask) = info.u32_range()?;
    let mut words = Words::new();
    words.put(false, "--set-xmark", format_args!("{value:#x}/{mask:#x}"));
    Ok(words)
}

/// `struct xt_connmark_tginfo1`, and `2` with a shift.
pub(super) fn connmark(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (value, ctmask) = info.u32_range()?;
    let nfmask = info.u32()?;
    let (right, shift) = match info.revision {
        1 => (0, 0),
        _ => (info.u8()?, info.u8()?),
    };
    let mut words = Words::new();
    match info.u8()? {
        0 => words.put(false, "--set-xmark", format_args!("{value:#x}/{ctmask:#x}")),
        mode @ (1 | 2) => {
            words.flag(false, if mode == 1 { "--save-mark" } else { "--restore-mark" });
            words.put(false, "--nfmask", format_args!("{nfmask:#x}"));
            words.put(false, "--ctmask", format_args!("{ctmask:#x}"));
        }
        _ => return Err(Flaw::Value),
    }
    if shift != 0 {
        let option = match right {
            0 => "--left-shift-mark",
            1 => "--right-shift-mark",
            _ => return Err(Flaw::Value),
        };
        words.put(false, option, shift);
    }
    Ok(words)
}
