//! A rule's bytecode as libnftnl prints it: the text of `nft --debug=netlink list ruleset`.
//!
//! libnftnl decodes our messages here on its own, so this is also what our encoder is checked
//! against.

use std::ffi::CStr;

use nftnl::nftnl_sys;

/// libnftnl did not take the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BytecodeError {
    /// Out of memory.
    #[error("libnftnl cannot allocate a rule")]
    Allocate,
    /// Not a rule, or one with an expression that this libnftnl does not know.
    #[error("libnftnl cannot parse the rule: errno {errno}")]
    Parse {
        /// What it left in errno.
        errno: i32,
    },
}

/// Prints one `NFT_MSG_NEWRULE` message, netlink header included, one expression a line.
///
/// # Errors
/// [`BytecodeError`] if libnftnl cannot read it.
pub fn bytecode(message: &[u8]) -> Result<String, BytecodeError> {
    let mut words = vec![0u32; message.len().div_ceil(4)];
    for (word, bytes) in words.iter_mut().zip(message.chunks(4)) {
        let mut full = [0; 4];
        full[..bytes.len()].copy_from_slice(bytes);
        *word = u32::from_ne_bytes(full);
    }
    let declared = words.first().copied().unwrap_or(0) as usize;
    if message.len() < 20 || declared > message.len() || declared < 20 {
        return Err(BytecodeError::Parse { errno: nix::libc::EINVAL });
    }
    // SAFETY: no arguments; null means out of memory.
    let rule = unsafe { nftnl_sys::nftnl_rule_alloc() };
    if rule.is_null() {
        return Err(BytecodeError::Allocate);
    }
    // SAFETY: the header is aligned and its declared length lies inside `words`; `rule` is ours.
    let parsed = unsafe { nftnl_sys::nftnl_rule_nlmsg_parse(words.as_ptr().cast(), rule) };
    let result = if parsed < 0 {
        Err(BytecodeError::Parse { errno: nix::errno::Errno::last_raw() })
    } else {
        let mut text = vec![0u8; 16 * 1024];
        // SAFETY: `text` is writable for its length; snprintf ends it with a NUL inside that.
        unsafe { nftnl_sys::nftnl_rule_snprintf(text.as_mut_ptr().cast(), text.len(), rule, 0, 0) };
        let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
        Ok(text.to_string_lossy().into_owned())
    };
    // SAFETY: allocated above, freed once, not used again.
    unsafe { nftnl_sys::nftnl_rule_free(rule) };
    result
}
