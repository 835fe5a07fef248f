//! What a file says of who has its address.

use super::*;

#[test]
fn content_when_written_then_is_read_again() {
    let web = attachment("web");
    assert_eq!(web.content(), "web\r\neth0");
    assert_eq!(Holder::parse(web.content().as_bytes()), Holder::Attachment(web));
}

#[test]
fn content_when_strange_then_only_what_a_crash_leaves_is_nobodys() {
    for content in ["", "\n", "\0\0\0\0\0\0\0\0\0", " \0"] {
        assert_eq!(Holder::parse(content.as_bytes()), Holder::Nobody, "{content:?}");
    }
    for content in ["web", "web\n", "web\r\n"] {
        assert_eq!(Holder::parse(content.as_bytes()), Holder::Container("web".into()));
    }
    for content in ["kept for the printer", "a b\r\neth0", "web\r\n/", "web\0"] {
        assert_eq!(Holder::parse(content.as_bytes()), Holder::Other, "{content:?}");
    }
    assert_eq!(Holder::parse(b"\xff\xfe"), Holder::Other);
}
