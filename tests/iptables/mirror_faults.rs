//! Mirrors that are broken, foreign, or left behind by who was killed; and many writers at once.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use portcullis::nft::{self, Change, Kernel, Name, Policy, TableId, Transaction};

use crate::lab::{Netns, feed};
use crate::lab::{isolate, split};
use crate::mirror::{done, finds, lists, long, ours, place, rule, without_mirrors};
use crate::world::Family;

/// A namespace with a chain of a hundred rules, of which the fifth is gone, and its mirror.
fn mirrored() -> (Netns, PathBuf) {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 100);
    assert!(finds(&netns, 5));
    done(&netns, &format!("iptables -D {}", rule(5)));
    let place = place(&netns);
    assert!(!lists(&netns, &format!("iptables -C {}", rule(6))), "the mirror is in use");
    (netns, place)
}

/// The answers are those of the chain, and nobody is told of a fault.
fn assert_right(netns: &Netns, when: &str) {
    for (number, there) in [(5, false), (6, true), (100, true)] {
        let answer = ours(netns, &format!("iptables -C {}", rule(number)));
        assert_eq!(answer.code, Some(i32::from(!there)), "{when}: {number}: {answer:?}");
        let text = if there {
            ""
        } else {
            "iptables: Bad rule (does a matching rule exist in that chain?).\n"
        };
        assert_eq!(answer.err, text, "{when}: {number}");
    }
}

/// The files of a mirror, its ledger first.
fn files(place: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(place).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.reverse();
    assert!(files[0].ends_with("ledger") && files.len() == 2, "{files:?}");
    files
}

/// Does something to each file of a mirror in turn, sees that the answers are right all the same,
/// and that there is a whole mirror afterwards.
fn spoil(how: &str, spoil: impl Fn(&Path)) {
    let (netns, place) = mirrored();
    for at in 0..2 {
        let file = &files(&place)[at];
        spoil(file);
        assert_right(&netns, &format!("{how}: {}", file.display()));
        let check = format!("iptables -C {}", rule(6));
        assert!(!lists(&netns, &check), "{how}: there is no mirror afterwards");
    }
}

#[test]
fn mirror_when_it_is_cut_off_then_is_none() {
    for keep in [0, 1, 8, 40, 100] {
        spoil("cut off", |file| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..keep.min(bytes.len() - 1)]).unwrap();
        });
    }
    spoil("without its last record", |file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() - 32]).unwrap();
    });
}

#[test]
fn mirror_when_a_bit_is_turned_then_is_none() {
    for at in [0, 8, 17, 60, 90, 170, 1000, 20_000] {
        spoil("turned", |file| {
            let mut bytes = fs::read(file).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 4;
            fs::write(file, &bytes).unwrap();
        });
    }
}

#[test]
fn mirror_when_it_is_something_else_then_is_none() {
    spoil("gone", |file| fs::remove_file(file).unwrap());
    spoil("garbage", |file| fs::write(file, [0xff; 5000]).unwrap());
    spoil("empty", |file| fs::write(file, []).unwrap());
    spoil("longer", |file| {
        let mut bytes = fs::read(file).unwrap();
        bytes.extend([1; 64]);
        fs::write(file, bytes).unwrap();
    });
}

/// What stands in the way of a mirror stays: there is none, and nobody waits.
#[test]
fn mirror_when_its_name_is_taken_then_is_none() {
    let (netns, place) = mirrored();
    for at in 0..2 {
        for make in ["mkdir", "mkfifo"] {
            let _ = fs::remove_dir_all(&place);
            assert!(finds(&netns, 6) && finds(&netns, 7));
            let file = files(&place)[at].clone();
            fs::remove_file(&file).unwrap();
            assert!(Command::new(make).arg(&file).status().unwrap().success());
            assert_right(&netns, make);
        }
    }
}

#[test]
fn directory_when_it_is_not_ours_alone_then_is_not_read() {
    let (netns, place) = mirrored();
    let check = format!("iptables -C {}", rule(6));
    chown(&place, Some(65534), None).unwrap();
    assert!(lists(&netns, &check), "somebody else's");
    assert_right(&netns, "somebody else's");
    chown(&place, Some(0), None).unwrap();
    assert!(!lists(&netns, &check));
    fs::set_permissions(&place, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(lists(&netns, &check), "open to a group");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
    let moved = place.with_extension("moved");
    fs::rename(&place, &moved).unwrap();
    symlink(&moved, &place).unwrap();
    assert!(lists(&netns, &check), "a link");
    assert_right(&netns, "a link");
}

#[test]
fn run_when_it_cannot_be_written_then_there_is_no_mirror() {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 100);
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, "/run", None::<&str>, flags, None::<&str>).unwrap();
    done(&netns, &format!("iptables -D {}", rule(5)));
    assert_right(&netns, "read-only");
    mount(None::<&str>, "/run", None::<&str>, MsFlags::MS_REMOUNT, None::<&str>).unwrap();
    assert!(!Path::new("/run/portcullis").exists());
    // What was written before it became so is still read, and left behind by commits.
    assert!(finds(&netns, 6));
    mount(None::<&str>, "/run", None::<&str>, flags, None::<&str>).unwrap();
    done(&netns, &format!("iptables -A {}", rule(5)));
    done(&netns, &format!("iptables -D {}", rule(5)));
    assert_right(&netns, "read-only, later");
}

/// `ulimit -f`: who writes more is sent a signal.
#[test]
fn files_when_they_may_not_be_long_then_there_is_no_mirror() {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 100);
    for blocks in [0, 1, 30] {
        let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_portcullis"), "iptables", "-C"]);
        let output = netns.enter(|| feed(command.args(split(&rule(7))), ""));
        assert!(output.status.success(), "{blocks}: {output:?}");
        assert_eq!(fs::read_dir(place(&netns)).unwrap().count(), 0, "{blocks}");
    }
    assert!(finds(&netns, 7));
    assert!(!lists(&netns, &format!("iptables -C {}", rule(8))));
}

#[test]
fn run_when_it_outlives_the_boot_then_there_is_no_mirror() {
    isolate();
    let disk = std::env::temp_dir().join(format!("mirror-{}", std::process::id()));
    fs::create_dir(&disk).unwrap();
    let tmpfs = nix::sys::statfs::statfs(&disk).unwrap().filesystem_type();
    assert_ne!(tmpfs, nix::sys::statfs::TMPFS_MAGIC, "needs a temporary directory on a disk");
    mount(Some(&disk), "/run", None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    fs::create_dir("/run/netns").unwrap();
    let netns = Netns::add("host");
    long(&netns, 100);
    assert!(finds(&netns, 5) && finds(&netns, 5));
    let made = Path::new("/run/portcullis").exists();
    nix::mount::umount("/run/netns/host").unwrap();
    nix::mount::umount2("/run", nix::mount::MntFlags::MNT_DETACH).unwrap();
    fs::remove_dir_all(&disk).unwrap();
    assert!(!made);
}

/// A module that is loaded anew counts its generations from the start. It has another number then.
#[test]
fn module_when_it_is_another_one_then_the_mirror_is_not_read() {
    let (netns, _) = mirrored();
    let check = format!("iptables -C {}", rule(6));
    let cover = |what: &str| {
        mount(Some("cover"), what, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    };
    cover("/sys/module");
    for load in 0..3 {
        fs::create_dir("/sys/module/nf_tables").unwrap();
        assert!(lists(&netns, &check), "load {load}");
        assert!(!lists(&netns, &check), "load {load}, again");
        fs::rename("/sys/module/nf_tables", format!("/sys/module/unloaded{load}")).unwrap();
    }
    assert_right(&netns, "without the module");
    cover("/sys");
    assert!(lists(&netns, &check) && lists(&netns, &check), "it cannot be told");
    assert_right(&netns, "without sysfs");
}

/// The ledger of mirrors as it were if the next commit had changed nothing of them: its number at
/// 64, and its sum, which is at 16, made to fit.
fn at_the_next_generation(ledger: &[u8]) -> Vec<u8> {
    let long = |at: usize| u64::from_ne_bytes(ledger[at..at + 8].try_into().unwrap());
    let (end, generation) = (48 + long(8) as usize, long(64));
    let mut forged = ledger[..end].to_vec();
    forged[64..72].copy_from_slice(&(generation + 1).to_ne_bytes());
    let mut body = forged[48..].to_vec();
    body.resize(body.len().next_multiple_of(32), 0);
    let mut lanes = [1_u64, 2, 3, 4];
    for (at, word) in body.chunks(8).enumerate() {
        let mixed = lanes[at % 4] ^ u64::from_ne_bytes(word.try_into().unwrap());
        lanes[at % 4] = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    for (at, lane) in lanes.iter().enumerate() {
        forged[16 + at * 8..24 + at * 8].copy_from_slice(&lane.to_ne_bytes());
    }
    forged
}

/// However it came to be. The fifth rule is gone each time. What the kernel refuses is decided once more, by what the kernel lists.
#[test]
fn mirror_when_it_is_wrong_then_the_first_change_heals_it() {
    let (netns, place) = mirrored();
    let replacement = format!("iptables -R T 5 {}", &rule(201)[2..]);
    let insertion = format!("iptables -I T 5 {}", &rule(202)[2..]);
    let file = "*filter\n-D T 5\nCOMMIT\n";
    for (number, words, code) in [
        (6, format!("iptables -D {}", rule(6)), 1),
        (7, "iptables -D T 5".to_owned(), 0),
        (9, replacement, 0),
        (201, insertion, 0),
        (202, "iptables-restore -n".to_owned(), 0),
        (12, "iptables-restore -n -t".to_owned(), 0),
    ] {
        assert!(finds(&netns, 100));
        let ledger = files(&place)[0].clone();
        let before = fs::read(&ledger).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        done(&netns, &format!("iptables -D {}", rule(number)));
        fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&ledger, at_the_next_generation(&before)).unwrap();
        assert!(finds(&netns, number), "the mirror is wrong: {words}");
        let answer = Family::Ours.call(&netns, &split(&words), file);
        assert_eq!(answer.code, Some(code), "{words}: {answer:?}");
        assert_as_listed(&netns, &words);
        assert!(!finds(&netns, number), "{words}");
    }
    for (number, there) in [(4, true), (8, false), (10, false), (11, false), (13, true)] {
        assert_eq!(finds(&netns, number), there, "{number}");
    }
}

/// Runs a call that is killed when it comes to the `nth` of these system calls; says whether it was.
fn is_killed_at(netns: &Netns, calls: &str, nth: usize, words: &str) -> bool {
    let inject = format!("inject={calls}:signal=SIGKILL:when={nth}");
    let mut command = Command::new("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject]);
    command.arg(env!("CARGO_BIN_EXE_portcullis")).args(split(words));
    // Else libraries are looked for in a hundred places.
    command.env_remove("LD_LIBRARY_PATH");
    let output = netns.enter(|| feed(&mut command, ""));
    let killed = output.status.signal() == Some(9);
    assert!(killed || output.status.success(), "{calls} {nth}: {output:?}");
    killed
}

/// The answers are those of what is in force, which a listing tells.
fn assert_as_listed(netns: &Netns, when: &str) {
    let listed = ours(netns, "iptables -S T").out;
    for number in [1, 2, 3, 69, 70, 99] {
        let there = listed.contains(&format!("-A {}\n", rule(number)));
        assert_eq!(finds(netns, number), there, "{when}: {number}");
    }
}

/// Kills a call at its first, second, … of these system calls until one run gets through; the
/// answers are right after each, and stay so when what is left is taken along.
fn kill_at_each(calls: &str, words: &str, begin: impl Fn(&Netns)) {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 70);
    for nth in 1..=60 {
        begin(&netns);
        let killed = is_killed_at(&netns, calls, nth, words);
        let when = format!("{words} killed at {calls} {nth}");
        assert_as_listed(&netns, &when);
        is_killed_at(&netns, calls, 1000, "iptables -A T -s 192.0.2.1 -j DROP");
        done(&netns, "iptables -D T -s 192.0.2.1 -j DROP");
        assert_as_listed(&netns, &format!("{when}, and then others"));
        // Without a reader in between.
        begin(&netns);
        is_killed_at(&netns, calls, nth, words);
        done(&netns, "iptables -A T -s 192.0.2.1 -j DROP");
        done(&netns, "iptables -t nat -A OUTPUT -j ACCEPT");
        assert_as_listed(&netns, &format!("{when}, and then nobody asked"));
        done(&netns, "iptables -D T -s 192.0.2.1 -j DROP");
        if !killed {
            assert!(nth > 1, "{words} makes no {calls} at all");
            return;
        }
    }
    panic!("never got through");
}

/// Makes the rules 2 and 3 be there and rule 99 not, with a mirror.
fn begin(netns: &Netns) {
    while finds(netns, 99) {
        done(netns, &format!("iptables -D {}", rule(99)));
    }
    for number in [2, 3] {
        if !finds(netns, number) {
            done(netns, &format!("iptables -I {}", rule(number)));
        }
    }
}

#[test]
fn deletion_when_it_is_killed_anywhere_then_answers_are_right() {
    for calls in ["sendto", "openat", "pwrite64", "flock"] {
        let words = format!("iptables -D {}", rule(2));
        thread::scope(|scope| scope.spawn(|| kill_at_each(calls, &words, begin)).join()).unwrap();
    }
}

#[test]
fn addition_when_it_is_killed_anywhere_then_answers_are_right() {
    for calls in ["sendto", "recvfrom", "openat", "pwrite64"] {
        let words = format!("iptables -A {}", rule(99));
        thread::scope(|scope| scope.spawn(|| kill_at_each(calls, &words, begin)).join()).unwrap();
    }
}

#[test]
fn reader_when_it_is_killed_while_it_keeps_a_mirror_then_answers_are_right() {
    for calls in ["openat", "pwrite64", "flock", "unlink"] {
        let words = format!("iptables -C {}", rule(2));
        let stranger = |netns: &Netns| {
            begin(netns);
            netns.nft("add table ip foreign");
        };
        thread::scope(|scope| scope.spawn(|| kill_at_each(calls, &words, stranger)).join())
            .unwrap();
    }
}

/// One of four who work on rules of their own in one chain, while strangers commit.
fn work(netns: &Netns, who: usize) {
    let own = |at: usize| 100 + who * 30 + at % 12;
    for at in 0..50 {
        let number = own(at);
        let words = rule(number);
        match at % 5 {
            0 | 1 => done(netns, &format!("iptables -A {words}")),
            2 => done(netns, &format!("iptables -I {words}")),
            3 => {
                done(netns, &format!("iptables -I T 10 {}", &words[2..]));
                done(netns, &format!("iptables -D {words}"));
            }
            _ => assert!(!finds(netns, 90 + who), "never added"),
        }
        if at % 5 != 4 && at % 5 != 3 {
            assert!(finds(netns, number), "{who} has just added {number}");
        }
    }
}

#[test]
fn writers_when_four_work_at_once_then_end_as_without_mirrors() {
    isolate();
    let (with, without) = (Netns::add("with"), Netns::add("without"));
    without_mirrors(&without);
    let ends = [&with, &without].map(|netns| {
        long(netns, 80);
        thread::scope(|scope| {
            let working: Vec<_> = (0..4).map(|who| scope.spawn(move || work(netns, who))).collect();
            scope.spawn(|| {
                for _ in 0..20 {
                    netns.nft("add table ip foreign; delete table ip foreign");
                    thread::sleep(std::time::Duration::from_millis(20));
                }
            });
            working.into_iter().for_each(|worker| worker.join().unwrap());
        });
        let mut saved = Family::Ours.saved(netns, "iptables-save");
        let answers: Vec<bool> = (90..220).map(|number| finds(netns, number)).collect();
        saved.sort();
        (saved, answers)
    });
    assert_eq!(ends[0], ends[1]);
}

/// A deletion is for one generation, and others may commit faster than a chain is listed. It waits
/// for its turn, rather than to give up after so many of theirs.
#[test]
fn deletion_when_others_commit_all_the_time_then_waits_for_its_turn() {
    isolate();
    let netns = Netns::add("host");
    long(&netns, 200);
    let policies = [Policy::Drop, Policy::Accept];
    done(&netns, "iptables -A INPUT -j T");
    let restless = || {
        let mut kernel = Kernel::open().unwrap();
        let table = TableId { family: nft::Family::Ip, name: Name::literal("filter") };
        let begun = Instant::now();
        for policy in policies.iter().cycle() {
            let mut transaction = Transaction::new();
            transaction.push(Change::SetPolicy(table.clone(), Name::literal("INPUT"), *policy));
            kernel.commit(&transaction, None).unwrap();
            if begun.elapsed() > Duration::from_secs(3) {
                break;
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| netns.enter(restless));
        thread::sleep(Duration::from_millis(200));
        done(&netns, &format!("iptables -D {}", rule(200)));
    });
    assert!(!finds(&netns, 200) && finds(&netns, 199));
}
