//! Errors of a CNI call, and the one map from them to the codes that runtimes see.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::version::CniVersion;
use crate::attachment::{self, Fault, NetnsError};
use crate::firewall::InvalidCondition;
use crate::ipam::{self, InvalidRanges, Refusal};
use crate::net::{InvalidMac, InvalidName, InvalidVlanId};

/// What makes a call fail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Variables that the command needs are missing or empty.
    #[error("required env variables [{}] missing", .names.join(","))]
    MissingVariables {
        /// Their names, in the order of the specification.
        names: Vec<&'static str>,
    },
    /// A variable is not UTF-8.
    #[error("{name} is not UTF-8")]
    NotUtf8 {
        /// Its name.
        name: &'static str,
    },
    /// `CNI_COMMAND` is none of the specification's.
    #[error("unknown CNI_COMMAND: {command}")]
    UnknownCommand {
        /// What it is.
        command: String,
    },
    /// A container id, interface or network name that is against the rules.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Standard input could not be read.
    #[error("error reading from stdin: {0}")]
    Stdin(#[source] std::io::Error),
    /// The result could not be written.
    #[error("error writing to stdout: {0}")]
    Stdout(#[source] std::io::Error),
    /// The configuration is no JSON, or no object.
    #[error("error unmarshall network config: {reason}")]
    Json {
        /// What is wrong, and where.
        reason: String,
    },
    /// A key has a value of the wrong type.
    #[error("failed to parse config: {key}: expected {expected}, found {found}")]
    Type {
        /// The key, with its place: `runtimeConfig.portMappings[0].hostPort`.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A key has a value that makes no sense.
    #[error("failed to parse config: {key}: {reason}")]
    Value {
        /// The key, with its place.
        key: String,
        /// Why not.
        reason: String,
    },
    /// A port number that is none. The text is the portmap plugin's.
    #[error("failed to parse config: Invalid {which} port number: {number}")]
    PortNumber {
        /// `host` or `container`.
        which: &'static str,
        /// The number.
        number: i64,
    },
    /// Both ways to name the mark.
    #[error("failed to parse config: Cannot specify externalSetMarkChain and markMasqBit")]
    TwoMarks,
    /// The back end that was asked for does not exist.
    #[error("failed to parse config: unrecognized backend {backend:?}")]
    Backend {
        /// What was asked for.
        backend: String,
    },
    /// A condition that cannot be translated.
    #[error("failed to parse config: {key}: {cause}")]
    Conditions {
        /// `conditionsV4` or `conditionsV6`.
        key: &'static str,
        /// Why.
        cause: Box<InvalidCondition>,
    },
    /// The version of the specification is not supported.
    #[error("incompatible CNI versions")]
    IncompatibleVersion {
        /// What was asked for.
        asked: String,
        /// What is supported.
        supported: Vec<CniVersion>,
    },
    /// The version has no such command.
    #[error("config version does not allow {command}")]
    CommandTooNew {
        /// The command.
        command: &'static str,
    },
    /// The result of the plugin before cannot be understood.
    #[error("could not parse prevResult: {reason}")]
    PrevResult {
        /// Why.
        reason: String,
    },
    /// The result of a plugin that was delegated to cannot be understood.
    #[error("could not parse the delegated plugin's result: {reason}")]
    DelegatedResult {
        /// Why.
        reason: String,
    },
    /// There is no result of a plugin before.
    #[error("{}", match *.command { "CHECK" => "Required prevResult missing", _ => "must be called as chained plugin" })]
    NoPrevResult {
        /// The command.
        command: &'static str,
    },
    /// There is no result of a plugin before; the text is the firewall plugin's.
    #[error("missing prevResult from earlier plugin")]
    NoEarlierResult,
    /// An `ingressPolicy` that does not exist. The text is the firewall plugin's.
    #[error("unknown ingress policy: {policy:?}")]
    IngressPolicy {
        /// What was asked for.
        policy: String,
    },
    /// An `ingressPolicy` needs to know the bridge. The text is the firewall plugin's.
    #[error(
        "interface needs to be set for ingress policy {policy:?}, make sure to chain \"firewall\" plugin with \"bridge\""
    )]
    NoBridge {
        /// The policy.
        policy: String,
    },
    /// `CNI_NETNS` is no foreign network namespace.
    #[error(transparent)]
    Netns(#[from] NetnsError),
    /// There is no `ipam`.
    #[error("IPAM config missing 'ipam' key")]
    NoIpam,
    /// The ranges make no sense. The text is the host-local plugin's.
    #[error(transparent)]
    Ranges(#[from] InvalidRanges),
    /// Results before 0.3.0 have one address of each IP version.
    #[error("CNI version {version} does not support more than 1 address per family")]
    OneAddressPerFamily {
        /// The configuration's version.
        version: CniVersion,
    },
    /// A part of `CNI_ARGS` is no pair.
    #[error("ARGS: invalid pair {pair:?}")]
    ArgsPair {
        /// The part.
        pair: String,
    },
    /// A value in `CNI_ARGS` makes no sense.
    #[error("ARGS: error parsing value of pair {pair:?}: {reason}")]
    ArgsValue {
        /// Key and value.
        pair: String,
        /// Why not.
        reason: String,
    },
    /// `CNI_ARGS` has keys that the plugin does not know, without `IgnoreUnknown=1`.
    #[error("ARGS: unknown args {}", quoted(.pairs))]
    ArgsUnknown {
        /// Keys and values.
        pairs: Vec<String>,
    },
    /// `resolvConf` cannot be read.
    #[error("cannot read {}", .path.display())]
    ResolvConf {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Addresses could not be given or taken back.
    #[error(transparent)]
    Ipam(#[from] ipam::Error),
    /// Keys of a bridge's configuration that exclude each other. The text is the bridge plugin's.
    #[error("{why}")]
    Contradiction {
        /// Which, and why.
        why: &'static str,
    },
    /// The masquerading back end that was asked for does not exist.
    #[error("unknown ipmasq backend {backend:?}")]
    MasqueradeBackend {
        /// What was asked for.
        backend: String,
    },
    /// A VLAN trunk that makes no sense. The text is the bridge plugin's.
    #[error("{why}")]
    VlanTrunk {
        /// Why.
        why: String,
    },
    /// A number that no VLAN has.
    #[error(transparent)]
    Vlan(#[from] InvalidVlanId),
    /// A hardware address that is none. The text is the bridge plugin's.
    #[error("failed to make veth pair: {0}")]
    HardwareAddress(InvalidMac),
    /// A plugin that another one needs is not installed.
    #[error("failed to find plugin {name:?} in path [{path}]")]
    NoPlugin {
        /// Its name.
        name: String,
        /// The directories of `CNI_PATH`.
        path: String,
    },
    /// A plugin that another one needs cannot be run.
    #[error("cannot execute {}", .path.display())]
    Execute {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A plugin that another one needs failed: its own error.
    #[error("{msg}")]
    Delegate {
        /// Its code.
        code: u32,
        /// Its message.
        msg: String,
        /// Its details.
        details: Option<String>,
    },
    /// The address manager assigned no address.
    #[error("IPAM plugin returned missing IP config")]
    NoAddress,
    /// Several things failed, each by itself.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Error>),
    /// The operation failed.
    #[error(transparent)]
    Attachment(#[from] attachment::Error),
    /// STATUS: the plugin can do nothing here.
    #[error("the plugin is not available: {0}")]
    NotAvailable(#[source] Box<Error>),
}

impl Error {
    /// Success if nothing failed; else what failed, all of it.
    ///
    /// # Errors
    /// The failure if it is one, [`Error::Several`] if there are more.
    pub(super) fn all(mut failures: Vec<Error>) -> Result<(), Error> {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Error::Several(failures)),
        }
    }

    /// The code: those of the specification, and ours from 100 on.
    #[must_use]
    pub fn code(&self) -> u32 {
        match self {
            Error::IncompatibleVersion { .. } | Error::CommandTooNew { .. } => 1,
            Error::MissingVariables { .. }
            | Error::NotUtf8 { .. }
            | Error::UnknownCommand { .. }
            | Error::ArgsPair { .. }
            | Error::ArgsValue { .. }
            | Error::ArgsUnknown { .. } => 4,
            Error::Name(name) => match name {
                InvalidName::EmptyIfName
                | InvalidName::LongIfName { .. }
                | InvalidName::DotIfName
                | InvalidName::IfNameCharacters { .. }
                | InvalidName::ContainerId { .. } => 4,
                InvalidName::EmptyNetworkName | InvalidName::NetworkName { .. } => 7,
            },
            Error::Stdin(_) | Error::Stdout(_) | Error::ResolvConf { .. } => 5,
            Error::Json { .. } | Error::PrevResult { .. } | Error::DelegatedResult { .. } => 6,
            Error::Type { .. }
            | Error::Value { .. }
            | Error::PortNumber { .. }
            | Error::TwoMarks
            | Error::Backend { .. }
            | Error::Conditions { .. }
            | Error::NoIpam
            | Error::Ranges(_)
            | Error::OneAddressPerFamily { .. }
            | Error::NoPrevResult { .. }
            | Error::NoEarlierResult
            | Error::IngressPolicy { .. }
            | Error::NoBridge { .. } => 7,
            Error::Contradiction { .. }
            | Error::MasqueradeBackend { .. }
            | Error::VlanTrunk { .. }
            | Error::Vlan(_)
            | Error::HardwareAddress(_) => 7,
            Error::NoPlugin { .. } | Error::Execute { .. } => 5,
            Error::Delegate { code, .. } => *code,
            Error::NoAddress => 6,
            Error::Several(all) => all.first().map_or(5, Error::code),
            Error::Netns(_) => 8,
            Error::NotAvailable(_) => 50,
            Error::Attachment(error) => fault_code(error.fault()),
            Error::Ipam(error) => ipam_code(error),
        }
    }

    /// What stands beside the message.
    #[must_use]
    pub fn details(&self) -> Option<String> {
        match self {
            Error::IncompatibleVersion { asked, supported } => {
                let supported: Vec<String> =
                    supported.iter().map(|version| format!("{:?}", version.as_str())).collect();
                let supported = supported.join(" ");
                Some(format!("config is {asked:?}, plugin supports [{supported}]"))
            }
            Error::Name(InvalidName::ContainerId { name } | InvalidName::NetworkName { name }) => {
                Some(name.clone())
            }
            Error::Name(InvalidName::LongIfName { .. }) => {
                Some("interface name should be less than 16 characters".to_owned())
            }
            Error::Attachment(
                attachment::Error::Differs { plan } | attachment::Error::RulesDiffer { plan },
            ) => Some(plan.clone()),
            Error::Delegate { details, .. } => details.clone(),
            Error::Several(all) => {
                let details: Vec<String> = all.iter().filter_map(Error::details).collect();
                (!details.is_empty()).then(|| details.join("; "))
            }
            other => causes(other),
        }
    }

    /// The error object of the specification.
    #[must_use]
    pub fn to_json(&self, version: Option<CniVersion>) -> Value {
        let mut object = json!({ "code": self.code(), "msg": self.to_string() });
        if let Some(details) = self.details() {
            object["details"] = details.into();
        }
        if let Some(version) = version {
            object["cniVersion"] = version.as_str().into();
        }
        object
    }
}

/// The chain of causes behind an error, which its own message does not repeat.
fn causes(error: &Error) -> Option<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = std::error::Error::source(error);
    let message = error.to_string();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) && texts.last() != Some(&text) {
            texts.push(text);
        }
        cause = error.source();
    }
    (!texts.is_empty()).then(|| texts.join(": "))
}

pub(super) fn fault_code(fault: Fault) -> u32 {
    match fault {
        Fault::Netns => 8,
        Fault::Io => 5,
        Fault::Configuration => 7,
        Fault::TryAgain => 11,
        Fault::Firewall => 100,
        Fault::Link => 101,
        Fault::PortTaken => 103,
        Fault::NotOurs => 104,
        Fault::Differs => 105,
        Fault::KernelLacks => 106,
    }
}

/// Of a refusal what can be acted on: a range that is too small (102), an address that cannot be
/// asked for (7), a container that is attached already (4).
fn ipam_code(error: &ipam::Error) -> u32 {
    match error {
        ipam::Error::Refused { cause, .. } => match cause {
            Refusal::Exhausted { .. } => 102,
            Refusal::Gateway { .. } | Refusal::Taken { .. } => 7,
            Refusal::Duplicate { .. } => 4,
        },
        ipam::Error::Unfulfilled { .. } => 7,
        ipam::Error::NotAllocated { .. } => 105,
        ipam::Error::Store { .. } => 5,
        ipam::Error::Locked { .. } | ipam::Error::Contended { .. } => 11,
    }
}

/// As the reference library prints a list of texts: `["a" "b"]`.
fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}
