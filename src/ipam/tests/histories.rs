//! Random histories of a directory, with the books kept beside it.

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
    let mut config = config(&directory, &[&["10.0.0.0/28 - 10.0.0.6", "10.0.0.0/28 10.0.0.9"]])?;
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
                    assert!(hosts.iter().any(|host| super::histories::address(*host) == address));
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
    let files = files.into_iter().filter(|file| file.contains('/') && !file.starts_with(".port"));
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
