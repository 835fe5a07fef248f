//! `iptables-translate`: one command line as commands of nft.

use std::io::Write;
use std::process::ExitCode;

use super::super::builtin::Table;
use super::super::error::Error as Classic;
use super::super::help;
use super::error::Error;
use super::line::lines;
use crate::net::IpVersion;
use crate::xtables::{self, Command, Operation};

/// Prints what the words behind `iptables` mean to nft, one command a line, ready for a shell.
pub(in crate::front::iptables) fn command(
    program: &str,
    version: IpVersion,
    words: &[String],
    out: &mut impl Write,
    err: &mut impl Write,
) -> ExitCode {
    match print(program, version, words, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(program, err),
    }
}

fn print(
    program: &str,
    version: IpVersion,
    words: &[String],
    out: &mut impl Write,
) -> Result<(), Error> {
    let Command { version, table: name, operation, .. } = xtables::command(words, version)?;
    let table = Table::find(&name).ok_or(Classic::NoTable { name })?;
    match operation {
        Operation::Version => help::version(program, out)?,
        Operation::Help => help::translate(program, out)?,
        operation => {
            for line in lines(table, version, &operation)? {
                writeln!(out, "nft {}", for_shell(&line))?;
            }
        }
    }
    Ok(out.flush()?)
}

/// The words behind `nft`: in single quotes where a shell would take some of them for itself.
fn for_shell(line: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-./:".contains(c);
    if line.chars().all(is_plain) && !line.starts_with("add rule") && !line.starts_with("insert") {
        line.to_owned()
    } else {
        format!("'{}'", line.replace('\'', "'\\''"))
    }
}
