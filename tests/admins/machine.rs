//! A machine of its own for an administrator's program: namespaces, files, an uplink.
//!
//! ```text
//! client 192.0.2.2, 2001:db8::2 ───── wan0  host 192.0.2.1, 2001:db8::1 (ufw, fail2ban)
//! ```
//! All that the programs write lies on tmpfs; what they read is what Debian's packages have brought.

use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use crate::admins::diary::{Diary, plain};
use crate::lab::{Netns, Outcome, PidNamespace, Probe, Surroundings, isolate, split, uplink};
use crate::world::Family;

/// What nobody may execute.
const MASKED: [&str; 2] = ["/usr/sbin/nft", "/usr/sbin/xtables-legacy-multi"];
/// No program takes longer to notice anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    There,
    Gone,
}

/// One host and its client.
pub struct Machine {
    pub family: Family,
    pub netns: Netns,
    pub client: Netns,
    /// Where all of its programs run.
    pub inside: PidNamespace,
}

/// Lives a story on two machines, and compares what was seen, but for what is known to differ.
/// `mounts` are commands of a shell that put a program's files in place.
pub fn twice(mounts: &str, known: fn(&mut Vec<String>), story: fn(&Machine, &mut Diary)) {
    let live = |family| {
        let mut diary = Diary::default();
        story(&Machine::new(family, mounts), &mut diary);
        diary.forget(known);
        diary
    };
    let [real, ours] = thread::scope(|scope| {
        let lives = [Family::Real, Family::Ours].map(|family| scope.spawn(move || live(family)));
        lives.map(|life| life.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    ours.expect(&real);
}

impl Machine {
    /// Isolates the calling thread and builds the machine.
    pub fn new(family: Family, mounts: &str) -> Machine {
        isolate();
        let [client, netns] = ["client", "host"].map(Netns::add);
        uplink(&netns, &client);
        let inside = PidNamespace::new(&netns, surroundings(family, mounts));
        let machine = Machine { family, netns, client, inside };
        let version = machine.inside.run(&["iptables", "-V"]);
        let name = "iptables v1.8.9 (nf_tables)";
        assert!(version.starts_with(name), "{version}");
        assert_eq!(version.contains("portcullis"), family == Family::Ours, "{version}");
        let arrives = || {
            ["192.0.2.1:9", "[2001:db8::1]:9"]
                .iter()
                .all(|to| machine.ask(&format!("udp {to}")) == "refused")
        };
        assert!((0..10).any(|_| arrives()), "packets do not arrive");
        machine
    }

    /// Calls a program, and writes down what it answers and what then is saved.
    pub fn call(&self, diary: &mut Diary, line: &str) {
        let words = split(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = self.inside.attempt(&words);
        let mut lines = vec![format!("exit code {:?}", output.status.code())];
        for (name, text) in [("out", output.stdout), ("err", output.stderr)] {
            let text = String::from_utf8(text).unwrap();
            lines.extend(plain(&text).map(|line| format!("{name}: {line}")));
        }
        diary.add(&format!("$ {line}"), lines);
        self.save(diary, line);
    }

    /// Writes down what is saved.
    pub fn save(&self, diary: &mut Diary, when: &str) {
        for program in ["iptables-save", "ip6tables-save"] {
            diary.add(&format!("{program} after {when}"), self.saved(program));
        }
    }

    /// What is saved, without the counts of policies: those are packets that nobody has asked for.
    pub fn saved(&self, program: &str) -> Vec<String> {
        let lines = self.family.saved(&self.netns, program).into_iter();
        let without = |line: String| match line.split_once(" [") {
            Some((policy, _)) if line.starts_with(':') => policy.to_owned(),
            _ => line,
        };
        lines.map(without).collect()
    }

    /// Whether a rule of an address is saved.
    pub fn has(&self, rule: &str) -> bool {
        let program = if rule.contains("::") { "ip6tables-save" } else { "iptables-save" };
        self.saved(program).iter().any(|line| line == rule)
    }

    /// Waits until something is saved, or is no longer.
    pub fn await_rule(&self, diary: &mut Diary, rule: &str, there: Rule) {
        let is_so = || self.has(rule) == (there == Rule::There);
        self.wait_until(&format!("{rule}: {there:?}"), is_so);
        self.save(diary, &format!("{rule}: {there:?}"));
    }

    /// Waits until something is so.
    pub fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begin = Instant::now();
        while !is_so() {
            assert!(
                begin.elapsed() < PATIENCE,
                "{:?}: not so: {what}\n{}",
                self.family,
                self.netns.ruleset()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What becomes of the client's packets: `tcp 192.0.2.1:22`, all asked at once.
    pub fn expect(&self, expectations: &[(&str, &str)]) {
        let outcomes: Vec<String> = thread::scope(|scope| {
            let asked: Vec<_> =
                expectations.iter().map(|(probe, _)| scope.spawn(|| self.ask(probe))).collect();
            asked.into_iter().map(|probe| probe.join().unwrap()).collect()
        });
        let outcomes = outcomes.iter().map(String::as_str);
        let seen: Vec<_> = expectations.iter().map(|(probe, _)| *probe).zip(outcomes).collect();
        assert_eq!(seen, expectations, "{:?}\n{}", self.family, self.netns.ruleset());
    }

    /// What becomes of one question of the client.
    pub fn ask(&self, probe: &str) -> String {
        let probe: Probe = format!("outside {probe}").parse().unwrap();
        match probe.send(&self.client) {
            Outcome::Answered { .. } => "answered".to_owned(),
            outcome @ (Outcome::Refused | Outcome::Silent) => outcome.to_string(),
        }
    }
}

fn surroundings(family: Family, mounts: &str) -> Surroundings {
    let mask = |path: &str| format!("test ! -e {path} || mount --bind /dev/null {path}\n");
    let own = match family {
        Family::Real => String::new(),
        Family::Ours => {
            let product = env!("CARGO_BIN_EXE_portcullis");
            format!("mount --bind {product} /usr/sbin/xtables-nft-multi\n")
        }
    };
    let masks: String = MASKED.into_iter().map(mask).collect();
    // Nobody waits for a name server that is not there.
    let names = "echo hosts: files > /run/names; mount --bind /run/names /etc/nsswitch.conf";
    Surroundings {
        name: format!("{family:?}"),
        mounts: format!("{masks}{own}{names}\nmount -t tmpfs log /var/log\n{mounts}"),
        environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/run", "LC_ALL=C", "TZ=UTC"]
            .map(str::to_owned)
            .into(),
        command_limit: "60",
        daemon_limit: "120",
    }
}
