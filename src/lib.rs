//! portcullis connects containers on a Linux host: links, addresses, published ports, isolation,
//! speaking netlink directly to rtnetlink and nf_tables.
//!
//! This page is the way through the house. Each room is a module with its own page; a room uses
//! only those above it in this list, and `cargo xtask tidy` sees to that.
//!
//! | room | knows | must never |
//! | --- | --- | --- |
//! | [`net`] | values that every room speaks: ports, subnets, marks, names | do IO |
//! | `sys` | the only `unsafe`: libmnl, libnftnl, fork, locks | decide anything |
//! | [`netlink`] | requests, dumps, batches, extended ACKs | know a subsystem's attributes |
//! | [`nft`] | nf_tables as values: encode, decode, list, commit | know container words |
//! | [`link`], [`conntrack`] | links, addresses, routes, sysctls; tracked flows | know nf_tables |
//! | [`ruleset`] | desired state, snapshot, difference, plan, ownership | know why a rule is wanted |
//! | [`xtables`] | the iptables language, into expressions and back | talk to the kernel |
//! | [`firewall`] | what publishing, masquerading and isolating mean, as table content | do IO |
//! | [`firewalld`] | firewalld's zones, over the system bus | know nf_tables or containers |
//! | [`ipam`] | ranges, which address is next, who has which | know links or rules |
//! | [`attachment`] | one container on one network: order, lock, record | parse a caller's format |
//! | [`front`] | one room per caller: CNI, iptables, the daemon, inspection, installation | use another front |
//!
//! # One port number on its way
//!
//! A runtime executes `portmap` with `CNI_COMMAND=ADD` and a configuration that wants host port
//! 8080 to lead to port 80 of a container with the address 10.88.0.2.
//!
//! 1. `main` hands the arguments to [`applet`], which knows the plugin by its file name.
//! 2. [`front::cni`] reads `CNI_*` and standard input into a checked [`front::cni::Call`]; its
//!    `mappings` make of the entry of `portMappings` a [`firewall::Publish`]: 8080, tcp,
//!    10.88.0.2, 80. Nothing has been asked of the kernel yet, and a number that is no port has
//!    been refused.
//! 3. [`attachment::publish`] takes the lock of the network namespace and reads, key by key, what
//!    matters of the table into a [`ruleset::Snapshot`].
//! 4. [`firewall::desired`] says, without IO, what should be there: the fixed chains, and for the
//!    port an element `tcp . 8080 : 10.88.0.2 . 80` of the map `hostports4`, an element for each
//!    source that is to be masqueraded, and the owner's record.
//! 5. [`ruleset::diff`] compares the two. Where other containers have ports already, the plan is
//!    three elements and a counter; a repeated ADD has an empty plan.
//! 6. [`nft::Transaction`] seals the plan into one batch, [`netlink`] sends it in one `sendto`, and
//!    the kernel takes all of it or nothing. What it refuses is named down to the element.
//! 7. Stale UDP flows to port 8080 are forgotten ([`conntrack`]), `route_localnet` is set on the
//!    bridge ([`link`]), and `prevResult` goes to standard output.
//!
//! A packet to port 8080 then meets one hash lookup, however many ports are published:
//!
//! ```text
//! chain prerouting         { fib daddr type local jump CNI-HOSTPORT-DNAT }
//! chain CNI-HOSTPORT-DNAT  { …
//!                            ip saddr & 255.255.0.0 . meta l4proto . th dport @hairpin4_16 jump CNI-HOSTPORT-SETMARK
//!                            dnat ip to meta l4proto . th dport map @hostports4 }
//! chain CNI-HOSTPORT-MASQ  { meta mark & 0x00002000 == 0x00002000 masquerade }
//! ```
//!
//! # One container on its way
//!
//! Before `portmap` the runtime has executed `bridge`, which makes what the port leads to.
//!
//! 1. [`front::cni`] reads the configuration into an [`attachment::BridgeNetwork`], and finds the
//!    address manager. One that is this program itself is called, not executed.
//! 2. [`attachment::connect`] makes the bridge where it is missing and a veth pair in one request
//!    ([`link`]), asks for addresses ([`ipam`], which keeps the directory of the CNI plugin
//!    `host-local`), puts masquerading and the check of source addresses into force in one batch
//!    ([`firewall`]), gives the container its addresses and routes, and the bridge the gateway's.
//! 3. Each step leaves a note of how it is undone. If one fails, the notes are followed from the
//!    last to the first, and what other containers have come to use is left to them.
//! 4. The host's end of the pair bears the owner's label as its alias, so that a DEL without a
//!    network namespace and without a result still finds it.
//!
//! # One iptables command on its way
//!
//! dockerd publishes port 8080 its own way: it executes `iptables --wait -t nat -A DOCKER -p tcp -d
//! 0/0 --dport 8080 -j DNAT --to-destination 172.17.0.2:80 ! -i docker0`.
//!
//! 1. [`applet`] knows the program by its file name and calls [`front::iptables`].
//! 2. [`xtables::command`] reads the words as getopt_long(3) would. `-p tcp` brings the match `tcp`
//!    along, which knows `--dport` and builds a load of two bytes and a comparison with `1f90`;
//!    `DNAT` builds two constants and a `nat`. What no module has a native form for is refused here,
//!    by name.
//! 3. The rule's userdata gets its shape: which module made how many expressions. What the rule
//!    does is said by the expressions alone.
//! 4. [`front::iptables`] asks whether the chain is there, two requests, and commits one batch:
//!    `add rule ip nat DOCKER iifname != "docker0" tcp dport 8080 counter dnat to 172.17.0.2:80`.
//! 5. `iptables -C` with the same words finds it: [`xtables::Pattern`] compares bytes with what the
//!    kernel lists, or has listed to a call before at the same generation, and meaning where others
//!    made the rule, real iptables-nft with its extensions too ([`xtables::compat`]).
//! 6. `iptables-save` reads it: by the shape each module is given its expressions and says the
//!    options that they are, `-p tcp -m tcp --dport 8080`.
//!
//! # What holds everywhere
//!
//! - **One change is one batch.** IPv4, IPv6, sets and the record of who owns what come into force
//!   together. A process that is killed leaves all of its change or nothing.
//! - **State is in the kernel.** An attachment's record is a named counter beside its elements;
//!   no state file could disagree with the ruleset. Leases are files, since others read them too.
//!   What the kernel has listed of a long chain is kept in a file of `/run`, and read only where the
//!   kernel's generation proves that it is still so ([`nft::Kernel::rules_at`]).
//! - **Ownership is data.** Every element carries its owner; only what carries the owner's mark
//!   is deleted, never what merely looks like it.
//! - **Nothing is listed that need not be.** Names and keys are looked up one by one, so that a
//!   call costs the same beside ten thousand others.
//! - **A difference is the smallest one.** Rules and elements that are right keep their counters.

pub mod applet;
pub mod attachment;
pub mod conntrack;
pub mod firewall;
pub mod firewalld;
pub mod front;
pub mod ipam;
pub mod link;
pub mod net;
pub mod netlink;
pub mod nft;
pub mod ruleset;
mod sys;
pub mod xtables;
