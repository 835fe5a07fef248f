//! Userdata, names, sets and elements: what is put in comes out.
#![allow(clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::netlink::{Attributes, Message, MessageBuilder, Messages};

fn userdata() -> impl Strategy<Value = Userdata> {
    let tlv = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..60));
    proptest::collection::vec(tlv, 0..4).prop_map(|tlvs| {
        tlvs.into_iter().fold(Userdata::new(), |all, (kind, value)| all.with(kind, value))
    })
}

/// Encodes something into a message and hands it to `read`.
fn through<T>(put: impl Fn(&mut MessageBuilder), read: impl Fn(&Message<'_>) -> T) -> T {
    let mut builder = MessageBuilder::new();
    builder.message(0, 0, 1, Family::Inet.number(), 0);
    put(&mut builder);
    let message = Messages::new(builder.as_bytes()).next().expect("a message").expect("whole");
    read(&message)
}

fn element() -> impl Strategy<Value = Element> {
    let key = proptest::collection::vec(any::<u8>(), 1..=16);
    let data = prop_oneof![
        Just(None),
        proptest::collection::vec(any::<u8>(), 1..=16).prop_map(|v| Some(ElementData::Value(v))),
        Just(Some(ElementData::Verdict(expr::Verdict::Accept))),
        Just(Some(ElementData::Verdict(expr::Verdict::Jump(Name::literal("chain"))))),
        Just(Some(ElementData::Object(Name::literal("object")))),
    ];
    let end = proptest::option::of(proptest::collection::vec(any::<u8>(), 1..=16));
    let times = (any::<Option<u64>>(), any::<Option<u64>>());
    let counter = any::<Option<(u64, u64)>>();
    (key, end, any::<bool>(), data, times, counter, userdata()).prop_map(
        |(key, key_end, interval_end, data, (timeout, expiration), counter, userdata)| {
            let counter = counter.map(|(packets, bytes)| expr::Counter { packets, bytes }.into());
            let exprs = counter.into_iter().collect();
            Element { key, key_end, interval_end, data, timeout, expiration, exprs, userdata }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn userdata_when_encoded_then_decodes_to_itself(userdata in userdata()) {
        prop_assert_eq!(Userdata::decode(&userdata.encode()), userdata);
    }

    #[test]
    fn userdata_when_arbitrary_then_decodes_to_what_encodes_as_its_start(
        bytes in proptest::collection::vec(any::<u8>(), 0..256)
    ) {
        let again = Userdata::decode(&bytes).encode();
        prop_assert!(bytes.starts_with(&again));
    }

    #[test]
    fn comment_when_given_then_is_read_back_up_to_its_limit(text in "\\PC{0,200}") {
        let userdata = Userdata::new().with_comment(&text);
        let comment = userdata.comment().expect("a comment");
        prop_assert!(text.starts_with(comment) && comment.len() <= Userdata::COMMENT_MAX);
        prop_assert!(text.len() > Userdata::COMMENT_MAX || comment == text);
    }

    #[test]
    fn element_when_encoded_then_decodes_to_itself(element in element()) {
        let read = through(
            |builder| element.encode(builder),
            |message| {
                let first = message.attributes().next().expect("an element").expect("whole");
                Element::decode(first).expect("decodes")
            },
        );
        prop_assert_eq!(read, element);
    }

    #[test]
    fn set_when_encoded_then_decodes_to_itself(
        size in any::<Option<u32>>(),
        timeout in any::<Option<u64>>(),
        gc_interval in any::<Option<u32>>(),
        memory in any::<bool>(),
        is_map in any::<bool>(),
        userdata in userdata(),
    ) {
        let key = vec![DataType::Ipv4Addr, DataType::InetProto, DataType::InetService];
        let data = SetData::Value(vec![DataType::Ipv6Addr, DataType::InetService]);
        let set = match is_map {
            true => Set::map(Name::literal("a"), key, data),
            false => Set::new(Name::literal("a"), key),
        };
        let policy = if memory { SetPolicy::Memory } else { SetPolicy::Performance };
        let set = Set { size, timeout, gc_interval, policy, userdata, ..set }
            .with_expr(expr::Counter::default().into());
        let read = through(
            |builder| set.encode(builder, 1),
            |message| Set::decode(message).expect("decodes"),
        );
        // A single part's length tells its type; those of a concatenation are known.
        prop_assert_eq!(read, set);
    }

    #[test]
    fn data_type_when_listed_then_never_panics(
        number in 0..64u32,
        bytes in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        for part in super::concat::parse_concat(number, bytes.len() as u32) {
            let _text = part.list(&bytes);
            let _bound = part.list_bound(&bytes);
        }
    }
}

#[test]
fn object_of_each_kind_when_encoded_then_decodes_to_itself() {
    let kinds = [
        ObjectKind::Counter { packets: 1, bytes: 2 },
        ObjectKind::Quota(expr::Quota { bytes: 1, used: 2, over: true }),
        ObjectKind::Limit(expr::Limit {
            rate: 1,
            unit: 60,
            burst: 3,
            kind: expr::LimitKind::Bytes,
            over: true,
        }),
        ObjectKind::CtHelper(CtHelper {
            helper: "ftp".to_owned(),
            l3proto: Family::Ip,
            l4proto: 6,
        }),
        ObjectKind::CtTimeout(CtTimeout {
            l3proto: Family::Inet,
            l4proto: 17,
            seconds: vec![(1, 10), (2, 60)],
        }),
        ObjectKind::CtExpectation(CtExpectation {
            l3proto: Family::Ip6,
            l4proto: 6,
            dport: 80,
            timeout: 1000,
            size: 3,
        }),
        ObjectKind::Secmark("system_u:object_r:a_t:s0".to_owned()),
        ObjectKind::Synproxy(expr::Synproxy { mss: 1460, wscale: 7, flags: 3 }),
        ObjectKind::Other { number: 6, data: vec![8, 0, 1, 0, 0, 0, 0, 1] },
    ];
    for kind in kinds {
        let userdata = Userdata::new().with_comment("c");
        let object = Object { name: Name::literal("a"), kind, userdata };
        assert_eq!(through(|builder| object.encode(builder), Object::decode), Ok(object));
    }
}

#[test]
fn table_when_encoded_then_decodes_to_itself() {
    let id = TableId { family: Family::Inet, name: Name::literal("a") };
    let table = Table { flags: 1, userdata: Userdata::new().with_comment("c"), ..Table::new(id) };
    let read = through(|builder| table.encode(builder), Table::decode);
    assert_eq!(read, Ok(table));
}

#[test]
fn rule_of_an_extension_when_encoded_then_says_its_protocol() {
    let exprs = vec![
        expr::Meta::load(expr::MetaKey::L4proto, expr::Register::R1).into(),
        expr::Cmp::eq(expr::Register::R1, [6]).into(),
        Expr::Other(expr::Opaque { name: "target".to_owned(), data: Vec::new() }),
    ];
    let rule = Rule::new(exprs);
    let protocol = through(
        |builder| rule.encode(builder),
        |message| {
            let compat = message.attributes().find(5).map(|compat| compat.value.to_vec())?;
            Attributes::new(&compat).find(1)?.be32().ok()
        },
    );
    assert_eq!(protocol, Some(6));
}

/// What Linux 6.18 listed for `iifname "docker0" accept`.
#[test]
fn expressions_when_encoded_then_are_the_kernels_bytes() {
    let exprs = vec![
        expr::Meta::load(expr::MetaKey::Iifname, expr::Register::R1).into(),
        expr::Cmp::eq(expr::Register::R1, *b"docker0\0\0\0\0\0\0\0\0\0").into(),
        expr::Immediate::Verdict(expr::Verdict::Accept).into(),
    ];
    let listed = [
        "24000100 09000100 6d657461 00000000 14000200 08000200 00000006 08000100 00000001",
        "38000100 08000100 636d7000 2c000200 08000100 00000001 08000200 00000000",
        "18000300 14000100 646f636b 65723000 00000000 00000000",
        "30000100 0e000100 696d6d65 64696174 65000000 1c000200 08000100 00000000",
        "10000200 0c000200 08000100 00000001",
    ];
    let words = listed.iter().flat_map(|line| line.split(' '));
    let words = words.map(|word| u32::from_str_radix(word, 16).expect("hexadecimal"));
    let listed: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    assert_eq!(Rule::new(exprs).encode_expressions(), listed);
}
