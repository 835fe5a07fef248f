//! Words of `conditionsV4` and `conditionsV6`, one a line behind a byte that chooses the family and
//! the protocol.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::net::{IpVersion, L4Proto};
use portcullis::xtables::conditions_for;

fuzz_target!(|input: &[u8]| {
    let Some((choice, words)) = input.split_first() else { return };
    let words: Vec<String> =
        String::from_utf8_lossy(words).split('\n').map(str::to_owned).collect();
    let version = if choice % 2 == 0 { IpVersion::V4 } else { IpVersion::V6 };
    let proto = L4Proto::ALL.get(usize::from(choice / 2)).copied();
    if let Err(error) = conditions_for(&words, version, proto) {
        let _ = error.to_string();
    }
});
