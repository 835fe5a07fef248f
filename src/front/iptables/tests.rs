//! The parts that need no kernel.

use super::clock::date;

#[test]
fn dates_are_those_of_ctime() {
    assert_eq!(date(0), "Thu Jan  1 00:00:00 1970");
    assert_eq!(date(951_827_696), "Tue Feb 29 12:34:56 2000");
    assert_eq!(date(1_795_277_408), "Sat Nov 21 16:10:08 2026");
    assert_eq!(date(4_107_542_399), "Sun Feb 28 23:59:59 2100");
    assert_eq!(date(4_107_542_400), "Mon Mar  1 00:00:00 2100");
}
