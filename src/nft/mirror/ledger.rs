//! The ledger of a network namespace: which generation its mirrors are of, and which there are.

use super::digest::Digest;
use crate::nft::{Family, Generation, Name, TableId};

/// What a ledger of this layout begins with.
const MAGIC: u64 = u64::from_be_bytes(*b"mirrors1");

/// Which nf_tables it is that a ledger is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instance {
    /// The cookie of the network namespace.
    pub(super) netns: u64,
    /// The number of the module as it is loaded now: its generations begin anew with it. 0 where it
    /// is part of the kernel itself.
    pub(super) module: u64,
}

/// The mirror of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) table: TableId,
    pub(super) chain: Name,
    /// The chain's handle.
    pub(super) handle: u64,
    /// The number of the file.
    pub(super) file: u64,
    /// How long the file was at first.
    pub(super) base: u64,
    /// How much of the file counts: what is behind it was never finished.
    pub(super) length: u64,
    /// The sum of that much.
    pub(super) digest: Digest,
}

/// What is known at one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    pub(super) instance: Instance,
    pub(super) generation: Generation,
    /// The number of the next file.
    pub(super) next: u64,
    pub(super) entries: Vec<Entry>,
}

impl Ledger {
    /// One without mirrors.
    pub(super) fn new(instance: Instance, generation: Generation, next: u64) -> Self {
        Ledger { instance, generation, next, entries: Vec::new() }
    }

    /// The mirror of a chain.
    pub(super) fn entry(&self, table: &TableId, chain: &Name) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.table == *table && entry.chain == *chain)
    }

    /// As bytes: magic, length and sum, then the numbers, then each entry.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let Instance { netns, module } = self.instance;
        let numbers = [netns, module, u64::from(self.generation.0), self.next];
        put(&mut body, &numbers);
        put(&mut body, &[self.entries.len() as u64]);
        for entry in &self.entries {
            put(&mut body, &[entry.handle, entry.file, entry.base, entry.length]);
            put(&mut body, &entry.digest.0);
            put(&mut body, &[u64::from(entry.table.family.number())]);
            for name in [&entry.table.name, &entry.chain] {
                put(&mut body, &[name.as_str().len() as u64]);
                body.extend_from_slice(name.as_str().as_bytes());
            }
        }
        let mut whole = Vec::new();
        put(&mut whole, &[MAGIC, body.len() as u64]);
        put(&mut whole, &Digest::of(&body).0);
        whole.extend(body);
        whole
    }

    /// Reads one; `None` if it is none, of another layout, or half written. What is behind it is
    /// left of a longer one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { rest: bytes };
        if reader.long()? != MAGIC {
            return None;
        }
        let length = usize::try_from(reader.long()?).ok()?;
        let digest = reader.digest()?;
        let body = reader.take(length)?;
        if Digest::of(body) != digest {
            return None;
        }
        let mut reader = Reader { rest: body };
        let instance = Instance { netns: reader.long()?, module: reader.long()? };
        // The kernel leaves 0 out; to be at 0 would mean to be at any.
        let generation = u32::try_from(reader.long()?).ok().filter(|number| *number != 0)?;
        let (next, count) = (reader.long()?, reader.long()?);
        let mut ledger = Ledger::new(instance, Generation(generation), next);
        for _ in 0..count {
            ledger.entries.push(reader.entry()?);
        }
        reader.rest.is_empty().then_some(ledger)
    }
}

fn put(bytes: &mut Vec<u8>, numbers: &[u64]) {
    numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_ne_bytes()));
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn long(&mut self) -> Option<u64> {
        let (number, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(u64::from_ne_bytes(*number))
    }

    fn digest(&mut self) -> Option<Digest> {
        Some(Digest([self.long()?, self.long()?, self.long()?, self.long()?]))
    }

    fn name(&mut self) -> Option<Name> {
        let length = usize::try_from(self.long()?).ok()?;
        Name::new(std::str::from_utf8(self.take(length)?).ok()?).ok()
    }

    fn entry(&mut self) -> Option<Entry> {
        let (handle, file) = (self.long()?, self.long()?);
        let (base, length) = (self.long()?, self.long()?);
        let digest = self.digest()?;
        let family = Family::from_number(u8::try_from(self.long()?).ok()?);
        let table = TableId { family, name: self.name()? };
        let chain = self.name()?;
        Some(Entry { table, chain, handle, file, base, length, digest })
    }
}
