#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

#[test]
fn attributes_when_a_length_runs_past_the_end_then_one_error_and_no_more() {
    let bytes = [8, 0, 1, 0, 9, 9];
    let all: Vec<_> = Attributes::new(&bytes).collect();
    assert_eq!(all.len(), 1);
    assert!(all[0].is_err());
}

#[test]
fn attributes_when_flags_are_set_then_the_type_is_bare() {
    let mut message = MessageBuilder::new();
    message.message(0, 0, 1, 2, 0);
    let nest = message.nest(7);
    message.put_be16(1, 80);
    message.end(nest);
    let datagram = message.as_bytes().to_vec();
    let read = Messages::new(&datagram).next().unwrap().unwrap();
    assert_eq!(read.family(), 2);
    let nest = read.attributes().need(7, "nest").unwrap();
    assert_eq!(nest.nested().need(1, "port").unwrap().be16(), Ok(80));
}

#[test]
fn refusal_when_the_kernel_adds_words_then_they_are_kept() {
    let mut payload = (-17i32).to_ne_bytes().to_vec();
    payload.extend([0; 16]);
    payload.extend([12, 0, 1, 0]);
    payload.extend(b"exists\0\0");
    payload.extend([8, 0, 2, 0]);
    payload.extend(44u32.to_ne_bytes());
    let message = Message { kind: 2, flags: 0x300, seq: 3, payload: &payload };
    let refusal = Refusal::parse(&message).unwrap();
    assert_eq!((refusal.seq, refusal.errno), (3, 17));
    assert_eq!(refusal.extended.text.as_deref(), Some("exists"));
    assert_eq!(refusal.extended.offset, Some(44));
    assert_eq!(refusal.reason(), "File exists (exists)");
}

proptest! {
    #[test]
    fn messages_when_bytes_are_arbitrary_then_the_walk_ends(bytes: Vec<u8>) {
        for message in Messages::new(&bytes).flatten() {
            let _ = Refusal::parse(&message);
            for attribute in message.attributes().flatten() {
                let _ = (attribute.u8(), attribute.be32(), attribute.text());
                prop_assert!(attribute.nested().count() <= attribute.value.len());
            }
        }
    }
}
