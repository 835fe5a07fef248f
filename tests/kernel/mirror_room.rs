//! How much room mirrors take, and what they do where there is none.

use std::fs;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use portcullis::nft::Change;

use crate::mirrors::{
    Deed, act, add, assert_read, assert_right, begin, commit, file, filter, listed, rule, t,
};

#[test]
fn mirror_when_changes_have_doubled_it_then_is_begun_anew() {
    begin(300);
    assert_read(false);
    let mut begun = 0;
    for round in 0..150 {
        let before = file();
        commit((0..8).map(|at| add(rule(2000 + round * 8 + at))).collect());
        let rules = listed();
        let last = rules[rules.len() - 8..].iter().map(|rule| rule.decode().unwrap());
        commit(last.map(|rule| Change::DeleteRule(filter(), t(), rule)).collect());
        begun += usize::from(file() != before);
        if round % 10 == 0 {
            assert_right("");
        }
        let size = file().map_or(0, |file| fs::metadata(file).unwrap().len());
        assert!(size < 500_000, "{size}");
    }
    assert!(begun > 0, "it grew without end");
    assert_eq!(listed().len(), 300);
}

#[test]
fn directories_of_others_when_nobody_wrote_for_an_hour_then_are_removed() {
    begin(100);
    let all = Path::new("/run/portcullis/mirrors");
    let make = |name: &str, age: u64| {
        let ledger = all.join(name).join("ledger");
        fs::create_dir_all(all.join(name)).unwrap();
        fs::write(&ledger, "of another").unwrap();
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        fs::File::open(&ledger).unwrap().set_modified(time).unwrap();
    };
    make("abc", 60 * 61);
    make("def", 60 * 59);
    for own in ["/run/portcullis", "/run/portcullis/mirrors"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(own, mode).unwrap();
    }
    assert_right("");
    assert!(!all.join("abc").exists() && all.join("def").exists());
}

/// Small hosts have a small `/run`, which others need.
#[test]
fn mirror_when_run_would_be_half_full_then_is_not_kept() {
    begin(100);
    let resize = |size: &str| {
        let options = format!("size={size}");
        let flags = MsFlags::MS_REMOUNT;
        mount(None::<&str>, "/run", None::<&str>, flags, Some(options.as_str())).unwrap();
    };
    resize("64k");
    assert_right("in 64 KiB");
    assert_eq!(file(), None);
    resize("1m");
    fs::write("/run/others", vec![1; 500 << 10]).unwrap();
    assert_right("in 1 MiB, of which half is taken");
    assert_eq!(file(), None);
    fs::remove_file("/run/others").unwrap();
    assert_read(false);
    assert_read(true);
    resize("0");
    act(Deed::Foreign, 1);
    assert_read(false);
    assert_read(true);
}

#[test]
fn mirror_when_no_space_is_left_for_a_change_then_ends() {
    begin(100);
    let options = Some("size=1m");
    mount(None::<&str>, "/run", None::<&str>, MsFlags::MS_REMOUNT, options).unwrap();
    assert_read(false);
    let full = fs::write("/run/others", vec![1; 2 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    let mirror = file();
    for number in 1000..1020 {
        act(Deed::Add, number);
        assert_right("on a full file system");
    }
    assert!(mirror.is_some() && file().is_none(), "no more rules fit behind it");
    fs::remove_file("/run/others").unwrap();
    assert_read(false);
    assert_read(true);
}

#[test]
fn mirror_when_others_have_all_the_room_then_is_not_kept() {
    begin(100);
    let other = Path::new("/run/portcullis/mirrors/abc");
    fs::create_dir_all(other).unwrap();
    for own in ["/run/portcullis", "/run/portcullis/mirrors"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(own, mode).unwrap();
    }
    let long = fs::File::create(other.join("0")).unwrap();
    long.set_len((64 << 20) - 1000).unwrap();
    let own = || {
        let all = fs::read_dir("/run/portcullis/mirrors").unwrap().map(|own| own.unwrap().path());
        all.filter(|own| own != other).map(|own| fs::read_dir(own).unwrap().count()).sum::<usize>()
    };
    assert_right("no room");
    assert_eq!(own(), 0);
    long.set_len(32 << 20).unwrap();
    assert_right("room");
    assert_eq!(own(), 2);
}
