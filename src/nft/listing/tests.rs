//! Listings of values made by hand; those of what nft makes are compared in `tests/kernel.rs`.

use crate::nft::expr::{
    Cmp, CmpOp, Counter, Extension, Exthdr, ExthdrOp, Immediate, Lookup, Meta, MetaKey, Nat,
    Payload, Register, Socket, SocketKey, Verdict,
};
use crate::nft::{
    DataType, Element, ElementData, Expr, Family, Name, Rule, Set, SetData, SetFlags, Userdata,
    concat, list_element, list_rule,
};

fn list(family: Family, exprs: Vec<Expr>) -> String {
    list_rule(family, &Rule::new(exprs), &|_| None)
}

fn tcp_dport(op: CmpOp, port: u16) -> Vec<Expr> {
    let data = port.to_be_bytes().to_vec();
    vec![
        Meta::load(MetaKey::L4proto, Register::R1).into(),
        Cmp::eq(Register::R1, [6]).into(),
        Payload::transport(Payload::TH_DPORT, Register::R1).into(),
        Cmp { sreg: Register::R1, op, data }.into(),
    ]
}

#[test]
fn protocol_when_a_port_follows_then_is_left_out() {
    assert_eq!(list(Family::Inet, tcp_dport(CmpOp::Eq, 80)), "tcp dport 80");
}

#[test]
fn lower_bound_when_nothing_follows_then_is_written() {
    assert_eq!(list(Family::Inet, tcp_dport(CmpOp::Gte, 80)), "tcp dport >= 80");
}

#[test]
fn lower_bound_when_an_upper_one_follows_then_is_a_range() {
    let mut exprs = tcp_dport(CmpOp::Gte, 80);
    let data = 90u16.to_be_bytes().to_vec();
    exprs.push(Cmp { sreg: Register::R1, op: CmpOp::Lte, data }.into());
    exprs.push(Immediate::Verdict(Verdict::Accept).into());
    assert_eq!(list(Family::Inet, exprs), "tcp dport 80-90 accept");
}

#[test]
fn register_when_nothing_was_loaded_then_is_named() {
    let exprs = vec![Cmp::eq(Register(9), [7]).into()];
    assert_eq!(list(Family::Inet, exprs), "reg 9 == [07]");
}

#[test]
fn dnat_when_its_target_is_in_a_map_then_names_the_map() {
    let name = Name::literal("hostports4");
    let port = Register::word(1);
    let exprs = vec![
        Meta::load(MetaKey::L4proto, Register::R1).into(),
        Payload::transport(Payload::TH_DPORT, port).into(),
        Lookup::in_map(name.clone(), Register::R1, Register::R1).into(),
        Nat::dnat(Family::Ip, Register::R1, Some(port)).into(),
    ];
    let data = SetData::Value(vec![DataType::Ipv4Addr, DataType::InetService]);
    let map = Set::map(name, vec![DataType::InetProto, DataType::InetService], data);
    let find = |_: &str| Some((&map, &[][..]));
    let text = list_rule(Family::Inet, &Rule::new(exprs), &find);
    assert_eq!(text, "dnat ip to meta l4proto . th dport map @hostports4");
}

#[test]
fn element_when_it_has_everything_then_lists_in_order_of_nft() {
    let key = concat(&[&[6], &8080u16.to_be_bytes()]);
    let data = concat(&[&[10, 88, 0, 2], &80u16.to_be_bytes()]);
    let mut element = Element::new(key)
        .with_data(ElementData::Value(data))
        .with_userdata(Userdata::new().with_comment("web"));
    element.timeout = Some(90_000);
    element.exprs = vec![Counter { packets: 1, bytes: 2 }.into()];
    let data = SetData::Value(vec![DataType::Ipv4Addr, DataType::InetService]);
    let parts = vec![DataType::InetProto, DataType::InetService];
    let map = Set::map(Name::literal("m"), parts, data);
    assert_eq!(
        list_element(Family::Inet, &map, &element),
        "tcp . 8080 counter packets 1 bytes 2 timeout 1m30s comment \"web\" : 10.88.0.2 . 80"
    );
}

#[test]
fn interval_when_it_has_no_end_then_goes_to_the_last_value() {
    let mut set = Set::new(Name::literal("__set0"), vec![DataType::InetService]);
    set.flags = SetFlags::INTERVAL.and(SetFlags::ANONYMOUS);
    let elements = [Element::new(1024u16.to_be_bytes().to_vec())];
    let mut exprs = tcp_dport(CmpOp::Eq, 1);
    exprs.pop();
    exprs.push(Lookup::in_set(set.name.clone(), Register::R1).into());
    let find = |_: &str| Some((&set, &elements[..]));
    let text = list_rule(Family::Inet, &Rule::new(exprs), &find);
    assert_eq!(text, "tcp dport { 1024-65535 }");
}

/// What this kernel or this nft lacks, and others have.
#[test]
fn what_nft_cannot_load_here_when_listed_then_is_in_its_words() {
    let meta = |key, data: &[u8]| {
        list(
            Family::Bridge,
            vec![Meta::load(key, Register::R1).into(), Cmp::eq(Register::R1, data).into()],
        )
    };
    let mut name = b"br0".to_vec();
    name.resize(16, 0);
    assert_eq!(meta(MetaKey::BriIifname, &name), "meta ibrname \"br0\"");
    assert_eq!(meta(MetaKey::BriIifpvid, &5u16.to_ne_bytes()), "meta ibrpvid 5");
    assert_eq!(meta(MetaKey::BriIifvproto, &[0x81, 0x00]), "meta ibrvproto 8021q");
    let of = Extension { op: ExthdrOp::DccpOption, kind: 40 };
    let option = Exthdr::Exists { of, dreg: Register::R1 };
    let exists = vec![option.into(), Cmp::eq(Register::R1, [1]).into()];
    assert_eq!(list(Family::Inet, exists), "dccp option 40 exists");
    let of = Extension { op: ExthdrOp::TcpOption, kind: 254 };
    let raw = Exthdr::Load { of, offset: 2, len: 2, dreg: Register::R1 };
    let equal = vec![raw.into(), Cmp::eq(Register::R1, [0x12, 0x34]).into()];
    assert_eq!(list(Family::Inet, equal), "tcp option @254,16,16 0x1234");
    let group = Socket { key: SocketKey::CgroupV2, dreg: Register::R1, level: Some(2) };
    let equal = vec![group.into(), Cmp::eq(Register::R1, 77u64.to_ne_bytes()).into()];
    assert_eq!(list(Family::Inet, equal), "socket cgroupv2 level 2 77");
}
