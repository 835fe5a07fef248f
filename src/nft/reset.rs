//! Counts set back to zero.

use nix::errno::Errno;

use super::error::Error;
use super::kernel::Kernel;
use super::read::found;
use super::request::Kind;
use super::{Listed, Name, Rule, TableId};
use crate::netlink::{self, Answer};

impl Kernel {
    /// Sets the counters and quotas of the rules of a table, or of one of its chains, back to
    /// zero, and returns the rules with what they had counted: `reset rules`, which is not in
    /// nft 1.0.6. A dump that is disturbed is begun again, and what the first one has reset is
    /// lost then.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before Linux 6.2, [`Error::Netlink`] otherwise.
    pub fn reset_rules(
        &mut self,
        table: &TableId,
        chain: Option<&Name>,
    ) -> Result<Vec<(Name, Listed<Rule>)>, Error> {
        match self.dump_rules(Kind::RULE_RESET, table, chain) {
            // The kernel knows no message of this number.
            Err(Error::Netlink(netlink::Error::Refused(refusal)))
                if refusal.errno == Errno::EINVAL as i32 =>
            {
                Err(reset_unsupported())
            }
            other => other,
        }
    }

    /// As [`Kernel::reset_rules`] for one rule; `None` if it is not there.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before Linux 6.2, [`Error::Netlink`] otherwise.
    pub fn reset_rule(
        &mut self,
        table: &TableId,
        chain: &Name,
        handle: u64,
    ) -> Result<Option<Listed<Rule>>, Error> {
        let answers = self.ask_for_rule(Kind::RULE_RESET, table, chain, handle, Rule::decode)?;
        match answers.as_slice() {
            [Answer::Refused(refusal)] if refusal.errno == Errno::EINVAL as i32 => {
                Err(reset_unsupported())
            }
            _ => Ok(found(answers)?.into_iter().flatten().next().map(|(_, rule)| rule)),
        }
    }
}

fn reset_unsupported() -> Error {
    Error::Unsupported { feature: "reset of the counters of rules", needs: "Linux 6.2" }
}
