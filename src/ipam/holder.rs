//! Who has an address: the content of its file. Pure.

use crate::net::{ContainerId, IfName};

/// An interface of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// `CNI_CONTAINERID`.
    pub container: String,
    /// `CNI_IFNAME`.
    pub ifname: String,
}

/// What stands between the two in a file.
const SEPARATOR: &str = "\r\n";

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// An interface of a container.
    Attachment(Attachment),
    /// A container, in the format of host-local before 0.7: with whatever interface.
    Container(String),
    /// A file that no host-local wrote, such as one that an administrator made so that an address
    /// is never given away.
    Other,
    /// Nobody: the writer died before it wrote, or the machine before the disk had it.
    Nobody,
}

impl Attachment {
    /// The content of the file of an address that this has.
    pub(super) fn content(&self) -> String {
        format!("{}{SEPARATOR}{}", self.container, self.ifname)
    }
}

impl Holder {
    /// Reads the content of an address file. It is written in one piece under the directory's
    /// lock, so what is empty, or full of zeros, is what a crash left of a file.
    pub(super) fn parse(content: &[u8]) -> Self {
        if content.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) {
            return Holder::Nobody;
        }
        let Ok(text) = std::str::from_utf8(content) else { return Holder::Other };
        let text = text.trim();
        match text.split_once(SEPARATOR) {
            Some((container, ifname)) => {
                let is_ours = ContainerId::new(container).is_ok() && IfName::new(ifname).is_ok();
                let (container, ifname) = (container.to_owned(), ifname.to_owned());
                let ours = Holder::Attachment(Attachment { container, ifname });
                if is_ours { ours } else { Holder::Other }
            }
            None if ContainerId::new(text).is_ok() => Holder::Container(text.to_owned()),
            None => Holder::Other,
        }
    }

    /// Whether it names this attachment, in the format of today.
    pub(super) fn is(&self, attachment: &Attachment) -> bool {
        matches!(self, Holder::Attachment(its) if its == attachment)
    }

    /// Whether it names the container of this attachment, in the old format.
    pub(super) fn is_container_of(&self, attachment: &Attachment) -> bool {
        matches!(self, Holder::Container(container) if *container == attachment.container)
    }
}
