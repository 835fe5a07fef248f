//! Names for the host's ends of veth pairs.

use super::error::Error;
use crate::net::IfName;
use crate::sys::random_number;

/// How many names are tried. With a million of them taken, one in four thousand draws is.
pub(super) const ATTEMPTS: u32 = 10;

/// Draws a name: `veth` and eight digits in hex.
pub(super) fn veth_name() -> Result<IfName, Error> {
    let number = random_number().map_err(Error::Random)?;
    IfName::new(&format!("veth{number:08x}"))
        .map_err(|_| Error::Malformed { what: "a drawn name that none can have" })
}
