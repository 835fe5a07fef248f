//! One dockerd on a host: started, stopped, killed, and started again.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::host::Host;

const SOCKET: &str = "/run/docker.sock";
const PID: &str = "/run/docker.pid";
const LOG: &str = "/run/dockerd.log";
/// No daemon takes longer to start or to end.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running daemon. It ends with its host at the latest.
pub struct Daemon<'a> {
    pub host: &'a Host,
    flags: Vec<String>,
    process: Option<Child>,
}

impl<'a> Daemon<'a> {
    /// Starts dockerd with these flags and waits until it answers.
    pub fn start(host: &'a Host, flags: &[&str]) -> Daemon<'a> {
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut daemon = Daemon { host, flags, process: None };
        daemon.start_again();
        daemon
    }

    /// Starts dockerd with the flags that it had before.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "a daemon runs already");
        let group = format!("--cgroup-parent={}", self.host.inside.cgroup());
        let fixed = "dockerd --config-file /run/dockerd.json --data-root /run/docker-data \
                     --exec-root /run/docker --pidfile /run/docker.pid -H unix:///run/docker.sock \
                     --userland-proxy-path /run/programs/docker-proxy --storage-driver vfs \
                     --dns 192.0.2.2";
        fs::write("/run/dockerd.json", "{}").expect("write dockerd.json");
        let words = fixed.split(' ').filter(|word| !word.is_empty()).chain([group.as_str()]);
        let words: Vec<&str> = words.chain(self.flags.iter().map(String::as_str)).collect();
        self.process = Some(self.host.inside.start(&words, LOG));
        let deadline = Instant::now() + PATIENCE;
        while ping().is_err() {
            let ended = self.process.as_mut().expect("just started").try_wait();
            let ended = ended.expect("a child of ours");
            assert!(ended.is_none(), "dockerd ended: {ended:?}\n{}", log());
            assert!(Instant::now() < deadline, "dockerd does not answer\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill PID`: the daemon ends in good order.
    pub fn stop(&mut self) {
        let status = self.end("-TERM");
        assert!(status.success(), "dockerd: {status}\n{}", log());
    }

    /// `kill -9 PID`: the daemon has no time to do anything.
    pub fn kill(&mut self) {
        let status = self.end("-KILL");
        assert!(!status.success(), "dockerd: {status}");
    }

    fn end(&mut self, signal: &str) -> ExitStatus {
        let pid = fs::read_to_string(PID).unwrap_or_else(|e| panic!("{PID}: {e}"));
        self.host.inside.run(&["kill", signal, pid.trim()]);
        let mut process = self.process.take().expect("a daemon runs");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = process.try_wait().expect("a child of ours") {
                return status;
            }
            assert!(Instant::now() < deadline, "dockerd does not end\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the daemon's log complains of about its firewall, all starts together: from the level
    /// on, without names that are different each time.
    pub fn complaints() -> Vec<String> {
        let levels = ["level=warning", "level=error", "level=fatal"];
        let topics = ["iptables", "ip6tables", "chain", "firewall"];
        let log = log();
        let complaint = |line: &str| {
            let start = levels.iter().find_map(|level| line.find(level))?;
            let text = &line[start..];
            // A call that takes two seconds says that the machine is busy with other tests.
            let counts = topics.iter().any(|topic| text.contains(topic))
                && !text.contains("xtables contention detected");
            let words = text.split(' ').filter(|word| !word.contains("/containers/"));
            counts.then(|| words.filter(|word| !is_id(word)).collect::<Vec<_>>().join(" "))
        };
        log.lines().filter_map(complaint).collect()
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- {:?}, {LOG}:\n{}", self.host.programs, log());
        }
        if let Some(mut process) = self.process.take() {
            // This is `timeout`; the daemon itself ends with the namespace.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Whether a word is, in parentheses or not, what dockerd calls a container or an endpoint.
fn is_id(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn log() -> String {
    fs::read_to_string(LOG).unwrap_or_else(|e| format!("{LOG}: {e}"))
}

/// `GET /_ping`
fn ping() -> std::io::Result<()> {
    let mut stream = UnixStream::connect(SOCKET)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.contains(" 200 ") {
        true => Ok(()),
        false => Err(std::io::Error::other(answer)),
    }
}
