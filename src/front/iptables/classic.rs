//! The words of iptables for what callers and users know of it; our own for the rest.

use nix::errno::Errno;

use crate::xtables::Error;

/// An errno in the words of glibc, which callers may look for; other libraries have others.
pub(super) fn errno_text(errno: i32) -> &'static str {
    match Errno::from_raw(errno) {
        Errno::EIO => "Input/output error",
        Errno::EBADF => "Bad file descriptor",
        Errno::EAGAIN => "Resource temporarily unavailable",
        Errno::ENOMEM => "Cannot allocate memory",
        Errno::ENFILE => "Too many open files in system",
        Errno::ERANGE => "Numerical result out of range",
        Errno::ELOOP => "Too many levels of symbolic links",
        Errno::EOPNOTSUPP => "Operation not supported",
        other => other.desc(),
    }
}

/// What iptables says of words that are no rule.
pub(super) fn classic(error: &Error) -> String {
    match error {
        Error::UnknownOption { word } => format!("unknown option \"{word}\""),
        Error::UnknownMatch { name } => {
            format!("Couldn't load match `{name}':No such file or directory\n")
        }
        Error::NeedsValue { word, .. } => format!("option \"{word}\" requires an argument"),
        Error::NeedsSecond { word, needs } => format!("{word} requires {needs}"),
        Error::Repeated { word } => match letter(word) {
            Some(letter) => format!("multiple -{letter} flags not allowed"),
            None => format!("option \"{word}\" can only be used once"),
        },
        Error::NotNegatable { word } => match letter(word) {
            Some(letter) => format!("cannot have ! before -{letter}"),
            None => format!("option \"{word}\" cannot be inverted"),
        },
        Error::StrayNegation => "nothing appropriate following !".to_owned(),
        Error::RepeatedNegation => "multiple consecutive ! not allowed".to_owned(),
        Error::NegatedList { .. } => {
            "! not allowed with multiple source or destination IP addresses".to_owned()
        }
        Error::NoCommand => "no command specified".to_owned(),
        Error::SecondCommand { word, before } => format!("Cannot use {word} with -{before}"),
        Error::NotForCommand { word, .. } => {
            format!("Illegal option `{word}' with this command")
        }
        Error::NotInChain { word, chain } => format!("Can't use {word} with {chain}\n"),
        Error::ReplaceWithSeveral => {
            "Replacement rule does not specify a unique address".to_owned()
        }
        Error::BadRuleNumber { value } => format!("Invalid rule number `{value}'"),
        Error::BadAddress { value, .. } | Error::OtherFamily { value, .. } => {
            format!("host/network `{value}' not found")
        }
        Error::BadMask { value, .. } => format!("invalid mask `{value}' specified"),
        Error::BadProtocol { value, .. } => format!("unknown protocol \"{value}\" specified"),
        Error::BadPort { value, .. } => format!("invalid port/service `{value}' specified"),
        Error::BadInterface { value, .. } => interface(value),
        Error::BadTarget { value, .. } => {
            format!("Invalid target name `{value}' (28 chars max)")
        }
        Error::ChainTooLong { name } => {
            format!("chain name `{name}' too long (must be under 29 chars)")
        }
        Error::ChainBegins { first } => format!("chain name not allowed to start with `{first}'"),
        Error::ChainBlanks { name } => format!("Invalid chain name `{name}'"),
        Error::ChainIsTarget { .. } => "chain name may not clash with target name".to_owned(),
        Error::NeedsProtocol { name, needs } => protocol(name, needs),
        Error::OtherFamilyFragments { word } => {
            format!("`{word}' is not supported in IPv6, use -m frag instead")
        }
        // `Error` grows with the language; what has no words of its own here has clear ones there.
        other => other.to_string(),
    }
}

fn interface(value: &str) -> String {
    match value.len() {
        0 => "Empty interface is likely to be undesired".to_owned(),
        16.. => format!("interface name `{value}' must be shorter than IFNAMSIZ (15)"),
        _ => format!("interface name `{value}' must not have blanks, \"/\" or \":\" in it"),
    }
}

/// What iptables says where ports are named without a protocol that has some.
fn protocol(name: &str, needs: &str) -> String {
    match name {
        "tcp" | "udp" => {
            format!("{} match requires '-p {name}'", name.to_uppercase())
        }
        "multiport" => {
            "multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'".to_owned()
        }
        "DNAT" | "SNAT" | "MASQUERADE" | "REDIRECT" => {
            "Need TCP, UDP, SCTP or DCCP with port specification".to_owned()
        }
        name => format!("{name} needs {needs}"),
    }
}

/// The letter of a general option, as it is known by.
fn letter(word: &str) -> Option<char> {
    let mut letters = word.chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some('-'), Some(letter), None) => return Some(letter),
        (Some('-'), Some('-'), Some(_)) => {}
        _ => return None,
    }
    // Abbreviations may be short for more than one: the first is the one that iptables takes.
    let name = word.trim_start_matches('-');
    const NAMES: [(&str, char); 16] = [
        ("source", 's'),
        ("src", 's'),
        ("destination", 'd'),
        ("dst", 'd'),
        ("protocol", 'p'),
        ("proto", 'p'),
        ("in-interface", 'i'),
        ("out-interface", 'o'),
        ("fragment", 'f'),
        ("jump", 'j'),
        ("goto", 'g'),
        ("match", 'm'),
        ("table", 't'),
        ("append", 'A'),
        ("insert", 'I'),
        ("delete", 'D'),
    ];
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, letter)| *letter)
}
