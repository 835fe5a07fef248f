//! Reading `rulesets/<caller>/<scenario>/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use portcullis::attachment::{self, Attachment, Host, Netns};
use portcullis::firewall::BridgeRules;
use portcullis::front::cni::{Call, CniVersion, Environment, bridge_intent};

use crate::lab::{Lab, Subject};

/// Whether the expected files are to be written anew.
pub fn blessing() -> bool {
    std::env::var_os("PORTCULLIS_BLESS").is_some()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Add,
    Del,
}

/// One call of the plugin.
#[derive(Debug, Clone)]
pub struct Step {
    /// Which plugin is called: the folder that the scenario is in.
    pub caller: String,
    pub command: Command,
    pub container: String,
    pub netns: String,
    pub ifname: String,
    /// The configuration, as the runtime writes it.
    pub input: String,
}

pub struct Scenario {
    /// `caller/scenario`.
    pub name: String,
    folder: PathBuf,
    title: String,
    pub steps: Vec<Step>,
    probes: Vec<(String, String)>,
    /// Whether frames between ports of the bridge pass the firewall.
    bridge_netfilter: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rulesets")
}

pub fn index_path() -> PathBuf {
    root().join("README.md")
}

impl Scenario {
    /// All of them, by name.
    pub fn all() -> Vec<Scenario> {
        let mut all = Vec::new();
        for caller in folders(&root()) {
            all.extend(folders(&caller).iter().map(|folder| Scenario::read(folder)));
        }
        assert!(!all.is_empty(), "no scenarios in {}", root().display());
        all
    }

    fn read(folder: &Path) -> Scenario {
        let text = read(&folder.join("scenario.toml"));
        let toml: toml::Table =
            text.parse().unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let name = folder.strip_prefix(root()).unwrap().display().to_string();
        let steps = toml["step"].as_array().unwrap_or_else(|| panic!("{name}: no steps"));
        let probes = toml.get("probe").and_then(|probes| probes.as_array());
        assert!(toml["why"].as_str().is_some_and(|why| why.len() > 40), "{name}: say why");
        Scenario {
            title: toml["title"].as_str().unwrap().to_owned(),
            steps: steps.iter().map(|step| Step::read(folder, step)).collect(),
            probes: probes
                .into_iter()
                .flatten()
                .map(|probe| (word(probe, "send"), word(probe, "expect")))
                .collect(),
            bridge_netfilter: toml.get("bridge_netfilter").is_some_and(|on| on.as_bool().unwrap()),
            folder: folder.to_owned(),
            name,
        }
    }

    /// The product, by the name of the plugin that the scenario is about.
    pub fn subject(&self) -> Subject {
        Subject::portcullis_as(&self.steps[0].caller)
    }

    /// Sends the probes.
    pub fn expect(&self, lab: &Lab) {
        if self.bridge_netfilter {
            lab.bridge_netfilter("1");
        }
        lab.expect(&self.probes());
    }

    /// What `nft list ruleset` must print.
    pub fn listing(&self) -> String {
        read(&self.folder.join("ruleset.nft"))
    }

    pub fn bless(&self, listing: &str) {
        fs::write(self.folder.join("ruleset.nft"), listing).unwrap();
    }

    fn probes(&self) -> Vec<(&str, &str)> {
        assert!(!self.probes.is_empty(), "{}: no probes", self.name);
        self.probes.iter().map(|(send, expect)| (send.as_str(), expect.as_str())).collect()
    }

    /// Loads `iptables.save` and `ip6tables.save`, and what else the peer sets.
    pub fn restore_equivalent(&self, lab: &Lab) {
        for (tool, file) in
            [("iptables-nft-restore", "iptables.save"), ("ip6tables-nft-restore", "ip6tables.save")]
        {
            let path = self.folder.join(file);
            lab.host.enter(|| {
                let output = Process::new(tool).arg(&path).output().expect(tool);
                let errors = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{}: {file}: {errors}", self.name);
            });
        }
        lab.host.sysctl("ipv4/conf/cni0/route_localnet", "1");
    }

    /// Takes the equivalent from Debian's plugin, unless somebody wrote it by hand: it is what
    /// that plugin makes of the same input.
    pub fn bless_equivalent(&self, lab: &Lab) {
        if self.folder.join("iptables.save").exists() {
            return;
        }
        let debian = Subject::debian();
        self.steps.iter().for_each(|step| step.run(&debian, lab));
        for (tool, file) in
            [("iptables-nft-save", "iptables.save"), ("ip6tables-nft-save", "ip6tables.save")]
        {
            let output =
                lab.host.enter(|| Process::new(tool).args(["-t", "nat"]).output().expect(tool));
            let text = String::from_utf8(output.stdout).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let text: String = lines.map(|line| format!("{line}\n")).collect();
            fs::write(self.folder.join(file), text).unwrap();
        }
        self.steps.iter().for_each(|step| step.undo(&debian, lab));
        lab.host.enter(|| {
            for tool in ["iptables-nft", "ip6tables-nft"] {
                Process::new(tool).args(["-t", "nat", "-F"]).status().expect(tool);
                Process::new(tool).args(["-t", "nat", "-X"]).status().expect(tool);
            }
        });
    }
}

impl Step {
    fn read(folder: &Path, step: &toml::Value) -> Step {
        let container = word(step, "container");
        let caller = folder.parent().and_then(|caller| caller.file_name()).unwrap();
        Step {
            caller: caller.to_str().unwrap().to_owned(),
            command: match word(step, "command").as_str() {
                "ADD" => Command::Add,
                "DEL" => Command::Del,
                other => panic!("{}: command {other}", folder.display()),
            },
            netns: format!("/run/netns/{}", word(step, "netns")),
            ifname: word(step, "ifname"),
            input: read(&folder.join(word(step, "input"))),
            container,
        }
    }

    /// The step's environment.
    pub fn variable(&self, name: &str) -> &str {
        match name {
            "CNI_COMMAND" => match self.command {
                Command::Add => "ADD",
                Command::Del => "DEL",
            },
            "CNI_CONTAINERID" => &self.container,
            "CNI_NETNS" => &self.netns,
            "CNI_IFNAME" => &self.ifname,
            "CNI_PATH" => "/usr/lib/cni",
            _ => "",
        }
    }

    /// Has a plugin take the step on the laboratory's host.
    pub fn run(&self, subject: &Subject, lab: &Lab) {
        if self.caller == "bridge" {
            let (attachment, rules) = self.guarded(Netns::open(&self.netns).unwrap());
            lab.host.enter(|| {
                let host = &mut Host::open().unwrap();
                match self.command {
                    Command::Add => attachment::guard(host, &attachment, &rules).unwrap(),
                    Command::Del => attachment::unguard(host, &attachment.owner, None).unwrap(),
                };
            });
            return;
        }
        let mut process = Process::new(subject.binary());
        process.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for name in ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"] {
            process.env(name, self.variable(name));
        }
        let output = lab.host.enter(|| crate::lab::feed(&mut process, &self.input));
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{self:?}: {answer}");
    }

    /// What a step of the bridge means for the firewall. Its input is what a runtime sends for a
    /// CHECK: only there the names are known that an ADD has drawn.
    pub fn guarded(&self, netns: Netns) -> (Attachment, BridgeRules) {
        let env = Environment::read(|name| self.variable(name).to_owned());
        let call = Call::parse(&env, self.input.as_bytes(), &CniVersion::ALL).expect("a call");
        let (owner, rules) = bridge_intent(&call).expect("an intent");
        (Attachment { owner, netns: Some(netns) }, rules)
    }

    /// Takes the step back.
    pub fn undo(&self, subject: &Subject, lab: &Lab) {
        Step { command: Command::Del, ..self.clone() }.run(subject, lab);
    }
}

/// `rulesets/README.md`.
pub fn index(scenarios: &[Scenario]) -> String {
    let mut text = "# Rulesets\n\nWhat portcullis makes of a caller's input, one folder a scenario: \
         the input, why it is\nso (`scenario.toml`), the listing (`ruleset.nft`) and the same for a \
         reader who thinks in\niptables (`iptables.save`, `ip6tables.save`). Every listing is \
         checked against a kernel, and\nthe packets of every scenario go through both forms. This \
         page is generated by\n`cargo xtask bless`.\n\n| scenario | what it shows |\n| --- | --- |\n"
        .to_owned();
    for scenario in scenarios {
        text.push_str(&format!(
            "| [{0}]({0}/ruleset.nft) | {1} |\n",
            scenario.name, scenario.title
        ));
    }
    text
}

/// A listing with all counts at 0: packets come when they want.
pub fn without_counts(listing: &str) -> String {
    let mut parts = listing.split("packets ");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = rest.strip_prefix(" bytes ").unwrap();
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        text.push_str(&format!("packets 0 bytes 0{rest}"));
    }
    text
}

/// A listing with the inodes of namespaces, which differ each time, as 0.
pub fn without_inodes(listing: &str) -> String {
    let lines = listing.lines().map(|line| match line.split_once(", netns ") {
        Some((before, rest)) => {
            let path = rest.split_once(' ').map_or(rest, |(_, path)| path);
            format!("{before}, netns 0 {path}\n")
        }
        None => format!("{line}\n"),
    });
    lines.collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut all: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn word(value: &toml::Value, key: &str) -> String {
    let found = value.get(key).and_then(|value| value.as_str());
    found.unwrap_or_else(|| panic!("{key} is missing in {value:?}")).to_owned()
}
