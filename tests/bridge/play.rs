//! One configuration played through by one maker's plugins, and what was seen after each step.

use serde_json::{Value, json};

use super::names::Names;
use super::plugins::{Call, Maker, Plugins, Said};
use super::reach::matrix;
use super::snapshot::{Carrier, ip_json, snapshot};
use super::world::World;

/// A configuration, and what is done with it.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    /// `ip -batch` lines for the host, before all.
    pub before: &'static str,
    pub steps: Vec<Step>,
    /// Whether packets are sent after the last ADD.
    pub reach: bool,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub verb: &'static str,
    /// Which container, from 1.
    pub container: usize,
    pub ifname: &'static str,
    /// In place of the container's own namespace.
    pub netns: Option<&'static str>,
    pub args: &'static str,
    pub conf: Value,
    /// Whether the container's last result is handed back in.
    pub hands_back: bool,
}

impl Step {
    pub fn new(verb: &'static str, container: usize, conf: &Value) -> Step {
        let conf = conf.clone();
        Step { verb, container, ifname: "eth0", netns: None, args: "", conf, hands_back: false }
    }

    pub fn handing_back(self) -> Step {
        Step { hands_back: true, ..self }
    }
}

/// What was seen after one step.
#[derive(Clone, Debug)]
pub struct Seen {
    pub step: String,
    pub succeeded: bool,
    /// What the plugin said: exit code, result or error.
    pub said: Vec<String>,
    /// Kernel and disk.
    pub state: Vec<String>,
}

/// Plays the case in a world of its own, prepared by `tamper` (nothing, but for a seeded fault).
pub fn play(case: &Case, maker: Maker, tamper: impl FnOnce(&Plugins)) -> Vec<Seen> {
    let world = World::new(maker);
    tamper(&world.plugins);
    if !case.before.is_empty() {
        world.host.ip(case.before);
    }
    let mut names = Names::default();
    let mut results: Vec<(usize, &'static str, Value)> = Vec::new();
    let last_add = case.steps.iter().rposition(|step| step.verb == "ADD");
    let mut seen = Vec::new();
    for (number, step) in case.steps.iter().enumerate() {
        let said = call(&world, step, &results);
        if step.verb == "ADD" && said.is_success() {
            results.push((step.container, step.ifname, said.json()));
        }
        let mut lines = said_lines(&said, &mut names);
        lines.extend(macs_are_true(&world, step, &said));
        if case.reach && Some(number) == last_add && said.is_success() {
            let reached: Vec<_> =
                results.iter().map(|(c, _, result)| (*c, result.clone())).collect();
            lines.extend(matrix(&world, &reached));
            lines.extend(pinned(&world, step));
        }
        let title = format!("{number} {} c{} {}", step.verb, step.container, step.ifname);
        let expected = step.verb == "ADD" && said.is_success();
        let carrier = if expected { Carrier::Expected } else { Carrier::Unknown };
        let state = snapshot(&world, &mut names, carrier);
        seen.push(Seen { step: title, succeeded: said.is_success(), said: lines, state });
    }
    seen
}

fn call(world: &World, step: &Step, results: &[(usize, &'static str, Value)]) -> Said {
    let netns = world.container(step.container).path().to_string_lossy().into_owned();
    let mut conf = step.conf.clone();
    if step.hands_back {
        let mine =
            |(c, ifname, _): &&(usize, &str, Value)| *c == step.container && *ifname == step.ifname;
        conf["prevResult"] =
            results.iter().rev().find(mine).map_or(Value::Null, |(_, _, r)| r.clone());
    }
    let call = Call {
        verb: step.verb,
        container: format!("ctr-{}", step.container),
        netns: step.netns.map_or(netns, str::to_owned),
        ifname: step.ifname.to_owned(),
        args: step.args.to_owned(),
        conf,
    };
    world.plugins.call(&world.host, &call)
}

/// Exit code, form and content of what a plugin said.
fn said_lines(said: &Said, names: &mut Names) -> Vec<String> {
    let mut lines = vec![format!("exit: {:?}", said.code)];
    let text = names.clean(&said.stdout);
    let form = (text.starts_with("{\n    \""), text.ends_with('\n'), said.stderr.is_empty());
    lines.push(format!("form: indented, ends the line, quiet: {form:?}"));
    match serde_json::from_str::<Value>(&text) {
        // An error is told from a result by its code.
        Ok(value) if value.get("code").is_some() => flatten("error", &value, &mut lines),
        Ok(value) => flatten("said", &value, &mut lines),
        Err(_) => lines.push(format!("text: {text}")),
    }
    lines
}

/// One line for each value of a document: `said.ips[0].address "10.1.0.2/24"`.
pub fn flatten(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(keys) if !keys.is_empty() => {
            keys.iter().for_each(|(key, value)| flatten(&format!("{path}.{key}"), value, lines));
        }
        Value::Array(all) if !all.is_empty() => {
            for (number, value) in all.iter().enumerate() {
                flatten(&format!("{path}[{number}]"), value, lines);
            }
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => lines.push(format!("{path} {value}")),
    }
}

/// Whether the result's MAC addresses, which are random, are those of the kernel's links.
fn macs_are_true(world: &World, step: &Step, said: &Said) -> Vec<String> {
    let result = said.json();
    let interfaces = result["interfaces"].as_array().cloned().unwrap_or_default();
    let line = |(number, interface): (usize, &Value)| {
        let inside = !interface["sandbox"].is_null() && interface["sandbox"] != "";
        let netns = if inside { world.container(step.container) } else { &world.host };
        let links = ip_json(netns, &["link", "show"]);
        let link = links.iter().find(|link| link["ifname"] == interface["name"]);
        let is_true = link.is_some_and(|link| link["address"] == interface["mac"]);
        format!("interface {number}: the result's mac is the link's: {is_true}")
    };
    interfaces.iter().enumerate().map(line).collect()
}

/// Whether the bridge takes the address of a port with a lower one; the port goes away again.
fn pinned(world: &World, step: &Step) -> Option<String> {
    let bridge = step.conf["bridge"].as_str().unwrap_or("cni0").to_owned();
    let mac = || {
        let links = ip_json(&world.host, &["link", "show"]);
        let link = links.iter().find(|link| link["ifname"] == bridge.as_str()).cloned();
        link.unwrap_or(json!({}))["address"].clone()
    };
    let before = mac();
    world.host.ip(&format!(
        "link add low address 02:00:00:00:00:00 type veth peer name low1
         link set low master {bridge}\n"
    ));
    let is_pinned = before == mac();
    world.host.ip("link del low\n");
    Some(format!("bridge: keeps its mac beside a lower port: {is_pinned}"))
}
