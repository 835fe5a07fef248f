//! Why words are no condition. Every message names the word that it is about.

use crate::net::{IpVersion, L4Proto};

/// Words that are no condition, or one that nftables cannot express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `-j`, `-g` and their long forms.
    #[error("{word:?} is not a condition: targets are not allowed here")]
    Target {
        /// The option as given.
        word: String,
    },
    /// `-A`, `-t`, `-w`, …: about the command, not about packets.
    #[error("{word:?} is not a condition: commands are not allowed here")]
    Command {
        /// The option as given.
        word: String,
    },
    /// Neither a general option nor one of a match that was named before.
    #[error("unknown option {word:?}: no match named in front of it has it")]
    UnknownOption {
        /// The option as given.
        word: String,
    },
    /// An abbreviation of more than one option.
    #[error("option {word:?} is ambiguous: --{first} or --{second}?")]
    AmbiguousOption {
        /// The option as given.
        word: String,
        /// What it can be short for.
        first: &'static str,
        /// What else.
        second: &'static str,
    },
    /// A word where an option should begin.
    #[error("unexpected word {word:?}: expected an option")]
    UnexpectedWord {
        /// The word.
        word: String,
    },
    /// The words end where a value should be.
    #[error("option {word} needs {needs}")]
    NeedsValue {
        /// The option as given.
        word: String,
        /// What it needs.
        needs: &'static str,
    },
    /// `--syn=x`.
    #[error("option {word} takes no value")]
    TakesNoValue {
        /// The option as given.
        word: String,
    },
    /// An option that can be used once.
    #[error("option {word} is given twice")]
    Repeated {
        /// The option as given.
        word: String,
    },
    /// `!` in front of an option that iptables does not negate.
    #[error("option {word} cannot be negated")]
    NotNegatable {
        /// The option as given.
        word: String,
    },
    /// `!` at the end, or twice.
    #[error("\"!\" must stand in front of one option")]
    StrayNegation,
    /// `! -s a,b`: iptables refuses it too.
    #[error("option {word} cannot be negated with several addresses: {value:?}")]
    NegatedList {
        /// The option as given.
        word: String,
        /// The list.
        value: String,
    },
    /// No match of iptables.
    #[error("unknown match \"-m {name}\": iptables has none of this name")]
    UnknownMatch {
        /// The name as given.
        name: String,
    },
    /// A match of iptables that nf_tables has nothing for.
    #[error("match {name:?} has no native nftables form: {reason}")]
    NoNativeForm {
        /// Its name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A target of iptables that nf_tables has nothing for.
    #[error("target {name:?} has no native nftables form: {reason}")]
    NoNativeTarget {
        /// Its name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// `! !`.
    #[error("\"!\" must stand in front of one option")]
    RepeatedNegation,
    /// A value that is no address of any family.
    #[error("option {word}: {value:?} is not an address (names of hosts are not looked up)")]
    BadAddress {
        /// The option as given.
        word: String,
        /// What was given.
        value: String,
    },
    /// What stands behind the `/` of an address.
    #[error(
        "option {word}: {value:?} is not a mask: expected the length of a prefix or an address"
    )]
    BadMask {
        /// The option as given.
        word: String,
        /// What was given.
        value: String,
    },
    /// `-p` with something else.
    #[error(
        "option {word}: {value:?} is not a protocol: expected its number or one of the usual names"
    )]
    BadProtocol {
        /// The option as given.
        word: String,
        /// What was given.
        value: String,
    },
    /// A port that is none.
    #[error(
        "option {word}: {value:?} is not a port or a range of ports (of services the usual names of the protocol are known, /etc/services is not read)"
    )]
    BadPort {
        /// The option as given.
        word: String,
        /// What was given.
        value: String,
    },
    /// `-i` or `-o` with something else.
    #[error(
        "option {word}: {value:?} is not the name of an interface: 1 to 15 bytes, no blanks, \"/\" or \":\""
    )]
    BadInterface {
        /// The option as given.
        word: String,
        /// What was given.
        value: String,
    },
    /// `-j` or `-g` with what can be no chain.
    #[error(
        "option {word}: {value:?} is not the name of a chain: expected 1 to 28 bytes, no blanks"
    )]
    BadTarget {
        /// The option as given.
        word: String,
        /// What was given.
        value: String,
    },
    /// `-f` for IPv6.
    #[error("option {word} is not supported: fragments of IPv6 are a header of their own")]
    OtherFamilyFragments {
        /// The option as given.
        word: String,
    },
    /// The second value of an operation.
    #[error("option {word} needs {needs}")]
    NeedsSecond {
        /// The option as given.
        word: String,
        /// What it needs.
        needs: &'static str,
    },
    /// An option that the operation cannot use: `-F -s 10.0.0.0/8`.
    #[error("option {word} means nothing to -{operation}")]
    NotForCommand {
        /// The option as given.
        word: String,
        /// The operation's letter.
        operation: char,
    },
    /// `-o` in a chain that no packet leaves by, or `-i` in one that none comes in by.
    #[error("option {word} never matches in {chain}")]
    NotInChain {
        /// `-i` or `-o`.
        word: &'static str,
        /// The chain.
        chain: String,
    },
    /// The name of a chain with more than 28 bytes.
    #[error("the name of a chain {name:?} is too long: expected 1 to 28 bytes")]
    ChainTooLong {
        /// The name.
        name: String,
    },
    /// The name of a new chain that looks like an option.
    #[error("the name of a chain cannot begin with {first:?}")]
    ChainBegins {
        /// `-` or `!`.
        first: char,
    },
    /// The name of a new chain with blanks in it.
    #[error("the name of a chain {name:?} has blanks in it")]
    ChainBlanks {
        /// The name.
        name: String,
    },
    /// The name of a new chain that `-j` takes for a target.
    #[error("the name of a chain {name:?} is that of a target")]
    ChainIsTarget {
        /// The name.
        name: String,
    },
    /// Words without an operation such as `-A`.
    #[error("no command specified")]
    NoCommand,
    /// Two operations, such as `-A` and `-D`.
    #[error("option {word}: -{before} was given before")]
    SecondCommand {
        /// The second.
        word: String,
        /// The letter of the first.
        before: char,
    },
    /// `-R` with several addresses.
    #[error("one rule cannot be replaced with several")]
    ReplaceWithSeveral,
    /// A rule's number that is none.
    #[error("invalid rule number {value:?}: expected 1 or more")]
    BadRuleNumber {
        /// What was given.
        value: String,
    },
    /// Comment and options together are more than a rule can keep.
    #[error("the rule needs {bytes} bytes for its comment and its shape, the kernel keeps {most}")]
    TooLong {
        /// How many it needs.
        bytes: usize,
        /// How many there are.
        most: usize,
    },
    /// A match of iptables that is not translated here.
    #[error("match {name:?} is not supported: {reason}")]
    UnsupportedMatch {
        /// Its name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// An option of a supported match that is not translated.
    #[error("option {word} is not supported: {reason}")]
    UnsupportedOption {
        /// The option as given.
        word: String,
        /// Why.
        reason: &'static str,
    },
    /// A value that is not what the option needs.
    #[error("option {word}: {value:?} is not {expected}")]
    BadValue {
        /// The option as given.
        word: String,
        /// The value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value that iptables takes, and nftables cannot express together with the rest.
    #[error("option {word}: {value:?} has no native nftables form: {reason}")]
    UnsupportedValue {
        /// The option as given.
        word: String,
        /// The value.
        value: String,
        /// Why.
        reason: &'static str,
    },
    /// A condition that no packet meets.
    #[error("option {word} with {value:?} never matches")]
    NeverMatches {
        /// The option as given, with its negation.
        word: String,
        /// The value.
        value: String,
    },
    /// An address of the other family.
    #[error("option {word}: {value:?} is not an {version} address")]
    OtherFamily {
        /// The option as given.
        word: String,
        /// The address.
        value: String,
        /// The family of the rule.
        version: IpVersion,
    },
    /// A match of the other family.
    #[error("match {name:?} is not for {version}")]
    OtherFamilyMatch {
        /// The match.
        name: String,
        /// The family of the rule.
        version: IpVersion,
    },
    /// A second protocol beside the one that is published.
    #[error("option {word}: {value:?} is another protocol than the rule's own, {known}")]
    OtherProtocol {
        /// The option as given.
        word: String,
        /// The protocol.
        value: String,
        /// The one that was known.
        known: L4Proto,
    },
    /// A match that reads a header whose protocol nothing has asked for.
    #[error("match {name:?} needs {needs}")]
    NeedsProtocol {
        /// The match.
        name: String,
        /// What it needs, as words.
        needs: &'static str,
    },
    /// A match without an option that it must have.
    #[error("match {name:?} needs {needs}")]
    NeedsOption {
        /// The match.
        name: String,
        /// What it needs.
        needs: &'static str,
    },
    /// A list of `-m recent` whose rules want different things.
    #[error(
        "the list in the set {name:?} of \"-m recent\" would have to keep addresses for two times: nf_tables has one \
         for a whole set. All its rules with --seconds must say the same, and no other rule of it \
         may ask; if one that only adds stands in front of the first with --seconds, \
         load both in one file"
    )]
    ListAge {
        /// The name of its set.
        name: String,
    },
    /// A target behind states that decide of some packets alone.
    #[error(
        "SNAT or DNAT beside other states, or negated, can have ACCEPT, DROP or RETURN behind it, \
         negated no target too: a map decides of packets by their states, and can say no more"
    )]
    UndecidedTarget,
    /// Two options that exclude each other.
    #[error("option {word} cannot be used together with {other}")]
    Conflict {
        /// The option as given.
        word: String,
        /// The one in front of it.
        other: String,
    },
}
