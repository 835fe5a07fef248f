use super::*;
use crate::{netlink, nft, ruleset};

#[test]
fn fault_when_an_error_is_of_another_room_then_says_what_can_be_done() {
    let too_large = netlink::Error::TooLarge { bytes: 2, limit: 1 };
    for (error, fault) in [
        (nft::Error::NotPermitted, Fault::Firewall),
        (nft::Error::Netlink(too_large), Fault::Firewall),
        (nft::Error::Refused(vec![]), Fault::Firewall),
        (nft::Error::Unsupported { feature: "x", needs: "y" }, Fault::KernelLacks),
        (nft::Error::Unsteady { attempts: 9 }, Fault::TryAgain),
    ] {
        assert_eq!(Error::Nft(error).fault(), fault);
    }
    let contended = ruleset::Error::Contended { attempts: 3 };
    assert_eq!(Error::Ruleset(contended).fault(), Fault::TryAgain);
    let foreign =
        ruleset::Error::ForeignChain { table: "inet t".to_owned(), chain: "c".to_owned() };
    assert_eq!(Error::Ruleset(foreign).fault(), Fault::NotOurs);
}
