//! How expressions read and put their attributes: registers, numbers, data.

use super::Register;
use crate::netlink::{Attributes, Malformed, MessageBuilder};

/// The value inside an attribute of `struct nft_data`.
pub(in crate::nft) const NFTA_DATA_VALUE: u16 = 1;
/// One of a list: of expressions, of elements, of fields.
pub(in crate::nft) const NFTA_LIST_ELEM: u16 = 1;

/// What each expression's type can do.
pub(super) trait Expression: Sized {
    /// The kernel's name for it.
    const NAME: &'static str;
    /// The attributes that the type has a place for. Padding (of 64-bit values) is none.
    const KNOWN: &'static [u16];
    /// Puts its attributes.
    fn encode(&self, message: &mut MessageBuilder);
    /// Reads its attributes.
    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed>;
}

/// Shorthands of the decoders.
pub(super) trait Fields<'a> {
    fn need_be32(self, kind: u16) -> Result<u32, Malformed>;
    fn maybe_be32(self, kind: u16) -> Result<Option<u32>, Malformed>;
    fn need_register(self, kind: u16) -> Result<Register, Malformed>;
    fn maybe_register(self, kind: u16) -> Result<Option<Register>, Malformed>;
    fn need_data(self, kind: u16) -> Result<Vec<u8>, Malformed>;
}

impl Fields<'_> for Attributes<'_> {
    fn need_be32(self, kind: u16) -> Result<u32, Malformed> {
        self.need(kind, "expression lacks a number")?.be32()
    }

    fn maybe_be32(self, kind: u16) -> Result<Option<u32>, Malformed> {
        self.find(kind).map(|found| found.be32()).transpose()
    }

    fn need_register(self, kind: u16) -> Result<Register, Malformed> {
        Ok(Register(self.need(kind, "expression lacks a register")?.be32()?))
    }

    fn maybe_register(self, kind: u16) -> Result<Option<Register>, Malformed> {
        Ok(self.maybe_be32(kind)?.map(Register))
    }

    fn need_data(self, kind: u16) -> Result<Vec<u8>, Malformed> {
        let data = self.need(kind, "expression lacks data")?;
        Ok(data.nested().need(NFTA_DATA_VALUE, "data without a value")?.value.to_vec())
    }
}

/// Puts bytes as `NFTA_DATA_VALUE` in a nest.
pub(super) fn put_data(message: &mut MessageBuilder, kind: u16, value: &[u8]) {
    let data = message.nest(kind);
    message.put(NFTA_DATA_VALUE, value);
    message.end(data);
}

/// Puts a register number.
pub(super) fn put_register(message: &mut MessageBuilder, kind: u16, register: Register) {
    message.put_be32(kind, register.0);
}

/// Puts a register number if there is one.
pub(super) fn put_maybe(message: &mut MessageBuilder, kind: u16, register: Option<Register>) {
    if let Some(register) = register {
        put_register(message, kind, register);
    }
}
