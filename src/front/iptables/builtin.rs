//! The tables of iptables and the chains that they begin with, as iptables-nft makes them.

use crate::nft::{AnyChain, BaseChain, ChainKind, Hook, Name, Policy, Userdata};

/// A table of iptables: `ip filter`, `ip6 nat`, ….
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// In the order that iptables lists them.
    pub(super) chains: &'static [Builtin],
}

/// A chain that a hook calls.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    kind: ChainKind,
    hook: Hook,
    /// `NF_IP_PRI_*` of linux/netfilter_ipv4.h.
    priority: i32,
}

impl Builtin {
    const fn new(name: &'static str, kind: ChainKind, hook: Hook, priority: i32) -> Self {
        Builtin { name, kind, hook, priority }
    }

    /// `type filter hook input priority filter; policy accept;`
    pub(super) fn base_chain(&self, policy: Policy) -> BaseChain {
        BaseChain {
            name: Name::literal(self.name),
            kind: self.kind.clone(),
            hook: self.hook,
            priority: self.priority,
            policy,
            device: None,
            userdata: Userdata::new(),
        }
    }

    /// Whether a chain of this name is the one that iptables means.
    pub(super) fn is(&self, chain: &AnyChain) -> bool {
        match chain {
            AnyChain::Base(chain) => {
                chain.name.as_str() == self.name
                    && chain.kind == self.kind
                    && chain.hook == self.hook
                    && chain.priority == self.priority
            }
            AnyChain::Regular(_) => false,
        }
    }
}

use ChainKind::{Filter, Nat, Route};
use Hook::{Forward, Input, Output, Postrouting, Prerouting};

/// All tables, in the order of iptables-save.
pub(super) static TABLES: [Table; 5] = [
    Table {
        name: "mangle",
        chains: &[
            Builtin::new("PREROUTING", Filter, Prerouting, -150),
            Builtin::new("INPUT", Filter, Input, -150),
            Builtin::new("FORWARD", Filter, Forward, -150),
            Builtin::new("OUTPUT", Route, Output, -150),
            Builtin::new("POSTROUTING", Filter, Postrouting, -150),
        ],
    },
    Table {
        name: "security",
        chains: &[
            Builtin::new("INPUT", Filter, Input, 50),
            Builtin::new("FORWARD", Filter, Forward, 50),
            Builtin::new("OUTPUT", Filter, Output, 50),
        ],
    },
    Table {
        name: "raw",
        chains: &[
            Builtin::new("PREROUTING", Filter, Prerouting, -300),
            Builtin::new("OUTPUT", Filter, Output, -300),
        ],
    },
    Table {
        name: "filter",
        chains: &[
            Builtin::new("INPUT", Filter, Input, 0),
            Builtin::new("FORWARD", Filter, Forward, 0),
            Builtin::new("OUTPUT", Filter, Output, 0),
        ],
    },
    Table {
        name: "nat",
        chains: &[
            Builtin::new("PREROUTING", Nat, Prerouting, -100),
            Builtin::new("INPUT", Nat, Input, 100),
            Builtin::new("OUTPUT", Nat, Output, -100),
            Builtin::new("POSTROUTING", Nat, Postrouting, 100),
        ],
    },
];

impl Table {
    /// The table of a name.
    pub(super) fn find(name: &str) -> Option<&'static Table> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// The chain of a name, if it is one that a hook calls.
    pub(super) fn builtin(&self, name: &str) -> Option<&'static Builtin> {
        self.chains.iter().find(|chain| chain.name == name)
    }
}
