//! `host-local` that is killed, or whose disk fails, at any step: what it leaves blocks nobody.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::call::Answer;
use super::host_local::{Data, Ipam, Program, addresses};
use super::random::Random;

/// All that changes something on disk, or makes sure that nobody else does meanwhile.
const SYSCALLS: [&str; 9] =
    ["openat", "write", "linkat", "link", "unlink", "ftruncate", "flock", "mkdir", "read"];

fn conf(data: &Data) -> Value {
    data.conf(
        "0.4.0",
        &json!({"ranges": [[{"subnet": "10.88.0.0/28"}], [{"subnet": "fd00:88::/64"}]]}),
    )
}

/// A network on which `a` and `b` have addresses.
fn inhabited() -> (Data, Value) {
    let data = Data::new();
    let conf = conf(&data);
    for container in ["a", "b"] {
        Ipam::add(container, &conf).ours().success();
    }
    (data, conf)
}

fn log(data: &Data) -> String {
    data.path().join("strace").to_str().unwrap().to_owned()
}

/// How often a call calls `syscall`.
fn count(data: &Data, call: &Ipam, syscall: &str) -> usize {
    let (log, trace) = (log(data), format!("trace={syscall}"));
    call.under(&["strace", "-qq", "-o", &log, "-e", &trace]).ours().success();
    let begin = format!("{syscall}(");
    fs::read_to_string(log).unwrap().lines().filter(|line| line.starts_with(&begin)).count()
}

/// Runs a call whose `at`-th `syscall` meets `fault`.
fn struck(data: &Data, call: &Ipam, syscall: &str, fault: &str, at: usize) -> Answer {
    let log = log(data);
    let (trace, inject) =
        (format!("trace={syscall}"), format!("inject={syscall}:{fault}:when={at}"));
    call.under(&["strace", "-qq", "-o", &log, "-e", &trace, "-e", &inject]).ours()
}

/// Every address file says whole who has it.
fn assert_whole(data: &Data, place: &str) {
    for (name, content) in data.files() {
        let is_address = name.parse::<std::net::IpAddr>().is_ok();
        let is_whole = ["a", "b", "c"].iter().any(|c| content == format!("{c}\r\neth0"));
        assert!(!is_address || is_whole, "{place}: {name} has {content:?}");
    }
}

/// What `a` and `b` have is untouched, `c` can be taken off and added again, by either program.
fn assert_usable(data: &Data, conf: &Value, place: &str) {
    assert_whole(data, place);
    for (program, other) in [(Program::Debians, Program::Ours), (Program::Ours, Program::Debians)] {
        Ipam::add("c", conf).command("DEL").run(program).success();
        assert_eq!(
            data.addresses(),
            ["10.88.0.2", "10.88.0.3", "fd00:88::2", "fd00:88::3"],
            "{place}"
        );
        let given = addresses(&Ipam::add("c", conf).run(other).success());
        assert_eq!(given.len(), 2, "{place}");
        assert_eq!(data.addresses().len(), 6, "{place}");
    }
    Ipam::add("c", conf).command("DEL").ours().success();
    let names: Vec<String> = data.files().into_iter().map(|(name, _)| name).collect();
    let left = ["lock", "last_reserved_ip.0", "last_reserved_ip.1"];
    assert!(
        names.iter().all(|name| name.contains("88") || left.contains(&name.as_str())),
        "{names:?}"
    );
}

#[test]
fn processes_when_killed_at_any_system_call_then_leave_nothing_half_done() {
    let (data, conf) = inhabited();
    let mut killed = 0;
    for command in ["ADD", "DEL"] {
        let call = Ipam::add("c", &conf).command(command);
        for syscall in SYSCALLS {
            let undo = |command| Ipam::add("c", &conf).command(command).ours().success();
            let prepare =
                || drop(if command == "ADD" { undo("DEL") } else { undo("DEL") + &undo("ADD") });
            prepare();
            for at in 1..=count(&data, &call, syscall) {
                prepare();
                let answer = struck(&data, &call, syscall, "signal=SIGKILL", at);
                let place = format!("{command} {syscall} {at}");
                assert_eq!(answer.status.signal(), Some(9), "{place}: {answer:#?}");
                assert_usable(&data, &conf, &place);
                killed += 1;
            }
        }
    }
    assert!(killed > 40, "{killed}");
}

/// An error is told, an ADD that fails keeps nothing, and a success is one.
#[test]
fn disk_when_it_fails_at_any_system_call_then_add_is_all_or_nothing() {
    let (data, conf) = inhabited();
    let before = data.addresses();
    let call = Ipam::add("c", &conf);
    let del = call.command("DEL");
    let mut failed = 0;
    // What fails before the first of them belongs to the start of any process.
    for (syscall, errno) in [
        ("linkat", "ENOSPC"),
        ("link", "ENOSPC"),
        ("write", "ENOSPC"),
        ("ftruncate", "EIO"),
        ("flock", "ENOLCK"),
    ] {
        let times = count(&data, &call, syscall);
        del.ours().success();
        for at in 1..=times {
            let answer = struck(&data, &call, syscall, &format!("error={errno}"), at);
            let place = format!("{syscall} {at}: {answer:#?}");
            // Without its index a call is as good. After the writes of the result the caller sends
            // a DEL.
            if answer.status.success() {
                assert!(answer.stderr.contains("read all address files"), "{place}");
                call.command("CHECK").ours().success();
            } else if answer.stdout.contains("\"code\"") {
                assert_eq!(answer.error().0, 5, "{place}");
                assert_eq!(data.addresses(), before, "{place}");
                failed += 1;
            }
            del.ours().success();
            assert_eq!(data.addresses(), before, "{place}");
        }
    }
    assert!(failed >= 6, "{failed}");
}

/// Kills that fall where they fall, with others at work.
#[test]
fn processes_when_killed_by_chance_beside_others_then_no_address_is_lost() {
    let (data, conf) = inhabited();
    let mut random = Random::new(7);
    let mut killed = 0;
    for round in 0..60 {
        let call = Ipam::add("c", &conf).command(if round % 2 == 0 { "ADD" } else { "DEL" });
        let delay = Duration::from_micros(200 + 30 * random.below(100) as u64);
        thread::scope(|scope| {
            let neighbour = Ipam::add("d", &conf);
            scope.spawn(move || {
                let given = addresses(&neighbour.ours().success());
                assert_eq!(given.len(), 2);
                neighbour.command("DEL").ours().success();
            });
            let mut command = call.prepare(Program::Ours);
            let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(conf.to_string().as_bytes()).unwrap();
            drop(stdin);
            let begin = Instant::now();
            while begin.elapsed() < delay {
                thread::yield_now();
            }
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().signal() == Some(9));
        });
        assert_whole(&data, &format!("{round}"));
    }
    assert!(killed > 5, "{killed}");
    assert_usable(&data, &conf, "at the end");
}

/// Debian's plugin makes the file first and writes it then; killed between, it leaves an empty one,
/// which it never gives away again. Ours does, and says so.
#[test]
fn file_when_the_other_program_was_killed_over_it_then_is_reclaimed_and_said() {
    let data = Data::new();
    let conf = data.conf("1.1.0", &json!({"subnet": "10.88.0.0/30"}));
    fs::create_dir(data.network()).unwrap();
    fs::write(data.network().join("10.88.0.2"), "").unwrap();
    let answer = Ipam::add("a", &conf).ours();
    assert!(answer.stderr.contains("10.88.0.2"), "{answer:#?}");
    assert_eq!(addresses(&answer.success()), ["10.88.0.2/30"]);
    fs::remove_file(data.network().join("10.88.0.2")).unwrap();
    fs::write(data.network().join("10.88.0.2"), "").unwrap();
    let mut gc = Ipam::add("", &conf).command("GC");
    gc.conf["cni.dev/valid-attachments"] = json!([{"containerID": "a", "ifname": "eth0"}]);
    gc.ours().success();
    assert!(data.addresses().is_empty());
}
