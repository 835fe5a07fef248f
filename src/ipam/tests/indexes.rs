//! The index of a directory: when it is read, and when it is not believed.

use std::time::{Duration, SystemTime};

use super::index::{Stamp, parse, print};
use super::store::Entry;
use super::*;

fn stamp(boot: &str, second: u64) -> Stamp {
    let modified = SystemTime::UNIX_EPOCH + Duration::new(second, 123_456_789);
    Stamp { boot: boot.to_owned(), modified }
}

fn holders() -> Vec<(Entry, Holder)> {
    let names = ["10.0.0.2", "10.0.0.3", "fd00::2"].into_iter().filter_map(Entry::new);
    let holders =
        [Holder::Attachment(attachment("a")), Holder::Container("b".into()), Holder::Other];
    names.zip(holders).collect()
}

#[test]
fn index_when_its_stamp_is_the_directorys_then_is_read_as_it_was_written() {
    let text = print(&stamp("boot", 7), &holders()).unwrap_or_default();
    assert_eq!(text, "portcullis 1 boot 7123456789\n10.0.0.2 a eth0\n10.0.0.3 b\nfd00::2\n");
    assert_eq!(parse(&text, &stamp("boot", 7)), Some(holders()));
    for other in [stamp("boot", 8), stamp("other", 7)] {
        assert_eq!(parse(&text, &other), None);
    }
    assert_eq!(parse("", &stamp("boot", 7)), None);
    assert_eq!(parse("portcullis 1 boot 7123456789\nlock\n", &stamp("boot", 7)), None);
}

/// What is written into a file, without a change of the directory, goes unseen: so the index
/// was used. What another program adds or removes is seen.
#[test]
fn index_when_the_directory_was_changed_then_is_not_believed() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["10.0.0.0/28"]])?;
    given(&config, "a")?;
    given(&config, "b")?;
    directory.write("10.0.0.3", "c\r\neth0")?;
    check(&config.directory, &attachment("b"))?;
    directory.write("10.0.0.9", "d\r\neth0")?;
    check(&config.directory, &attachment("c"))?;
    check(&config.directory, &attachment("d"))?;
    given(&config, "e")?;
    fs::remove_file(directory.network().join("10.0.0.9"))?;
    assert!(check(&config.directory, &attachment("d")).is_err());
    assert_eq!(given(&config, "d")?, "10.0.0.5");
    Ok(())
}

/// A hand that takes no lock may change the directory while a call does, whose stamp then hides
/// it: as here, where the directory's time is set back.
#[test]
fn index_when_it_hides_a_change_then_nobody_is_refused_by_it() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["10.0.0.0/29"]])?;
    for container in ["a", "b", "c", "d", "e"] {
        given(&config, container)?;
    }
    let hidden = |change: &dyn Fn() -> io::Result<()>| -> io::Result<()> {
        let network = fs::File::open(directory.network())?;
        let modified = network.metadata()?.modified()?;
        change()?;
        network.set_modified(modified)
    };
    hidden(&|| fs::remove_file(directory.network().join("10.0.0.4")))?;
    assert_eq!(given(&config, "f")?, "10.0.0.4");
    hidden(&|| directory.write("10.0.0.5", "g\r\neth0"))?;
    check(&config.directory, &attachment("g"))?;
    assert_eq!(release(&config.directory, &attachment("g"))?.len(), 1);
    hidden(&|| directory.write("10.0.0.5", "h\r\neth0"))?;
    assert_eq!(
        given(&config, "i").err().map(|error| error.to_string()).as_deref(),
        Some(
            "failed to allocate for range 0: no IP addresses available in range set: \
         10.0.0.1-10.0.0.6"
        )
    );
    Ok(())
}

#[test]
fn index_when_the_machine_was_started_anew_then_is_not_believed() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["10.0.0.0/28"]])?;
    given(&config, "a")?;
    let path = directory.network().join(".portcullis.index");
    let text = fs::read_to_string(&path)?;
    let mut words: Vec<&str> = text.splitn(4, ' ').collect();
    words[2] = "another-boot";
    fs::write(&path, words.join(" "))?;
    directory.write("10.0.0.2", "")?;
    assert_eq!(given(&config, "b")?, "10.0.0.3");
    assert_eq!(directory.listing()?, ["10.0.0.3=b/eth0", "last_reserved_ip.0=10.0.0.3"]);
    Ok(())
}
