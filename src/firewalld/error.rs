//! What can go wrong between us and firewalld.

/// A failed conversation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system bus cannot be talked to.
    #[error("cannot connect to the system bus at {address}")]
    Connect {
        /// Where it was looked for.
        address: String,
        /// Why not.
        #[source]
        cause: Box<zbus::Error>,
    },
    /// The system bus does not let us in: as in a user namespace, where our user id is none that it
    /// knows us by.
    #[error("the system bus at {address} does not let us in")]
    NotAllowed {
        /// Where it is.
        address: String,
        /// Its answer.
        #[source]
        cause: Box<zbus::Error>,
    },
    /// Somebody took a question and did not answer.
    #[error("{whom} does not answer within {seconds} s")]
    Hangs {
        /// Who.
        whom: String,
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// firewalld said no.
    #[error("firewalld refused to {what}: {text}")]
    Refused {
        /// What it was asked for.
        what: String,
        /// What kind of refusal.
        refusal: Refusal,
        /// Its words.
        text: String,
    },
    /// A call failed on its way.
    #[error("cannot {what}")]
    Call {
        /// What was asked for.
        what: String,
        /// Why not.
        #[source]
        cause: Box<zbus::Error>,
    },
    /// The bus has ended the connection.
    #[error("the system bus has closed the connection")]
    Lost,
}

/// firewalld's refusals, by the code that each of its messages begins with
/// (`ZONE_ALREADY_SET: '10.88.0.2/32' already bound to 'trusted'`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The source is in this zone.
    AlreadySet,
    /// The source is in another zone.
    OtherZone,
    /// The source is in no zone.
    UnknownSource,
    /// There is no such zone.
    NoSuchZone,
    /// Anything else, such as panic mode.
    Other,
}

impl Refusal {
    /// By the message of a D-Bus error; all of firewalld's have one name.
    #[must_use]
    pub fn of_message(text: &str) -> Self {
        match text.split(':').next().unwrap_or_default() {
            "ZONE_ALREADY_SET" | "ALREADY_ENABLED" => Refusal::AlreadySet,
            "ZONE_CONFLICT" => Refusal::OtherZone,
            "UNKNOWN_SOURCE" | "NOT_ENABLED" => Refusal::UnknownSource,
            "INVALID_ZONE" => Refusal::NoSuchZone,
            _ => Refusal::Other,
        }
    }
}

impl Error {
    pub(super) fn connect(address: &str, cause: zbus::Error) -> Self {
        let (address, cause) = (address.to_owned(), Box::new(cause));
        match *cause {
            zbus::Error::Handshake(_) => Error::NotAllowed { address, cause },
            _ => Error::Connect { address, cause },
        }
    }

    /// A call that came back as error.
    pub(super) fn failed(what: String, cause: zbus::Error) -> Self {
        match &cause {
            zbus::Error::MethodError(name, text, _)
                if name.as_str().starts_with("org.fedoraproject.FirewallD1") =>
            {
                let text = text.clone().unwrap_or_else(|| name.to_string());
                Error::Refused { what, refusal: Refusal::of_message(&text), text }
            }
            _ => Error::Call { what, cause: Box::new(cause) },
        }
    }

    /// What kind of refusal it is, if it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Error::Refused { refusal, .. } => Some(*refusal),
            Error::Connect { .. }
            | Error::NotAllowed { .. }
            | Error::Hangs { .. }
            | Error::Call { .. }
            | Error::Lost => None,
        }
    }
}
