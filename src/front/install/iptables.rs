//! `portcullis install iptables` and `portcullis uninstall iptables`.
//!
//! Where `iptables` is a name of alternatives, this program becomes one of them and is chosen; the
//! choice from before is recorded. Elsewhere, and in a directory that was named, the names become links
//! to it, and what stood in their place is kept, as with the plugins.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::alternatives::{Group, add, choose, choose_best, remove};
use super::directory::Directory;
use super::error::Error;
use super::journal::Journal;

/// The names that are chosen by themselves.
const MASTERS: [&str; 2] = ["iptables", "ip6tables"];
/// What follows them. The other programs of the package are plain files of it, and stay.
const FOLLOWING: [&str; 2] = ["-restore", "-save"];
/// The record, beside what is kept.
const RECORD: &str = ".alternatives.json";

/// What was chosen before, by name; of those that were changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Chosen {
    /// This program as it was registered.
    own: String,
    /// What was chosen by hand; none where the best one was taken.
    before: Vec<(String, Option<String>)>,
}

/// Whether `iptables` is a name of alternatives here.
pub(super) fn has_alternatives() -> Result<bool, Error> {
    Ok(Group::query(MASTERS[0])?.is_some())
}

/// Whether [`install`] has been here.
pub(super) fn is_installed(directory: &Directory) -> bool {
    record_path(directory).exists()
}

/// Registers this program for the names, and chooses it.
///
/// # Errors
/// [`Error`]; nothing is changed then.
pub(super) fn install(
    directory: &Directory,
    names: &[&str],
    own: &str,
    out: &mut impl Write,
) -> Result<(), Error> {
    let mut record = read_record(directory)?;
    if !record.own.is_empty() && record.own != own {
        return Err(Error::OtherAlternative { path: PathBuf::from(record.own) });
    }
    own.clone_into(&mut record.own);
    let mut groups = Vec::new();
    for name in MASTERS.into_iter().filter(|name| names.contains(name)) {
        let Some(group) = Group::query(name)? else { continue };
        record.note(name, &group);
        groups.push((name, group));
    }
    // First the record: a process that is killed must not leave what nobody knows of.
    let mut journal = Journal::default();
    let text = format!("{:#}\n", record.to_json());
    let written = journal
        .directory(&directory.before())
        .and_then(|()| journal.put(&record_path(directory), |path| fs::write(path, text)));
    if let Err(error) = written {
        return Err(journal.roll_back(error));
    }
    for (at, (name, group)) in groups.iter().enumerate() {
        if let Err(error) = take(name, group, names, own) {
            let undone: Vec<String> = groups[..=at]
                .iter()
                .filter_map(|(name, group)| give_back(name, group, own).err())
                .map(|error| error.to_string())
                .collect();
            let error = journal.roll_back(error);
            return Err(if undone.is_empty() {
                error
            } else {
                Error::NotUndone { cause: Box::new(error), left: undone.join(", ") }
            });
        }
    }
    journal.commit();
    for (name, group) in &groups {
        let before = group.value.as_deref().unwrap_or("nothing");
        if before == own {
            writeln!(out, "{}: unchanged", group.link)?;
        } else {
            writeln!(out, "{} ({name}): {own}, an alternative; it was {before}", group.link)?;
        }
    }
    Ok(out.flush()?)
}

fn take(name: &str, group: &Group, names: &[&str], own: &str) -> Result<(), Error> {
    let follows = |other: &&&str| FOLLOWING.iter().any(|rest| **other == format!("{name}{rest}"));
    let slaves: Vec<String> =
        names.iter().filter(follows).map(|slave| (*slave).to_owned()).collect();
    add(name, group, own, &slaves)?;
    // The best one is taken without being chosen, as long as nobody chose.
    if group.is_manual { choose(name, own) } else { Ok(()) }
}

/// As the group was.
fn give_back(name: &str, group: &Group, own: &str) -> Result<(), Error> {
    if !group.has(own) {
        let is_there = Group::query(name)?.is_some_and(|group| group.has(own));
        if is_there {
            remove(name, own)?;
        }
    }
    match &group.value {
        Some(value) if group.is_manual => choose(name, value),
        Some(_) | None => choose_best(name),
    }
}

/// Takes this program out of the alternatives; what was chosen before is chosen again, unless
/// somebody has chosen something else since.
///
/// # Errors
/// [`Error`]. What was not given back is given back the next time.
pub(super) fn uninstall(directory: &Directory, out: &mut impl Write) -> Result<(), Error> {
    let record = read_record(directory)?;
    for (name, before) in &record.before {
        let Some(group) = Group::query(name)?.filter(|group| group.has(&record.own)) else {
            writeln!(out, "{name}: unchanged")?;
            continue;
        };
        let is_kept = is_kept(&record.own, &group, before.as_deref());
        remove(name, &record.own)?;
        match before {
            Some(before) if is_kept && group.has(before) => choose(name, before)?,
            Some(_) | None => {}
        }
        let now = Group::query(name)?.and_then(|group| group.value);
        let now = now.unwrap_or_else(|| "nothing".to_owned());
        writeln!(out, "{} ({name}): {now} again", group.link)?;
    }
    let mut journal = Journal::default();
    match journal.clear(&record_path(directory)) {
        Ok(()) => journal.commit(),
        Err(error) => return Err(journal.roll_back(error)),
    }
    let before = directory.before();
    if let Err(error) = fs::remove_dir(&before) {
        tracing::warn!(path = %before.display(), %error, "the directory stays");
    }
    Ok(out.flush()?)
}

/// Whether a name still leads to this program the way that [`install`] left it: chosen, where
/// something else had been chosen before.
fn is_kept(own: &str, group: &Group, before: Option<&str>) -> bool {
    group.value.as_deref() == Some(own) && (group.is_manual || before.is_none())
}

fn record_path(directory: &Directory) -> PathBuf {
    directory.before().join(RECORD)
}

fn read_record(directory: &Directory) -> Result<Chosen, Error> {
    let path = record_path(directory);
    match fs::read_to_string(&path) {
        Ok(text) => Chosen::parse(&text, &path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Chosen::default()),
        Err(cause) => Err(Error::file("read", path)(cause)),
    }
}

impl Chosen {
    /// Notes what a name leads to before this program is taken. What is known of a call before
    /// stays, unless somebody has chosen something else since.
    fn note(&mut self, name: &str, group: &Group) {
        let now = || group.value.clone().filter(|_| group.is_manual);
        let known = self.before.iter().position(|(known, _)| known == name);
        match known.and_then(|at| self.before.get_mut(at)) {
            Some((_, before)) if is_kept(&self.own, group, before.as_deref()) => {}
            Some((_, before)) => *before = now(),
            None => self.before.push((name.to_owned(), now())),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Record { path: path.to_owned(), reason };
        let root: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let own = root.get("program").and_then(Value::as_str);
        let before = root.get("before").and_then(Value::as_object);
        let (Some(own), Some(before)) = (own, before) else {
            return Err(wrong("it has no program, or nothing from before".to_owned()));
        };
        let before = before
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned)))
            .collect();
        Ok(Chosen { own: own.to_owned(), before })
    }

    fn to_json(&self) -> Value {
        let before: Map<String, Value> =
            self.before.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "program": self.own, "before": before })
    }
}
