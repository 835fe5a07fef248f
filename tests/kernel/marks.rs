//! Marks moved between packet and flow under a mask, which nft 1.0.6 cannot list.

use std::net::UdpSocket;

use portcullis::nft::expr::{
    Bitwise, Cmp, Counter, Ct, CtKey, Immediate, Meta, MetaKey, Register, RegisterOp, ShiftOp,
};
use portcullis::nft::{
    BaseChain, Chain, ChainKind, Change, Expr, Hook, Kernel, Name, Policy, Rule, Table,
    Transaction, Userdata, list_rule,
};

use crate::tools::{fresh_netns, run};
use crate::whole::table_id;

fn number(value: u32) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

fn set_mark(value: u32) -> Vec<Expr> {
    vec![
        Immediate::value(Register::R1, number(value)).into(),
        Meta::Set { key: MetaKey::Mark, sreg: Register::R1 }.into(),
    ]
}

fn count_mark(value: u32) -> Vec<Expr> {
    vec![
        Meta::load(MetaKey::Mark, Register::R1).into(),
        Cmp::eq(Register::R1, number(value)).into(),
        Counter::default().into(),
    ]
}

/// Commits the rules to a chain of output, sends a packet, and returns what the rules counted.
fn counted(rules: &[Vec<Expr>]) -> Vec<u64> {
    fresh_netns();
    run("ip", &["link", "set", "lo", "up"], "");
    let mut kernel = Kernel::open().unwrap();
    let (id, name) = (table_id("ip marks"), Name::literal("output"));
    let mut transaction = Transaction::new();
    transaction.push(Change::AddTable(Table::new(id.clone())));
    transaction.push(Change::AddChain(id.clone(), Chain::new(Name::literal("unused"))));
    let chain = BaseChain {
        name: name.clone(),
        kind: ChainKind::Filter,
        hook: Hook::Output,
        priority: 0,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    transaction.push(Change::AddBaseChain(id.clone(), chain));
    for exprs in rules {
        let (table, chain, rule) = (id.clone(), name.clone(), Rule::new(exprs.clone()));
        transaction.push(Change::AddRule { table, chain, rule: rule.into(), after: None });
    }
    kernel.commit(&transaction, None).unwrap();
    let listed = kernel.rules(&id, Some(&name)).unwrap();
    let back: Vec<&Vec<Expr>> = listed.iter().map(|(_, rule)| &rule.value.exprs).collect();
    assert_eq!(back, rules.iter().collect::<Vec<_>>());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
    let after = kernel.rules(&id, Some(&name)).unwrap();
    let exprs = after.into_iter().flat_map(|(_, rule)| rule.value.exprs);
    exprs
        .filter_map(|expr| match expr {
            Expr::Counter(counter) => Some(counter.packets),
            _ => None,
        })
        .collect()
}

/// `ct mark set (ct mark & ~mask) | (meta mark & mask)`.
fn save(mask: u32) -> Vec<Expr> {
    let (flow, packet) = (Register::R1, Register(2));
    vec![
        Ct::load(CtKey::Mark, flow).into(),
        Bitwise::and(flow, number(!mask)).into(),
        Meta::load(MetaKey::Mark, packet).into(),
        Bitwise::and(packet, number(mask)).into(),
        Bitwise::registers(flow, RegisterOp::Or, packet, 4).into(),
        Ct::Set { key: CtKey::Mark, direction: None, sreg: flow }.into(),
    ]
}

#[test]
fn mark_when_saved_under_a_mask_then_the_other_bits_of_the_flow_stay() {
    let restore = vec![
        Ct::load(CtKey::Mark, Register::R1).into(),
        Meta::Set { key: MetaKey::Mark, sreg: Register::R1 }.into(),
    ];
    let whole = vec![
        Immediate::value(Register::R1, number(0xabcd_0000)).into(),
        Ct::Set { key: CtKey::Mark, direction: None, sreg: Register::R1 }.into(),
    ];
    let counts = counted(&[
        whole,
        set_mark(0x1234_5678),
        save(0xffff),
        restore,
        count_mark(0xabcd_5678),
        count_mark(0x1234_5678),
    ]);
    assert_eq!(counts, [1, 0]);
}

#[test]
fn registers_when_combined_then_as_the_operation_says() {
    let combine = |op| {
        vec![
            Meta::load(MetaKey::Mark, Register::R1).into(),
            Immediate::value(Register(2), number(0b0110)).into(),
            Bitwise::registers(Register::R1, op, Register(2), 4).into(),
            Meta::Set { key: MetaKey::Mark, sreg: Register::R1 }.into(),
        ]
    };
    let of = |op, wanted| counted(&[set_mark(0b0011), combine(op), count_mark(wanted)]);
    assert_eq!(of(RegisterOp::And, 0b0010), [1]);
    assert_eq!(of(RegisterOp::Or, 0b0111), [1]);
    assert_eq!(of(RegisterOp::Xor, 0b0101), [1]);
}

#[test]
fn mark_when_shifted_then_by_so_many_bits() {
    let shift = |op, by| {
        vec![
            Meta::load(MetaKey::Mark, Register::R1).into(),
            Bitwise::shift_u32(Register::R1, op, by).into(),
            Meta::Set { key: MetaKey::Mark, sreg: Register::R1 }.into(),
        ]
    };
    let counts = counted(&[
        set_mark(0x12),
        shift(ShiftOp::Left, 8),
        count_mark(0x1200),
        shift(ShiftOp::Right, 12),
        count_mark(1),
    ]);
    assert_eq!(counts, [1, 1]);
}

#[test]
fn save_when_listed_then_shows_both_masks() {
    let rule = Rule::new(save(0xffff));
    let text = list_rule(table_id("ip marks").family, &rule, &|_| None);
    assert_eq!(text, "ct mark set ct mark & 0xffff0000 | meta mark & 0x0000ffff");
}
