//! Numbers as iptables reads them: strtoul(3) with base 0.

/// Reads `80`, `0x50` or `0120`; no sign, no blanks, nothing behind it.
pub(super) fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Reads a number of 8 bits.
pub(super) fn number8(text: &str) -> Option<u8> {
    u8::try_from(number(text)?).ok()
}

/// Reads a number of 16 bits.
pub(super) fn number16(text: &str) -> Option<u16> {
    u16::try_from(number(text)?).ok()
}

/// Reads a number of 32 bits.
pub(super) fn number32(text: &str) -> Option<u32> {
    u32::try_from(number(text)?).ok()
}
