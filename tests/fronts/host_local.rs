//! `host-local` as a process: its commands, what it prints, what it leaves on disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::call::Answer;
use crate::lab::CniCall;

/// Which program answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Ours,
    /// Debian's containernetworking-plugins, 1.1.1.
    Debians,
}

/// A data directory of a test's own; it goes when dropped.
pub struct Data(PathBuf);

impl Data {
    pub fn new() -> Data {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portcullis-host-local-{}-{number}", id()));
        fs::create_dir(&path).unwrap_or_else(|e| panic!("mkdir {}: {e}", path.display()));
        Data(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn network(&self) -> PathBuf {
        self.0.join("net")
    }

    /// The configuration of a network whose addresses are kept here.
    pub fn conf(&self, version: &str, ipam: &Value) -> Value {
        let mut conf =
            json!({"cniVersion": version, "name": "net", "type": "bridge", "ipam": ipam});
        conf["ipam"]["type"] = "host-local".into();
        conf["ipam"]["dataDir"] = self.0.to_str().unwrap().into();
        conf
    }

    /// Name and content of each file but our index, in order.
    pub fn files(&self) -> Vec<(String, String)> {
        let Ok(directory) = fs::read_dir(self.network()) else { return Vec::new() };
        let read = |path: PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        };
        let paths = directory.map(|entry| entry.unwrap().path());
        let counts = paths.filter(|path| !path.ends_with(".portcullis.index"));
        let mut files: Vec<_> = counts.map(read).collect();
        files.sort();
        files
    }

    /// The addresses that somebody has.
    pub fn addresses(&self) -> Vec<String> {
        let names = self.files().into_iter().map(|(name, _)| name);
        names.filter(|name| name.parse::<std::net::IpAddr>().is_ok()).collect()
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        // A directory left behind in /tmp must not turn a test's verdict.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A call that is right until a test changes it.
#[derive(Clone, Debug)]
pub struct Ipam {
    pub command: &'static str,
    pub container: String,
    pub ifname: String,
    pub args: String,
    pub netns: String,
    pub conf: Value,
    /// What is put before the program, such as `strace -f`.
    pub wrapper: Vec<String>,
}

impl Ipam {
    pub fn add(container: &str, conf: &Value) -> Ipam {
        Ipam {
            command: "ADD",
            container: container.to_owned(),
            ifname: "eth0".to_owned(),
            args: String::new(),
            netns: "/run/netns/nobody".to_owned(),
            conf: conf.clone(),
            wrapper: Vec::new(),
        }
    }

    pub fn command(&self, command: &'static str) -> Ipam {
        Ipam { command, ..self.clone() }
    }

    pub fn args(&self, args: &str) -> Ipam {
        Ipam { args: args.to_owned(), ..self.clone() }
    }

    pub fn under(&self, wrapper: &[&str]) -> Ipam {
        let wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        Ipam { wrapper, ..self.clone() }
    }

    pub fn prepare(&self, program: Program) -> Command {
        let mut words: Vec<&str> = self.wrapper.iter().map(String::as_str).collect();
        match program {
            Program::Ours => words.extend([env!("CARGO_BIN_EXE_portcullis"), "host-local"]),
            Program::Debians => words.push("/usr/lib/cni/host-local"),
        }
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        let Ipam { container, netns, ifname, args, .. } = self;
        let call = CniCall::new(self.command, container, Path::new(netns));
        CniCall { ifname, args, ..call }.set_on(&mut command);
        command
    }

    pub fn run(&self, program: Program) -> Answer {
        Answer::of(&mut self.prepare(program), &self.conf.to_string())
    }

    pub fn ours(&self) -> Answer {
        self.run(Program::Ours)
    }
}

/// The addresses of a result of 0.3.0 or later.
pub fn addresses(printed: &str) -> Vec<String> {
    let result: Value = serde_json::from_str(printed).unwrap();
    let ips = result["ips"].as_array().unwrap().iter();
    ips.map(|ip| ip["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn host_local_when_called_by_its_name_then_is_the_plugin() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    let printed =
        Answer::of(command.arg0("/opt/cni/bin/host-local").env("CNI_COMMAND", "VERSION"), "");
    let printed: Value = serde_json::from_str(&printed.success()).unwrap();
    let versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];
    assert_eq!(printed, json!({"cniVersion": "1.1.0", "supportedVersions": versions}));
}

#[test]
fn result_when_of_1_1_0_then_has_routes_and_name_resolution() {
    let data = Data::new();
    let resolv_conf = data.path().join("resolv.conf");
    let text = "# comment\n; comment\nnameserver 192.0.2.53 ignored\nnameserver\nnameserver 2001:db8::53\n\
                \tdomain example.org\nsearch a.example b.example\nsearch c.example\noptions ndots:5 rotate\nsortlist x\n";
    fs::write(&resolv_conf, text).unwrap();
    let conf = data.conf(
        "1.1.0",
        &json!({
            "ranges": [[{"subnet": "10.88.0.0/16"}], [{"subnet": "fd00:88::/64", "gateway": "fe80::1"}]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0", "gw": "fe80::1", "mtu": 1400, "advmss": 0,
                       "priority": 7, "table": 0, "scope": 253}],
            "resolvConf": resolv_conf,
        }),
    );
    let expected = json!({
        "cniVersion": "1.1.0",
        "dns": {"nameservers": ["192.0.2.53", "2001:db8::53"], "domain": "example.org",
                "search": ["a.example", "b.example", "c.example"], "options": ["ndots:5", "rotate"]},
        "ips": [{"address": "10.88.0.2/16", "gateway": "10.88.0.1"},
                {"address": "fd00:88::1/64", "gateway": "fe80::1"}],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0", "gw": "fe80::1", "mtu": 1400,
                   "priority": 7, "table": 0, "scope": 253}],
    });
    let printed: Value = serde_json::from_str(&Ipam::add("a", &conf).ours().success()).unwrap();
    assert_eq!(printed, expected);
}

/// containerd's go-cni and CRI-O spell keys as Go does, and send what is not set as `""`.
#[test]
fn keys_when_spelt_as_go_does_then_are_understood() {
    let data = Data::new();
    let mut conf = data.conf("1.0.0", &json!({}));
    conf["ipam"]["Ranges"] =
        json!([[{"Subnet": "10.88.0.0/16", "RangeStart": "", "RangeEnd": "", "Gateway": ""}]]);
    conf["ipam"]["subnet"] = "".into();
    conf["ipam"]["resolvConf"] = "".into();
    conf["ipam"]["routes"] = json!(null);
    assert_eq!(addresses(&Ipam::add("a", &conf).ours().success()), ["10.88.0.2/16"]);
}

#[test]
fn files_when_made_then_have_the_modes_of_the_reference_plugin() {
    let data = Data::new();
    let conf = data.conf("1.0.0", &json!({"subnet": "10.88.0.0/16"}));
    Ipam::add("a", &conf).ours().success();
    let mode =
        |name: &str| fs::metadata(data.network().join(name)).unwrap().permissions().mode() & 0o7777;
    let modes = ["", "lock", "10.88.0.2", "last_reserved_ip.0"].map(mode);
    assert_eq!(modes, [0o755, 0o750, 0o600, 0o600]);
}

#[test]
fn del_when_ranges_are_wrong_by_now_then_frees_and_warns() {
    let data = Data::new();
    let conf = data.conf("1.0.0", &json!({"subnet": "10.88.0.0/16"}));
    let mut add = Ipam::add("a", &conf);
    add.ours().success();
    add.conf["ipam"]["subnet"] = "10.88.0.1/16".into();
    let answer = add.args("garbage").command("DEL").ours();
    assert!(answer.stderr.contains("garbage"), "{answer:#?}");
    assert_eq!(answer.success(), "");
    assert!(data.addresses().is_empty());
    assert_eq!(add.command("DEL").ours().success(), "");
}

#[test]
fn gc_when_called_then_frees_what_is_not_valid() {
    let data = Data::new();
    let conf = data.conf(
        "1.1.0",
        &json!({"ranges": [[{"subnet": "10.88.0.0/16"}], [{"subnet": "fd00::/64"}]]}),
    );
    for container in ["a", "b", "c"] {
        Ipam::add(container, &conf).ours().success();
    }
    let mut gc = Ipam::add("", &conf).command("GC");
    let (code, text) = gc.ours().error();
    assert_eq!(code, 7, "{text}");
    assert_eq!(data.addresses().len(), 6);
    gc.conf["cni.dev/valid-attachments"] =
        json!([{"containerID": "b", "ifname": "eth0"}, {"containerID": "c", "ifname": "eth1"}]);
    assert_eq!(gc.ours().success(), "");
    assert_eq!(data.addresses(), ["10.88.0.3", "fd00::3"]);
    Ipam::add("b", &conf).command("CHECK").ours().success();
    let (code, text) = Ipam::add("c", &conf).command("CHECK").ours().error();
    let expected = "host-local: Failed to find address added by container c";
    assert_eq!((code, text.as_str()), (105, expected));
}

#[test]
fn status_when_asked_then_tells_whether_the_directory_can_be_written() {
    let data = Data::new();
    let conf = data.conf("1.1.0", &json!({"subnet": "10.88.0.0/16"}));
    let mut status = Ipam::add("", &conf).command("STATUS");
    assert_eq!(status.ours().success(), "");
    assert!(!data.network().exists());
    fs::write(data.network(), "in the way").unwrap();
    let (code, text) = status.ours().error();
    assert_eq!(code, 50, "{text}");
    fs::remove_file(data.network()).unwrap();
    status.conf["ipam"] = json!({"type": "host-local"});
    let (code, text) = status.ours().error();
    assert!(code == 50 && text.contains("no IP ranges specified"), "{text}");
}

#[test]
fn commands_when_the_version_has_them_not_then_are_refused() {
    let data = Data::new();
    for (version, command) in [("0.3.1", "CHECK"), ("1.0.0", "GC"), ("1.0.0", "STATUS")] {
        let call = Ipam::add("a", &data.conf(version, &json!({"subnet": "10.88.0.0/16"})));
        let (code, text) = call.command(command).ours().error();
        assert_eq!((code, text), (1, format!("config version does not allow {command}")));
    }
}

#[test]
fn netns_when_it_is_the_plugins_own_then_nothing_is_given() {
    let data = Data::new();
    let conf = data.conf("1.0.0", &json!({"subnet": "10.88.0.0/16"}));
    let call = Ipam { netns: "/proc/self/ns/net".to_owned(), ..Ipam::add("a", &conf) };
    assert_eq!(call.ours().error().0, 8);
    assert!(data.files().is_empty());
}

/// Codes that a caller can act on; the reference plugin says 999.
#[test]
fn errors_when_they_differ_then_have_codes_of_their_own() {
    let data = Data::new();
    let conf = data.conf("1.0.0", &json!({"subnet": "10.88.0.0/30"}));
    let add = Ipam::add("a", &conf);
    add.ours().success();
    let mut no_ipam = add.clone();
    no_ipam.conf["ipam"].take();
    let other = Ipam::add("b", &conf);
    let mut unreadable = other.clone();
    unreadable.conf["ipam"]["resolvConf"] = "/nonexistent".into();
    let mut blocked = other.clone();
    blocked.conf["ipam"]["dataDir"] = "/dev/null".into();
    for (call, expected) in [
        (&add, 4),
        (&other, 102),
        (&other.args("IP=10.88.0.2"), 7),
        (&other.args("IP=10.88.0.1"), 7),
        (&other.args("IP=192.0.2.1"), 102),
        (&other.args("IP=zz"), 4),
        (&no_ipam, 7),
        (&unreadable, 5),
        (&blocked, 5),
    ] {
        let (code, text) = call.ours().error();
        assert_eq!(code, expected, "{text}");
    }
    assert_eq!(data.addresses(), ["10.88.0.2"]);
}

/// Both programs at once on one directory, as while a node is updated.
#[test]
fn addresses_when_fifty_are_added_at_once_by_both_programs_then_differ() {
    let data = Data::new();
    let conf = data.conf(
        "1.0.0",
        &json!({"ranges": [[{"subnet": "10.88.0.0/24"}], [{"subnet": "fd00::/64"}]]}),
    );
    let program = |n: usize| if n.is_multiple_of(3) { Program::Debians } else { Program::Ours };
    let add = |n: usize| addresses(&Ipam::add(&format!("c{n}"), &conf).run(program(n)).success());
    let given: Vec<String> = thread::scope(|scope| {
        let all: Vec<_> = (0..50).map(|n| scope.spawn(move || add(n))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 100, "{given:?}");
    assert_eq!(data.addresses().len(), 100);
    thread::scope(|scope| {
        for n in 0..50 {
            let del = Ipam::add(&format!("c{n}"), &conf).command("DEL");
            scope.spawn(move || del.run(program(n + 1)).success());
        }
    });
    assert!(data.addresses().is_empty());
}
