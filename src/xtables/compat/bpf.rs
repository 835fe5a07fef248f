//! The match `bpf`: a program in the classic form, or the path of a pinned one.

use std::fmt::Write;

use super::error::Flaw;
use super::info::Info;
use super::option::Words;

const INSTRUCTIONS: usize = 64;
const INSTRUCTION: usize = 8;

/// `struct xt_bpf_info` and `xt_bpf_info_v1`.
pub(super) fn bpf(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mode = if info.revision == 0 { 0 } else { info.u16()? };
    let count = usize::from(info.u16()?);
    if info.revision > 0 {
        info.u32()?; // the descriptor that the program was loaded with, of a process long gone
    }
    let mut words = Words::new();
    match mode {
        0 => words.put(false, "--bytecode", bytecode(info, count)?),
        1 | 2 => {
            let path = info.text(INSTRUCTIONS * INSTRUCTION)?;
            words.put(false, "--object-pinned", path);
        }
        _ => return Err(Flaw::Value),
    }
    Ok(words)
}

fn bytecode(info: &mut Info<'_>, count: usize) -> Result<String, Flaw> {
    if count > INSTRUCTIONS {
        return Err(Flaw::Value);
    }
    let mut text = count.to_string();
    info.align(4);
    for _ in 0..count {
        let (code, on_true, on_false, operand) = (info.u16()?, info.u8()?, info.u8()?, info.u32()?);
        // Writing to a String cannot fail.
        let _ = write!(text, ",{code} {on_true} {on_false} {operand}");
    }
    info.skip((INSTRUCTIONS - count) * INSTRUCTION)?;
    Ok(text)
}
