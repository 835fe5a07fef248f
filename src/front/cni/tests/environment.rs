//! The environment of a call.

use super::*;

#[test]
fn variables_when_missing_then_are_named_in_order() {
    let empty = Environment::default();
    let error = empty.need(&["CNI_CONTAINERID", "CNI_PATH"]).err();
    let text = error.map(|error| error.to_string());
    let expected = "required env variables [CNI_CONTAINERID,CNI_PATH] missing";
    assert_eq!(text.as_deref(), Some(expected));
    assert!(empty.need(&[]).is_ok());
    assert!(env("ADD").need(&["CNI_IFNAME", "CNI_NETNS"]).is_ok());
}

#[test]
fn netns_override_when_read_then_only_the_words_of_the_library_count() {
    for (word, expected) in [("1", true), ("TRUE", true), ("true", true), ("", false), ("0", false)]
    {
        let get = |name: &str| match name {
            "CNI_NETNS_OVERRIDE" => word.to_owned(),
            _ => String::new(),
        };
        assert_eq!(Environment::read(get).netns_override, expected, "{word:?}");
    }
}
