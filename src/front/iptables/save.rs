//! `iptables-save`: tables as a file that `iptables-restore` reads.

use std::fs::File;
use std::io::{BufWriter, Write};

use super::builtin::{TABLES, Table};
use super::clock;
use super::error::Error;
use super::getopt::{Known, Value, getopt};
use super::help;
use super::show::{self, Counts};
use super::state::State;
use crate::net::IpVersion;
use crate::nft::Kernel;

const OPTIONS: [Known; 7] = [
    ('c', "counters", Value::None),
    ('V', "version", Value::None),
    ('t', "table", Value::Needed),
    ('M', "modprobe", Value::Needed),
    ('f', "file", Value::Needed),
    ('4', "ipv4", Value::None),
    ('6', "ipv6", Value::None),
];

const HINT: &str = "Look at manual page `iptables-save.8' for more information.";

/// Runs `iptables-save` with the words behind its name.
pub(super) fn save(
    program: &'static str,
    version: IpVersion,
    words: &[String],
    out: &mut impl Write,
) -> Result<(), Error> {
    let (options, others) = getopt(words, &OPTIONS, HINT)?;
    let last = |wanted| options.iter().rev().find(|(letter, _)| *letter == wanted);
    if last('V').is_some() {
        return Ok(help::version(program, out)?);
    }
    if !others.is_empty() {
        let text = "Unknown arguments found on commandline".to_owned();
        return Err(Error::Usage { text, hint: HINT });
    }
    let only = match last('t') {
        Some((_, name)) => {
            let missing = || Error::NoTableToSave { name: (*name).to_owned() };
            Some(Table::find(name).ok_or_else(missing)?)
        }
        None => None,
    };
    let counts = if last('c').is_some() { Counts::InFront } else { Counts::Hidden };
    let mut kernel = Kernel::open()?;
    let now = clock::now();
    let mut text = Vec::new();
    for table in TABLES.iter().filter(|table| only.is_none_or(|only| only == *table)) {
        let state = State::read(&mut kernel, table, version, None)?;
        if state.exists {
            show::save(&state, counts, &now, program, &mut text)?;
        }
    }
    match last('f') {
        Some((_, file)) => {
            let mut file = BufWriter::new(File::create(file)?);
            file.write_all(&text)?;
            file.flush()?;
        }
        None => out.write_all(&text)?,
    }
    Ok(())
}
