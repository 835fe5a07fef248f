#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::wait::Pauses;
use super::*;
use crate::net::{IfName, IpVersion, Subnet};

#[test]
fn pauses_when_summed_then_they_end_at_the_sum() {
    let sum = Duration::from_millis(2550);
    let pauses: Vec<Duration> = Pauses::new(sum).collect();
    assert_eq!(pauses.iter().sum::<Duration>(), sum);
    assert_eq!(pauses.first(), Some(&Duration::from_micros(250)));
    assert_eq!(pauses.iter().max(), Some(&Duration::from_millis(50)));
}

#[test]
fn route_when_printed_then_as_ip_takes_it() {
    let subnet: Subnet = "10.0.0.0/8".parse().unwrap();
    let mut route = Route::new(subnet, Some("10.88.0.1".parse().unwrap()));
    route.priority = Some(100);
    route.is_onlink = true;
    assert_eq!(route.to_string(), "10.0.0.0/8 via 10.88.0.1 metric 100 onlink");
}

#[test]
fn veth_name_when_drawn_then_eight_digits_in_hex_follow() {
    let name = names::veth_name().unwrap();
    let digits = name.as_str().strip_prefix("veth").unwrap();
    assert_eq!(digits.len(), 8);
    assert!(u32::from_str_radix(digits, 16).is_ok(), "{name}");
}

#[test]
fn sysctl_when_there_is_none_then_only_the_strict_form_fails() {
    let sysctl = Sysctl::accept_ra(&IfName::new("nosuchlink").unwrap());
    assert_eq!(sysctl.set_if_there("0").unwrap(), None);
    let error = sysctl.set("0").unwrap_err();
    assert_eq!(error.to_string(), "cannot set sysctl net.ipv6.conf.nosuchlink.accept_ra");
    assert_eq!(Sysctl::forwarding(IpVersion::V4).read().unwrap().len(), 1);
}
