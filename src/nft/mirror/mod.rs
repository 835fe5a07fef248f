//! A mirror of long chains in memory, so that a process that looks for one rule need not list all.
//!
//! The kernel takes some microseconds for each rule that it lists, and a program that runs once for
//! each rule lists the chain each time. So what was listed of a chain of 64 rules and more is kept
//! below `/run/portcullis/mirrors`, and read instead of the kernel's listing where the kernel itself
//! proves that nothing has changed: each commit in a network namespace, of anybody's, makes its
//! generation one greater, so that equal generations mean equal rules. Counts and other states of
//! rules are as they were when the chain was listed: who shows or keeps them must not read here.
//!
//! - A ledger for each network namespace says which generation its mirrors are of. A commit of ours
//!   that is known to be the next one takes the ledger along. Known it is by two things: the batch
//!   was made for the ledger's generation (`NFNL_BATCH_GENID`), so that the kernel refuses it at any
//!   other; and something in it is always a change, as a batch that finds all as it is to be leaves
//!   the generation as it was. Rules that it makes are asked back as they are listed (`NLM_F_ECHO`)
//!   and put behind the file, and so are deletions. After a commit of anybody else the ledger is
//!   behind for good, and the next who lists a long chain begins a new one.
//! - The kernel counts a commit a moment before it lists what the commit made, and neither listing
//!   nor asking for the generation waits for that. So who keeps a listing waits before it until the
//!   commit is over ([`Kernel::settle`](crate::nft::Kernel::settle)).
//! - Who is killed after a commit leaves a ledger that is behind. Nobody else can take it along, as
//!   nobody else's batch was made for that generation.
//! - The network namespace is known by its cookie, which no other has until the next boot. So the
//!   files are on tmpfs, or there are none. nf_tables as a module may be loaded anew, and counts its
//!   generations from the start then: the number of the module is in the ledger.
//! - Files only grow behind what counts of them, and the ledger has their lengths and sums. It is
//!   read first, so that what is read after it is of its generation or not whole. What is cut off,
//!   overwritten or half written is no mirror.
//! - There is no error here: where there is no mirror, the kernel is asked, as if there were none.
//!
//! One mirror is at most 16 MiB, all of all network namespaces 64 MiB, and none is begun that would
//! leave less than half of the file system free. A mirror that has doubled its length by changes is
//! given up, and so is one with hundreds of rules that were put beside others. Who begins a mirror
//! removes those of other namespaces that nobody wrote to for an hour. Removing the directory, at any
//! time, does no harm.

mod digest;
mod directory;
mod fate;
mod ledger;
mod mirrors;
mod record;

pub(in crate::nft) use fate::Listed;
pub(in crate::nft) use mirrors::Mirrors;
pub use record::ChainRule;

#[cfg(test)]
mod tests;
