use std::path::Path;

use super::error::Error;
use super::record::{Before, Entry, Placed, Record};
use super::warning::lines;
use crate::front::{Refused, RefusedLine, RefusedRule};

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

/// One rule, and as many lines of a file.
fn refused(count: usize) -> Refused {
    let rule = RefusedRule {
        table: "ip filter".to_owned(),
        chain: "INPUT".to_owned(),
        words: "-m set …".to_owned(),
        reason: "no".to_owned(),
    };
    let line = |number| RefusedLine { file: "/f", line: Some(number), reason: "why".to_owned() };
    Refused { rules: vec![rule], lines: (1..=count).map(line).collect() }
}

#[test]
fn warning_when_nothing_is_refused_then_says_nothing() {
    assert_eq!(lines(&Ok::<_, Error>(Refused::default())), [""; 0]);
}

#[test]
fn warning_when_something_is_refused_then_names_it_and_the_doctor() {
    let said = lines(&Ok::<_, Error>(refused(2)));
    assert_eq!(said[1..4], ["ip filter INPUT: -m set …: no", "/f line 1: why", "/f line 2: why"]);
    assert_eq!(said.len(), 5);
    assert!(said[4].ends_with("change them: `portcullis doctor`"), "{said:?}");
}

#[test]
fn warning_when_much_is_refused_then_counts_the_rest() {
    let said = lines(&Ok::<_, Error>(refused(12)));
    assert_eq!((said.len(), said[10].as_str()), (12, "/f line 9: why"));
    assert!(said[11].starts_with("and 3 more; "), "{said:?}");
}

#[test]
fn warning_when_rules_cannot_be_read_then_says_so() {
    let said = lines(&Err::<Refused, _>("not permitted"));
    assert_eq!(said.len(), 1);
    assert!(said[0].ends_with(" is not known: not permitted"), "{said:?}");
}
