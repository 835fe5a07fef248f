//! Chains, and base chains: those that a hook of the network stack calls.

use super::expr::Counter;
use super::{Listed, Name, Userdata};
use crate::netlink::{Malformed, Message, MessageBuilder};

pub(super) const NFTA_CHAIN_TABLE: u16 = 1;
pub(super) const NFTA_CHAIN_HANDLE: u16 = 2;
pub(super) const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_POLICY: u16 = 5;
const NFTA_CHAIN_USE: u16 = 6;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_CHAIN_COUNTERS: u16 = 8;
const NFTA_CHAIN_USERDATA: u16 = 12;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;
const NFTA_HOOK_DEV: u16 = 3;

/// A chain that is reached by jumps: `add chain inet portcullis CNI-HOSTPORT-DNAT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name, unique in its table.
    pub name: Name,
    /// Comment and more.
    pub userdata: Userdata,
}

/// A chain that a hook calls:
/// `add chain inet portcullis prerouting { type nat hook prerouting priority dstnat; policy accept; }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseChain {
    /// Its name, unique in its table.
    pub name: Name,
    /// What its rules may do.
    pub kind: ChainKind,
    /// Where packets enter it.
    pub hook: Hook,
    /// Chains of one hook run from the lowest priority to the highest.
    pub priority: i32,
    /// The end of a packet that no rule decided on.
    pub policy: Policy,
    /// The device, for ingress and egress.
    pub device: Option<String>,
    /// Comment and more.
    pub userdata: Userdata,
}

/// The type of a base chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainKind {
    /// `filter`.
    Filter,
    /// `nat`: sees the first packet of a flow only.
    Nat,
    /// `route`: a changed mark makes the packet be routed again.
    Route,
    /// One without a name here.
    Other(String),
}

impl ChainKind {
    /// The kernel's and nft's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            ChainKind::Filter => "filter",
            ChainKind::Nat => "nat",
            ChainKind::Route => "route",
            ChainKind::Other(word) => word,
        }
    }
}

/// A hook of the network stack (`NF_INET_*`; `ingress` and `egress` of netdev tables share the
/// numbers of the first two there, which `Other` keeps).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hook {
    /// As a packet arrives, before routing.
    Prerouting,
    /// For this host.
    Input,
    /// For another host.
    Forward,
    /// Made on this host.
    Output,
    /// As a packet leaves.
    Postrouting,
    /// One without a name here.
    Other(u32),
}

impl Hook {
    fn number(self) -> u32 {
        match self {
            Hook::Prerouting => 0,
            Hook::Input => 1,
            Hook::Forward => 2,
            Hook::Output => 3,
            Hook::Postrouting => 4,
            Hook::Other(number) => number,
        }
    }

    fn from_number(number: u32) -> Self {
        match number {
            0 => Hook::Prerouting,
            1 => Hook::Input,
            2 => Hook::Forward,
            3 => Hook::Output,
            4 => Hook::Postrouting,
            number => Hook::Other(number),
        }
    }

    /// nft's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Forward => "forward",
            Hook::Output => "output",
            Hook::Postrouting => "postrouting",
            Hook::Other(_) => "ingress",
        }
    }
}

/// What becomes of a packet that no rule decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It passes.
    Accept,
    /// It is dropped.
    Drop,
}

impl Policy {
    /// nft's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Policy::Accept => "accept",
            Policy::Drop => "drop",
        }
    }

    pub(super) fn encode(self, message: &mut MessageBuilder) {
        let number = match self {
            Policy::Drop => 0,
            Policy::Accept => 1,
        };
        message.put_be32(NFTA_CHAIN_POLICY, number);
    }
}

impl Chain {
    /// A chain without a comment.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Chain { name, userdata: Userdata::new() }
    }

    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        message.put_str(NFTA_CHAIN_NAME, self.name.as_str());
        put_userdata(&self.userdata, message);
    }
}

fn put_userdata(userdata: &Userdata, message: &mut MessageBuilder) {
    if !userdata.is_empty() {
        message.put(NFTA_CHAIN_USERDATA, &userdata.encode());
    }
}

impl BaseChain {
    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        message.put_str(NFTA_CHAIN_NAME, self.name.as_str());
        let hook = message.nest(NFTA_CHAIN_HOOK);
        message.put_be32(NFTA_HOOK_HOOKNUM, self.hook.number());
        message.put_be32(NFTA_HOOK_PRIORITY, self.priority.cast_unsigned());
        if let Some(device) = &self.device {
            message.put_str(NFTA_HOOK_DEV, device);
        }
        message.end(hook);
        self.policy.encode(message);
        message.put_str(NFTA_CHAIN_TYPE, self.kind.as_str());
        put_userdata(&self.userdata, message);
    }
}

/// A chain as the kernel lists it: one of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyChain {
    /// Called by a hook.
    Base(BaseChain),
    /// Reached by jumps.
    Regular(Chain),
}

impl AnyChain {
    pub(super) fn decode(message: &Message<'_>) -> Result<Self, Malformed> {
        let attributes = message.attributes();
        let name = attributes.need(NFTA_CHAIN_NAME, "chain without a name")?.text()?;
        let name = super::rule::name(name)?;
        let userdata = attributes.find(NFTA_CHAIN_USERDATA);
        let userdata = userdata.map(|data| Userdata::decode(data.value)).unwrap_or_default();
        let Some(hook) = attributes.find(NFTA_CHAIN_HOOK) else {
            return Ok(AnyChain::Regular(Chain { name, userdata }));
        };
        let number = hook.nested().need(NFTA_HOOK_HOOKNUM, "hook without a number")?.be32()?;
        let priority = hook.nested().need(NFTA_HOOK_PRIORITY, "hook without priority")?.be32()?;
        let device = match hook.nested().find(NFTA_HOOK_DEV) {
            Some(device) => Some(device.text()?.to_owned()),
            None => None,
        };
        let policy = match attributes.find(NFTA_CHAIN_POLICY) {
            Some(policy) if policy.be32()? == 0 => Policy::Drop,
            Some(_) | None => Policy::Accept,
        };
        let kind = match attributes.find(NFTA_CHAIN_TYPE) {
            Some(kind) => match kind.text()? {
                "filter" => ChainKind::Filter,
                "nat" => ChainKind::Nat,
                "route" => ChainKind::Route,
                other => ChainKind::Other(other.to_owned()),
            },
            None => ChainKind::Filter,
        };
        Ok(AnyChain::Base(BaseChain {
            name,
            kind,
            hook: Hook::from_number(number),
            priority: priority.cast_signed(),
            policy,
            device,
            userdata,
        }))
    }

    /// The chain's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            AnyChain::Base(chain) => &chain.name,
            AnyChain::Regular(chain) => &chain.name,
        }
    }
}

/// What the kernel keeps of a chain besides what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainUsage {
    /// The chain.
    pub chain: Listed<AnyChain>,
    /// How many rules it has, and how many rules and elements jump to it, in one number.
    pub uses: u32,
    /// What came to the policy of a base chain that counts.
    pub counter: Option<Counter>,
}

impl ChainUsage {
    pub(super) fn decode(message: &Message<'_>) -> Result<Self, Malformed> {
        let attributes = message.attributes();
        let counter = attributes.find(NFTA_CHAIN_COUNTERS);
        Ok(ChainUsage {
            chain: listed(message)?,
            uses: attributes.need(NFTA_CHAIN_USE, "chain without its uses")?.be32()?,
            counter: counter.map(|counter| Counter::read(counter.nested())).transpose()?,
        })
    }
}

/// A chain with its handle.
pub(super) fn listed(message: &Message<'_>) -> Result<Listed<AnyChain>, Malformed> {
    let handle = message.attributes().need(NFTA_CHAIN_HANDLE, "chain without a handle")?.be64()?;
    Ok(Listed { handle, value: AnyChain::decode(message)? })
}

/// What a base chain is to have counted.
pub(super) fn put_counters(counter: &Counter, message: &mut MessageBuilder) {
    let counters = message.nest(NFTA_CHAIN_COUNTERS);
    counter.put(message);
    message.end(counters);
}
