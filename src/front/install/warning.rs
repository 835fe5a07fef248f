//! What to know before the programs for iptables are in the place of others.

use std::fmt::Display;
use std::io::Write;

use super::error::Error;
use crate::front::Refused;

/// Not more findings than these; the rest is counted.
const MOST: usize = 10;

/// Warns of what these programs would refuse; says nothing where there is nothing.
///
/// That it cannot be known is a warning too: installing needs no rights over the network.
///
/// # Errors
/// [`Error::Write`].
pub fn warn(found: &Result<Refused, impl Display>, err: &mut impl Write) -> Result<(), Error> {
    for line in lines(found) {
        writeln!(err, "portcullis: warning: {line}")?;
    }
    Ok(())
}

/// What there is to say, line by line.
pub(super) fn lines(found: &Result<Refused, impl Display>) -> Vec<String> {
    let refused = match found {
        Ok(refused) if refused.is_empty() => return Vec::new(),
        Ok(refused) => refused,
        Err(error) => {
            let text = format!(
                "what these programs would refuse of the rules that are there is not known: {error}"
            );
            return vec![text];
        }
    };
    let rules = refused.rules.iter().map(ToString::to_string);
    let mut all: Vec<String> = rules.chain(refused.lines.iter().map(ToString::to_string)).collect();
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    let heading = "these programs refuse what follows, which is in force or loaded when the host \
                   starts; a table of a file is loaded with all its lines or not at all";
    let end = match more {
        0 => "before the host starts again or loads its rules anew, change them: `portcullis \
              doctor`"
            .to_owned(),
        more => format!(
            "and {more} more; before the host starts again or loads its rules anew, change them: \
             `portcullis doctor` lists all"
        ),
    };
    [heading.to_owned()].into_iter().chain(all).chain([end]).collect()
}
