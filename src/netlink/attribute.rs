//! Attributes as they are read: type, length, value, padding.
//!
//! Reading is plain slicing with every length checked, so it needs no C library and no `unsafe`.

/// `NLA_TYPE_MASK` of linux/netlink.h: without the flags "nested" and "network byte order".
const TYPE_MASK: u16 = 0x3fff;

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type, without flags.
    pub kind: u16,
    /// Its value, without padding.
    pub value: &'a [u8],
}

/// An attribute (or a message) is not what its place demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed netlink data: {what}, attribute {kind}, {length} bytes")]
pub struct Malformed {
    /// What was expected.
    pub what: &'static str,
    /// The attribute's type, 0 where it is about a whole list.
    pub kind: u16,
    /// How many bytes there were.
    pub length: usize,
}

/// The attributes of one message or one nest, in order.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Walks these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Attributes { rest: bytes }
    }

    /// The first attribute of this type, if there is one.
    #[must_use]
    pub fn find(self, kind: u16) -> Option<Attribute<'a>> {
        self.flatten().find(|attribute| attribute.kind == kind)
    }

    /// The first attribute of this type, which must be there.
    ///
    /// # Errors
    /// [`Malformed`] if it is not.
    pub fn need(self, kind: u16, what: &'static str) -> Result<Attribute<'a>, Malformed> {
        self.find(kind).ok_or(Malformed { what, kind, length: 0 })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE_MASK;
        let Some(value) = self.rest.get(4..length) else {
            let length = self.rest.len();
            self.rest = &[];
            return Some(Err(Malformed { what: "attribute longer than its list", kind, length }));
        };
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok(Attribute { kind, value }))
    }
}

impl<'a> Attribute<'a> {
    fn array<const N: usize>(&self, what: &'static str) -> Result<[u8; N], Malformed> {
        self.value.try_into().map_err(|_| Malformed {
            what,
            kind: self.kind,
            length: self.value.len(),
        })
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Malformed`] when the length differs; so for all of these.
    pub fn u8(&self) -> Result<u8, Malformed> {
        self.array::<1>("expected 1 byte").map(|[byte]| byte)
    }

    /// 16 bits in network order.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn be16(&self) -> Result<u16, Malformed> {
        self.array("expected 2 bytes").map(u16::from_be_bytes)
    }

    /// 32 bits in network order.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn be32(&self) -> Result<u32, Malformed> {
        self.array("expected 4 bytes").map(u32::from_be_bytes)
    }

    /// 64 bits in network order.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn be64(&self) -> Result<u64, Malformed> {
        self.array("expected 8 bytes").map(u64::from_be_bytes)
    }

    /// Text, up to its first NUL.
    ///
    /// # Errors
    /// [`Malformed`] when it is not UTF-8.
    pub fn text(&self) -> Result<&'a str, Malformed> {
        let end = self.value.iter().position(|byte| *byte == 0).unwrap_or(self.value.len());
        std::str::from_utf8(&self.value[..end]).map_err(|_| Malformed {
            what: "expected text",
            kind: self.kind,
            length: self.value.len(),
        })
    }

    /// The attributes inside.
    #[must_use]
    pub fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.value)
    }
}
