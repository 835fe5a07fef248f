//! A host without an outside world: for calls whose packets nobody sends.

use std::process::Command;

use crate::lab::{Netns, Subject, isolate};

use super::call::{Answer, Call};

/// What others have on the host. It must stay as it is, whatever the plugin does.
pub const FOREIGN: &str = "table inet foreign {
	comment \"cni/labnet/id-container/eth0\"
	map ports {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { tcp . 8002 comment \"cni/labnet/id-container/eth0\" : 10.88.0.2 . 80 }
	}

	chain CNI-HOSTPORT-DNAT {
		tcp dport 8002 counter packets 7 bytes 420 accept comment \"cni/labnet/id-container/eth0\"
	}

	chain input {
		type filter hook input priority filter; policy accept;
		jump CNI-HOSTPORT-DNAT
	}
}
table ip cni_hostport {
	chain hostports {
		tcp dport 8002 dnat to 10.88.0.2:80 comment \"id-container\"
	}
}
";

/// A namespace with a bridge, and two containers' namespaces that no wire leads to.
pub struct Host {
    pub netns: Netns,
    pub container: Netns,
    pub sibling: Netns,
    pub subject: Subject,
}

impl Host {
    /// Isolates the calling thread and builds the host.
    pub fn new() -> Host {
        isolate();
        let [netns, container, sibling] = ["host", "container", "sibling"].map(Netns::add);
        netns.ip("link set lo up
             link add cni0 type bridge
             addr add 10.88.0.1/16 dev cni0
             addr add fd00:88::1/64 dev cni0 nodad
             link set cni0 up
             ");
        Host { netns, container, sibling, subject: Subject::portcullis() }
    }

    /// The same with [`FOREIGN`] tables, and with the sibling's ports published.
    pub fn inhabited() -> Host {
        let host = Host::new();
        host.netns.nft(FOREIGN);
        host.run(&Call::new("ADD", &host.sibling, 3)).success();
        host
    }

    /// ADD for the container; other commands by [`Call::command`].
    pub fn add(&self) -> Call {
        Call::new("ADD", &self.container, 2)
    }

    /// Runs a call in the host.
    pub fn run(&self, call: &Call) -> Answer {
        self.netns.enter(|| call.run(self.subject.binary()))
    }

    /// The whole ruleset, with handles: what was deleted and made again has another one.
    pub fn ruleset(&self) -> String {
        self.tool("nft", &["-a", "list", "ruleset"])
    }

    /// `portcullis list --json`
    pub fn listed(&self) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.portcullis(&["list", "--json"]).success()).expect("a JSON list")
    }

    /// Containers whose ports are published: `network/container/interface`, each once, in order.
    pub fn published(&self) -> Vec<String> {
        let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
        let owner = |row: &serde_json::Value| {
            ["network", "container", "interface"].map(|key| text(row, key)).join("/")
        };
        let mut owners: Vec<String> = self.listed().iter().map(owner).collect();
        owners.sort();
        owners.dedup();
        owners
    }

    /// The binary by its own name.
    pub fn portcullis(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        self.netns.enter(|| Answer::of(command.args(arguments), ""))
    }

    /// Runs a tool in the host; it must succeed.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        self.netns.enter(|| Answer::of(command.args(arguments), "")).success()
    }

    /// A file of this test's own, for what a tool writes.
    pub fn file(&self, name: &str) -> String {
        format!("/run/{name}")
    }
}
