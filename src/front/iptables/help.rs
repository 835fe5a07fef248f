//! `-h` and `-V`: what the programs can do, and which they are.

use std::io::{self, Write};

use super::error::VERSION;

/// `-V`: the version of iptables that the programs are like, and ours.
pub(super) fn version(program: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{program} {VERSION} portcullis {}", env!("CARGO_PKG_VERSION"))
}

/// Help on `iptables` and `ip6tables`.
pub(super) fn command(program: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{program} {VERSION}, by portcullis {}\n", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "Usage: {program} [-t TABLE] COMMAND [RULE] [OPTION]...")?;
    out.write_all(COMMAND.as_bytes())
}

/// Help on `iptables-restore` and `ip6tables-restore`.
pub(super) fn restore(program: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Usage: {program} [OPTION]... [FILE]")?;
    out.write_all(RESTORE.as_bytes())
}

/// Help on `iptables-save` and `ip6tables-save`. The programs themselves have no `-h`, as those of
/// iptables-nft have none.
pub(super) fn save(program: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Usage: {program} [OPTION]...")?;
    out.write_all(SAVE.as_bytes())
}

/// Help on `iptables-translate` and `ip6tables-translate`.
pub(super) fn translate(program: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Usage: {program} COMMAND OF IPTABLES\nPrints what it is to nft.")
}

/// Help on `iptables-restore-translate` and `ip6tables-restore-translate`.
pub(super) fn translate_file(program: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Usage: {program} [-h] [-f <FILE>] [-V]")
}

const COMMAND: &str = "
Commands:
  -A, --append CHAIN RULE         put a rule at the end of a chain
  -I, --insert CHAIN [N] RULE     put it at place N, or at the front
  -R, --replace CHAIN N RULE      put it in the place of rule N
  -D, --delete CHAIN RULE         take the first rule that is the same away
  -D, --delete CHAIN N            take rule N away
  -C, --check CHAIN RULE          succeed if there is such a rule
  -L, --list [CHAIN [N]]          list rules in columns
  -S, --list-rules [CHAIN [N]]    list rules as the commands that make them
  -F, --flush [CHAIN]             take all rules away
  -Z, --zero [CHAIN [N]]          set counters to zero
  -N, --new-chain CHAIN           make a chain
  -X, --delete-chain [CHAIN]      take a chain away, or all that users made
  -E, --rename-chain OLD NEW      rename a chain
  -P, --policy CHAIN TARGET       ACCEPT or DROP what no rule decides
  -V, --version                   print the version
  -h, --help                      print this

A rule:
  [!] -p, --protocol PROTOCOL     a name or a number
  [!] -s, --source ADDRESS[/MASK][,...]
  [!] -d, --destination ADDRESS[/MASK][,...]
  [!] -i, --in-interface NAME[+]
  [!] -o, --out-interface NAME[+]
  [!] -f, --fragment              second and further fragments (IPv4)
  -m, --match MATCH               and the options of the match
  -j, --jump TARGET               and the options of the target
  -g, --goto CHAIN

Options:
  -t, --table TABLE               filter (as without it), nat, mangle, raw or security
  -v, --verbose                   counters and interfaces, and what is done
  -n, --numeric                   numbers for protocols and ports
  -x, --exact                     counters without K, M and G
  --line-numbers                  numbers of rules
  -c, --set-counters PACKETS BYTES
  -w, --wait [SECONDS]            taken and not needed: there is no lock
  -M, --modprobe COMMAND          taken and not needed: no module is loaded

Rules are native rules of nf_tables. Names of hosts are not looked up; of services the
usual names are known.
";

const RESTORE: &str = "
  -c, --counters                  take counters over
  -n, --noflush                   keep what the file does not name
  -t, --test                      have the kernel check it, change nothing
  -T, --table TABLE               only this table
  -v, --verbose                   tell what is done
  -w, --wait [SECONDS]            taken and not needed: there is no lock
  -W, --wait-interval, -M, --modprobe
                                  taken and not needed
  -4, --ipv4, -6, --ipv6          the family
  -V, --version                   print the version
  -h, --help                      print this

Each table of the file comes into force as a whole, or not at all.
";

const SAVE: &str = "
  -c, --counters                  packets and bytes in front of each rule
  -t, --table TABLE               only this table
  -f, --file FILE                 into this file
  -M, --modprobe COMMAND          taken and not needed: no module is loaded
  -4, --ipv4, -6, --ipv6          taken; the family is that of the program's name
  -V, --version                   print the version
";
