//! The programs, by name, and what each does with its arguments.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use super::builtin::Table;
use super::change::Changer;
use super::error::Error;
use super::restore::restore;
use super::save::save;
use super::show::{self, Counts};
use super::state::{State, table_id};
use super::sweep::sweep;
use super::{help, list, translate};
use crate::net::IpVersion;
use crate::nft::Kernel;
use crate::xtables::{self, Command, Operation, PrintStyle};

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
    Restore,
    Translate,
    TranslateFile,
}

impl Program {
    /// All of them.
    pub const ALL: [Program; 10] = [
        Program { name: "iptables", version: IpVersion::V4, kind: Kind::Command },
        Program { name: "ip6tables", version: IpVersion::V6, kind: Kind::Command },
        Program { name: "iptables-save", version: IpVersion::V4, kind: Kind::Save },
        Program { name: "ip6tables-save", version: IpVersion::V6, kind: Kind::Save },
        Program { name: "iptables-restore", version: IpVersion::V4, kind: Kind::Restore },
        Program { name: "ip6tables-restore", version: IpVersion::V6, kind: Kind::Restore },
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

    /// Prints how it is called: `portcullis help iptables-save`.
    ///
    /// # Errors
    /// The output could not be written.
    pub fn help(self, out: &mut impl Write) -> io::Result<()> {
        match self.kind {
            Kind::Command => help::command(self.name, out)?,
            Kind::Save => help::save(self.name, out)?,
            Kind::Restore => help::restore(self.name, out)?,
            Kind::Translate => help::translate(self.name, out)?,
            Kind::TranslateFile => help::translate_file(self.name, out)?,
        }
        out.flush()
    }
}

/// Runs a program with the words behind its name; what it prints goes to `out` and `err`.
pub fn run(
    program: Program,
    words: &[impl AsRef<OsStr>],
    out: &mut impl Write,
    err: &mut impl Write,
) -> ExitCode {
    let words = match words.iter().map(|word| as_text(word.as_ref())).collect::<Result<Vec<_>, _>>()
    {
        Ok(words) => words,
        Err(error) => return fail(&error, program.name, err),
    };
    let words = words.as_slice();
    let mut out = BufWriter::new(out);
    let done = match program.kind {
        Kind::Command => command(program, words, &mut out),
        Kind::Save => save(program.name, program.version, words, &mut out),
        Kind::Restore => restore(program.name, program.version, words, &mut out),
        Kind::Translate => {
            return translate::command(program.name, program.version, words, &mut out, err);
        }
        Kind::TranslateFile => {
            return translate::file(program.name, program.version, words, &mut out, err);
        }
    };
    // What was printed before a fault is true all the same.
    match (done, out.flush()) {
        (Ok(()), Ok(())) => ExitCode::SUCCESS,
        (Err(error), _) => fail(&error, program.name, err),
        (Ok(()), Err(error)) => fail(&error.into(), program.name, err),
    }
}

/// Words are compared and kept as they are, so that none is taken for what it is not.
fn as_text(word: &OsStr) -> Result<String, Error> {
    let text = word.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::NotUtf8 { word: word.to_string_lossy().into_owned() })
}

fn fail(error: &Error, program: &str, err: &mut impl Write) -> ExitCode {
    match error.print(program, err) {
        Ok(()) => ExitCode::from(error.code()),
        Err(_) => ExitCode::FAILURE,
    }
}

fn command(program: Program, words: &[String], out: &mut impl Write) -> Result<(), Error> {
    let Command { version, table: name, operation, style, .. } =
        xtables::command(words, program.version)?;
    if version != program.version {
        return Err(Error::OtherProgram { version });
    }
    let table = Table::find(&name).ok_or(Error::NoTable { name })?;
    match &operation {
        Operation::Version => return Ok(help::version(program.name, out)?),
        Operation::Help => return Ok(help::command(program.name, out)?),
        _ => {}
    }
    let mut kernel = Kernel::open()?;
    let done = perform(&mut kernel, table, version, &operation, style, out);
    // Only who deletes makes close(2) wait, and leaves sets behind.
    match operation {
        Operation::Delete { .. }
        | Operation::DeleteNumber { .. }
        | Operation::Replace { .. }
        | Operation::DeleteChain { .. }
        | Operation::Flush { .. }
        | Operation::Zero { .. }
        | Operation::List { zero: true, .. }
        | Operation::ListRules { zero: true, .. } => {
            if done.is_ok() {
                sweep(&mut kernel, &table_id(table, version));
            }
            kernel.close_later();
            return done;
        }
        Operation::Append { .. }
        | Operation::Insert { .. }
        | Operation::Check { .. }
        | Operation::List { .. }
        | Operation::ListRules { .. }
        | Operation::NewChain { .. }
        | Operation::Policy { .. }
        | Operation::Rename { .. }
        | Operation::Version
        | Operation::Help => kernel.close(),
    }
    done
}

fn perform(
    kernel: &mut Kernel,
    table: &'static Table,
    version: IpVersion,
    operation: &Operation,
    style: PrintStyle,
    out: &mut impl Write,
) -> Result<(), Error> {
    let (chain, number, zero) = match operation {
        Operation::List { chain, number, zero } => {
            let state = read(kernel, table, version, chain.as_deref())?;
            list::list(&state, *number, style, out)?;
            (chain, number, zero)
        }
        Operation::ListRules { chain, number, zero } => {
            let state = read(kernel, table, version, chain.as_deref())?;
            let counts = if style.verbose > 0 { Counts::Behind } else { Counts::Hidden };
            list_rules(&state, *number, counts, out)?;
            (chain, number, zero)
        }
        operation => {
            let told = match style.verbose {
                0 => None,
                _ => Some(told(kernel, table, version, operation)?),
            };
            Changer { kernel, table, version }.change(operation)?;
            if let Some(told) = told {
                out.write_all(&told)?;
            }
            return Ok(());
        }
    };
    if !*zero {
        return Ok(());
    }
    let operation = Operation::Zero { chain: chain.clone(), number: *number };
    let told = match style.verbose {
        0 => Vec::new(),
        _ => told(kernel, table, version, &operation)?,
    };
    Changer { kernel, table, version }.change(&operation)?;
    Ok(out.write_all(&told)?)
}

/// A table, or one chain of it, which must be there.
fn read(
    kernel: &mut Kernel,
    table: &'static Table,
    version: IpVersion,
    chain: Option<&str>,
) -> Result<State, Error> {
    let state = State::read(kernel, table, version, chain)?;
    match chain {
        Some(name) if state.chain(name).is_none() => {
            Err(Error::Incompatible { chain: name.to_owned(), table: table.name })
        }
        Some(_) | None => Ok(state),
    }
}

/// What `-v` tells of an operation.
fn told(
    kernel: &mut Kernel,
    table: &'static Table,
    version: IpVersion,
    operation: &Operation,
) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    let (doing, chain) = match operation {
        Operation::Flush { chain } => ("Flushing", chain),
        Operation::Zero { chain, .. } => ("Zeroing", chain),
        Operation::DeleteChain { chain } => ("Deleting", chain),
        operation => {
            list::tell_rules(operation, version, &mut text)?;
            return Ok(text);
        }
    };
    let state = State::read(kernel, table, version, chain.as_deref())?;
    for chain in &state.chains {
        if doing != "Deleting" || chain.policy.is_none() {
            writeln!(text, "{doing} chain `{}'", chain.name)?;
        }
    }
    Ok(text)
}

fn list_rules(
    state: &State,
    number: Option<u32>,
    counts: Counts,
    out: &mut impl Write,
) -> Result<(), Error> {
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
