//! The parts that need no kernel.

use nix::errno::Errno;

use super::check_save_file;
use super::classic::errno_text;
use super::clock::date;
use super::save_file::{Fault, Line, line};
use crate::net::IpVersion;
use crate::xtables::Counters;

#[test]
fn dates_are_those_of_ctime() {
    assert_eq!(date(0), "Thu Jan  1 00:00:00 1970");
    assert_eq!(date(951_827_696), "Tue Feb 29 12:34:56 2000");
    assert_eq!(date(1_795_277_408), "Sat Nov 21 16:10:08 2026");
    assert_eq!(date(4_107_542_399), "Sun Feb 28 23:59:59 2100");
    assert_eq!(date(4_107_542_400), "Mon Mar  1 00:00:00 2100");
}

#[test]
fn lines_of_a_save_file_are_read_as_they_are_meant() {
    let counters = Some(Counters { packets: 1, bytes: 60 });
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned().into()).collect();
    assert_eq!(line("*nat"), Ok(Line::Table("nat")));
    assert_eq!(line("# *nat"), Ok(Line::Comment));
    assert_eq!(line("COMMIT"), Ok(Line::Commit));
    assert_eq!(line(":A - [1:60]"), Ok(Line::Chain { name: "A", policy: "-", counters }));
    assert_eq!(line(":A -"), Ok(Line::Chain { name: "A", policy: "-", counters: None }));
    let rule = |counters, all: &[&str]| Ok(Line::Rule { counters, words: words(all) });
    assert_eq!(line("[1:60] -A A"), rule(counters, &["-A", "A"]));
    let read = line(r#"-A A --comment "a \"b\" \\" --comment "" x"y z"w"#);
    let all = ["-A", "A", "--comment", r#"a "b" \"#, "--comment", "", "xy z", "w"];
    assert_eq!(read, rule(None, &all));
    assert_eq!(line(":"), Err(Fault::ChainName));
    assert_eq!(line(":A"), Err(Fault::Policy));
    assert_eq!(line("[1] -A A"), Err(Fault::Counters));
    assert_eq!(line("-A \"A"), Err(Fault::Quote));
}

#[test]
fn errors_of_the_kernel_are_in_the_words_of_glibc() {
    // All that nf_tables and files answer.
    let table = [
        (Errno::EPERM, "Operation not permitted"),
        (Errno::ENOENT, "No such file or directory"),
        (Errno::EINTR, "Interrupted system call"),
        (Errno::EIO, "Input/output error"),
        (Errno::E2BIG, "Argument list too long"),
        (Errno::EAGAIN, "Resource temporarily unavailable"),
        (Errno::ENOMEM, "Cannot allocate memory"),
        (Errno::EACCES, "Permission denied"),
        (Errno::EBUSY, "Device or resource busy"),
        (Errno::EEXIST, "File exists"),
        (Errno::ENODEV, "No such device"),
        (Errno::ENOTDIR, "Not a directory"),
        (Errno::EISDIR, "Is a directory"),
        (Errno::EINVAL, "Invalid argument"),
        (Errno::ENFILE, "Too many open files in system"),
        (Errno::EMFILE, "Too many open files"),
        (Errno::ENOSPC, "No space left on device"),
        (Errno::EROFS, "Read-only file system"),
        (Errno::EMLINK, "Too many links"),
        (Errno::ERANGE, "Numerical result out of range"),
        (Errno::ENAMETOOLONG, "File name too long"),
        (Errno::ELOOP, "Too many levels of symbolic links"),
        (Errno::EOVERFLOW, "Value too large for defined data type"),
        (Errno::EPROTONOSUPPORT, "Protocol not supported"),
        (Errno::EOPNOTSUPP, "Operation not supported"),
        (Errno::EAFNOSUPPORT, "Address family not supported by protocol"),
        (Errno::ENOBUFS, "No buffer space available"),
    ];
    let found = table.map(|(errno, _)| errno_text(errno as i32));
    assert_eq!(found, table.map(|(_, text)| text));
}

#[test]
fn a_save_file_is_read_without_a_kernel() {
    let file = "*filter\n:INPUT DROP [1:2]\n[3:4] -A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n";
    assert_eq!(check_save_file(file, IpVersion::V4).ok(), Some(2));
    let fault = check_save_file("*filter\n-A INPUT -p what\nCOMMIT\n", IpVersion::V4);
    assert_eq!(
        fault.map_err(|error| (error.code(), error.to_string().contains("line 2"))),
        Err((2, true))
    );
}
