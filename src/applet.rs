//! Applets: the programs that this one binary is, by the name it is called with.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::front::{cni, daemon, inspect, install, iptables};

/// The CNI plugins, by name.
const PLUGINS: [cni::Plugin; 5] =
    [cni::BRIDGE, cni::host_local::HOST_LOCAL, cni::PORTMAP, cni::FIREWALL, cni::LOOPBACK];

/// The programs that clap does not parse.
const IPTABLES: &str = "\
Iptables programs (more with `portcullis help PROGRAM`):
  iptables, iptables-save, iptables-restore, iptables-translate, iptables-restore-translate, and
  the same of ip6tables: ip6tables, ip6tables-save, ip6tables-restore, ip6tables-translate,
  ip6tables-restore-translate";

/// Container networks on nftables, over netlink.
///
/// Linked as `bridge`, `host-local`, `portmap`, `firewall` or `loopback`, or with that as its first
/// argument, it is the CNI plugin of that name. In the same way it is each of the iptables programs:
/// `portcullis iptables-translate -A INPUT -j DROP`.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, after_help = IPTABLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the published ports
    List(inspect::List),
    /// Put back what firewalld forgets when it reloads, now and after each reload
    Reapply(daemon::Reapply),
    /// Say what on this host filters beside nf_tables, and what stands in the way
    Doctor(inspect::Doctor),
    /// Print rules of iptables as rules of nft
    Translate(iptables::Translate),
    /// Install the plugins where a runtime looks for them, or the iptables programs
    Install(install::Install),
    /// Take installed plugins away, and put back what was there before
    Uninstall(install::Uninstall),
    /// The CNI plugin portmap: reads CNI_* and a configuration from standard input
    Portmap,
    /// The CNI plugin bridge: connects a container to a bridge of the host
    Bridge,
    /// The CNI plugin host-local: gives addresses of ranges of this host's own
    HostLocal,
    /// The CNI plugin firewall: lets a container's packets pass, and keeps networks apart
    Firewall,
    /// The CNI plugin loopback: sets the loopback interface of a container up
    Loopback,
}

/// Runs the applet that `arguments` name: the first by its file name, or else the second.
pub fn run(given: &[OsString]) -> ExitCode {
    let arguments: Vec<String> =
        given.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let called = arguments.first().map_or("", |first| first.rsplit('/').next().unwrap_or(first));
    let word = arguments.get(1).map_or("", String::as_str);
    let plugin = PLUGINS.iter().find(|plugin| plugin.name == called || plugin.name == word);
    if let Some(plugin) = plugin {
        start_logging(LevelFilter::WARN);
        // What is not UTF-8 is not unset: it is refused where it is looked at.
        let get =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let get = |name: &str| get(name).unwrap_or_default();
        let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
        return cni::run(plugin, get, io::stdin().lock(), &mut out, &mut err);
    }
    let program = iptables::Program::find(called).map(|program| (program, 1));
    let program = program.or_else(|| iptables::Program::find(word).map(|program| (program, 2)));
    if let Some((program, first)) = program {
        // They have nothing to warn of, and live no longer than it takes to get ready for it.
        start_logging(LevelFilter::OFF);
        let words = given.get(first..).unwrap_or_default();
        return iptables::run(program, words, &mut io::stdout().lock(), &mut io::stderr().lock());
    }
    let topic = arguments.get(2).filter(|_| word == "help");
    if let Some(program) = topic.and_then(|topic| iptables::Program::find(topic)) {
        let result = program.help(&mut io::stdout().lock());
        return finish(&result.map_err(Error::Help));
    }
    start_logging(LevelFilter::WARN);
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => finish(&command(&arguments.command)),
        Err(usage) => {
            let code = u8::try_from(usage.exit_code()).unwrap_or(2);
            if usage.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE }
        }
    }
}

/// A command that failed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot write the help")]
    Help(#[source] io::Error),
    #[error(transparent)]
    Inspect(#[from] inspect::Error),
    #[error(transparent)]
    Iptables(#[from] iptables::Error),
    #[error(transparent)]
    Translate(#[from] iptables::TranslateError),
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
    #[error(transparent)]
    Install(#[from] install::Error),
}

fn command(command: &Command) -> Result<(), Error> {
    let out = &mut io::stdout().lock();
    match command {
        Command::List(options) => Ok(inspect::list(options, out)?),
        Command::Doctor(options) => Ok(inspect::doctor(options, &iptables::survey()?, out)?),
        Command::Translate(options) => Ok(iptables::translate(options, out)?),
        Command::Reapply(options) => Ok(daemon::reapply(options, out)?),
        Command::Install(options) => {
            let cni = PLUGINS.map(|plugin| plugin.name);
            let programs = iptables::Program::ALL.map(|program| program.name);
            let applets = install::Applets { cni: &cni, iptables: &programs };
            // A warning that nobody can read does not stop what was asked for.
            let warned = match options.is_for_iptables() {
                true => install::warn(&iptables::survey(), &mut io::stderr()),
                false => Ok(()),
            };
            install::install(options, applets, out)?;
            Ok(warned?)
        }
        Command::Uninstall(options) => Ok(install::uninstall(options, out)?),
        // Taken by `run` before arguments are parsed; here for the help text only.
        Command::Portmap
        | Command::Bridge
        | Command::HostLocal
        | Command::Firewall
        | Command::Loopback => Ok(()),
    }
}

fn finish(result: &Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe has seen enough.
        Err(
            Error::Help(error)
            | Error::Inspect(inspect::Error::Write(error))
            | Error::Translate(iptables::TranslateError::Write(error))
            | Error::Daemon(daemon::Error::Write(error))
            | Error::Install(install::Error::Write(error)),
        ) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("portcullis: {error}");
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            let printed = writeln!(io::stderr(), "{text}");
            if printed.is_ok() { ExitCode::FAILURE } else { ExitCode::from(2) }
        }
    }
}

/// Logs to standard error, from the level that `PORTCULLIS_LOG` names (error, warn, info, debug,
/// trace), or else from this one.
fn start_logging(default: LevelFilter) {
    let given = std::env::var("PORTCULLIS_LOG").ok();
    let level = given.as_deref().map_or(Ok(default), str::parse).unwrap_or_else(|_| {
        // No reason to do less than was asked for; it may not be printable either.
        let given = given.unwrap_or_default();
        let _ = writeln!(
            io::stderr(),
            "PORTCULLIS_LOG: {given:?} is none of error, warn, info, debug, trace, off"
        );
        default
    });
    if level != LevelFilter::OFF {
        let format = tracing_subscriber::fmt().with_writer(io::stderr);
        format.with_max_level(level).without_time().init();
    }
}
