//! A story lived twice, and the comparison of the two.

use std::panic::resume_unwind;
use std::thread;

use super::host::Host;
use super::programs::Programs;
use super::site::Site;

/// Lives a story with the programs under test and with real iptables-nft, at the same time; both
/// must see what is expected, and the same.
pub fn live(flags: &[&str], story: fn(&mut Site<'_>)) {
    begin(flags, Programs::link, story);
}

/// The same, but both daemons find real iptables-nft when they start first.
pub fn live_after_peer(flags: &[&str], story: fn(&mut Site<'_>)) {
    begin(flags, |_| Programs::Peer.link(), story);
}

fn begin(flags: &[&str], link: fn(Programs), story: fn(&mut Site<'_>)) {
    let live_once = |programs| {
        let host = Host::new(programs);
        link(programs);
        let mut site = Site::open(&host, flags);
        story(&mut site);
        site.scene("end");
        site.expect_complaints(0);
        std::mem::take(&mut site.table)
    };
    let lives = [Programs::chosen(), Programs::Peer];
    let [tested, peer] = thread::scope(|scope| {
        let lives = lives.map(|programs| scope.spawn(move || live_once(programs)));
        lives.map(|life| life.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let differences = peer.differences(&tested);
    let wrong = [("peer", &peer), ("tested", &tested)].map(|(whose, table)| {
        table.wrong().iter().map(|row| format!("{whose}: {row}\n")).collect::<String>()
    });
    let wrong = wrong.concat();
    println!("{} observations", tested.len());
    assert!(
        wrong.is_empty() && differences.is_empty(),
        "not as expected:\n{wrong}\nnot as with iptables-nft:\n{differences}"
    );
}
