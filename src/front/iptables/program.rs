//! The programs, by name, and what each does with its arguments.

use std::io::Write;
use std::process::ExitCode;

use super::builtin::{TABLES, Table};
use super::change::Changer;
use super::error::{Error, VERSION};
use super::show::{self, Counts};
use super::state::State;
use super::translate;
use crate::net::IpVersion;
use crate::nft::Kernel;
use crate::xtables::{self, Command, Operation};

/// One of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// What it is called by: `ip6tables-save`.
    pub name: &'static str,
    version: IpVersion,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Command,
    Save,
    Translate,
    TranslateFile,
}

impl Program {
    /// All of them.
    pub const ALL: [Program; 8] = [
        Program { name: "iptables", version: IpVersion::V4, kind: Kind::Command },
        Program { name: "ip6tables", version: IpVersion::V6, kind: Kind::Command },
        Program { name: "iptables-save", version: IpVersion::V4, kind: Kind::Save },
        Program { name: "ip6tables-save", version: IpVersion::V6, kind: Kind::Save },
        Program { name: "iptables-translate", version: IpVersion::V4, kind: Kind::Translate },
        Program { name: "ip6tables-translate", version: IpVersion::V6, kind: Kind::Translate },
        Program {
            name: "iptables-restore-translate",
            version: IpVersion::V4,
            kind: Kind::TranslateFile,
        },
        Program {
            name: "ip6tables-restore-translate",
            version: IpVersion::V6,
            kind: Kind::TranslateFile,
        },
    ];

    /// The program of a name, also of the names with `-nft` in them that Debian has.
    #[must_use]
    pub fn find(name: &str) -> Option<Program> {
        let plain = name.replacen("tables-nft", "tables", 1);
        Program::ALL.into_iter().find(|program| program.name == plain)
    }
}

/// Runs a program with the words behind its name; what it prints goes to `out` and `err`.
pub fn run(
    program: Program,
    words: &[String],
    out: &mut impl Write,
    err: &mut impl Write,
) -> ExitCode {
    let done = match program.kind {
        Kind::Command => command(program, words, out),
        Kind::Save => save(program, words, out),
        Kind::Translate => {
            return translate::command(program.name, program.version, words, out, err);
        }
        Kind::TranslateFile => {
            return translate::file(program.name, program.version, words, out, err);
        }
    };
    match done.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.print(program.name, err) {
            Ok(()) => ExitCode::from(error.code()),
            Err(_) => ExitCode::FAILURE,
        },
    }
}

fn command(program: Program, words: &[String], out: &mut impl Write) -> Result<(), Error> {
    let Command { version, table: name, operation, style } =
        xtables::command(words, program.version)?;
    let table = Table::find(&name).ok_or(Error::NoTable { name })?;
    match &operation {
        Operation::Version => {
            let ours = env!("CARGO_PKG_VERSION");
            writeln!(out, "{} {VERSION} portcullis {ours}", program.name)?;
            return Ok(());
        }
        Operation::ListRules { chain, number, .. } => {
            let mut kernel = Kernel::open()?;
            let state = State::read(&mut kernel, table, version, chain.as_deref())?;
            let counts = if style.verbose > 0 { Counts::Behind } else { Counts::Hidden };
            return list_rules(&state, chain.as_deref(), *number, counts, out);
        }
        _ => {}
    }
    let mut kernel = Kernel::open()?;
    let done = Changer { kernel: &mut kernel, table, version }.change(&operation);
    kernel.close_later();
    done
}

fn list_rules(
    state: &State,
    chain: Option<&str>,
    number: Option<u32>,
    counts: Counts,
    out: &mut impl Write,
) -> Result<(), Error> {
    if let Some(chain) = chain
        && state.chain(chain).is_none()
    {
        let (chain, table) = (chain.to_owned(), state.table.name);
        return Err(Error::Incompatible { chain, table });
    }
    if number.is_none() {
        if state.has_foreign {
            writeln!(out, "{}", show::incompatible(state))?;
        }
        for chain in &state.chains {
            show::declare(chain, counts, out)?;
        }
    }
    for chain in &state.chains {
        show::rules(chain, state.version, counts, number, out)?;
    }
    Ok(())
}

fn save(program: Program, words: &[String], out: &mut impl Write) -> Result<(), Error> {
    let mut counts = Counts::Hidden;
    let mut only = None;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-c" | "--counters" => counts = Counts::InFront,
            "-t" | "--table" => only = words.next(),
            word => {
                let word = word.to_owned();
                return Err(xtables::Error::UnknownOption { word }.into());
            }
        }
    }
    let mut kernel = Kernel::open()?;
    for table in TABLES.iter().filter(|table| only.is_none_or(|only| only == table.name)) {
        let state = State::read(&mut kernel, table, program.version, None)?;
        if state.exists {
            show::save(&state, counts, "now", program.name, out)?;
        }
    }
    Ok(())
}
