//! What a rule that comes asks of the table beside its chain.

use super::change::renewed;
use super::draft::Draft;
use super::error::{Error, Refusal};
use super::sealed::Origin;
use crate::nft::Rule;
use crate::xtables::{Compiled, TPROXY_HOOK, TPROXY_TABLE, companion_chain, deciding_map};

impl Draft<'_> {
    /// Checks and notes all of it.
    pub(super) fn prepare(
        &mut self,
        chain: &str,
        rule: &Compiled,
        origin: Origin,
    ) -> Result<(), Error> {
        self.check_place(chain, rule, origin)?;
        self.renew_map(&rule.rule, origin)?;
        self.note_lists(chain, rule, origin)
    }

    /// A target that xtables takes in one table and below one hook only: the kernel would take its
    /// native form in others too.
    fn check_place(&self, chain: &str, rule: &Compiled, origin: Origin) -> Result<(), Error> {
        let hooked = self.table.builtin(chain).is_some();
        let fits = self.table.name == TPROXY_TABLE && (!hooked || chain == TPROXY_HOOK);
        if fits || companion_chain(&rule.rule).is_none() {
            return Ok(());
        }
        Err(Error::Refused(vec![Refusal {
            deed: origin.deed,
            line: origin.line,
            chain: chain.to_owned(),
            errno: nix::errno::Errno::EINVAL as i32,
            reason: format!(
                "TPROXY is for the table {TPROXY_TABLE}, for {TPROXY_HOOK} and the chains it calls"
            ),
        }]))
    }

    /// A rule that comes has counted nothing, nor has the map that decides for it: one of the same
    /// words may have left it.
    pub(super) fn renew_map(&mut self, rule: &Rule, origin: Origin) -> Result<(), Error> {
        let Some(map) = deciding_map(rule).filter(|_| !self.is_cleared()) else {
            return Ok(());
        };
        self.depends = true;
        let changes = renewed(self.kernel, &self.id, map)?;
        if !self.renewed.iter().any(|(known, _)| changes.contains(known)) {
            self.renewed.extend(changes.into_iter().map(|change| (change, origin)));
        }
        Ok(())
    }
}
