#![allow(clippy::unwrap_used)]
use std::net::IpAddr;

use super::*;
use crate::net::{IpVersion, L4Proto};
use crate::netlink::{MessageBuilder, Messages};

fn tuple(message: &mut MessageBuilder, kind: u16, from: [u8; 4], to: [u8; 4], port: u16) {
    let tuple = message.nest(kind);
    let ip = message.nest(1);
    message.put(1, &from);
    message.put(2, &to);
    message.end(ip);
    let proto = message.nest(2);
    message.put_u8(1, 17);
    message.put_be16(2, 4000);
    message.put_be16(3, port);
    message.end(proto);
    message.end(tuple);
}

fn flow() -> Flow {
    let mut message = MessageBuilder::new();
    message.message(0x100, 0, 1, 2, 0);
    tuple(&mut message, 1, [192, 0, 2, 2], [192, 0, 2, 1], 53);
    tuple(&mut message, 2, [10, 88, 0, 2], [192, 0, 2, 2], 4000);
    message.put_be32(12, 7);
    let bytes = message.as_bytes().to_vec();
    let message = Messages::new(&bytes).next().unwrap().unwrap();
    let mut flow = Flow::decode(&message).unwrap();
    flow.identify(&message);
    flow
}

#[test]
fn flow_when_decoded_then_both_directions_and_its_identity_are_there() {
    let flow = flow();
    assert_eq!(flow.original.destination, IpAddr::from([192, 0, 2, 1]));
    assert_eq!(flow.original.destination_port, 53);
    assert_eq!(flow.reply.source, IpAddr::from([10, 88, 0, 2]));
    let kinds: Vec<u16> = flow.identity.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [1, 12]);
}

#[test]
fn filter_when_any_part_differs_then_the_flow_is_not_selected() {
    let all = FlowFilter::of(IpVersion::V4, L4Proto::Udp);
    assert!(all.selects(&flow()));
    let container = Some(IpAddr::from([10, 88, 0, 2]));
    for (filter, selected) in [
        (FlowFilter { proto: L4Proto::Tcp, ..all.clone() }, false),
        (FlowFilter { original_port: Some(53), ..all.clone() }, true),
        (FlowFilter { original_port: Some(54), ..all.clone() }, false),
        (FlowFilter { reply_source: container, ..all.clone() }, true),
        (FlowFilter { original_destination: container, ..all.clone() }, false),
    ] {
        assert_eq!(filter.selects(&flow()), selected, "{filter:?}");
    }
}
