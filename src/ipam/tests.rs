//! Ranges and plans by themselves, and the operations in directories of the tests' own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::holder::Holder;
use super::plan::{Occupied, Wishes, plan};
use super::*;
use crate::net::IpVersion;

type Tested = Result<(), Box<dyn std::error::Error>>;

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("cannot parse {text:?}"))
}

/// `subnet [start end [gateway]]`
fn spec(text: &str) -> Result<RangeSpec, String> {
    let mut words = text.split(' ');
    let subnet = parsed(words.next().unwrap_or_default())?;
    let mut address = || words.next().filter(|word| *word != "-").map(parsed).transpose();
    Ok(RangeSpec { subnet, start: address()?, end: address()?, gateway: address()? })
}

fn set(texts: &[&str]) -> Result<RangeSet, Box<dyn std::error::Error>> {
    let specs: Vec<RangeSpec> = texts.iter().map(|text| spec(text)).collect::<Result<_, _>>()?;
    Ok(RangeSet::new(&specs)?)
}

fn sets(sets: &[&[&str]]) -> Result<RangeSets, Box<dyn std::error::Error>> {
    let specs = |texts: &&[&str]| texts.iter().map(|text| spec(text)).collect();
    let specs: Vec<Vec<RangeSpec>> = sets.iter().map(specs).collect::<Result<_, String>>()?;
    Ok(RangeSets::new(&specs)?)
}

fn attachment(container: &str) -> Attachment {
    Attachment { container: container.to_owned(), ifname: "eth0".to_owned() }
}

mod ranges {
    use super::*;

    #[test]
    fn range_when_only_a_subnet_then_is_all_but_network_and_broadcast() -> Tested {
        for (text, expected, gateway) in [
            ("10.88.0.0/24", "10.88.0.1-10.88.0.254", "10.88.0.1"),
            ("10.88.0.0/30", "10.88.0.1-10.88.0.2", "10.88.0.1"),
            ("0.0.0.0/0", "0.0.0.1-255.255.255.254", "0.0.0.1"),
            ("fd00::/64", "fd00::1-fd00::ffff:ffff:ffff:ffff", "fd00::1"),
            ("fd00::/126", "fd00::1-fd00::3", "fd00::1"),
            ("::/0", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1"),
        ] {
            let range = Range::new(&spec(text)?)?;
            assert_eq!(range.to_string(), expected, "{text}");
            assert_eq!(range.gateway(), parsed::<IpAddr>(gateway)?, "{text}");
        }
        Ok(())
    }

    #[test]
    fn range_when_wrong_then_says_why_in_the_words_of_the_cni_plugin() -> Tested {
        for (text, expected) in [
            ("10.88.0.0/31", "Network 10.88.0.0/31 too small to allocate from"),
            ("fd00::/127", "Network fd00::/127 too small to allocate from"),
            (
                "10.88.0.1/24",
                "Network has host bits set. For a subnet mask of length 24 the network address is 10.88.0.0",
            ),
            ("::ffff:10.0.0.0/112", "IPNet IP and Mask version mismatch"),
            ("10.88.0.0/24 10.89.0.1", "RangeStart 10.89.0.1 not in network 10.88.0.0/24"),
            ("10.88.0.0/24 fd00::1", "RangeStart fd00::1 not in network 10.88.0.0/24"),
            (
                "10.88.0.0/24 10.88.0.9 10.88.0.8",
                "RangeStart 10.88.0.9 not in network 10.88.0.0/24",
            ),
            ("10.88.0.0/24 - 10.88.1.1", "RangeEnd 10.88.1.1 not in network 10.88.0.0/24"),
            ("10.88.0.0/24 - 10.88.0.0", "RangeEnd 10.88.0.0 not in network 10.88.0.0/24"),
        ] {
            let error = Range::new(&spec(text)?).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(expected), "{text}");
        }
        Ok(())
    }

    /// The CNI plugin counts up beyond it, into the neighbour's addresses.
    #[test]
    fn range_when_it_begins_at_the_broadcast_then_is_refused() -> Tested {
        assert!(Range::new(&spec("10.88.0.0/24 10.88.0.255")?).is_err());
        Ok(())
    }

    #[test]
    fn addresses_when_mapped_into_ipv6_then_are_ipv4() -> Tested {
        let range =
            Range::new(&spec("10.0.0.0/8 ::ffff:10.0.0.5 ::ffff:10.0.0.9 ::ffff:10.0.0.5")?)?;
        assert_eq!(range.to_string(), "10.0.0.5-10.0.0.9");
        assert_eq!(range.gateway(), parsed::<IpAddr>("10.0.0.5")?);
        Ok(())
    }

    #[test]
    fn sets_when_wrong_then_say_why_in_the_words_of_the_cni_plugin() -> Tested {
        let cases: [(&[&[&str]], &str); 6] = [
            (&[], "no IP ranges specified"),
            (&[&["10.0.0.0/8"], &[]], "invalid range set 1: empty range set"),
            (&[&["10.0.0.0/8", "fd00::/64"]], "invalid range set 0: mixed address families"),
            (
                &[&["10.1.0.0/24", "10.1.0.0/16"]],
                "invalid range set 0: subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.255.254 overlap",
            ),
            (&[&["10.1.0.0/24"], &["fd00::/64"], &["10.1.0.0/16"]], "range set 0 overlaps with 2"),
            (
                &[&["10.1.0.0/31"]],
                "invalid range set 0: Network 10.1.0.0/31 too small to allocate from",
            ),
        ];
        for (texts, expected) in cases {
            let error = sets(texts).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(expected), "{texts:?}");
        }
        Ok(())
    }

    #[test]
    fn sets_when_side_by_side_in_one_subnet_then_do_not_overlap() -> Tested {
        let sets = sets(&[
            &["10.0.0.0/24 10.0.0.10 10.0.0.19", "10.0.0.0/24 10.0.0.30 10.0.0.39"],
            &["10.0.0.0/24 10.0.0.20 10.0.0.29"],
            &["fd00::/64"],
        ])?;
        assert_eq!(IpVersion::BOTH.map(|version| sets.count(version)), [2, 1]);
        Ok(())
    }

    fn order(set: &RangeSet, last: Option<&str>) -> Result<String, String> {
        let last = last.map(parsed).transpose()?;
        let texts: Vec<String> = set.after(last).map(|(address, _)| address.to_string()).collect();
        Ok(texts.join(" ").replace("10.0.", ""))
    }

    #[test]
    fn addresses_when_some_was_last_then_go_round_from_there() -> Tested {
        let set = set(&["10.0.0.0/29 - - 10.0.0.3", "10.0.1.0/30", "10.0.2.0/30 - - 10.9.9.9"])?;
        assert_eq!(order(&set, None)?, "0.1 0.2 0.4 0.5 0.6 1.2 2.1 2.2");
        assert_eq!(order(&set, Some("10.0.0.4"))?, "0.5 0.6 1.2 2.1 2.2 0.1 0.2 0.4");
        assert_eq!(order(&set, Some("10.0.0.6"))?, "1.2 2.1 2.2 0.1 0.2 0.4 0.5 0.6");
        assert_eq!(order(&set, Some("10.0.1.2"))?, "2.1 2.2 0.1 0.2 0.4 0.5 0.6 1.2");
        assert_eq!(order(&set, Some("10.0.2.2"))?, "0.1 0.2 0.4 0.5 0.6 1.2 2.1 2.2");
        assert_eq!(order(&set, Some("10.0.3.1"))?, order(&set, None)?);
        assert_eq!(order(&set, Some("fd00::1"))?, order(&set, None)?);
        Ok(())
    }

    #[test]
    fn addresses_when_the_last_of_all_was_given_then_nothing_overflows() -> Tested {
        for (subnet, last) in [
            (
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
            ("255.255.255.240/28", "255.255.255.254"),
        ] {
            let set = set(&[subnet])?;
            let addresses: BTreeSet<IpAddr> =
                set.after(Some(parsed(last)?)).map(|(address, _)| address).collect();
            assert!(addresses.contains(&parsed(last)?));
            assert_eq!(addresses.len(), if last.contains(':') { 14 } else { 13 });
        }
        Ok(())
    }

    proptest! {
        /// Wherever it begins, each address comes once, and the last one last.
        #[test]
        fn addresses_when_begun_anywhere_then_come_once_each(bits in 2_u32..7, at in any::<u32>()) {
            let prefix = 32 - bits;
            let set = set(&[&format!("10.0.0.0/{prefix}"), &format!("10.0.1.0/{prefix}")]);
            let set = set.map_err(|error| TestCaseError::fail(error.to_string()))?;
            let all: Vec<IpAddr> = set.after(None).map(|(address, _)| address).collect();
            let last = all[at as usize % all.len()];
            let mut round: Vec<IpAddr> = set.after(Some(last)).map(|(address, _)| address).collect();
            prop_assert_eq!(round.last(), Some(&last));
            round.sort();
            prop_assert_eq!(round, all);
        }
    }
}

mod plans {
    use super::*;

    fn planned(requested: &[&str], taken: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
        let sets = sets(&[&["10.0.0.0/24", "10.0.1.0/24"], &["fd00::/64"]])?;
        let addresses = |texts: &[&str]| -> Result<Vec<IpAddr>, String> {
            texts.iter().map(|text| parsed(text)).collect()
        };
        let taken = addresses(taken)?.into_iter().collect();
        let occupied = Occupied { taken, ..Occupied::default() };
        let wishes = Wishes::new(&sets, &addresses(requested)?);
        let leases = plan(&sets, &wishes, &occupied, "web");
        Ok(match leases {
            Ok(leases) => {
                let text = |lease: &Lease| format!("{} via {}", lease.address, lease.gateway);
                leases.iter().map(text).collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        })
    }

    #[test]
    fn addresses_when_asked_for_then_are_given_and_the_rest_in_turn() -> Tested {
        let free = "10.0.0.2/24 via 10.0.0.1, fd00::2/64 via fd00::1";
        assert_eq!(planned(&[], &[])?, free);
        assert_eq!(
            planned(&["10.0.1.7"], &[])?,
            "10.0.1.7/24 via 10.0.1.1, fd00::2/64 via fd00::1"
        );
        let both = "10.0.1.7/24 via 10.0.1.1, fd00::9/64 via fd00::1";
        assert_eq!(planned(&["fd00::9", "::ffff:10.0.1.7", "10.0.1.7"], &[])?, both);
        assert_eq!(planned(&["10.0.0.2"], &["fd00::2"])?, free.replace("fd00::2", "fd00::3"));
        Ok(())
    }

    #[test]
    fn addresses_when_they_cannot_be_given_then_the_cni_plugins_words_say_so() -> Tested {
        let range = "failed to allocate for range 0: requested";
        let set = "10.0.0.1-10.0.0.254,10.0.1.1-10.0.1.254";
        for (requested, taken, expected) in [
            (vec!["10.0.1.1"], vec![], format!("{range} ip 10.0.1.1 is subnet's gateway")),
            (
                vec!["10.0.1.2"],
                vec!["10.0.1.2"],
                format!("{range} IP address 10.0.1.2 is not available in range set {set}"),
            ),
            (
                vec!["10.0.0.2", "10.0.0.3", "192.0.2.1"],
                vec![],
                "failed to allocate all requested IPs: 10.0.0.3 192.0.2.1".to_owned(),
            ),
        ] {
            assert_eq!(planned(&requested, &taken)?, expected);
        }
        Ok(())
    }

    #[test]
    fn huge_range_when_much_is_taken_then_is_searched_no_further_than_needed() -> Tested {
        let sets = sets(&[&["fd00::/16"]])?;
        let taken = (2..5000_u32)
            .map(|n| IpAddr::from(std::net::Ipv6Addr::from((0xfd00_u128 << 112) + u128::from(n))));
        let occupied = Occupied { taken: taken.collect(), ..Occupied::default() };
        let leases = plan(&sets, &Wishes::new(&sets, &[]), &occupied, "web")?;
        assert_eq!(leases[0].address.to_string(), "fd00::1388/16");
        Ok(())
    }
}

mod holders {
    use super::*;

    #[test]
    fn content_when_written_then_is_read_again() {
        let web = attachment("web");
        assert_eq!(web.content(), "web\r\neth0");
        assert_eq!(Holder::parse(web.content().as_bytes()), Holder::Attachment(web));
    }

    #[test]
    fn content_when_strange_then_only_what_a_crash_leaves_is_nobodys() {
        for content in ["", "\n", "\0\0\0\0\0\0\0\0\0", " \0"] {
            assert_eq!(Holder::parse(content.as_bytes()), Holder::Nobody, "{content:?}");
        }
        for content in ["web", "web\n", "web\r\n"] {
            assert_eq!(Holder::parse(content.as_bytes()), Holder::Container("web".into()));
        }
        for content in ["kept for the printer", "a b\r\neth0", "web\r\n/", "web\0"] {
            assert_eq!(Holder::parse(content.as_bytes()), Holder::Other, "{content:?}");
        }
        assert_eq!(Holder::parse(b"\xff\xfe"), Holder::Other);
    }
}

/// A directory that goes when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> io::Result<Directory> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-ipam-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)?;
        Ok(Directory(path))
    }

    fn network(&self) -> PathBuf {
        self.0.join("net")
    }

    fn write(&self, name: &str, content: &str) -> io::Result<()> {
        fs::create_dir_all(self.network())?;
        fs::write(self.network().join(name), content)
    }

    /// A machine that is started anew after it lost power.
    fn start_anew(&self) {
        // That there was none is as good.
        let _ = fs::remove_file(self.network().join(".portcullis.index"));
    }

    /// `name=content` of each file but the lock and the index, in order.
    fn listing(&self) -> io::Result<Vec<String>> {
        let mut listing = Vec::new();
        for entry in fs::read_dir(self.network())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != "lock" && name != ".portcullis.index" {
                listing.push(format!("{name}={}", fs::read_to_string(path)?.replace("\r\n", "/")));
            }
        }
        listing.sort();
        Ok(listing)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory left behind in /tmp must not turn a test's verdict.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn config(directory: &Directory, texts: &[&[&str]]) -> Result<Config, Box<dyn std::error::Error>> {
    Ok(Config { directory: directory.network(), sets: sets(texts)?, requested: Vec::new() })
}

fn given(config: &Config, container: &str) -> Result<String, Error> {
    let leases = allocate(config, &attachment(container))?;
    Ok(leases.iter().map(|lease| lease.address.address().to_string()).collect::<Vec<_>>().join(" "))
}

mod operations {
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
        assert_eq!(
            error.as_deref(),
            Some("host-local: Failed to find address added by container a")
        );
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
        let expected = "failed to allocate for range 1: no IP addresses available in range set: 10.0.0.1-10.0.0.2";
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
        fs::hard_link(
            directory.network().join("10.0.0.2"),
            directory.network().join(".portcullis"),
        )?;
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
        assert!(
            left.iter().all(|name| fs::symlink_metadata(directory.network().join(name)).is_ok())
        );
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
        let freed: Vec<String> = collect_garbage(&directory.network(), &valid)?
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(freed, ["10.0.0.3", "10.0.0.5", "10.0.0.6"]);
        let left = [
            "10.0.0.2=a/eth0",
            "10.0.0.4=b",
            "10.0.0.7=by hand, for b",
            "last_reserved_ip.0=10.0.0.6",
        ];
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
}

mod indexes {
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
}

mod histories {
    use super::*;

    /// What can happen to a directory.
    #[derive(Debug, Clone)]
    enum Step {
        Add {
            container: u8,
            ifname: u8,
            wish: Option<u8>,
        },
        Del {
            container: u8,
            ifname: u8,
        },
        Gc {
            below: u8,
        },
        /// A crash empties a file, or leaves one that nobody finished.
        Crash {
            host: u8,
        },
        Draft {
            container: u8,
        },
        ForgetLast,
    }

    fn step() -> impl Strategy<Value = Step> {
        let (container, ifname) = (0..6_u8, 0..2_u8);
        let wish = prop::option::weighted(0.3, 0..16_u8);
        prop_oneof![
            6 => (container.clone(), ifname.clone(), wish)
                .prop_map(|(container, ifname, wish)| Step::Add { container, ifname, wish }),
            4 => (container.clone(), ifname)
                .prop_map(|(container, ifname)| Step::Del { container, ifname }),
            1 => container.clone().prop_map(|below| Step::Gc { below }),
            1 => (0..16_u8).prop_map(|host| Step::Crash { host }),
            1 => container.prop_map(|container| Step::Draft { container }),
            1 => Just(Step::ForgetLast),
        ]
    }

    fn of(container: u8, ifname: u8) -> Attachment {
        Attachment { container: format!("c{container}"), ifname: format!("eth{ifname}") }
    }

    fn address(host: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, host])
    }

    /// Walks a history and keeps the books beside it.
    fn walk(steps: &[Step]) -> Tested {
        let directory = Directory::new()?;
        // Hosts 1 to 14, of which 1 is the gateway.
        let mut config =
            config(&directory, &[&["10.0.0.0/28 - 10.0.0.6", "10.0.0.0/28 10.0.0.9"]])?;
        let hosts: Vec<u8> = (2..=6).chain(9..=14).collect();
        let mut books: BTreeMap<IpAddr, Attachment> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add { container, ifname, wish } => {
                    let to = of(*container, *ifname);
                    config.requested = wish.map(address).into_iter().collect();
                    let free = |host: &u8| !books.contains_key(&address(*host));
                    let expected = match wish {
                        Some(host) => hosts.contains(host) && free(host),
                        None => !books.values().any(|it| *it == to) && hosts.iter().any(free),
                    };
                    let leases = allocate(&config, &to);
                    assert_eq!(leases.is_ok(), expected, "{step:?} {leases:?} {books:?}");
                    for lease in leases.unwrap_or_default() {
                        let address = lease.address.address();
                        assert!(
                            hosts.iter().any(|host| super::histories::address(*host) == address)
                        );
                        assert_eq!(books.insert(address, to.clone()), None, "given twice");
                    }
                }
                Step::Del { container, ifname } => {
                    release(&config.directory, &of(*container, *ifname))?;
                    books.retain(|_, it| *it != of(*container, *ifname));
                }
                Step::Gc { below } => {
                    let valid = (0..*below).flat_map(|c| [of(c, 0), of(c, 1)]).collect();
                    collect_garbage(&config.directory, &valid)?;
                    books.retain(|_, it| valid.contains(it));
                }
                Step::Crash { host } => {
                    directory.write(&address(*host).to_string(), "")?;
                    directory.start_anew();
                    books.remove(&address(*host));
                }
                Step::Draft { container } => {
                    directory.write(".portcullis", &of(*container, 0).content())?;
                }
                Step::ForgetLast => directory.write("last_reserved_ip.0", "10.0.")?,
            }
        }
        let files: Vec<String> = directory.listing().unwrap_or_default();
        let files =
            files.into_iter().filter(|file| file.contains('/') && !file.starts_with(".port"));
        let expected =
            books.iter().map(|(address, it)| format!("{address}={}/{}", it.container, it.ifname));
        let mut expected: Vec<String> = expected.collect();
        expected.sort();
        assert_eq!(files.collect::<Vec<_>>(), expected);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// No address is given twice, none is lost, and none is refused that is free.
        #[test]
        fn directory_when_anything_happens_then_agrees_with_the_books(
            steps in prop::collection::vec(step(), 1..60),
        ) {
            walk(&steps).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
    }
}
