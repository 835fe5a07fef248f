//! `iptables-restore`: each table of a save file is one batch.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use super::builtin::Table;
use super::change::{Basis, Changer, Effect};
use super::classic::errno_text;
use super::draft::Draft;
use super::draft_chains::policy_named;
use super::error::Error;
use super::getopt::{Known, Value, getopt};
use super::list_ages::ListAges;
use super::save_file::{Line, counted, line};
use super::state::table_id;
use super::sweep::sweep;
use super::{help, list};
use crate::net::IpVersion;
use crate::nft::{Kernel, Policy};
use crate::xtables::{self, Counters, Operation};

const OPTIONS: [Known; 12] = [
    ('c', "counters", Value::None),
    ('v', "verbose", Value::None),
    ('V', "version", Value::None),
    ('t', "test", Value::None),
    ('h', "help", Value::None),
    ('n', "noflush", Value::None),
    ('T', "table", Value::Needed),
    ('M', "modprobe", Value::Needed),
    ('w', "wait", Value::Number),
    ('W', "wait-interval", Value::Number),
    ('4', "ipv4", Value::None),
    ('6', "ipv6", Value::None),
];

const HINT: &str = "Try `iptables-restore -h' for more information.";

/// What of a table is kept that the file does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    Flushed,
    Kept,
}

/// How a file is restored.
struct Restore<'a> {
    program: &'static str,
    version: IpVersion,
    /// Whether counters of the file are taken over.
    counters: bool,
    verbose: bool,
    others: Others,
    effect: Effect,
    /// `-T`
    only: Option<&'a str>,
}

/// A line of a table that is to be done.
enum Step {
    /// `:CHAIN -`
    Declare(String),
    /// `:INPUT DROP [0:0]`
    Builtin(String, Option<Policy>, Option<Counters>),
    Operation(Operation),
}

/// A table while its lines are read.
struct Block {
    table: &'static Table,
    /// Where it begins.
    line: usize,
    steps: Vec<(usize, Step)>,
}

/// A file while it is read.
#[derive(Default)]
struct Reading {
    /// How many lines were read.
    lines: usize,
    /// The table that they are in.
    block: Option<Block>,
    /// Whether that is one to leave out.
    skips: bool,
}

impl Reading {
    /// The file ends.
    fn end(&self) -> Result<(), Error> {
        match self.block {
            Some(_) => Err(Error::NoCommit.on(self.lines + 1)),
            None => Ok(()),
        }
    }
}

/// Runs `iptables-restore` with the words behind its name.
pub(super) fn restore(
    program: &'static str,
    version: IpVersion,
    words: &[String],
    out: &mut impl Write,
) -> Result<(), Error> {
    let (options, files) = getopt(words, &OPTIONS, HINT)?;
    let has = |letter| options.iter().any(|(given, _)| *given == letter);
    if has('h') {
        return Ok(help::restore(program, out)?);
    }
    if has('V') {
        return Ok(help::version(program, out)?);
    }
    let version = options.iter().fold(version, |version, (letter, _)| match letter {
        '4' => IpVersion::V4,
        '6' => IpVersion::V6,
        _ => version,
    });
    let only = options.iter().rev().find(|(letter, _)| *letter == 'T').map(|(_, table)| *table);
    let restore = Restore {
        program,
        version,
        counters: has('c'),
        verbose: has('v'),
        others: if has('n') { Others::Kept } else { Others::Flushed },
        effect: if has('t') { Effect::Test } else { Effect::Commit },
        only,
    };
    let input: Box<dyn BufRead> = match files.as_slice() {
        [] => Box::new(io::stdin().lock()),
        [file] => match File::open(file) {
            Ok(opened) => Box::new(BufReader::new(opened)),
            Err(error) => return Err(cannot_open(file, &error)),
        },
        [_, _, ..] => {
            let text = "Unknown arguments found on commandline".to_owned();
            return Err(Error::Usage { text, hint: HINT });
        }
    };
    let mut kernel = Kernel::open()?;
    let done = restore.all(input, out, |block, out| restore.commit(&mut kernel, block, out));
    kernel.close_later();
    done
}

/// Reads a save file without doing anything of it, and says how many lines of its tables would.
///
/// # Errors
/// As `iptables-restore` finds them in the lines themselves.
pub fn check_save_file(text: &str, version: IpVersion) -> Result<usize, Error> {
    let mut steps = 0;
    let restore = Restore { counters: true, ..reader(version) };
    restore.all(text.as_bytes(), &mut io::sink(), |block, _| {
        steps += block.steps.len();
        Ok(())
    })?;
    Ok(steps)
}

/// All that `iptables-restore` finds wrong with the lines of a save file, not only the first.
pub(super) fn faults(text: &[u8], version: IpVersion) -> Vec<Error> {
    let restore = reader(version);
    let mut reading = Reading::default();
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    // Behind the end of the last line is none.
    lines.pop_if(|last| last.is_empty());
    let mut faults = Vec::new();
    for line in lines {
        let text = String::from_utf8_lossy(line);
        let read = restore.next(&mut reading, &text, &mut io::sink());
        match (read, &text) {
            (Err(fault), _) => faults.push(fault),
            (Ok(_), Cow::Owned(text)) => {
                faults.push(Error::NotUtf8 { word: text.clone() }.on(reading.lines));
            }
            (Ok(block), Cow::Borrowed(_)) => {
                faults.extend(block.iter().flat_map(|block| list_faults(&block.steps)));
            }
        }
    }
    faults.extend(reading.end().err());
    faults
}

/// The rules of a table that want a list for another time than those in front of them.
fn list_faults(steps: &[(usize, Step)]) -> Vec<Error> {
    let mut ages = ListAges::default();
    let mut fault = |(line, step): &(usize, Step)| {
        let Step::Operation(Operation::Append { rules, .. } | Operation::Insert { rules, .. }) =
            step
        else {
            return None;
        };
        ages.note(rules).err().map(|error| Error::from(error).on(*line))
    };
    steps.iter().filter_map(&mut fault).collect()
}

/// One that reads a file and does nothing.
fn reader(version: IpVersion) -> Restore<'static> {
    Restore {
        program: "iptables-restore",
        version,
        counters: false,
        verbose: false,
        others: Others::Flushed,
        effect: Effect::Test,
        only: None,
    }
}

fn cannot_open(file: &str, error: &io::Error) -> Error {
    let errno = error.raw_os_error();
    let cause = errno.map_or_else(|| error.to_string(), |errno| errno_text(errno).to_owned());
    Error::Open { file: file.to_owned(), cause }
}

impl Restore<'_> {
    /// One table after the other; those in front of a fault stay in force.
    fn all<W: Write>(
        &self,
        input: impl BufRead,
        out: &mut W,
        mut commit: impl FnMut(&Block, &mut W) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut reading = Reading::default();
        for text in input.lines() {
            if let Some(block) = self.next(&mut reading, &text?, out)? {
                commit(&block, out)?;
            }
        }
        reading.end()
    }

    /// Reads a line; gives back the table that ends with it.
    fn next(
        &self,
        reading: &mut Reading,
        text: &str,
        out: &mut impl Write,
    ) -> Result<Option<Block>, Error> {
        reading.lines += 1;
        let number = reading.lines;
        let fault = |fault: super::save_file::Fault| self.bad(number, &fault.to_string());
        let read = line(text).map_err(fault);
        if reading.skips {
            reading.skips = !matches!(read, Ok(Line::Commit));
            return Ok(None);
        }
        match (read?, &mut reading.block) {
            (Line::Comment, _) => {
                if self.verbose && !text.is_empty() {
                    writeln!(out, "{text}")?;
                }
            }
            (Line::Table(name), None) => {
                let bad = || self.bad(number, &format!("table name '{name}' invalid"));
                // What belongs to a table that is none is no fault of its own.
                reading.skips = true;
                let table = Table::find(name).ok_or_else(bad)?;
                reading.skips = self.only.is_some_and(|only| only != name);
                reading.block =
                    (!reading.skips).then(|| Block { table, line: number, steps: Vec::new() });
            }
            (Line::Commit, Some(_)) => return Ok(reading.block.take()),
            (Line::Chain { name, policy, counters }, Some(block)) => {
                let step = self.chain(block.table, number, name, policy, counters)?;
                block.steps.push((number, step));
            }
            (Line::Rule { counters, words }, Some(block)) => {
                let step = self.rule(words, counters).map_err(|error| error.on(number))?;
                block.steps.extend(step.map(|step| (number, step)));
            }
            (Line::Table(_), Some(_)) => {
                let word = text.split_whitespace().next().unwrap_or_default().to_owned();
                return Err(Error::from(xtables::Error::UnexpectedWord { word }).on(number));
            }
            (Line::Commit | Line::Chain { .. } | Line::Rule { .. }, None) => {
                return Err(Error::StrayLine.on(number));
            }
        }
        Ok(None)
    }

    fn bad(&self, line: usize, text: &str) -> Error {
        Error::BadLine { text: format!("{}: line {line} {text}", self.program) }.on(line)
    }

    fn chain(
        &self,
        table: &Table,
        line: usize,
        name: &str,
        policy: &str,
        counters: Option<Counters>,
    ) -> Result<Step, Error> {
        if name.len() > 28 {
            let error = xtables::Error::ChainTooLong { name: name.to_owned() };
            return Err(Error::from(error).on(line));
        }
        if table.builtin(name).is_none() {
            return Ok(Step::Declare(name.to_owned()));
        }
        let policy = match policy {
            "-" => None,
            policy => Some(policy_named(policy).ok_or_else(|| Error::BadPolicy.on(line))?),
        };
        if table.name == "nat" && policy == Some(Policy::Drop) {
            return Err(Error::NatDrop.on(line));
        }
        let counters = match (self.counters, counters) {
            (true, None) => {
                let text = format!("invalid policy counters for chain '{name}'");
                return Err(Error::BadLine { text }.on(line));
            }
            (true, counters) => counters,
            (false, _) => None,
        };
        Ok(Step::Builtin(name.to_owned(), policy, counters))
    }

    /// The operation of a line; none if it is for the other family.
    fn rule(
        &self,
        words: Vec<Cow<'_, str>>,
        counters: Option<Counters>,
    ) -> Result<Option<Step>, Error> {
        let words = match counters.filter(|_| self.counters) {
            Some(counters) => counted(words, counters),
            None => words,
        };
        if words.is_empty() {
            return Ok(None);
        }
        let command = xtables::command(&words, self.version)?;
        if command.names_table {
            let text = format!("The -t option cannot be used in {}.\n", self.program);
            return Err(Error::BadLine { text });
        }
        Ok((command.version == self.version).then_some(Step::Operation(command.operation)))
    }

    fn commit(
        &self,
        kernel: &mut Kernel,
        block: &Block,
        out: &mut impl Write,
    ) -> Result<(), Error> {
        let Block { table, line, steps } = block;
        let mut changer = Changer { kernel, table, version: self.version };
        changer.commit(self.effect, basis(steps), |draft| {
            if self.others == Others::Flushed {
                draft.clear(*line)?;
            }
            steps.iter().try_for_each(|(line, step)| {
                apply(draft, *line, step).map_err(|error| error.on(*line))
            })
        })?;
        // A table that was cleared has no set left.
        if self.others == Others::Kept && self.effect == Effect::Commit {
            sweep(kernel, &table_id(table, self.version));
        }
        // Of a test, and of lines beside others, iptables-restore says nothing.
        if self.verbose && self.others == Others::Flushed && self.effect == Effect::Commit {
            self.tell(block, out)?;
        }
        Ok(())
    }

    fn tell(&self, block: &Block, out: &mut impl Write) -> io::Result<()> {
        for chain in block.table.chains {
            writeln!(out, "Flushing chain `{}'", chain.name)?;
        }
        for (_, step) in &block.steps {
            if let Step::Operation(operation) = step {
                list::tell_rules(operation, self.version, out)?;
            }
        }
        Ok(())
    }
}

/// Rules whose counters are set to zero are made again from what is there.
fn basis(steps: &[(usize, Step)]) -> Basis {
    let zeroes = |step: &Step| matches!(step, Step::Operation(Operation::Zero { .. }));
    if steps.iter().any(|(_, step)| zeroes(step)) { Basis::Counts } else { Basis::Rules }
}

fn apply(draft: &mut Draft<'_>, line: usize, step: &Step) -> Result<(), Error> {
    match step {
        Step::Declare(chain) => draft.declare(chain, line),
        Step::Builtin(chain, policy, counters) => {
            draft.declare_builtin(chain, *policy, *counters, line)
        }
        Step::Operation(operation) => draft.apply(operation, line),
    }
}
