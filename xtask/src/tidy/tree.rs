//! The walk over the files, and the report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::rules::check;
use crate::run::root;

/// `cargo xtask tidy`: `path:line: message` for each fault; exit code 1 where there is one.
pub fn run() -> Result<ExitCode> {
    let (mut files, mut faults) = (0, 0);
    for top in ["src", "xtask/src"] {
        let dir = root().join(top);
        for path in sources(&dir)? {
            let source =
                std::fs::read_to_string(&path).with_context(|| format!("reading {path:?}"))?;
            let inside = path.strip_prefix(&dir).unwrap_or(&path).to_string_lossy().into_owned();
            files += 1;
            for fault in check(&inside, &source) {
                faults += 1;
                println!("{top}/{inside}:{}: {}", fault.line, fault.message);
            }
        }
    }
    if faults > 0 {
        eprintln!("tidy: {faults} faults in {files} files");
        return Ok(ExitCode::FAILURE);
    }
    println!("tidy: {files} files, no fault");
    Ok(ExitCode::SUCCESS)
}

/// All `.rs` files below a directory, in order.
fn sources(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(dir).with_context(|| format!("reading {dir:?}"))?;
    for entry in entries {
        let path = entry.with_context(|| format!("reading {dir:?}"))?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
