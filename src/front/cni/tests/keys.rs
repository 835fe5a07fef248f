//! Keys of a configuration, as the reference library finds them.

use super::*;

fn port(value: &Value) -> Option<i64> {
    Object::root(value).and_then(|root| root.integer("hostPort")).unwrap_or(Some(-1))
}

#[test]
fn key_when_spelt_differently_then_is_found_and_the_exact_one_first() {
    assert_eq!(port(&json!({"HOSTPORT": 1})), Some(1));
    assert_eq!(port(&json!({"HostPort": 1, "hostport": 2})), Some(2));
    assert_eq!(port(&json!({"hostPort": 3, "HostPort": 1})), Some(3));
    assert_eq!(port(&json!({"hostPorts": 1, "": 2})), None);
}

#[test]
fn null_when_given_then_is_absent() {
    assert_eq!(port(&json!({"hostPort": null})), None);
}

#[test]
fn wrong_type_when_nested_then_the_place_is_told() {
    let config = tcp(&json!({"hostPort": "80"}));
    let text = intent(&config).err().map(|error| error.to_string());
    let expected = "failed to parse config: runtimeConfig.portMappings[0].hostPort: \
                    expected an integer, found a string";
    assert_eq!(text.as_deref(), Some(expected));
}
