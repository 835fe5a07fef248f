//! What can be said of a configuration without a directory.

use serde_json::{Value, json};

use super::*;
use crate::front::cni::args::Args;
use crate::front::cni::{Call, Environment, Error};

fn parse(conf: &Value, args: &str) -> Result<HostLocalConf, Error> {
    let env = Environment::read(|name| {
        let value = match name {
            "CNI_COMMAND" => "ADD",
            "CNI_ARGS" => args,
            _ => "web",
        };
        value.to_owned()
    });
    let call = Call::parse(&env, conf.to_string().as_bytes(), HOST_LOCAL.versions)?;
    HostLocalConf::parse(&call)
}

fn told(conf: &Value, args: &str) -> String {
    parse(conf, args).map_or_else(|error| error.to_string(), |_| "no error".to_owned())
}

fn conf(ipam: &Value) -> Value {
    json!({"cniVersion": "1.0.0", "name": "net", "ipam": ipam})
}

#[test]
fn range_sets_when_of_all_kinds_then_the_runtimes_come_first_and_the_old_style_next() {
    let mut conf = conf(&json!({"subnet": "10.2.0.0/16", "ranges": [[{"subnet": "10.3.0.0/16"}]]}));
    conf["runtimeConfig"] =
        json!({"ipRanges": [[{"subnet": "10.0.0.0/16"}, {"subnet": "10.1.0.0/16"}]]});
    let sets = parse(&conf, "").map(|conf| conf.ipam.sets).map_err(|error| error.to_string());
    let texts = sets.map(|sets| sets.sets().iter().map(ToString::to_string).collect::<Vec<_>>());
    let expected = [
        "10.0.0.1-10.0.255.254,10.1.0.1-10.1.255.254",
        "10.2.0.1-10.2.255.254",
        "10.3.0.1-10.3.255.254",
    ];
    assert_eq!(texts, Ok(expected.map(str::to_owned).to_vec()));
}

#[test]
fn addresses_when_asked_for_in_all_ways_then_are_taken_in_their_order() {
    let mut conf = conf(&json!({"subnet": "10.0.0.0/8", "dataDir": ""}));
    conf["args"] = json!({"cni": {"ips": ["10.0.0.8"]}});
    conf["runtimeConfig"] = json!({"ips": ["10.0.0.9/8", "fd00::1"]});
    let parsed = parse(&conf, "IgnoreUnknown=1;X=2;IP=10.0.0.7").map(|conf| conf.ipam);
    let texts = parsed.map(|ipam| {
        let requested: Vec<String> = ipam.requested.iter().map(ToString::to_string).collect();
        format!("{} {}", ipam.directory.display(), requested.join(" "))
    });
    let expected = "/var/lib/cni/networks/net 10.0.0.7 10.0.0.8 10.0.0.9 fd00::1";
    assert_eq!(texts.ok().as_deref(), Some(expected));
}

#[test]
fn values_when_wrong_then_their_place_is_told() {
    for (ipam, expected) in [
        (json!({"subnet": "x"}), "ipam.subnet: invalid CIDR address: x"),
        (
            json!({"ranges": [[{"subnet": "10.0.0.0/8", "gateway": "x"}]]}),
            "ipam.ranges[0][0].gateway: invalid IP address: x",
        ),
        (json!({"ranges": [{}]}), "ipam.ranges[0]: expected a list, found an object"),
        (json!({"ranges": [[5]]}), "ipam.ranges[0][0]: expected an object, found a number"),
        (json!({"routes": [{}]}), "ipam.routes[0].dst: invalid CIDR address: "),
    ] {
        assert_eq!(told(&conf(&ipam), ""), format!("failed to parse config: {expected}"));
    }
    assert_eq!(told(&json!({"name": "net"}), ""), "IPAM config missing 'ipam' key");
}

#[test]
fn arguments_when_read_then_the_librarys_rules_hold() {
    let texts = |text: &str| {
        let args = Args::parse(text, &["IP", "MAC"]);
        args.map_or_else(
            |error| error.to_string(),
            |args| format!("{:?} {:?}", args.get("IP"), args.get("MAC")),
        )
    };
    for (text, expected) in [
        ("", "None None"),
        ("IP=;MAC=x", "None Some(\"x\")"),
        ("IP=1;IP=2", "Some(\"2\") None"),
        ("A=1;IgnoreUnknown=TRUE", "None None"),
        ("A=1;IgnoreUnknown=0;B=", "ARGS: unknown args [\"A=1\" \"B=\"]"),
        ("ip=1", "ARGS: unknown args [\"ip=1\"]"),
        ("IP=1=2", "ARGS: invalid pair \"IP=1=2\""),
        ("IP=1;", "ARGS: invalid pair \"\""),
        (
            "IgnoreUnknown=y",
            "ARGS: error parsing value of pair \"IgnoreUnknown=y\": boolean unmarshal error: \
             invalid input y",
        ),
        ("IP=\u{fffd}", "CNI_ARGS is not UTF-8"),
    ] {
        assert_eq!(texts(text), expected, "{text:?}");
    }
}

#[test]
fn name_resolution_when_lines_say_nothing_then_they_are_passed_over() {
    let dns = resolv_conf::parse(
        "\n#x y\n;x y\nnameserver\nsearch\ndomain\ndomain a\ndomain\nnameserver b c\nx y\n",
    );
    assert_eq!((dns.domain.as_str(), dns.nameservers), ("a", vec!["b".to_owned()]));
    assert!(dns.search.is_empty() && dns.options.is_empty());
}
