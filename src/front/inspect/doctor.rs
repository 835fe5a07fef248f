//! `portcullis doctor`: what on this host filters beside nf_tables, or through wrapped modules of
//! xtables, and what would drop forwarded packets.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};

use super::host::{Host, Kind, Module, Program};
use super::list::Error;
use crate::front::Refused;
use crate::nft::{Expr, Hook, Kernel, Policy, Rule};

/// What to show.
#[derive(Debug, Clone, clap::Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug)]
struct Findings {
    /// Tables of iptables-legacy, by family word.
    legacy: Vec<(&'static str, String)>,
    modules: Vec<Module>,
    wrapped: Vec<Wrapped>,
    refused: Refused,
    /// Base chains that drop what no rule accepts: table, chain.
    drops: Vec<(String, String)>,
    keepers: Vec<&'static str>,
    programs: Vec<(&'static str, Option<Program>)>,
}

/// A chain with rules that call modules of xtables through nft_compat.
#[derive(Debug)]
struct Wrapped {
    table: String,
    chain: String,
    rules: usize,
    /// The matches and targets, and how often each.
    names: BTreeMap<String, usize>,
}

/// Prints what was found in this network namespace and on this host, and what of it the programs for
/// iptables would refuse. Nothing is changed, and no program is started.
///
/// # Errors
/// [`Error`].
pub fn doctor(options: &Doctor, refused: &Refused, out: &mut impl Write) -> Result<(), Error> {
    let findings = look(&Host::here(), refused.clone())?;
    if options.json {
        writeln!(out, "{:#}", findings.to_json())?;
    } else {
        findings.print(out)?;
    }
    Ok(out.flush()?)
}

fn look(host: &Host, refused: Refused) -> Result<Findings, Error> {
    let mut kernel = Kernel::open()?;
    let (_, (wrapped, drops)) = kernel.consistently(|kernel| {
        let mut wrapped = Vec::new();
        for table in kernel.tables()? {
            let mut chains: BTreeMap<String, Wrapped> = BTreeMap::new();
            for (chain, rule) in kernel.rules(&table.id, None)? {
                let names = wrapped_names(&rule.value);
                if !names.is_empty() {
                    let table = table.id.to_string();
                    let chain = chain.to_string();
                    let entry = chains.entry(chain.clone()).or_insert_with(|| Wrapped {
                        table,
                        chain,
                        rules: 0,
                        names: BTreeMap::new(),
                    });
                    entry.rules += 1;
                    for name in names {
                        *entry.names.entry(name).or_default() += 1;
                    }
                }
            }
            wrapped.extend(chains.into_values());
        }
        let drops = kernel
            .base_chains()?
            .into_iter()
            .filter(|(_, chain)| chain.hook == Hook::Forward && chain.policy == Policy::Drop)
            .map(|(table, chain)| (table.to_string(), chain.name.to_string()))
            .collect();
        Ok((wrapped, drops))
    })?;
    let legacy = [("ip", "ip_tables_names"), ("ip6", "ip6_tables_names")]
        .into_iter()
        .flat_map(|(family, file)| {
            host.legacy_tables(file).into_iter().map(move |table| (family, table))
        })
        .collect();
    let programs = ["iptables", "ip6tables"].map(|name| (name, host.program(name))).to_vec();
    let (modules, keepers) = (host.modules(), host.keepers());
    Ok(Findings { legacy, modules, wrapped, refused, drops, keepers, programs })
}

/// The matches and targets of xtables in a rule.
fn wrapped_names(rule: &Rule) -> Vec<String> {
    rule.exprs
        .iter()
        .filter_map(|expr| match expr {
            Expr::Other(opaque) => opaque.xtables_name().map(str::to_owned),
            _ => None,
        })
        .collect()
}

impl Findings {
    fn to_json(&self) -> Value {
        let legacy = |family: &str| -> Vec<&str> {
            let of_family = self.legacy.iter().filter(|(known, _)| *known == family);
            of_family.map(|(_, table)| table.as_str()).collect()
        };
        let programs = self.programs.iter().map(|(name, program)| {
            let program = program.as_ref().map(|program| {
                json!({
                    "path": program.path.to_string_lossy(),
                    "file": program.file.to_string_lossy(),
                    "kind": program.kind.word(),
                })
            });
            ((*name).to_owned(), json!(program))
        });
        json!({
            "legacyTables": { "ip": legacy("ip"), "ip6": legacy("ip6") },
            "modules": self.modules.iter()
                .map(|module| json!({ "name": module.name, "uses": module.uses }))
                .collect::<Vec<_>>(),
            "wrapped": self.wrapped.iter()
                .map(|chain| json!({
                    "table": chain.table,
                    "chain": chain.chain,
                    "rules": chain.rules,
                    "extensions": chain.names,
                }))
                .collect::<Vec<_>>(),
            "refused": refused_json(&self.refused),
            "forwardDropped": self.drops.iter()
                .map(|(table, chain)| json!({ "table": table, "chain": chain }))
                .collect::<Vec<_>>(),
            "running": self.keepers,
            "programs": programs.collect::<serde_json::Map<_, _>>(),
        })
    }

    fn print(&self, out: &mut impl Write) -> Result<(), Error> {
        let legacy: Vec<String> =
            self.legacy.iter().map(|(family, table)| format!("{family} {table}")).collect();
        item(out, "legacy tables", &legacy, "they filter beside nf_tables: iptables-legacy -S")?;
        let modules: Vec<String> = self
            .modules
            .iter()
            .map(|module| format!("{} (used {} times)", module.name, module.uses))
            .collect();
        item(out, "modules of xtables", &modules, "")?;
        let wrapped: Vec<String> = self.wrapped.iter().map(Wrapped::line).collect();
        item(out, "rules through nft_compat", &wrapped, "these stop working without the modules")?;
        let rules: Vec<String> = self.refused.rules.iter().map(ToString::to_string).collect();
        item(out, "rules that this program would refuse", &rules, REFUSED_RULES)?;
        let lines: Vec<String> = self.refused.lines.iter().map(ToString::to_string).collect();
        item(out, "lines of files that this program would refuse", &lines, REFUSED_LINES)?;
        let drops: Vec<String> =
            self.drops.iter().map(|(table, chain)| format!("{table} {chain}")).collect();
        item(out, "forwarded packets dropped by policy in", &drops, "")?;
        let keepers: Vec<String> = self.keepers.iter().map(|name| (*name).to_owned()).collect();
        item(out, "running", &keepers, "they change the firewall too")?;
        for (name, program) in &self.programs {
            match program {
                None => writeln!(out, "{name}: none in the PATH")?,
                Some(Program { path, file, kind }) => writeln!(
                    out,
                    "{name}: {} is {} ({})",
                    path.display(),
                    file.display(),
                    kind.word()
                )?,
            }
        }
        let of_others = self.programs.iter().filter_map(|(_, program)| program.as_ref());
        let of_others: Vec<&Program> =
            of_others.filter(|program| program.kind != Kind::Portcullis).collect();
        match of_others.as_slice() {
            [] => {}
            [first, ..] => writeln!(
                out,
                "`portcullis install iptables` would let {} lead to this program; rules that are \
                 there stay as they are{}",
                first.path.display(),
                if self.legacy.is_empty() { "" } else { ", those of legacy tables too" },
            )?,
        }
        Ok(())
    }
}

const REFUSED_RULES: &str = "they filter until they are loaded again";
const REFUSED_LINES: &str = "the table is not loaded, nor are those behind it";

fn refused_json(refused: &Refused) -> Value {
    let rules = refused.rules.iter().map(|rule| {
        json!({
            "table": rule.table,
            "chain": rule.chain,
            "rule": rule.words,
            "reason": rule.reason,
        })
    });
    let lines = refused
        .lines
        .iter()
        .map(|line| json!({ "file": line.file, "line": line.line, "reason": line.reason }));
    json!({ "rules": rules.collect::<Vec<_>>(), "lines": lines.collect::<Vec<_>>() })
}

impl Wrapped {
    fn line(&self) -> String {
        let names: Vec<String> =
            self.names.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let Wrapped { table, chain, rules, .. } = self;
        let word = if *rules == 1 { "rule" } else { "rules" };
        format!("{table} {chain}: {rules} {word}: {}", names.join(", "))
    }
}

/// A heading and its lines; `none` in their place.
fn item(out: &mut impl Write, what: &str, lines: &[String], note: &str) -> Result<(), Error> {
    let heading = match (lines.is_empty(), note) {
        (true, _) => format!("{what}: none"),
        (false, "") => format!("{what}:"),
        (false, note) => format!("{what} ({note}):"),
    };
    writeln!(out, "{heading}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
    Ok(())
}
