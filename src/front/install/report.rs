//! What was done, and what stands where, in words.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::directory::{Directory, Standing, are_one};
use super::error::Error;
use super::plan::{BackStep, Step};
use super::record::{Before, Placed};

/// One line for each applet that was installed.
pub(super) fn installed(
    directory: &Directory,
    steps: &[(&str, Step)],
    wanted: &Placed,
    out: &mut impl Write,
) -> Result<(), Error> {
    let what = match wanted {
        Placed::Link(target) => format!("link to {target}"),
        Placed::Copy(_) => "copy".to_owned(),
    };
    for (name, step) in steps {
        let path = directory.place(name);
        let path = path.display();
        match step {
            Step::Leave => writeln!(out, "{path}: unchanged")?,
            Step::Place => writeln!(out, "{path}: {what}")?,
            Step::Replace => writeln!(out, "{path}: {what}, renewed")?,
            Step::KeepAndPlace => {
                let kept = directory.kept(name);
                writeln!(out, "{path}: {what}; what was there is kept in {}", kept.display())?;
            }
        }
    }
    Ok(out.flush()?)
}

/// One line for each applet that was uninstalled.
pub(super) fn uninstalled(
    directory: &Directory,
    steps: &[(&str, BackStep)],
    out: &mut impl Write,
) -> Result<(), Error> {
    if steps.is_empty() {
        writeln!(out, "nothing is installed in {}", directory.path().display())?;
    }
    for (name, step) in steps {
        let path = directory.place(name);
        let path = path.display();
        match step {
            BackStep::Leave => writeln!(out, "{path}: unchanged")?,
            BackStep::Remove => writeln!(out, "{path}: removed")?,
            BackStep::Restore => writeln!(out, "{path}: put back as it was")?,
        }
    }
    Ok(out.flush()?)
}

/// Whose it is that stands in an applet's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Nobodys,
    Ours,
    Others,
}

/// Lists each applet, what stands in its place and whose it is.
pub(super) fn list(
    directory: &Directory,
    applets: &[&str],
    binary: &Path,
    as_json: bool,
    out: &mut impl Write,
) -> Result<(), Error> {
    let record = directory.record()?;
    let mut rows = Vec::new();
    for name in applets {
        let path = directory.place(name);
        let standing = Standing::at(&path)?;
        let entry = record.entries.get(*name);
        let is_placed = match entry {
            Some(entry) => standing.is(&entry.placed, &path)?,
            None => false,
        };
        let leads_here = path.canonicalize().is_ok_and(|file| file == binary);
        let whose = if standing == Standing::Nothing {
            Whose::Nobodys
        } else if is_placed || leads_here || are_one(&path, binary) {
            Whose::Ours
        } else {
            Whose::Others
        };
        let is_kept = entry.is_some_and(|entry| entry.before == Before::Kept);
        rows.push((*name, standing, whose, is_kept));
    }
    if as_json {
        let rows: Vec<Value> = rows.iter().map(|row| to_json(directory, row)).collect();
        writeln!(out, "{:#}", Value::from(rows))?;
    } else {
        writeln!(out, "{}:", directory.path().display())?;
        for row in &rows {
            writeln!(out, "{}", line(row))?;
        }
    }
    Ok(out.flush()?)
}

type Row<'a> = (&'a str, Standing, Whose, bool);

fn line((name, standing, whose, is_kept): &Row<'_>) -> String {
    let standing = match standing {
        Standing::Nothing => "nothing".to_owned(),
        Standing::Link(target) => format!("link to {}", target.display()),
        Standing::File => "file".to_owned(),
        Standing::Other => "neither file nor link".to_owned(),
    };
    let whose = match whose {
        Whose::Nobodys => "",
        Whose::Ours => ", portcullis",
        Whose::Others => ", not portcullis",
    };
    let kept = if *is_kept { "; what was there before is kept" } else { "" };
    format!("{name:<12}{standing}{whose}{kept}")
}

fn to_json(directory: &Directory, (name, standing, whose, is_kept): &Row<'_>) -> Value {
    let (kind, target) = match standing {
        Standing::Nothing => ("nothing", None),
        Standing::Link(target) => ("link", Some(target.to_string_lossy().into_owned())),
        Standing::File => ("file", None),
        Standing::Other => ("other", None),
    };
    let whose = match whose {
        Whose::Nobodys => "nobody",
        Whose::Ours => "portcullis",
        Whose::Others => "other",
    };
    json!({
        "applet": name,
        "path": directory.place(name).to_string_lossy(),
        "standing": kind,
        "target": target,
        "owner": whose,
        "kept": is_kept.then(|| directory.kept(name).to_string_lossy().into_owned()),
    })
}
