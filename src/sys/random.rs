//! Random numbers from the kernel: getrandom(2).

use std::io;

/// A number that nobody else draws, as far as 32 bits go: for names that must not meet.
///
/// # Errors
/// Where the kernel has none to give (before Linux 3.17).
pub fn random_number() -> io::Result<u32> {
    let mut bytes = [0_u8; 4];
    loop {
        // SAFETY: `bytes` is writable for its length, and the call writes no more than that.
        let got = unsafe { nix::libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        match usize::try_from(got) {
            // Up to 256 bytes come whole.
            Ok(length) if length == bytes.len() => return Ok(u32::from_ne_bytes(bytes)),
            Ok(_) => {}
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}
