//! The elements of sets and maps, by key or all.

use std::collections::HashSet;
use std::time::Duration;

use super::element::NFTA_SET_ELEM_LIST_ELEMENTS;
use super::error::Error;
use super::kernel::Kernel;
use super::read::{absent_is_empty, found};
use super::request::Kind;
use super::set::SetFlags;
use super::{Element, Name, TableId};
use crate::netlink::Malformed;

/// Pauses before a set is read again that moved while it was read; together half a second, where
/// the kernel spreads 65,536 elements anew in some 50 ms.
const PAUSES: [Duration; 10] = {
    let mut pauses = [Duration::from_millis(1); 10];
    let mut at = 1;
    while at < pauses.len() {
        pauses[at] = Duration::from_millis(1 << at);
        at += 1;
    }
    pauses
};

impl Kernel {
    /// All elements of a set: `list set`.
    ///
    /// A hash set that has grown is spread over a larger table in the background. The kernel
    /// resumes a dump by the number of elements that it has sent (`nft_rhash_walk` of
    /// net/netfilter/nft_set_hash.c), so that one that falls into this time has some elements
    /// twice and lacks others, and no flag says so: `NLM_F_DUMP_INTR` is for commits. As it sends
    /// as many as there are, none is missing where none is there twice; a dump that has one twice
    /// is made again. Of a set that packets change too, there may be no dump without: then what
    /// the last one had is returned, each element once.
    ///
    /// # Errors
    /// [`Error::Unsteady`] if the set never comes to rest, [`Error::Netlink`] otherwise.
    pub fn elements(&mut self, table: &TableId, set: &Name) -> Result<Vec<Element>, Error> {
        for pause in PAUSES {
            let elements = self.elements_once(table, set)?;
            if !has_duplicates(&elements) {
                return Ok(elements);
            }
            std::thread::sleep(pause);
        }
        let mut elements = self.elements_once(table, set)?;
        if has_duplicates(&elements) {
            if !self.is_changed_by_packets(table, set)? {
                return Err(Error::Unsteady { attempts: PAUSES.len() as u32 + 1 });
            }
            keep_first_of_each(&mut elements);
        }
        Ok(elements)
    }

    fn elements_once(&mut self, table: &TableId, set: &Name) -> Result<Vec<Element>, Error> {
        let elements = self.collect_in(Kind::ELEMENT, table, Some(set), |message| {
            let list = message.attributes().find(NFTA_SET_ELEM_LIST_ELEMENTS);
            let elements = list.into_iter().flat_map(|list| list.nested());
            elements.map(|element| Element::decode(element?)).collect::<Result<Vec<_>, _>>()
        });
        absent_is_empty(elements)
    }

    fn is_changed_by_packets(&mut self, table: &TableId, set: &Name) -> Result<bool, Error> {
        let sets = self.sets(table)?;
        let flags = sets.iter().find(|listed| listed.name == *set).map(|listed| listed.flags);
        Ok(flags.is_some_and(|flags| flags.has(SetFlags::EVAL) || flags.has(SetFlags::TIMEOUT)))
    }

    /// Elements by key, in the order asked for: `get element`. `None` for one that is not there,
    /// or whose set is not there.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn elements_at(
        &mut self,
        table: &TableId,
        keys: &[(&Name, &Element)],
    ) -> Result<Vec<Option<Element>>, Error> {
        let answers = self.ask(
            keys.iter(),
            |message, (set, element), seq| {
                Kind::ELEMENT.one(message, seq, table, set);
                let list = message.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
                element.encode_key(message);
                message.end(list);
            },
            |message| {
                let list = message
                    .attributes()
                    .need(NFTA_SET_ELEM_LIST_ELEMENTS, "element list without elements")?;
                let first = list.nested().next();
                let none = Malformed { what: "empty element list", kind: list.kind, length: 0 };
                Element::decode(first.ok_or(none)??)
            },
        )?;
        found(answers)
    }
}

/// What tells elements of one set apart: an interval set has a range's end and the next one's start
/// under one key.
fn identity(element: &Element) -> (&[u8], Option<&[u8]>, bool) {
    (&element.key, element.key_end.as_deref(), element.interval_end)
}

fn has_duplicates(elements: &[Element]) -> bool {
    let mut seen = HashSet::with_capacity(elements.len());
    !elements.iter().all(|element| seen.insert(identity(element)))
}

fn keep_first_of_each(elements: &mut Vec<Element>) {
    let mut seen = HashSet::with_capacity(elements.len());
    let is_first: Vec<bool> =
        elements.iter().map(|element| seen.insert(identity(element))).collect();
    let mut is_first = is_first.into_iter();
    elements.retain(|_| is_first.next().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use super::{Element, has_duplicates, keep_first_of_each};

    fn element(key: u8) -> Element {
        Element::new(vec![key])
    }

    #[test]
    fn keep_first_of_each_when_some_came_twice_then_each_is_there_once_in_order() {
        let mut elements = vec![element(2), element(1), element(2), element(3), element(1)];
        assert!(has_duplicates(&elements));
        keep_first_of_each(&mut elements);
        assert_eq!(elements, [element(2), element(1), element(3)]);
        assert!(!has_duplicates(&elements));
    }

    #[test]
    fn has_duplicates_when_ranges_share_a_key_then_are_two() {
        let end = Element { interval_end: true, ..element(1) };
        let longer = Element { key_end: Some(vec![9]), ..element(1) };
        assert!(!has_duplicates(&[element(1), end, longer]));
    }
}
