//! What all address files say, in one file: so that a call need not read hundreds. Pure.
//!
//! The files remain what counts. The index is believed only as long as nobody but us is seen to have
//! changed the directory since it was written: then the directory's time of modification is the one that
//! the index names, which was set by hand to a moment in the past, so that no later change can
//! have the same; and the machine was not started anew, so that no power was lost.
//!
//! Two things go unseen: what a hand writes *into* an existing address file, and what a program
//! that takes no lock changes while a call of ours does, whose new stamp hides it. So nobody is
//! refused, and nothing is said to be missing, by the index alone: the files are asked first.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::holder::{Attachment, Holder};
use super::store::Entry;

/// What makes an index valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// `/proc/sys/kernel/random/boot_id`
    pub boot: String,
    /// When the directory was modified, or is made to look so.
    pub modified: SystemTime,
}

impl Stamp {
    fn line(&self) -> Option<String> {
        let since = self.modified.duration_since(UNIX_EPOCH).ok()?;
        Some(format!("portcullis 1 {} {}", self.boot, since.as_nanos()))
    }

    /// A moment that no change from `now` on can be thought to have happened at.
    pub(super) fn before(boot: &str, now: SystemTime) -> Option<Self> {
        let modified = now.checked_sub(Duration::from_secs(2))?;
        Some(Stamp { boot: boot.to_owned(), modified })
    }
}

/// The text of an index: its stamp, then a line for each address.
pub(super) fn print(stamp: &Stamp, holders: &[(Entry, Holder)]) -> Option<String> {
    let mut text = stamp.line()?;
    text.push('\n');
    for (entry, holder) in holders {
        text.push_str(entry.name());
        let words = match holder {
            Holder::Attachment(it) => [it.container.as_str(), it.ifname.as_str()],
            Holder::Container(container) => [container.as_str(), ""],
            Holder::Other => ["", ""],
            // Not to be remembered, but to be found.
            Holder::Nobody => return None,
        };
        for word in words.into_iter().filter(|word| !word.is_empty()) {
            text.push(' ');
            text.push_str(word);
        }
        text.push('\n');
    }
    Some(text)
}

/// Reads an index that is valid by this stamp.
pub(super) fn parse(text: &str, stamp: &Stamp) -> Option<Vec<(Entry, Holder)>> {
    let (first, rest) = text.split_once('\n')?;
    if first != stamp.line()? {
        return None;
    }
    let line = |line: &str| {
        let mut words = line.split(' ');
        let entry = Entry::new(words.next()?)?;
        let holder = match (words.next().map(str::to_owned), words.next().map(str::to_owned)) {
            (Some(container), Some(ifname)) => Holder::Attachment(Attachment { container, ifname }),
            (Some(container), None) => Holder::Container(container),
            (None, _) => Holder::Other,
        };
        Some((entry, holder))
    };
    rest.lines().map(line).collect()
}
