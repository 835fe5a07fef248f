//! Ownership: whose a rule or an element is, written into its userdata.
//!
//! An owner has a label, which nft shows as comment (`cni/mynet/web/eth0`), and a key, a hash of
//! the label, in a private entry of fixed size that survives even where the comment is cut. A
//! label without its key, as after a reload of nft's own listing, still names its owner.

use sha2::{Digest, Sha256};

use crate::nft::{Name, Userdata};

/// Private userdata entries. nft skips types that it does not know.
const TLV_OWNER: u8 = 0xE0;
const TLV_CONTENT: u8 = 0xE5;

/// The hash by which an owner is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerKey([u8; 16]);

/// Somebody to whom rules and elements belong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    label: String,
}

impl Owner {
    /// The longest parts of a label (front, network, container, interface) that are taken as they
    /// are; longer ones are hashed. So a label always fits into a comment, uncut.
    const PARTS: [usize; 4] = [8, 32, 64, 15];

    /// The owner of what belongs to no container: chains, sets, and the rules that use them.
    #[must_use]
    pub fn structure() -> Self {
        Owner { label: "portcullis".to_owned() }
    }

    /// An owner that stands for several: what containers have together, such as a bridge. Its label
    /// has as many parts as a container's, so that it is known by its comment too.
    #[must_use]
    pub fn shared(front: &str, kind: &str, name: &str) -> Self {
        let parts = Owner::from_parts(&[front, kind, name]);
        Owner { label: format!("portcullis/{}", parts.label) }
    }

    /// The owner named by these parts, e.g. `["cni", network, container, interface]`.
    ///
    /// A part that is too long, or that nft could not read back from a listing, stands as its
    /// hash.
    #[must_use]
    pub fn from_parts(parts: &[&str]) -> Self {
        let limits = Owner::PARTS.iter().chain(std::iter::repeat(&0));
        let parts: Vec<String> =
            parts.iter().zip(limits).map(|(part, limit)| readable(part, *limit)).collect();
        Owner { label: parts.join("/") }
    }

    /// The label of all owners whose first parts are these, up to and with the separator.
    #[must_use]
    pub fn prefix(parts: &[&str]) -> String {
        format!("{}/", Owner::from_parts(parts).label)
    }

    /// The owner with a label that was read back.
    #[must_use]
    pub fn from_label(label: &str) -> Self {
        Owner { label: label.to_owned() }
    }

    /// The label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The parts of the label.
    #[must_use]
    pub fn parts(&self) -> Vec<&str> {
        self.label.split('/').collect()
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> OwnerKey {
        let hash = Sha256::digest(self.label.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        OwnerKey(key)
    }

    /// The first `digits` hexadecimal digits of the label's hash, for names.
    #[must_use]
    pub fn hash(&self, digits: usize) -> String {
        hex(&Sha256::digest(self.label.as_bytes()), digits)
    }

    /// Userdata that says whose it is, with the label as comment.
    #[must_use]
    pub fn userdata(&self) -> Userdata {
        Userdata::new().with_comment(&self.label).with(TLV_OWNER, self.key().0.to_vec())
    }

    /// Userdata that says whose it is, without a comment: for what a reader needs no label of.
    #[must_use]
    pub fn silent_userdata(&self) -> Userdata {
        Userdata::new().with(TLV_OWNER, self.key().0.to_vec())
    }

    /// As [`Owner::silent_userdata`], with a hash of what a rule is made from: the sets that
    /// belong to a rule cannot be compared with those of another, so their source is.
    #[must_use]
    pub fn userdata_of_content(&self, content: &[u8]) -> Userdata {
        let hash = Sha256::digest(content);
        self.silent_userdata().with(TLV_CONTENT, hash[..8].to_vec())
    }

    /// Whether userdata is what is left of `wanted` after a reload of nft's listing, which keeps
    /// comments and no private entries: the same owner by the same comment.
    #[must_use]
    pub fn is_reloaded(there: &Userdata, wanted: &Userdata) -> bool {
        let comment = wanted.comment().unwrap_or_default();
        *there == Userdata::new().with_comment(comment) && Owner::key_of(wanted).is_some()
    }

    /// Whose userdata this is; `None` for a foreigner's.
    #[must_use]
    pub fn key_of(userdata: &Userdata) -> Option<OwnerKey> {
        if let Some(key) = userdata.find(TLV_OWNER) {
            return key.try_into().ok().map(OwnerKey);
        }
        let comment = userdata.comment()?;
        (comment.matches('/').count() == 3 && comment.len() < Userdata::COMMENT_MAX)
            .then(|| Owner::from_label(comment).key())
    }
}

/// A part of a label: letters, digits, `_ . -`, not too long; anything else as hash.
fn readable(part: &str, limit: usize) -> String {
    let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if plain && !part.is_empty() && part.len() <= limit {
        part.to_owned()
    } else {
        format!("sha256-{}", hex(&Sha256::digest(part.as_bytes()), 16))
    }
}

fn hex(bytes: &[u8], digits: usize) -> String {
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    text
}

/// What is recorded of an owner: the comment of the counter that bears its label, so that nft
/// shows it and keeps it in what it lists (`3 elements, netns 4026532201 /run/netns/web`,
/// `2 elements for isolated cni0, netns …`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// How many elements and chains it owns.
    pub elements: Option<u32>,
    /// What else is to be remembered, in words of whoever keeps the record.
    pub note: Option<String>,
    /// The path and the inode of its network namespace, where known.
    pub netns: Option<(String, u64)>,
}

impl Record {
    /// The name of the counter that is the record.
    #[must_use]
    pub fn name(owner: &Owner) -> Option<Name> {
        Name::new(owner.label()).ok()
    }

    /// Whose record a counter is.
    #[must_use]
    pub fn owner(name: &Name) -> Owner {
        Owner::from_label(name.as_str())
    }

    /// The record as userdata. A path that a comment cannot hold is left out: its owner then
    /// counts as alive.
    #[must_use]
    pub fn userdata(&self) -> Userdata {
        let mut comment = match self.elements {
            Some(elements) => format!("{elements} elements"),
            None => String::new(),
        };
        if let Some(note) = self.note.as_ref().filter(|note| !note.contains(['"', '\n'])) {
            comment.push_str(&format!(" for {note}"));
        }
        if let Some((path, inode)) = &self.netns {
            let netns = format!(", netns {inode} {path}");
            let quotable = !path.contains(['"', '\n']);
            if quotable && comment.len() + netns.len() < Userdata::COMMENT_MAX {
                comment.push_str(&netns);
            }
        }
        Userdata::new().with_comment(&comment)
    }

    /// Reads it back.
    #[must_use]
    pub fn parse(userdata: &Userdata) -> Self {
        let comment = userdata.comment().unwrap_or_default();
        let (elements, rest) = match comment.split_once(" elements") {
            Some((number, rest)) => (number.parse().ok(), rest),
            None => (None, ""),
        };
        let (note, netns) = match rest.split_once(", netns ") {
            Some((note, netns)) => (note, Some(netns)),
            None => (rest, None),
        };
        let netns = netns.and_then(|netns| {
            let (inode, path) = netns.split_once(' ')?;
            Some((path.to_owned(), inode.parse().ok()?))
        });
        Record { elements, note: note.strip_prefix(" for ").map(str::to_owned), netns }
    }
}
