use std::collections::BTreeSet;

use super::{BOTH, TCP, UDP, port};

#[test]
fn port_when_of_the_protocol_then_is_known() {
    assert_eq!(port("ssh", Some(6)), Some(22));
    assert_eq!(port("ssh", Some(17)), None);
    assert_eq!(port("bootps", Some(17)), Some(67));
    assert_eq!(port("bootps", Some(6)), None);
    assert_eq!((port("domain", Some(6)), port("domain", Some(17))), (Some(53), Some(53)));
    assert_eq!((port("domain", Some(132)), port("domain", None)), (None, None));
}

#[test]
fn names_when_all_are_taken_then_each_is_there_once() {
    for own in [TCP, UDP] {
        let names: Vec<&str> = own.iter().chain(BOTH).map(|(name, _)| *name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}
