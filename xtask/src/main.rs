//! The project's own commands: `cargo xtask test`, `ci`, `demo`, `tidy`, `bless`, `bench`, `vm`.
//!
//! Knows how to install what the build and the judges need, and how to make a host of its own
//! out of network namespaces. Must build without libmnl and libnftnl: it is what installs them.

mod bench;
mod cargo;
mod demo;
mod lab;
mod probe;
mod run;
mod setup;
mod tidy;
mod vm;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <command>

  test [-- ARGS]     set up, then `cargo test --workspace ARGS`
  ci                 set up, then fmt, clippy, doc, tidy and test, as the build server does
  demo               attach a container on a host made of namespaces and try its ports
                       --plugin PATH   run another portmap plugin in portcullis' place
  tidy               check the rooms, file lengths and names of src/
  bless              write the expected listings of the golden tests anew
  bench portmap      time whole ADD and DEL processes beside Debian's portmap plugin
                       --quick         smaller sizes, under a minute
                       --plugin PATH   another binary in portcullis' place
                       --peer PATH     another plugin to compare with
  bench bridge       the same for bridge with host-local, and for Podman's whole chain
                       --quick         fewer containers
                       --plugins DIR   plugins in portcullis' place
                       --peer DIR      other plugins to compare with
  bench iptables     iptables and its save and restore beside iptables-nft and iptables-legacy
                       --quick         shorter chains and files
  vm                 run the release binary on older kernels under qemu (x86_64, Debian's kernels)
                       --kernel 6.1    this series only; may be repeated
                       --fetch         look for newer kernels than those kept in target/vm
  setup              only install the Debian packages that are missing

Everything but tidy first looks for the packages it needs and installs what is missing;
XTASK_SETUP=skip leaves that out. demo and bench work in network and mount namespaces of
their own and change nothing on the machine.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&words) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = words.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::FAILURE);
    };
    match command.as_str() {
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        "setup" => no_words(rest)
            .and_then(|()| setup::ensure(setup::Purpose::Tests))
            .map(|()| ExitCode::SUCCESS),
        "test" => cargo::test(rest),
        "ci" => no_words(rest).and_then(|()| cargo::ci()),
        "bless" => no_words(rest).and_then(|()| cargo::bless()),
        "tidy" => no_words(rest).and_then(|()| tidy::run()),
        "demo" => demo::start(rest),
        "bench" => bench::start(rest),
        "vm" => vm::start(rest),
        // What the commands above start inside their namespaces.
        "__demo" => demo::inside(rest),
        "__bench" => bench::inside(rest),
        "__echo" => probe::serve(rest),
        "__probe" => probe::ask(rest),
        "__flow" => vm::go_on(rest),
        "__rss" => bench::peak_memory(rest),
        other => bail!("no command `{other}`; `cargo xtask help` lists them"),
    }
}

fn no_words(rest: &[String]) -> Result<()> {
    match rest.first() {
        Some(word) => bail!("unexpected argument `{word}`"),
        None => Ok(()),
    }
}
