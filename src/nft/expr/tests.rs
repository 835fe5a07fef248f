//! Every type of expression encodes to what decodes to itself; what has no type stays whole.
#![allow(clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::netlink::{Attributes, MessageBuilder};
use crate::nft::{Family, Name, Rule};

/// Decodes what a rule encodes to.
fn decoded(rule: &Rule) -> Vec<Expr> {
    let bytes = rule.encode_expressions();
    Attributes::new(&bytes)
        .map(|element| Expr::decode(element.expect("whole")).expect("decodes"))
        .collect()
}

fn register() -> impl Strategy<Value = Register> {
    prop_oneof![0..5u32, 8..24u32].prop_map(Register)
}

fn maybe_register() -> impl Strategy<Value = Option<Register>> {
    proptest::option::of(register())
}

fn registers() -> impl Strategy<Value = (Option<Register>, Option<Register>)> {
    (maybe_register(), maybe_register())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..=16)
}

fn name() -> impl Strategy<Value = Name> {
    "[a-zA-Z][a-zA-Z0-9_./-]{0,60}".prop_map(|text| Name::new(text).expect("a name"))
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Drop),
        Just(Verdict::Accept),
        Just(Verdict::Continue),
        Just(Verdict::Break),
        Just(Verdict::Return),
        name().prop_map(Verdict::Jump),
        name().prop_map(Verdict::Goto),
        (2..9i32).prop_map(Verdict::Other),
    ]
}

fn base() -> impl Strategy<Value = PayloadBase> {
    (0..5u32).prop_map(PayloadBase::from_number)
}

fn packet_exprs() -> impl Strategy<Value = Expr> {
    let checksum = (0..3u32, any::<u32>(), 0..2u32);
    prop_oneof![
        (register(), base(), any::<u32>(), any::<u32>())
            .prop_map(|(dreg, base, offset, len)| Payload { dreg, base, offset, len }.into()),
        (register(), base(), any::<u32>(), any::<u32>(), checksum).prop_map(
            |(sreg, base, offset, len, (kind, csum_offset, flags))| {
                let checksum = Checksum { kind, offset: csum_offset, flags };
                PayloadWrite { sreg, base, offset, len, checksum }.into()
            }
        ),
        (any::<bool>(), 0..40u32, register()).prop_map(|(load, key, register)| {
            let key = MetaKey::from_number(key);
            match load {
                true => Meta::Load { key, dreg: register }.into(),
                false => Meta::Set { key, sreg: register }.into(),
            }
        }),
        (any::<bool>(), 0..30u32, proptest::option::of(0..4u32), register()).prop_map(
            |(load, key, direction, register)| {
                let key = CtKey::from_number(key);
                let direction = direction.map(CtDirection::from_number);
                match load {
                    true => Ct::Load { key, direction, dreg: register }.into(),
                    false => Ct::Set { key, direction, sreg: register }.into(),
                }
            }
        ),
        (register(), 0..5u32, any::<u32>()).prop_map(|(dreg, result, flags)| {
            Fib { dreg, result: FibResult::from_number(result), flags }.into()
        }),
        (register(), any::<u32>(), 0..3u32, any::<u32>()).prop_map(
            |(dreg, modulus, kind, offset)| {
                Numgen { dreg, modulus, kind: NumgenKind::from_number(kind), offset }.into()
            }
        ),
    ]
}

fn register_exprs() -> impl Strategy<Value = Expr> {
    let op = prop_oneof![
        (bytes(), bytes()).prop_map(|(mask, xor)| BitwiseOp::MaskXor { mask, xor }),
        (1..3u32, bytes())
            .prop_map(|(op, data)| BitwiseOp::Shift { op: ShiftOp::from_number(op), data }),
        (3..6u32, maybe_register(), proptest::option::of(bytes())).prop_map(|(op, sreg2, data)| {
            BitwiseOp::Registers { op: RegisterOp::from_number(op), sreg2, data }
        }),
    ];
    prop_oneof![
        (register(), 0..8u32, bytes()).prop_map(|(sreg, op, data)| Cmp {
            sreg,
            op: CmpOp::from_number(op),
            data
        }
        .into()),
        (register(), any::<bool>(), bytes(), bytes())
            .prop_map(|(sreg, inverted, from, to)| Range { sreg, inverted, from, to }.into()),
        (register(), register(), any::<u32>(), op).prop_map(|(sreg, dreg, len, op)| Bitwise {
            sreg,
            dreg,
            len,
            op
        }
        .into()),
        (register(), register(), 0..3u32, any::<u32>(), any::<u32>()).prop_map(
            |(sreg, dreg, op, len, size)| {
                Byteorder { sreg, dreg, op: ByteorderOp::from_number(op), len, size }.into()
            }
        ),
        (name(), register(), maybe_register(), any::<bool>()).prop_map(
            |(set, sreg, dreg, inverted)| {
                Lookup { set: SetRef::Named(set), sreg, dreg, inverted }.into()
            }
        ),
        verdict().prop_map(|verdict| Immediate::Verdict(verdict).into()),
        (register(), bytes()).prop_map(|(dreg, data)| Immediate::Value { dreg, data }.into()),
    ]
}

fn statements() -> impl Strategy<Value = Expr> {
    let family = prop_oneof![Just(Family::Ip), Just(Family::Ip6), Just(Family::Inet)];
    let prefix = proptest::option::of("[ -~]{1,100}");
    let kernel = (proptest::option::of(any::<u32>()), proptest::option::of(any::<u32>()))
        .prop_map(|(level, flags)| LogTarget::Kernel { level, flags });
    let group = (any::<u16>(), proptest::option::of(any::<u32>()), any::<Option<u16>>())
        .prop_map(|(group, snaplen, threshold)| LogTarget::Group { group, snaplen, threshold });
    prop_oneof![
        (0..3u32, family, registers(), registers(), any::<u32>()).prop_map(
            |(kind, family, (addr_min, addr_max), (proto_min, proto_max), flags)| {
                let (kind, flags) = (NatKind::from_number(kind), NatFlags(flags));
                Nat { kind, family, addr_min, addr_max, proto_min, proto_max, flags }.into()
            }
        ),
        (any::<u32>(), registers()).prop_map(|(flags, (proto_min, proto_max))| {
            Masquerade { flags: NatFlags(flags), proto_min, proto_max }.into()
        }),
        (any::<u32>(), registers()).prop_map(|(flags, (proto_min, proto_max))| {
            Redirect { flags: NatFlags(flags), proto_min, proto_max }.into()
        }),
        Just(Notrack.into()),
        counter(),
        (prefix, prop_oneof![kernel, group])
            .prop_map(|(prefix, target)| Log { prefix, target }.into()),
        (0..4u32, any::<Option<u8>>()).prop_map(|(kind, code)| Reject {
            kind: RejectKind::from_number(kind),
            code
        }
        .into()),
        limit(),
        (any::<u32>(), name()).prop_map(|(kind, name)| Objref::Named { kind, name }.into()),
        (register(), name()).prop_map(|(sreg, set)| Objref::Mapped {
            sreg,
            set: SetRef::Named(set)
        }
        .into()),
    ]
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::Ip), Just(Family::Ip6), Just(Family::Other(0))]
}

fn extension() -> impl Strategy<Value = Extension> {
    (0..6u32, any::<u8>()).prop_map(|(op, kind)| Extension { op: ExthdrOp::from_number(op), kind })
}

/// What reads more than the packet's own bytes.
fn loads() -> impl Strategy<Value = Expr> {
    let place = (any::<u32>(), any::<u32>());
    let jenkins = (register(), any::<u32>(), any::<Option<u32>>())
        .prop_map(|(sreg, len, seed)| HashKind::Jenkins { sreg, len, seed });
    let kind = prop_oneof![jenkins, Just(HashKind::Symmetric)];
    prop_oneof![
        (extension(), place, register()).prop_map(|(of, (offset, len), dreg)| Exthdr::Load {
            of,
            offset,
            len,
            dreg
        }
        .into()),
        (extension(), place, register()).prop_map(|(of, (offset, len), sreg)| Exthdr::Write {
            of,
            offset,
            len,
            sreg
        }
        .into()),
        (extension(), register()).prop_map(|(of, dreg)| Exthdr::Exists { of, dreg }.into()),
        extension().prop_map(|of| Exthdr::Reset { of }.into()),
        (kind, register(), any::<u32>(), any::<u32>())
            .prop_map(|(kind, dreg, modulus, offset)| Hash { kind, dreg, modulus, offset }.into()),
        (0..7u32, register())
            .prop_map(|(key, dreg)| Rt { key: RtKey::from_number(key), dreg }.into()),
        (0..5u32, register(), any::<Option<u32>>()).prop_map(|(key, dreg, level)| Socket {
            key: SocketKey::from_number(key),
            dreg,
            level
        }
        .into()),
        (register(), 0..8u32, 0..3u32, any::<u32>()).prop_map(|(dreg, key, direction, spnum)| {
            let (key, direction) =
                (XfrmKey::from_number(key), XfrmDirection::from_number(direction));
            Xfrm { dreg, key, direction, spnum }.into()
        }),
        (register(), any::<u8>(), any::<bool>()).prop_map(|(dreg, ttl, version)| Osf {
            dreg,
            ttl,
            version
        }
        .into()),
    ]
}

/// What sends packets elsewhere, or counts them in another way.
fn ways() -> impl Strategy<Value = Expr> {
    let numbers =
        any::<(u16, u16)>().prop_map(|(first, total)| QueueTarget::Numbers { first, total });
    let target = prop_oneof![numbers, register().prop_map(QueueTarget::Register)];
    prop_oneof![
        (maybe_register(), maybe_register())
            .prop_map(|(address, device)| Dup { address, device }.into()),
        (register(), proptest::option::of((register(), family())))
            .prop_map(|(device, address)| Fwd { device, address }.into()),
        (family(), registers()).prop_map(|(family, (address, port))| Tproxy {
            family,
            address,
            port
        }
        .into()),
        (target, any::<u16>()).prop_map(|(target, flags)| Queue {
            target,
            flags: QueueFlags(flags)
        }
        .into()),
        (any::<u16>(), any::<u8>(), any::<u32>()).prop_map(|(mss, wscale, flags)| Synproxy {
            mss,
            wscale,
            flags
        }
        .into()),
        quota(),
        connlimit(),
        any::<Option<u64>>().prop_map(|ago| Last { ago }.into()),
    ]
}

fn quota() -> impl Strategy<Value = Expr> {
    any::<(u64, u64, bool)>().prop_map(|(bytes, used, over)| Quota { bytes, used, over }.into())
}

fn connlimit() -> impl Strategy<Value = Expr> {
    any::<(u32, bool)>().prop_map(|(count, over)| Connlimit { count, over }.into())
}

fn counter() -> impl Strategy<Value = Expr> {
    any::<(u64, u64)>().prop_map(|(packets, bytes)| Counter { packets, bytes }.into())
}

fn limit() -> impl Strategy<Value = Expr> {
    (any::<u64>(), any::<u64>(), any::<u32>(), 0..3u32, any::<bool>()).prop_map(
        |(rate, unit, burst, kind, over)| {
            Limit { rate, unit, burst, kind: LimitKind::from_number(kind), over }.into()
        },
    )
}

fn dynset() -> impl Strategy<Value = Expr> {
    let exprs =
        proptest::collection::vec(prop_oneof![counter(), limit(), quota(), connlimit()], 0..3);
    let timeout = proptest::option::of(1..u64::MAX);
    (name(), 0..4u32, register(), maybe_register(), timeout, any::<Option<u32>>(), exprs).prop_map(
        |(set, op, key, data, timeout, flags, exprs)| {
            let flags = match exprs.len() {
                0 | 1 => flags,
                _ => flags.map(|flags| flags & !2).filter(|flags| *flags != 0),
            };
            Dynset { set, op: DynsetOp::from_number(op), key, data, timeout, flags, exprs }.into()
        },
    )
}

fn unknown() -> impl Strategy<Value = Expr> {
    // Attributes of four bytes, of types that no expression here uses.
    let attribute = (100..200u16, any::<[u8; 4]>());
    let data = proptest::collection::vec(attribute, 0..4).prop_map(|attributes| {
        let mut data = Vec::new();
        for (kind, value) in attributes {
            data.extend_from_slice(&8u16.to_ne_bytes());
            data.extend_from_slice(&kind.to_ne_bytes());
            data.extend_from_slice(&value);
        }
        data
    });
    ("[a-z]{1,10}x", data).prop_map(|(name, data)| Expr::Other(Opaque { name, data }))
}

fn expr() -> impl Strategy<Value = Expr> {
    prop_oneof![
        packet_exprs(),
        register_exprs(),
        statements(),
        loads(),
        ways(),
        dynset(),
        unknown()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn expression_when_encoded_then_decodes_to_itself(expr in expr()) {
        let rule = Rule::new(vec![expr]);
        prop_assert_eq!(decoded(&rule), rule.exprs);
    }

    #[test]
    fn rule_of_all_kinds_when_encoded_then_decodes_to_itself(
        exprs in proptest::collection::vec(expr(), 0..128)
    ) {
        let rule = Rule::new(exprs);
        prop_assert_eq!(decoded(&rule), rule.exprs);
    }

    #[test]
    fn expression_when_decoded_and_encoded_then_bytes_are_the_same(expr in expr()) {
        let first = Rule::new(vec![expr]);
        let second = Rule::new(decoded(&first));
        prop_assert_eq!(first.encode_expressions(), second.encode_expressions());
    }

    #[test]
    fn decode_when_bytes_are_arbitrary_then_does_not_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200)
    ) {
        for element in Attributes::new(&bytes).flatten() {
            let _any = Expr::decode(element);
        }
    }
}

#[test]
fn known_expression_when_it_has_an_unknown_attribute_then_is_kept_whole() {
    let mut message = MessageBuilder::new();
    message.message(0, 0, 0, 0, 0);
    let start = message.len();
    message.put_be32(1, 1);
    message.put_be32(2, 3);
    message.put_be32(99, 7);
    let data = message.as_bytes()[start..].to_vec();
    let meta = Expr::Other(Opaque { name: "meta".to_owned(), data });
    let rule = Rule::new(vec![meta]);
    assert_eq!(decoded(&rule), rule.exprs);
}

#[test]
fn unknown_expression_when_listed_then_is_named() {
    let rule = Rule::new(vec![Expr::Other(Opaque { name: "future".to_owned(), data: vec![] })]);
    let text = crate::nft::list_rule(Family::Inet, &rule, &|_| None);
    assert_eq!(text, "# unknown future");
}

#[test]
fn queue_when_listed_then_as_nft_writes_it_and_libnftnl_reads_it() {
    let cases = [
        (3, 1, 0, "queue to 3", "[ queue num 3 ]"),
        (0, 4, 0, "queue to 0-3", "[ queue num 0-3 ]"),
        (3, 1, QueueFlags::BYPASS, "queue flags bypass to 3", "[ queue num 3 bypass ]"),
        (
            0,
            4,
            QueueFlags::BYPASS | QueueFlags::FANOUT,
            "queue flags bypass,fanout to 0-3",
            "[ queue num 0-3 bypass fanout ]",
        ),
    ];
    for (first, total, flags, text, bytecode) in cases {
        let target = QueueTarget::Numbers { first, total };
        let rule = Rule::new(vec![Queue { target, flags: QueueFlags(flags) }.into()]);
        assert_eq!(crate::nft::list_rule(Family::Inet, &rule, &|_| None), text);
        let read = rule.bytecode(Family::Inet).expect("libnftnl reads it");
        assert!(read.contains(bytecode), "{read}");
    }
}

#[test]
fn queue_when_its_number_is_computed_then_says_by_what() {
    let hash = Hash { kind: HashKind::Symmetric, dreg: Register::R1, modulus: 4, offset: 5 };
    let target = QueueTarget::Register(Register::R1);
    let rule = Rule::new(vec![hash.into(), Queue { target, flags: QueueFlags(1) }.into()]);
    let text = crate::nft::list_rule(Family::Inet, &rule, &|_| None);
    assert_eq!(text, "queue flags bypass to symhash mod 4 offset 5");
}

#[test]
fn last_when_listed_then_says_how_long_ago() {
    let list = |ago| {
        let rule = Rule::new(vec![Last { ago }.into()]);
        crate::nft::list_rule(Family::Inet, &rule, &|_| None)
    };
    assert_eq!(list(None), "last used never");
    assert_eq!(list(Some(61_000)), "last used 1m1s");
}

#[test]
fn quota_when_only_what_is_used_differs_then_is_the_same() {
    let quota = |bytes, used| Expr::from(Quota { bytes, used, over: true });
    assert!(quota(100, 7).is_same(&quota(100, 9)));
    assert!(!quota(100, 7).is_same(&quota(101, 7)));
}
