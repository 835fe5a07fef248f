//! Looking for a rule among thousands: by bytes first, by meaning where bytes cannot say.

use super::compile::Compiled;
use super::same::same;
use super::shape::Shape;
use crate::net::IpVersion;
use crate::nft::{self, Expr, RawRule, Rule};

/// What a rule must be to be the one that `-C` and `-D` mean.
#[derive(Debug)]
pub struct Pattern<'a> {
    rule: &'a Compiled,
    version: IpVersion,
    /// Its expressions as the kernel sends them, and where in them its counts are.
    exprs: Vec<u8>,
    counts: std::ops::Range<usize>,
    /// Their sum without the counts.
    sum: u32,
    userdata: Vec<u8>,
    /// Whether the kernel lists it as it was sent, but for the counts.
    is_constant: bool,
}

impl<'a> Pattern<'a> {
    /// The pattern of one rule.
    #[must_use]
    pub fn new(rule: &'a Compiled, version: IpVersion) -> Self {
        let exprs = rule.rule.encode_expressions();
        let counter = rule.rule.exprs.iter().position(|expr| matches!(expr, Expr::Counter(_)));
        let length = |exprs: &[Expr]| Rule::new(exprs.to_vec()).encode_expressions().len();
        let counts = match counter {
            Some(at) => length(&rule.rule.exprs[..at])..length(&rule.rule.exprs[..=at]),
            None => 0..0,
        };
        let is_constant = rule.rule.exprs.iter().all(is_constant);
        let userdata = rule.rule.userdata.encode();
        let sum = sum(&exprs, &counts);
        Pattern { rule, version, exprs, counts, sum, userdata, is_constant }
    }

    /// Whether a listed rule is the one.
    ///
    /// # Errors
    /// [`nft::Error::Netlink`] for what the kernel would not send.
    pub fn is(&self, rule: &RawRule) -> Result<bool, nft::Error> {
        if self.is_same_bytes(rule) {
            return Ok(true);
        }
        if !self.may_be(&rule.exprs, &rule.userdata) {
            return Ok(false);
        }
        Ok(same(self.rule, &rule.decode()?.value, self.version))
    }

    /// Whether a listed rule may be the one: a glance at its expressions and userdata, undecoded.
    #[must_use]
    pub fn may_be(&self, exprs: &[u8], userdata: &[u8]) -> bool {
        !self.is_constant || self.is_permutation(exprs) || !Shape::is_in(userdata)
    }

    /// Whether the bytes may be the same in another order. Rules of ours with the same meaning
    /// are: only options may stand in another order.
    fn is_permutation(&self, exprs: &[u8]) -> bool {
        exprs.len() == self.exprs.len() && sum(exprs, &self.counts) == self.sum
    }

    fn is_same_bytes(&self, rule: &RawRule) -> bool {
        rule.exprs.len() == self.exprs.len()
            && rule.userdata == self.userdata
            && rule.exprs.get(..self.counts.start) == self.exprs.get(..self.counts.start)
            && rule.exprs.get(self.counts.end..) == self.exprs.get(self.counts.end..)
    }
}

/// The sum of all bytes but the counts.
fn sum(exprs: &[u8], counts: &std::ops::Range<usize>) -> u32 {
    let sum =
        |bytes: Option<&[u8]>| bytes.unwrap_or_default().iter().map(|b| u32::from(*b)).sum::<u32>();
    sum(exprs.get(..counts.start)) + sum(exprs.get(counts.end..))
}

/// Whether the kernel lists an expression with the bytes that were sent. Others it numbers (sets),
/// uses up (quotas) or lists in another form (`reject`, writes of `exthdr`).
fn is_constant(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Payload(_)
            | Expr::Meta(_)
            | Expr::Cmp(_)
            | Expr::Range(_)
            | Expr::Bitwise(_)
            | Expr::Byteorder(_)
            | Expr::Ct(_)
            | Expr::Fib(_)
            | Expr::Immediate(_)
            | Expr::Counter(_)
            | Expr::Nat(_)
            | Expr::Masquerade(_)
            | Expr::Redirect(_)
            | Expr::Notrack(_)
    )
}
