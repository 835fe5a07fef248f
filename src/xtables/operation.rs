//! A command of iptables(8): the operation, the table, how to print, and the rules.

use super::compile::{Compiled, Counters};
use crate::net::IpVersion;

/// What `iptables` was called to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// `iptables` or `ip6tables`, or as `-4` and `-6` say.
    pub version: IpVersion,
    /// `-t`, the last one; `filter` without it.
    pub table: String,
    /// Whether there was a `-t`.
    pub names_table: bool,
    /// What to do.
    pub operation: Operation,
    /// How to print.
    pub style: PrintStyle,
}

/// What to do. Chains are names as they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `-A CHAIN`: the rules go to the end.
    Append {
        /// The chain.
        chain: String,
        /// The rules.
        rules: Vec<Compiled>,
    },
    /// `-I CHAIN [NUMBER]`: the first of them gets this number.
    Insert {
        /// The chain.
        chain: String,
        /// The rule's number, from 1.
        number: u32,
        /// The rules.
        rules: Vec<Compiled>,
    },
    /// `-R CHAIN NUMBER`.
    Replace {
        /// The chain.
        chain: String,
        /// The rule's number, from 1.
        number: u32,
        /// The rule.
        rule: Box<Compiled>,
    },
    /// `-D CHAIN` with the rule itself.
    Delete {
        /// The chain.
        chain: String,
        /// The rules.
        rules: Vec<Compiled>,
    },
    /// `-D CHAIN NUMBER`.
    DeleteNumber {
        /// The chain.
        chain: String,
        /// The rule's number, from 1.
        number: u32,
    },
    /// `-C CHAIN`.
    Check {
        /// The chain.
        chain: String,
        /// The rules.
        rules: Vec<Compiled>,
    },
    /// `-L [CHAIN [NUMBER]]`, then `-Z` of the same if asked for.
    List {
        /// The chain.
        chain: Option<String>,
        /// The rule's number, from 1.
        number: Option<u32>,
        /// Whether to zero the counters too.
        zero: bool,
    },
    /// `-S [CHAIN [NUMBER]]`, then `-Z` of the same if asked for.
    ListRules {
        /// The chain.
        chain: Option<String>,
        /// The rule's number, from 1.
        number: Option<u32>,
        /// Whether to zero the counters too.
        zero: bool,
    },
    /// `-F [CHAIN]`.
    Flush {
        /// The chain.
        chain: Option<String>,
    },
    /// `-Z [CHAIN [NUMBER]]`.
    Zero {
        /// The chain.
        chain: Option<String>,
        /// The rule's number, from 1.
        number: Option<u32>,
    },
    /// `-N CHAIN`.
    NewChain {
        /// The chain.
        chain: String,
    },
    /// `-X [CHAIN]`.
    DeleteChain {
        /// The chain.
        chain: Option<String>,
    },
    /// `-P CHAIN TARGET`; the target as it was given.
    Policy {
        /// The chain.
        chain: String,
        /// The policy as it was given.
        target: String,
        /// `-c`.
        counters: Option<Counters>,
    },
    /// `-E OLD NEW`.
    Rename {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// `-V`.
    Version,
    /// `-h`.
    Help,
}

/// How to print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrintStyle {
    /// `-v`, how often.
    pub verbose: u8,
    /// `-n`.
    pub numeric: bool,
    /// `-x`.
    pub exact: bool,
    /// `--line-numbers`.
    pub line_numbers: bool,
}
