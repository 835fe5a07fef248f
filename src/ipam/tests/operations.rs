//! The operations in a directory, and what is found there.

use super::*;

#[test]
fn addresses_when_given_and_taken_back_then_the_files_say_so() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["10.0.0.0/29"], &["fd00::/64"]])?;
    assert_eq!(given(&config, "a")?, "10.0.0.2 fd00::2");
    assert_eq!(given(&config, "b")?, "10.0.0.3 fd00::3");
    check(&config.directory, &attachment("a"))?;
    assert_eq!(release(&config.directory, &attachment("a"))?.len(), 2);
    assert_eq!(release(&config.directory, &attachment("a"))?.len(), 0);
    let error = check(&config.directory, &attachment("a")).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("host-local: Failed to find address added by container a"));
    let left = [
        "10.0.0.3=b/eth0",
        "fd00::3=b/eth0",
        "last_reserved_ip.0=10.0.0.3",
        "last_reserved_ip.1=fd00::3",
    ];
    assert_eq!(directory.listing()?, left);
    assert_eq!(given(&config, "a")?, "10.0.0.4 fd00::4");
    Ok(())
}

#[test]
fn address_when_the_attachment_has_one_then_is_refused_and_nothing_changes() -> Tested {
    let directory = Directory::new()?;
    let mut config = config(&directory, &[&["fd00::/64"], &["10.0.0.0/29"]])?;
    directory.write("10.0.0.4", "a\r\neth0")?;
    directory.write("10.0.0.5", "old")?;
    let before = directory.listing()?;
    for (container, address) in [("a", "10.0.0.4"), ("old", "10.0.0.5")] {
        let error = given(&config, container).err().map(|error| error.to_string());
        let expected = format!(
            "failed to allocate for range 1: {address} has been allocated to {container}, \
             duplicate allocation is not allowed"
        );
        assert_eq!(error, Some(expected));
    }
    assert_eq!(directory.listing()?, before);
    // Another interface of it gets one, and so does it if it asks for a certain one.
    let other = Attachment { container: "a".into(), ifname: "eth1".into() };
    assert_eq!(allocate(&config, &other)?.len(), 2);
    config.requested = vec![parsed("10.0.0.6")?];
    assert_eq!(given(&config, "a")?, "fd00::3 10.0.0.6");
    Ok(())
}

#[test]
fn range_when_exhausted_then_nothing_is_given_of_the_others() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["fd00::/64"], &["10.0.0.0/30"]])?;
    assert_eq!(given(&config, "a")?, "fd00::2 10.0.0.2");
    let before = directory.listing()?;
    let error = given(&config, "b").err().map(|error| error.to_string());
    let expected =
        "failed to allocate for range 1: no IP addresses available in range set: 10.0.0.1-10.0.0.2";
    assert_eq!(error.as_deref(), Some(expected));
    assert_eq!(directory.listing()?, before);
    Ok(())
}

#[test]
fn file_when_a_crash_left_it_empty_then_its_address_is_given() -> Tested {
    let directory = Directory::new()?;
    let mut config = config(&directory, &[&["10.0.0.0/29"]])?;
    directory.write("10.0.0.2", "")?;
    directory.write("10.0.0.3", "\0\0\0")?;
    directory.write(".portcullis", "dead\r\neth0")?;
    directory.write("last_reserved_ip.0", "")?;
    assert_eq!(given(&config, "a")?, "10.0.0.2");
    config.requested = vec![parsed("10.0.0.3")?];
    directory.write("10.0.0.3", "")?;
    assert_eq!(given(&config, "b")?, "10.0.0.3");
    let left = ["10.0.0.2=a/eth0", "10.0.0.3=b/eth0", "last_reserved_ip.0=10.0.0.3"];
    assert_eq!(directory.listing()?, left);
    Ok(())
}

/// Killed between giving the file its name and removing the other one.
#[test]
fn draft_when_it_is_a_second_name_of_an_address_file_then_that_stays_whole() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["10.0.0.0/29"]])?;
    directory.write("10.0.0.2", "dead\r\neth0")?;
    fs::hard_link(directory.network().join("10.0.0.2"), directory.network().join(".portcullis"))?;
    assert_eq!(given(&config, "a")?, "10.0.0.3");
    let left = ["10.0.0.2=dead/eth0", "10.0.0.3=a/eth0", "last_reserved_ip.0=10.0.0.3"];
    assert_eq!(directory.listing()?, left);
    Ok(())
}

#[test]
fn files_when_made_by_hand_then_keep_their_addresses() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["10.0.0.0/29"]])?;
    directory.write("10.0.0.2", "kept for the printer")?;
    fs::create_dir(directory.network().join("10.0.0.3"))?;
    std::os::unix::fs::symlink("/nowhere", directory.network().join("10.0.0.4"))?;
    nix::unistd::mkfifo(&directory.network().join("10.0.0.5"), nix::sys::stat::Mode::S_IRWXU)?;
    assert_eq!(given(&config, "a")?, "10.0.0.6");
    assert_eq!(collect_garbage(&config.directory, &BTreeSet::new())?.len(), 1);
    let left = ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
    assert!(left.iter().all(|name| fs::symlink_metadata(directory.network().join(name)).is_ok()));
    Ok(())
}

#[test]
fn garbage_when_collected_then_the_valid_ones_keep_theirs() -> Tested {
    let directory = Directory::new()?;
    for (name, content) in [
        ("10.0.0.2", "a\r\neth0"),
        ("10.0.0.3", "a\r\neth1"),
        ("10.0.0.4", "b"),
        ("10.0.0.5", "c"),
        ("10.0.0.6", ""),
        ("10.0.0.7", "by hand, for b"),
        ("last_reserved_ip.0", "10.0.0.6"),
    ] {
        directory.write(name, content)?;
    }
    let valid = BTreeSet::from([attachment("a"), attachment("b")]);
    let freed: Vec<String> =
        collect_garbage(&directory.network(), &valid)?.iter().map(ToString::to_string).collect();
    assert_eq!(freed, ["10.0.0.3", "10.0.0.5", "10.0.0.6"]);
    let left =
        ["10.0.0.2=a/eth0", "10.0.0.4=b", "10.0.0.7=by hand, for b", "last_reserved_ip.0=10.0.0.6"];
    assert_eq!(directory.listing()?, left);
    Ok(())
}

#[test]
fn old_format_when_released_then_goes_only_if_there_is_none_of_today() -> Tested {
    let directory = Directory::new()?;
    directory.write("10.0.0.2", "a")?;
    directory.write("10.0.0.3", "a\r\neth0")?;
    let names = |freed: Vec<IpAddr>| freed.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(release(&directory.network(), &attachment("a"))?), ["10.0.0.3"]);
    assert_eq!(names(release(&directory.network(), &attachment("a"))?), ["10.0.0.2"]);
    Ok(())
}

#[test]
fn directory_when_it_is_not_there_then_only_allocating_makes_it() -> Tested {
    let directory = Directory::new()?;
    let path = directory.network();
    assert_eq!(release(&path, &attachment("a"))?.len(), 0);
    assert_eq!(collect_garbage(&path, &BTreeSet::new())?.len(), 0);
    assert!(check(&path, &attachment("a")).is_err());
    status(&path.join("deeper"))?;
    assert!(!path.exists());
    Ok(())
}

#[test]
fn status_when_a_file_is_in_the_way_then_says_so() -> Tested {
    let directory = Directory::new()?;
    fs::write(directory.network(), "")?;
    assert!(status(&directory.network()).is_err());
    assert!(status(Path::new("/dev/null/net")).is_err());
    Ok(())
}

/// Threads that open the lock's file each for themselves exclude each other as processes do.
#[test]
fn addresses_when_given_by_many_at_once_then_differ() -> Tested {
    let directory = Directory::new()?;
    let config = config(&directory, &[&["10.0.0.0/24"], &["fd00::/64"]])?;
    let texts: Vec<_> = std::thread::scope(|scope| {
        let start = |n: usize| {
            let config = &config;
            scope.spawn(move || given(config, &format!("c{n}")))
        };
        let all: Vec<_> = (0..40).map(start).collect();
        all.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let mut addresses = BTreeSet::new();
    for text in texts {
        let text = text.map_err(|_| "a thread panicked")??;
        addresses.extend(text.split(' ').map(str::to_owned));
    }
    assert_eq!(addresses.len(), 80);
    Ok(())
}
