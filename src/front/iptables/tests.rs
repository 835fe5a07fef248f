//! The parts that need no kernel.

use nix::errno::Errno;

use super::check_save_file;
use super::classic::errno_text;
use super::clock::date;
use super::list_ages::ListAges;
use super::save_file::{Fault, Line, line};
use super::survey::{hidden_refusal, refusal, refused_lines};
use crate::net::IpVersion;
use crate::nft::expr::Opaque;
use crate::nft::{Expr, Rule, Userdata};
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

/// Number and reason of each line that is refused.
fn refused(text: impl AsRef<[u8]>) -> Vec<(Option<usize>, String)> {
    let lines = refused_lines("/f", text.as_ref(), IpVersion::V4);
    lines.into_iter().map(|line| (line.line, line.reason)).collect()
}

const HITCOUNT: &str =
    "option --hitcount is not supported: a set remembers the last time only, not how often";

#[test]
fn refused_lines_when_several_are_then_all_are_named() {
    let file = "*filter\n:ufw-user-input - [0:0]\n:ufw-user-limit - [0:0]\n### RULES ###\n\
        -A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set\n\
        -A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j ufw-user-limit\n\
        -A ufw-user-input -p tcp --dport 22 -j ACCEPT\n\
        -A ufw-user-input -m set --match-set bad src -j DROP\n\
        -A ufw-user-limit -m limit --limit 3/minute -j LOG --log-prefix \"[UFW LIMIT BLOCK] \"\n\
        COMMIT\n*nat\n-A PREROUTING -m recent --rcheck --hitcount 2\nCOMMIT\n";
    let set = "match \"set\" has no native nftables form: rules cannot reach the sets of ipset(8), only sets of their own table";
    let expected = [(6, HITCOUNT), (8, set), (12, HITCOUNT)];
    assert_eq!(refused(file), expected.map(|(line, reason)| (Some(line), reason.to_owned())));
}

#[test]
fn refused_lines_when_the_file_is_right_then_there_are_none() {
    for file in ["", "# nothing\n", "*filter\n:INPUT DROP\n-A INPUT -j ACCEPT\nCOMMIT"] {
        assert_eq!(refused(file), []);
    }
}

#[test]
fn refused_lines_when_a_line_is_none_then_it_is_named_once() {
    let bad = |line, reason: &str| vec![(Some(line), reason.to_owned())];
    // What is in a table that is none is not judged.
    let text = "*broute\n:X - [0:0]\n-A X -p what\nCOMMIT\n*filter\n-A INPUT -j DROP\nCOMMIT\n";
    assert_eq!(refused(text), bad(1, "iptables-restore: line 1 table name 'broute' invalid"));
    assert_eq!(refused("*filter\n-A INPUT -j DROP\n"), bad(3, "COMMIT expected"));
    assert_eq!(refused("-A INPUT -j DROP\n"), bad(1, "it stands outside of a table"));
    assert_eq!(
        refused("*nat\n:INPUT DROP [0:0]\nCOMMIT\n"),
        bad(
            2,
            "The \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited."
        )
    );
    assert_eq!(refused(b"*filter\n# \xff\nCOMMIT\n"), bad(2, "`# \u{fffd}' is not UTF-8"));
}

#[test]
fn refusal_when_words_have_a_native_form_then_there_is_none() {
    let refusal = |words: &str| {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let ages = &mut ListAges::default();
        refusal("X", &words, IpVersion::V4, ages).map(|error| error.to_string())
    };
    assert_eq!(refusal("-m recent --rcheck --hitcount 6 -j DROP").as_deref(), Some(HITCOUNT));
    assert_eq!(refusal("-m recent --rcheck --seconds 6 -j DROP"), None);
    // What docs/iptables.md has in the place of `ufw limit`.
    assert_eq!(
        refusal(
            "-p tcp --dport 22 -m conntrack --ctstate NEW -m hashlimit --hashlimit-name ssh --hashlimit-mode srcip --hashlimit-above 6/minute --hashlimit-burst 6 -j DROP"
        ),
        None
    );
}

#[test]
fn refused_lines_when_rules_of_a_list_want_two_times_then_the_second_is_named() {
    let text = "*filter\n-A INPUT -m recent --set\n-A INPUT -m recent --update --seconds 60\n\
        -A INPUT -m recent --name other --rcheck --seconds 5\n\
        -A INPUT -m recent --rcheck --seconds 30 -j DROP\n-A INPUT -p what\nCOMMIT\n\
        *raw\n-A PREROUTING -m recent --rcheck --seconds 30\nCOMMIT\n";
    let lines: Vec<_> = refused(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [Some(5), Some(6)]);
}

#[test]
fn hidden_refusal_when_a_module_is_refused_with_any_words_then_it_is_named() {
    let hidden = |kind: &str, name: &[u8; 4]| {
        // An attribute of eight bytes, the module's name.
        let data = [8_u16.to_ne_bytes(), 1_u16.to_ne_bytes()].concat();
        let data = [data.as_slice(), name].concat();
        let exprs = vec![Expr::Other(Opaque { name: kind.to_owned(), data })];
        let rule = Rule { exprs, userdata: Userdata::new() };
        hidden_refusal("X", &rule, IpVersion::V4).map(|(words, _)| words)
    };
    assert_eq!(hidden("match", b"set\0").as_deref(), Some("-m set …"));
    assert_eq!(hidden("target", b"SET\0").as_deref(), Some("-j SET …"));
    // One whose words could be right, one that iptables does not know, and no module of xtables.
    assert_eq!(hidden("match", b"tcp\0"), None);
    assert_eq!(hidden("match", b"abc\0"), None);
    assert_eq!(hidden("other", b"set\0"), None);
}
