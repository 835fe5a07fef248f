#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn message_when_built_with_nests_then_lengths_and_padding_are_netlinks() {
    let mut message = MessageBuilder::new();
    message.message(0x0a06, 0x400, 7, 1, 0);
    let nest = message.nest(4);
    message.put_str(1, "abc");
    message.put_be32(2, 5);
    message.end(nest);
    let expected: Vec<u8> = [
        &40u32.to_ne_bytes()[..],
        &0x0a06u16.to_ne_bytes(),
        &0x401u16.to_ne_bytes(),
        &7u32.to_ne_bytes(),
        &[0; 4],
        &[1, 0, 0, 0],
        &20u16.to_ne_bytes(),
        &0x8004u16.to_ne_bytes(),
        &8u16.to_ne_bytes(),
        &1u16.to_ne_bytes(),
        b"abc\0",
        &8u16.to_ne_bytes(),
        &2u16.to_ne_bytes(),
        &[0, 0, 0, 5],
    ]
    .concat();
    assert_eq!(message.as_bytes(), expected);
}

#[test]
fn message_when_it_outgrows_its_buffer_then_nothing_is_lost() {
    let mut message = MessageBuilder::new();
    message.message(1, 0, 1, 0, 0);
    for round in 0..10_000u32 {
        message.put_be32(2, round);
    }
    assert_eq!(message.len(), 20 + 10_000 * 8);
    assert_eq!(message.as_bytes()[20 + 9_999 * 8 + 4..], 9_999u32.to_be_bytes());
}

#[test]
#[should_panic(expected = "lengths have 16 bits")]
fn nest_when_longer_than_its_length_can_say_then_is_no_message() {
    let mut message = MessageBuilder::new();
    message.message(1, 0, 1, 0, 0);
    let nest = message.nest(1);
    (0..10_000u32).for_each(|round| message.put_be32(2, round));
    message.end(nest);
}

#[test]
#[should_panic(expected = "a message is open")]
fn attribute_when_there_is_no_message_then_is_not_written() {
    MessageBuilder::new().put_be32(1, 1);
}

#[test]
fn bytecode_when_the_message_is_no_rule_then_refused() {
    assert!(bytecode(&[]).is_err());
    assert!(bytecode(&[0xff; 64]).is_err());
}

#[test]
fn netns_when_the_path_is_a_plain_file_then_it_is_no_namespace() {
    assert_eq!(netns_at(std::path::Path::new("/etc/passwd")).unwrap(), None);
    let own = netns_at(std::path::Path::new("/proc/thread-self/ns/net")).unwrap();
    assert_eq!(own, Some(current_netns().unwrap()));
}

#[test]
fn netns_when_the_path_is_another_kind_of_namespace_then_it_is_none() {
    let mount = std::path::Path::new("/proc/thread-self/ns/mnt");
    assert_eq!(netns_at(mount).unwrap(), None);
}
