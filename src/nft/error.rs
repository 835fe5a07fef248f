//! What can go wrong with nf_tables.

use crate::netlink;

/// A failed read or commit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The exchange with the kernel failed.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    /// The caller may neither read nor change the firewall of this network namespace.
    #[error(
        "not permitted to use nf_tables: CAP_NET_ADMIN is needed in the user namespace that owns this network namespace"
    )]
    NotPermitted,
    /// The kernel lacks something.
    #[error("this kernel has no {feature}: it needs {needs}")]
    Unsupported {
        /// What is missing.
        feature: &'static str,
        /// The configuration option or version that has it.
        needs: &'static str,
    },
    /// The kernel refused a batch; nothing was changed.
    #[error("{}", refused(.0))]
    Refused(Vec<RefusedChange>),
    /// What was read was never twice the same.
    #[error("nf_tables kept changing while it was read, {attempts} times")]
    Unsteady {
        /// How often it was tried.
        attempts: u32,
    },
}

impl From<netlink::Malformed> for Error {
    fn from(malformed: netlink::Malformed) -> Self {
        Error::Netlink(malformed.into())
    }
}

/// One change of a batch that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedChange {
    /// The change in nft syntax: `add element inet portcullis hostports4 { tcp . 8080 }`.
    pub change: String,
    /// Why.
    pub reason: netlink::Refusal,
    /// Its place in the transaction; none where it is about the batch as a whole.
    pub place: Option<usize>,
    /// Whether the change was to add something whose type the kernel may lack.
    pub(crate) needs_a_type: bool,
}

impl RefusedChange {
    /// What the kernel lacks, if the refusal says that it lacks something.
    #[must_use]
    pub fn missing_feature(&self) -> Option<(&'static str, &'static str)> {
        match nix::errno::Errno::from_raw(self.reason.errno) {
            nix::errno::Errno::ENOENT if self.needs_a_type => Some((
                "type of chain, expression or object that this is",
                "Linux 5.2 with CONFIG_NFT_NAT, CONFIG_NFT_MASQ, CONFIG_NFT_FIB_INET, \
                 CONFIG_NFT_CT, CONFIG_NFT_COUNTER",
            )),
            nix::errno::Errno::EOPNOTSUPP | nix::errno::Errno::EAFNOSUPPORT => {
                Some(("support for this", "Linux 5.10 with CONFIG_NF_TABLES_INET"))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for RefusedChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "kernel refused {}: {}", self.change, self.reason)?;
        match self.missing_feature() {
            Some((feature, needs)) => {
                write!(f, " (this kernel has no {feature}: it needs {needs})")
            }
            None => Ok(()),
        }
    }
}

fn refused(changes: &[RefusedChange]) -> String {
    match changes {
        [] => "kernel refused the batch".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more of the batch)", rest.len()),
    }
}
