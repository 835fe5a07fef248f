//! `iptables-restore-translate`: a file of iptables-save as a file for `nft -f`.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use super::super::builtin::Table;
use super::super::error::{Error as Classic, VERSION};
use super::super::help;
use super::super::save_file::{self, Line, counted};
use super::super::show::policy_name;
use super::super::state::table_id;
use super::error::Error;
use super::line::{base_chain, lines};
use super::lists::Lists;
use super::word;
use crate::net::IpVersion;
use crate::nft::Policy;
use crate::xtables::{self, Counters};

/// Prints what a file of iptables-save means to nft: `-f FILE`, or else standard input. With rules
/// that nft has no words for, which are comments then, the exit code is 1.
pub(in crate::front::iptables) fn file(
    program: &str,
    version: IpVersion,
    words: &[String],
    out: &mut impl Write,
    err: &mut impl Write,
) -> ExitCode {
    match print(program, version, words, out, err) {
        Ok(code) => code,
        Err(error) => error.report(program, err),
    }
}

fn print(
    program: &str,
    version: IpVersion,
    words: &[String],
    out: &mut impl Write,
    err: &mut impl Write,
) -> Result<ExitCode, Error> {
    let mut path = None;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-f" | "--file" => path = words.next(),
            "-V" | "--version" => {
                help::version(program, out)?;
                return Ok(ExitCode::SUCCESS);
            }
            "-h" | "--help" => {
                writeln!(out, "Usage: {program} [-h] [-f <FILE>] [-V]")?;
                return Ok(ExitCode::SUCCESS);
            }
            word => match word.strip_prefix("--file=") {
                Some(file) => path = Some(file),
                None => {
                    let word = word.to_owned();
                    return Err(xtables::Error::UnknownOption { word }.into());
                }
            },
        }
    }
    let text = read(path)?;
    let translated = restore(&text, version)?;
    write!(out, "{}", translated.text)?;
    out.flush()?;
    for left in &translated.left {
        writeln!(err, "{program} {VERSION}: {left}")?;
    }
    Ok(if translated.left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The text of a file; of standard input if none is named, or `-`.
pub(super) fn read(path: Option<&str>) -> Result<String, Error> {
    let mut text = String::new();
    let read = match path {
        Some(path) if path != "-" => fs::read_to_string(path).map(|read| text = read),
        Some(_) | None => io::stdin().lock().read_to_string(&mut text).map(|_| ()),
    };
    let path = path.unwrap_or("-").to_owned();
    read.map_err(|cause| Error::Read { path, cause })?;
    Ok(text)
}

/// A file for `nft -f`.
#[derive(Debug, Default)]
pub(super) struct Translated {
    /// The file.
    pub(super) text: String,
    /// What nft has no words for, a line of the file each, with the reason.
    pub(super) left: Vec<String>,
}

/// A file of iptables-save as a file for `nft -f`, to be loaded where none of its chains are yet.
///
/// # Errors
/// [`Error`] for what is no such file. A rule that nft has no words for is no error: it is a
/// comment in the text.
pub(super) fn restore(text: &str, version: IpVersion) -> Result<Translated, Error> {
    let mut reading =
        Reading { version, table: None, lists: Lists::default(), done: Translated::default() };
    reading.done.text = format!("# Translated by portcullis {}\n", env!("CARGO_PKG_VERSION"));
    for (number, line) in (1..).zip(text.lines()) {
        reading.line(line.trim(), number)?;
    }
    if reading.table.is_some() {
        return Err(wrong(text.lines().count(), "COMMIT expected"));
    }
    Ok(reading.done)
}

fn wrong(line: usize, reason: impl Into<String>) -> Error {
    Error::Line { line, reason: reason.into() }
}

struct Reading {
    version: IpVersion,
    table: Option<Open>,
    lists: Lists,
    done: Translated,
}

/// A table whose lines are being read.
struct Open {
    table: &'static Table,
    /// The chains of hooks that are made already.
    made: Vec<&'static str>,
}

impl Reading {
    fn line(&mut self, text: &str, number: usize) -> Result<(), Error> {
        let table = self.table.as_ref().map(|open| open.table);
        let line = save_file::line(text).map_err(|fault| wrong(number, fault.to_string()))?;
        match (line, table) {
            (Line::Comment, _) => Ok(()),
            (Line::Table(name), None) => {
                let table = Table::find(name)
                    .ok_or_else(|| wrong(number, format!("no table is called {name:?}")))?;
                self.put(&format!("add table {}", table_id(table, self.version)));
                self.table = Some(Open { table, made: Vec::new() });
                Ok(())
            }
            (Line::Commit, Some(_)) => {
                self.table = None;
                Ok(())
            }
            (Line::Chain { name, policy, .. }, Some(table)) => {
                self.chain(table, name, policy, number)
            }
            (Line::Rule { counters, words }, Some(table)) => {
                self.command(table, text, words, counters, number)
            }
            (Line::Table(_), Some(_)) | (_, None) => {
                Err(wrong(number, format!("unexpected {text:?}")))
            }
        }
    }

    fn put(&mut self, line: &str) {
        self.done.text.push_str(line);
        self.done.text.push('\n');
    }

    /// `INPUT DROP`, `DOCKER -`. What the chain itself has counted has no place in a file of nft.
    fn chain(
        &mut self,
        table: &'static Table,
        chain: &str,
        policy: &str,
        number: usize,
    ) -> Result<(), Error> {
        let policy = [Policy::Accept, Policy::Drop]
            .into_iter()
            .find(|known| policy_name(*known) == policy)
            .map_or(if policy == "-" { Ok(None) } else { Err(policy) }, |known| Ok(Some(known)))
            .map_err(|policy| wrong(number, format!("no policy is called {policy:?}")))?;
        match (table.builtin(chain), policy) {
            (Some(_), policy) => self.base_chain(table, chain, policy.unwrap_or(Policy::Accept)),
            (None, None) => match word::name(chain) {
                Ok(name) => {
                    self.put(&format!("add chain {} {name}", table_id(table, self.version)));
                    Ok(())
                }
                Err(error) => self.leave(table, &format!("-N {chain}"), error, number),
            },
            (None, Some(_)) => Err(wrong(number, format!("no hook calls {chain:?}"))),
        }
    }

    fn base_chain(
        &mut self,
        table: &'static Table,
        chain: &str,
        policy: Policy,
    ) -> Result<(), Error> {
        let text = base_chain(table, self.version, chain, policy)?;
        self.put(&text);
        if let (Some(open), Some(known)) = (&mut self.table, table.builtin(chain)) {
            open.made.push(known.name);
        }
        Ok(())
    }

    /// `-A INPUT …`, or any other command, and what the rule has counted.
    fn command(
        &mut self,
        table: &'static Table,
        line: &str,
        words: Vec<Cow<'_, str>>,
        counters: Option<Counters>,
        number: usize,
    ) -> Result<(), Error> {
        let words = match counters {
            Some(counters) => counted(words, counters),
            None => words,
        };
        if let [append, chain, ..] = words.as_slice()
            && matches!(append.as_ref(), "-A" | "-I" | "--append" | "--insert")
            && let Some(builtin) = table.builtin(chain)
            && self.table.as_ref().is_some_and(|open| !open.made.contains(&builtin.name))
        {
            self.base_chain(table, builtin.name, Policy::Accept)?;
        }
        let translated =
            xtables::command(&words, self.version).map_err(Error::from).and_then(|mut command| {
                let (version, operation) = (command.version, &mut command.operation);
                self.lists.settle(table, version, operation, &mut self.done.text)?;
                lines(table, version, operation)
            });
        match translated {
            Ok(lines) => {
                lines.iter().for_each(|line| self.put(line));
                Ok(())
            }
            Err(error) => self.leave(table, line, error, number),
        }
    }

    /// A comment in the place of what has no form; any other error ends the reading.
    fn leave(
        &mut self,
        table: &Table,
        line: &str,
        error: Error,
        number: usize,
    ) -> Result<(), Error> {
        if !error.is_no_form() {
            let reason = match error {
                Error::Classic(Classic::Words(error)) => error.to_string(),
                error => error.to_string(),
            };
            return Err(wrong(number, reason));
        }
        let rule = line.split_once("] ").filter(|_| line.starts_with('[')).map_or(line, |(_, r)| r);
        self.put(&format!("# -t {} {rule}: {error}", table.name));
        self.done.left.push(format!("line {number}: not translated: {error}"));
        Ok(())
    }
}
