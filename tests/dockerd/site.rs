//! One life of a story: a daemon, its containers, and the table of what is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use super::container::{Container, settled};
use super::daemon::Daemon;
use super::dns::{self, Record};
use super::host::Host;
use super::image;
use super::programs::Programs;
use super::rules;
use super::table::Table;
use crate::lab::{Netns, Probe, Protocol};

/// A host on which a daemon serves, and what is known of it.
pub struct Site<'a> {
    pub host: &'a Host,
    pub daemon: Daemon<'a>,
    pub table: Table,
    containers: BTreeMap<String, Container>,
    scene: &'static str,
    /// How many complaints of the daemon have been expected.
    complaints: usize,
}

impl<'a> Site<'a> {
    /// Starts the daemon of a host, with an image.
    pub fn open(host: &'a Host, flags: &[&str]) -> Site<'a> {
        let daemon = Daemon::start(host, flags);
        image::import(host);
        let (table, containers) = (Table::default(), BTreeMap::new());
        Site { host, daemon, table, containers, scene: "start", complaints: 0 }
    }

    /// What the rows from here on belong to.
    pub fn scene(&mut self, title: &'static str) {
        self.scene = title;
    }

    /// `docker WORDS`, which must succeed; what it printed.
    pub fn docker(&mut self, words: &str) -> String {
        self.docker_exits(words, "exit 0")
    }

    /// `docker WORDS`, which must end as said.
    pub fn docker_exits(&mut self, words: &str, expected: &str) -> String {
        let all: Vec<&str> = ["docker"].into_iter().chain(words.split_whitespace()).collect();
        let output = self.host.inside.attempt(&all);
        let mut end =
            output.status.code().map_or("killed".to_owned(), |code| format!("exit {code}"));
        let error = String::from_utf8_lossy(&output.stderr);
        if end != expected {
            end = format!("{end}: {error}");
        }
        self.table.expect(format!("{} | docker {words}", self.scene), end, expected);
        // What iptables had to say is quoted to the user, word for word.
        if let Some(start) = error.find("iptables failed") {
            self.table.see(format!("{} | docker {words}", self.scene), error[start..].to_owned());
        }
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// `docker network create` with a bridge `br-NAME` and the subnet 172.30.NUMBER.0/24.
    pub fn network(&mut self, name: &str, number: u8, options: &str) {
        self.docker(&format!(
            "network create --subnet 172.30.{number}.0/24 \
             -o com.docker.network.bridge.name=br-{name} {options} {name}"
        ));
    }

    /// `docker run -d`, with servers on ports 7 and 8, TCP and UDP.
    pub fn run(&mut self, name: &str, options: &str) {
        let [program, argument] = image::COMMAND;
        let run = "run -d --stop-signal KILL --name";
        let faults = self.table.wrong().len();
        self.docker(&format!("{run} {name} {options} {} {program} {argument}", image::NAME));
        let new = &self.table.wrong()[faults..];
        assert!(new.is_empty(), "no story without {name}: {new:?}");
        self.enter(name);
    }

    /// Opens the servers of a container that runs: after a start that was not [`Site::run`].
    pub fn enter(&mut self, name: &str) {
        self.containers.insert(name.to_owned(), Container::running(self.host, name));
    }

    /// `docker network connect NETWORK NAME`
    pub fn connect(&mut self, network: &str, name: &str) {
        self.docker(&format!("network connect {network} {name}"));
        settled(self.host, name);
    }

    /// Closes the servers of a container, for it is about to end.
    pub fn leave(&mut self, name: &str) {
        self.containers.remove(name).unwrap_or_else(|| panic!("{name} does not run"));
    }

    /// Closes the servers of all containers.
    pub fn leave_all(&mut self) {
        self.containers.clear();
    }

    /// Waits until a container runs that the daemon starts by itself.
    pub fn await_running(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let inspect = ["docker", "inspect", "--format", "{{.State.Running}}", name];
        while self.host.inside.run(&inspect) != "true" {
            assert!(Instant::now() < deadline, "{name} does not run");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// `docker rm -f` of all containers, whether they run or not.
    pub fn remove_all(&mut self) {
        self.leave_all();
        let names = self.host.inside.run(&["docker", "ps", "-a", "--format", "{{.Names}}"]);
        let mut names: Vec<&str> = names.split_whitespace().collect();
        names.sort_unstable();
        self.docker(&format!("rm -f {}", names.join(" ")));
    }

    /// Asks all questions at once. One is `CLIENT tcp|udp ADDRESS:PORT` or `CONTAINER
    /// a|aaaa|a-tcp NAME`; the client is `client`, `host`, or a container.
    pub fn expect(&mut self, rows: &[(&str, &str)]) {
        let outcomes: Vec<String> = thread::scope(|scope| {
            let ask = |(question, _): &(&str, &str)| {
                let question = (*question).to_owned();
                let site = &*self;
                scope.spawn(move || site.ask(&question))
            };
            let asked: Vec<_> = rows.iter().map(ask).collect();
            asked.into_iter().map(|row| row.join().expect("no panic")).collect()
        });
        for ((question, expected), seen) in rows.iter().zip(outcomes) {
            self.table.expect(format!("{} | {question}", self.scene), seen, expected);
        }
    }

    fn ask(&self, question: &str) -> String {
        let (client, rest) = question.split_once(' ').expect("a client, and what it asks");
        let netns = self.netns(client);
        let (how, what) = rest.split_once(' ').expect("how, and what");
        match how {
            "a" => dns::ask(netns, Protocol::Udp, what, Record::A),
            "a-tcp" => dns::ask(netns, Protocol::Tcp, what, Record::A),
            "aaaa" => dns::ask(netns, Protocol::Udp, what, Record::Aaaa),
            _ => {
                // The laboratory's words for places do not matter to who sends.
                let probe: Probe = format!("outside {rest}").parse().expect("a probe");
                probe.send(netns).to_string()
            }
        }
    }

    fn netns(&self, name: &str) -> &Netns {
        match name {
            "client" => &self.host.client,
            "host" => &self.host.netns,
            name => match self.containers.get(name) {
                Some(container) => &container.netns,
                None => panic!("{name} does not run"),
            },
        }
    }

    /// Keeps the rules that are in force as rows, and gives them.
    pub fn rules_in_order(&mut self) -> Vec<String> {
        let saved = rules::saved(self.host);
        self.see_rules(&saved);
        saved
    }

    /// The same where dockerd takes things as they come: the ports of a container, or its networks
    /// and containers when it starts again.
    pub fn rules(&mut self) -> Vec<String> {
        let saved = rules::saved_in_any_order(self.host);
        self.see_rules(&saved);
        saved
    }

    /// Asserts that the rules are those of an earlier time, in any order.
    pub fn expect_rules(&mut self, earlier: &[String]) {
        let now = self.rules();
        let lacking = |of: &[String], from: &[String]| {
            let lines = of.iter().filter(|line| !from.contains(line)).cloned();
            lines.collect::<Vec<_>>().join("\n")
        };
        for (what, rules) in [("left", lacking(&now, earlier)), ("gone", lacking(earlier, &now))] {
            self.table.expect(format!("{} | {what}", self.scene), rules, "");
        }
        let count = format!("{} rules", now.len());
        let expected = format!("{} rules", earlier.len());
        self.table.expect(format!("{} | how many", self.scene), count, &expected);
    }

    fn see_rules(&mut self, saved: &[String]) {
        for line in saved {
            self.table.see(format!("{} | {line}", self.scene), "there".to_owned());
        }
    }

    /// Asserts how often the daemon has complained of its firewall since this was last asked.
    pub fn expect_complaints(&mut self, count: usize) {
        let complaints = Daemon::complaints();
        for complaint in &complaints[self.complaints..] {
            self.table.see(format!("{} | complaint", self.scene), complaint.clone());
        }
        let new = complaints.len() - self.complaints;
        let (what, new) = (format!("{} | complaints", self.scene), new.to_string());
        self.table.expect(what, new, &count.to_string());
        self.complaints = complaints.len();
    }

    /// Looks at what the kernel has, on the host and in the containers: all of it native where the
    /// programs are the product's. Real iptables-nft shows that modules would be seen.
    pub fn expect_native(&mut self) {
        let containers = self.containers.values().map(|container| &container.netns);
        let here: BTreeSet<String> = rules::modules(&self.host.netns);
        let there: BTreeSet<String> = containers.flat_map(rules::modules).collect();
        let as_it_should_be = match self.host.programs {
            Programs::Own => here.is_empty() && there.is_empty(),
            Programs::Peer => !here.is_empty() && !there.is_empty(),
            Programs::Given(_) => true,
        };
        if !as_it_should_be {
            let what = format!("{} | xtables modules", self.scene);
            self.table.fault(format!("{what}: host {here:?}, containers {there:?}"));
        }
    }
}
