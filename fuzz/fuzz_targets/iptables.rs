//! Command lines of iptables, one word a line behind a byte that chooses the family, and the same
//! bytes as a save file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::front::iptables::check_save_file;
use portcullis::net::IpVersion;
use portcullis::xtables::command;

fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else { return };
    let version = if choice % 2 == 0 { IpVersion::V4 } else { IpVersion::V6 };
    let text = String::from_utf8_lossy(text);
    let words: Vec<String> = text.split('\n').map(str::to_owned).collect();
    if let Err(error) = command(&words, version) {
        let _ = error.to_string();
    }
    if let Err(error) = check_save_file(&text, version) {
        let mut said = Vec::new();
        let _ = error.print("iptables-restore", &mut said);
    }
});
