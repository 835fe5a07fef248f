//! Userdata: what user space keeps with an object and the kernel only stores.
//!
//! A list of type, length, value (libnftnl's `udata.h`). Type 0 is the comment that nft shows;
//! nft skips types that it does not know and the kernel returns them untouched.

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tlv {
    /// Its type.
    pub kind: u8,
    /// Its value, at most 255 bytes.
    pub value: Vec<u8>,
}

/// All userdata of one object, in order; at most 256 bytes (`NFT_USERDATA_MAXLEN`).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Userdata {
    tlvs: Vec<Tlv>,
}

impl Userdata {
    /// What the kernel stores at most, in bytes.
    pub const MAX: usize = 256;
    /// The longest comment that nft reads back from its own listing.
    pub const COMMENT_MAX: usize = 127;
    const RULE_COMMENT: u8 = 0;
    const SET_COMMENT: u8 = 7;

    /// No userdata.
    #[must_use]
    pub fn new() -> Self {
        Userdata::default()
    }

    /// Adds an entry at the end. A value of more than 255 bytes is cut: the length is one byte.
    #[must_use]
    pub fn with(mut self, kind: u8, mut value: Vec<u8>) -> Self {
        value.truncate(255);
        self.tlvs.push(Tlv { kind, value });
        self
    }

    /// Adds the comment of a rule, chain, table, object or element, as `comment "…"` does.
    /// Longer ones than [`Userdata::COMMENT_MAX`] are cut at a character.
    #[must_use]
    pub fn with_comment(self, comment: &str) -> Self {
        let mut end = comment.len().min(Self::COMMENT_MAX);
        while !comment.is_char_boundary(end) {
            end -= 1;
        }
        let value = [&comment.as_bytes()[..end], &[0]].concat();
        self.with(Self::RULE_COMMENT, value)
    }

    /// Adds a comment of up to 254 bytes. nft lists it whole, and reads back from its own listing
    /// only what is no longer than [`Userdata::COMMENT_MAX`].
    #[must_use]
    pub fn with_whole_comment(self, comment: &str) -> Self {
        let value = [comment.as_bytes(), &[0]].concat();
        self.with(Self::RULE_COMMENT, value)
    }

    /// Adds a 32-bit number in host order, as sets have them.
    #[must_use]
    pub fn with_u32(self, kind: u8, value: u32) -> Self {
        self.with(kind, value.to_ne_bytes().to_vec())
    }

    /// The first entry of a type.
    #[must_use]
    pub fn find(&self, kind: u8) -> Option<&[u8]> {
        self.tlvs.iter().find(|tlv| tlv.kind == kind).map(|tlv| tlv.value.as_slice())
    }

    /// As [`Userdata::find`] of what [`Userdata::decode`] makes of these bytes.
    #[must_use]
    pub fn find_in(mut bytes: &[u8], kind: u8) -> Option<&[u8]> {
        while let [found, length, rest @ ..] = bytes {
            let (value, after) = rest.split_at_checked(usize::from(*length))?;
            if *found == kind {
                return Some(value);
            }
            bytes = after;
        }
        None
    }

    /// The first entry of a type as a number in host order.
    #[must_use]
    pub fn find_u32(&self, kind: u8) -> Option<u32> {
        self.find(kind)?.try_into().ok().map(u32::from_ne_bytes)
    }

    /// The comment of anything but a set.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        text(self.find(Self::RULE_COMMENT)?)
    }

    /// The comment of a set or map.
    #[must_use]
    pub fn set_comment(&self) -> Option<&str> {
        text(self.find(Self::SET_COMMENT)?)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tlvs.is_empty()
    }

    /// The bytes as the kernel stores them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        for Tlv { kind, value } in &self.tlvs {
            bytes.push(*kind);
            // `with` and `decode` keep values to 255 bytes.
            bytes.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(value);
        }
        bytes
    }

    /// How many bytes [`Userdata::encode`] makes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.tlvs.iter().map(|tlv| 2 + tlv.value.len()).sum()
    }

    /// Reads what the kernel returned. Bytes that are no list of entries (other programs may store
    /// anything) give what entries there are before them.
    #[must_use]
    pub fn decode(mut bytes: &[u8]) -> Self {
        let mut tlvs = Vec::new();
        while let [kind, length, rest @ ..] = bytes {
            let Some(value) = rest.get(..usize::from(*length)) else { break };
            tlvs.push(Tlv { kind: *kind, value: value.to_vec() });
            bytes = &rest[usize::from(*length)..];
        }
        Userdata { tlvs }
    }
}

fn text(value: &[u8]) -> Option<&str> {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok()
}
