//! From an expression to words: finds the module, reads its structure, puts its name in front.

use super::error::{Error, Kind};
use super::expression::Module;
use super::info::Info;
use super::modules::{Found, find};
use crate::net::IpVersion;
use crate::nft::expr::Opaque;

/// The words that `iptables-save` (`ip6tables-save` for IPv6) prints for an expression of
/// nft_compat, as a shell would split them: `-m addrtype --dst-type LOCAL`,
/// `-j DNAT --to-destination 172.17.0.2:80`. A `!` is a word of its own in front of its option.
///
/// The version is that of the table: a structure does not tell which addresses it holds.
/// Numbers stay numbers where `iptables-save` looks for a name in a file of the machine
/// (`/etc/iproute2/rt_realms`, `/etc/iproute2/group`).
///
/// # Errors
/// [`Error::NotCompat`] and [`Error::Attributes`] where the expression is none of nft_compat,
/// [`Error::UnknownModule`] and [`Error::UnknownRevision`] with the module's name,
/// [`Error::Unnameable`] where the structure holds a number that only the kernel can resolve, and
/// [`Error::Malformed`] where it is short or holds what no known iptables writes.
pub fn words(expr: &Opaque, version: IpVersion) -> Result<Vec<String>, Error> {
    let Module { kind, name, revision, info } = Module::of(expr)?;
    let owned = || name.to_owned();
    let decode = match find(kind, name, revision) {
        Found::Decoder(decode) => decode,
        Found::Unnameable(reason) => {
            return Err(Error::Unnameable { kind, name: owned(), revision, reason });
        }
        Found::OtherRevision => {
            return Err(Error::UnknownRevision { kind, name: owned(), revision });
        }
        Found::Nothing => return Err(Error::UnknownModule { kind, name: owned(), revision }),
    };
    let options = decode(&mut Info::new(info, revision, version))
        .map_err(|reason| Error::Malformed { kind, name: owned(), revision, reason })?;
    let option = match kind {
        Kind::Match => "-m",
        Kind::Target => "-j",
    };
    let mut words = vec![option.to_owned(), options.alias.unwrap_or(name).to_owned()];
    words.extend(options.words);
    Ok(words)
}
