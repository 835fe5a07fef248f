//! `portcullis list`: the published ports.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::firewall::{Place, Publish, Rank, names, published};
use crate::net::{IpVersion, L4Proto, Port};
use crate::nft::{self, Element, Kernel, Name};
use crate::ruleset::{Owner, OwnerKey};

/// What to show.
#[derive(Debug, Clone, clap::Args)]
pub struct List {
    /// Print JSON: a list of objects, one for each port.
    #[arg(long)]
    json: bool,
}

/// A listing that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// nf_tables could not be read.
    #[error(transparent)]
    Nft(#[from] nft::Error),
    /// The output could not be written.
    #[error("cannot write the list")]
    Write(#[from] io::Error),
}

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    publish: Publish,
    label: String,
    packets: u64,
    is_conditional: bool,
    rank: Rank,
    is_standby: bool,
}

impl Row {
    /// Whether this one gets what the other one would get too. What does not meet the conditions
    /// of the one is left to the other, if that has none.
    fn is_ahead_of(&self, other: &Row) -> bool {
        self.rank < other.rank && (!self.is_conditional || other.is_conditional)
    }

    /// The part of the owner's label: 0 front, 1 network, 2 container, 3 interface.
    fn part(&self, at: usize) -> &str {
        self.label.split('/').nth(at).unwrap_or("?")
    }

    /// What of the host is published, in the order of the list.
    fn port(&self) -> (Port, L4Proto, IpVersion, Option<IpAddr>) {
        let publish = &self.publish;
        (publish.host_port, publish.proto, publish.version(), publish.host_address)
    }

    fn host(&self) -> String {
        let address = match self.publish.host_address {
            Some(address) => address.to_string(),
            None if self.publish.container.is_ipv4() => "0.0.0.0".to_owned(),
            None => "::".to_owned(),
        };
        endpoint(&address, self.publish.host_port.number())
    }

    fn to_json(&self) -> Value {
        json!({
            "hostAddress": self.publish.host_address.map(|address| address.to_string()),
            "hostPort": self.publish.host_port.number(),
            "protocol": self.publish.proto.name(),
            "containerAddress": self.publish.container.to_string(),
            "containerPort": self.publish.container_port.number(),
            "container": self.part(2),
            "network": self.part(1),
            "interface": self.part(3),
            "packets": self.packets,
            "conditional": self.is_conditional,
            "standby": self.is_standby,
        })
    }
}

fn endpoint(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// Prints the published ports of this network namespace. A port's packets are those that began a
/// flow: address translation sees no others.
///
/// # Errors
/// [`Error`].
pub fn list(options: &List, out: &mut impl Write) -> Result<(), Error> {
    let mut kernel = Kernel::open()?;
    let (_, rows) = kernel.consistently(read)?;
    if options.json {
        let rows: Vec<Value> = rows.iter().map(Row::to_json).collect();
        writeln!(out, "{:#}", Value::from(rows))?;
    } else {
        print(&rows, out)?;
    }
    Ok(out.flush()?)
}

fn read(kernel: &mut Kernel) -> Result<Vec<Row>, nft::Error> {
    let table = names::table();
    if kernel.table(&table)?.is_none() {
        return Ok(vec![]);
    }
    // Comments may be cut; the names of the records never are.
    let labels: BTreeMap<OwnerKey, String> = kernel
        .objects(&table)?
        .iter()
        .map(|object| object.name.as_str())
        .map(|label| (Owner::from_label(label).key(), label.to_owned()))
        .collect();
    let mut rows = Vec::new();
    for set in kernel.sets(&table)? {
        for element in kernel.elements(&table, &set.name)? {
            rows.extend(row(&set.name, &element, &labels));
        }
    }
    rows.sort_by_key(|row| (row.port(), row.rank));
    find_standby(&mut rows);
    Ok(rows)
}

/// Marks the rows that stand by. A row's rank alone does not say so: the ranks of those behind stay
/// as they are when the first goes, and of several ports of a rank some may be nobody else's.
fn find_standby(rows: &mut [Row]) {
    for port in rows.chunk_by_mut(|one, other| one.port() == other.port()) {
        for at in 1..port.len() {
            let (ahead, behind) = port.split_at_mut(at);
            if let Some(row) = behind.first_mut() {
                row.is_standby = ahead.iter().any(|other| other.is_ahead_of(row));
            }
        }
    }
}

fn row(set: &Name, element: &Element, labels: &BTreeMap<OwnerKey, String>) -> Option<Row> {
    let publish = published(set, element)?;
    let key = Owner::key_of(&element.userdata);
    let label = key.and_then(|key| labels.get(&key)).map(String::as_str);
    let label = label.or(element.userdata.comment()).unwrap_or_default().to_owned();
    let (_, place, is_conditional) = Place::of_map(set.as_str())?;
    let packets = element.packets().unwrap_or(0);
    Some(Row { publish, label, packets, is_conditional, rank: place.rank, is_standby: false })
}

const HEADINGS: [&str; 6] = ["HOST", "PROTO", "CONTAINER", "NAME", "NETWORK", "PACKETS"];

fn print(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let mut table: Vec<[String; 6]> = vec![HEADINGS.map(str::to_owned)];
    table.extend(rows.iter().map(|row| {
        let container = row.publish.container.to_string();
        let note = match (row.is_conditional, row.is_standby) {
            (false, false) => "",
            (true, false) => " (conditional)",
            (false, true) => " (standby)",
            (true, true) => " (conditional, standby)",
        };
        [
            format!("{}{note}", row.host()),
            row.publish.proto.to_string(),
            endpoint(&container, row.publish.container_port.number()),
            row.part(2).to_owned(),
            row.part(1).to_owned(),
            row.packets.to_string(),
        ]
    }));
    let mut widths = [0; 6];
    for line in &table {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.len());
        }
    }
    for line in &table {
        let cells: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
