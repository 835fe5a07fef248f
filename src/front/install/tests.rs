use std::path::Path;

use super::error::Error;
use super::record::{Before, Entry, Placed, Record};

#[test]
fn record_when_written_and_read_then_is_the_same() {
    let mut record = Record::default();
    let link = Placed::Link("/usr/bin/portcullis".to_owned());
    let copy = Placed::Copy("00ff".to_owned());
    record.entries.insert("portmap".to_owned(), Entry { before: Before::Kept, placed: link });
    record.entries.insert("bridge".to_owned(), Entry { before: Before::Nothing, placed: copy });
    let read = Record::parse(&record.to_json().to_string(), Path::new("r"));
    assert!(matches!(&read, Ok(read) if *read == record), "{read:?}");
}

#[test]
fn record_when_it_names_a_path_outside_then_it_is_refused() {
    for name in ["../../etc/passwd", "", ".", "..", ".installed.json"] {
        let text = format!(r#"{{"applets": {{"{name}": {{"before": "nothing", "link": "/x"}}}}}}"#);
        let read = Record::parse(&text, Path::new("r"));
        assert!(matches!(read, Err(Error::Record { .. })), "{name}: {read:?}");
    }
}
