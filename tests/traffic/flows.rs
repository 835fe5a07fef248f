//! UDP flows that are older than a change of what is published.

use portcullis::conntrack::{Conntrack, FlowFilter};
use portcullis::net::{IpVersion, L4Proto};

use crate::lab::{Attachment, Lab, Mapping, Plugin, PortmapConf, Subject, UdpFlow};

/// Makes conntrack remember flows before the plugin's first rule does: a host has a firewall.
fn track(lab: &Lab) {
    lab.host.nft(
        "table inet foreign {
           chain input { type filter hook input priority 0; ct state established counter; }
           chain forwarded { type filter hook forward priority 0; ct state established counter; }
         }",
    );
}

#[test]
fn udp_flow_when_older_than_the_mapping_then_reaches_the_container() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    track(&lab);
    let flows = ["192.0.2.1:5353", "[2001:db8::1]:5353"].map(|to| UdpFlow::open(&lab.outside, to));
    for flow in &flows {
        assert_eq!(flow.ask().to_string(), "refused");
    }
    let conf = PortmapConf::new(&[Mapping::udp(5353, 53)]);
    Plugin::new(&subject, &lab.host).add(&Attachment::new(&lab.container, 2, conf));
    assert_eq!(flows[0].ask().to_string(), "container sees 192.0.2.2");
    assert_eq!(flows[1].ask().to_string(), "container sees 2001:db8::2");
}

/// Publishing a port is no reason to forget flows to that port of other hosts.
/// How many UDP flows the host tracks to an address.
fn flows_to(lab: &Lab, address: &str) -> usize {
    let mut filter = FlowFilter::of(IpVersion::V4, L4Proto::Udp);
    filter.original_destination = Some(address.parse().expect("an address"));
    let listed =
        lab.host.enter(|| Conntrack::open().and_then(|mut all| all.list(&filter, |_| true)));
    listed.expect("flows").len()
}

#[test]
fn udp_flow_when_it_goes_through_this_host_to_another_then_is_left_alone() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    track(&lab);
    let ours = UdpFlow::open(&lab.outside, "192.0.2.1:8080");
    let through = UdpFlow::open(&lab.outside, "198.51.100.7:8080");
    assert_eq!(ours.ask().to_string(), "refused");
    assert_eq!(through.ask().to_string(), "remote sees 192.0.2.2");
    assert_eq!(flows_to(&lab, "198.51.100.7"), 1);
    let conf = PortmapConf::new(&[Mapping::udp(8080, 53)]);
    Plugin::new(&subject, &lab.host).add(&Attachment::new(&lab.container, 2, conf));
    assert_eq!(flows_to(&lab, "198.51.100.7"), 1);
    assert_eq!(ours.ask().to_string(), "container sees 192.0.2.2");
}

#[test]
fn udp_flow_when_port_moves_to_another_container_then_follows_it() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let conf = PortmapConf::new(&[Mapping::udp(5353, 53)]);
    let old = Attachment::new(&lab.container, 2, conf.clone());
    let new = Attachment::new(&lab.sibling, 3, conf);
    plugin.add(&old);
    let flows = ["192.0.2.1:5353", "[2001:db8::1]:5353"].map(|to| UdpFlow::open(&lab.outside, to));
    assert_eq!(flows[0].ask().to_string(), "container sees 192.0.2.2");
    assert_eq!(flows[1].ask().to_string(), "container sees 2001:db8::2");
    plugin.del(&old);
    plugin.add(&new);
    assert_eq!(flows[0].ask().to_string(), "sibling sees 192.0.2.2");
    assert_eq!(flows[1].ask().to_string(), "sibling sees 2001:db8::2");
}

/// Debian's plugin flushes on ADD only and leaves the flow to the container (plugins#1190).
#[test]
fn udp_flow_when_mapping_is_deleted_then_no_longer_reaches_the_container() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let conf = PortmapConf::new(&[Mapping::udp(5353, 53)]);
    let attachment = Attachment::new(&lab.container, 2, conf);
    plugin.add(&attachment);
    let flow = UdpFlow::open(&lab.outside, "192.0.2.1:5353");
    assert_eq!(flow.ask().to_string(), "container sees 192.0.2.2");
    plugin.del(&attachment);
    assert_eq!(flow.ask().to_string(), "refused");
}

#[test]
fn udp_flow_when_container_port_changes_then_follows_it() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let conf = |port| PortmapConf::new(&[Mapping::udp(5353, port)]);
    plugin.add(&Attachment::new(&lab.container, 2, conf(53)));
    let flow = UdpFlow::open(&lab.outside, "192.0.2.1:5353");
    assert_eq!(flow.ask().to_string(), "container sees 192.0.2.2");
    plugin.add(&Attachment::new(&lab.container, 2, conf(54)));
    assert_eq!(flow.ask().to_string(), "refused", "nobody listens on 54");
    plugin.add(&Attachment::new(&lab.container, 2, PortmapConf::new(&[Mapping::udp(5354, 53)])));
    assert_eq!(flow.ask().to_string(), "refused", "5353 is not published any more");
}

/// Beside so many flows that ADD and DEL leave them to a child of theirs.
#[test]
fn udp_flow_when_beside_very_many_then_is_forgotten_soon() {
    const OTHERS: u16 = 30_000;
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    track(&lab);
    let flow = UdpFlow::open(&lab.outside, "192.0.2.1:5353");
    assert_eq!(flow.ask().to_string(), "refused");
    let sender = lab.outside.enter(|| std::net::UdpSocket::bind("192.0.2.2:0")).expect("bind");
    for port in 10_000..10_000 + OTHERS {
        // An ICMP error of an earlier datagram may be reported for this one.
        let _ = sender.send_to(b"other", ("192.0.2.1", port));
    }
    let count = lab.host.read_sysctl("netfilter/nf_conntrack_count");
    let count: u16 = count.and_then(|text| text.parse().ok()).expect("a count");
    assert!(count > OTHERS / 2, "{count} flows");
    let plugin = Plugin::new(&subject, &lab.host);
    let attachment =
        Attachment::new(&lab.container, 2, PortmapConf::new(&[Mapping::udp(5353, 53)]));
    plugin.add(&attachment);
    wait_for(&flow, "container sees 192.0.2.2");
    plugin.del(&attachment);
    wait_for(&flow, "refused");
}

fn wait_for(flow: &UdpFlow, outcome: &str) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while flow.ask().to_string() != outcome {
        assert!(std::time::Instant::now() < end, "not {outcome}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
