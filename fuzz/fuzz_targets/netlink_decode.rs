//! What the kernel sends, or someone who can pretend to be it: datagrams of nf_tables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::netlink::Messages;
use portcullis::nft::Event;

fuzz_target!(|datagram: &[u8]| {
    for message in Messages::new(datagram).flatten() {
        if let Err(malformed) = Event::decode(&message) {
            let _ = malformed.to_string();
        }
    }
});
