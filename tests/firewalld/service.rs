//! A system bus and firewalld on the laboratory's host, and their end.
//!
//! Each lives in a PID namespace whose first process ends with the test, or after two minutes.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, run};

/// Where everybody looks for the system bus; in the laboratory's own `/run`.
pub const SOCKET: &str = "/run/dbus/system_bus_socket";
const CONFIG: &str = r#"<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"#;
/// What the services say, in the laboratory's own `/run`.
const LOG: &str = "/run/services.log";
/// No service takes longer to start, and none to notice anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process; dropped, it and all below it are killed.
pub struct Service(Child);

impl Service {
    /// Starts a program on the laboratory's host.
    pub fn start(lab: &Lab, words: &[&str]) -> Service {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "timeout", "120"]).args(words);
        let log = File::options().create(true).append(true).open(LOG).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = lab.host.enter(|| command.spawn());
        Service(child.unwrap_or_else(|e| panic!("{words:?}: {e} (apt-get install util-linux)")))
    }

    /// Sends a signal to the program itself, behind unshare and timeout.
    pub fn signal(&self, signal: Signal) {
        let mut pid = self.0.id().to_string();
        for _ in ["timeout", "the program"] {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            pid = children.unwrap().trim().to_owned();
        }
        kill(Pid::from_raw(pid.parse().unwrap()), signal).unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is so.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        let log = || fs::read_to_string(LOG).unwrap_or_default();
        assert!(begin.elapsed() < PATIENCE, "{what}: not so after {PATIENCE:?}\n{}", log());
        sleep(Duration::from_millis(50));
    }
}

/// A system bus.
pub fn bus(lab: &Lab) -> Service {
    bus_of(lab, CONFIG)
}

/// A system bus that does not take a user's word for who he is.
pub fn closed_bus(lab: &Lab) -> Service {
    bus_of(lab, &CONFIG.replace("EXTERNAL", "DBUS_COOKIE_SHA1"))
}

fn bus_of(lab: &Lab, config: &str) -> Service {
    fs::create_dir_all("/run/dbus").unwrap();
    fs::write("/run/bus.conf", config).unwrap();
    // A socket that a bus before has left.
    let _ = fs::remove_file(SOCKET);
    let words = ["dbus-daemon", "--nofork", "--nopidfile", "--config-file=/run/bus.conf"];
    let bus = Service::start(lab, &words);
    wait_until("dbus-daemon listens", || UnixStream::connect(SOCKET).is_ok());
    bus
}

/// firewalld with a configuration of its own: its chains in nf_tables, the default zone public.
pub fn firewalld(lab: &Lab) -> Service {
    if fs::create_dir("/run/etc").is_ok() {
        run(Command::new("cp").args(["-a", "/etc/firewalld", "/run/etc/"]), "");
        fs::create_dir("/run/log").unwrap();
        for (from, to) in [("/run/etc/firewalld", "/etc/firewalld"), ("/run/log", "/var/log")] {
            let none = None::<&str>;
            mount(Some(from), to, none, MsFlags::MS_BIND, none).unwrap();
        }
        let conf = fs::read_to_string("/etc/firewalld/firewalld.conf").unwrap();
        let words: Vec<&str> = conf.lines().filter(|line| line.contains("Backend=")).collect();
        assert_eq!(words, ["FirewallBackend=nftables"]);
    }
    let firewalld = Service::start(lab, &["firewalld", "--nofork", "--nopid"]);
    wait_until("firewalld runs", || is_running(lab));
    firewalld
}

/// `firewall-cmd --state`
pub fn is_running(lab: &Lab) -> bool {
    cmd_output(lab, &["--state"]).status.success()
}

/// `firewall-cmd`: what it prints.
pub fn cmd(lab: &Lab, words: &[&str]) -> String {
    let output = cmd_output(lab, words);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "firewall-cmd {words:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn cmd_output(lab: &Lab, words: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["30", "firewall-cmd"]).args(words);
    lab.host.enter(|| command.output()).expect("apt-get install firewalld")
}

/// The sources of a zone.
pub fn sources(lab: &Lab, zone: &str) -> Vec<String> {
    let zone = format!("--zone={zone}");
    let list = cmd(lab, &[&zone, "--list-sources"]);
    let mut list: Vec<String> = list.split_whitespace().map(str::to_owned).collect();
    list.sort();
    list
}
