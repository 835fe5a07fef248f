//! The lines of a long chain, made in parts at the same time: 10,000 rules take one processor some
//! 30 ms to put into words.

use std::io::Write;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{Builder, available_parallelism, scope};

use super::error::Error;

/// How many rules are worth a thread, which takes 0.1 ms to begin.
const WORTH_A_THREAD: usize = 1000;
/// Not more parts than these, however many processors there are.
const MOST: usize = 4;
/// How long a line is, more or less.
const LINE: usize = 128;

/// Prints `line` of each thing and its number, from 1, in order.
///
/// # Errors
/// As `line`; or of `out`.
pub(super) fn print_each<T: Sync>(
    all: &[T],
    line: impl Fn(usize, &T, &mut Vec<u8>) -> Result<(), Error> + Sync,
    out: &mut impl Write,
) -> Result<(), Error> {
    let texts = in_parts(all, |first, part| {
        let mut text = Vec::with_capacity(part.len() * LINE);
        for (number, one) in (first + 1..).zip(part) {
            line(number, one, &mut text)?;
        }
        Ok::<_, Error>(text)
    });
    texts.into_iter().try_for_each(|text| Ok(out.write_all(&text?)?))
}

/// What `work` makes of consecutive parts of a list, each with the place where it begins; of a
/// short one as a whole.
fn in_parts<T: Sync, R: Send>(all: &[T], work: impl Fn(usize, &[T]) -> R + Sync) -> Vec<R> {
    let processors = || available_parallelism().map_or(1, NonZero::get);
    let parts = match all.len() / WORTH_A_THREAD {
        0 | 1 => 1,
        worth => worth.min(MOST).min(processors()),
    };
    let size = all.len().div_ceil(parts).max(1);
    let mut parts = (0..).step_by(size).zip(all.chunks(size));
    let Some((_, first)) = parts.next() else { return Vec::new() };
    scope(|scope| {
        let work = &work;
        let others: Vec<_> = parts
            .map(|(at, part)| {
                (at, part, Builder::new().spawn_scoped(scope, move || work(at, part)))
            })
            .collect();
        let mut done = vec![work(0, first)];
        done.extend(others.into_iter().map(|(at, part, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // No more threads may be had: one's own will do.
            Err(_) => work(at, part),
        }));
        done
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{WORTH_A_THREAD, in_parts, print_each};

    #[test]
    fn print_each_when_printed_in_parts_then_has_the_lines_in_order_with_their_numbers() {
        for length in [0, 1, WORTH_A_THREAD, 2 * WORTH_A_THREAD, 5 * WORTH_A_THREAD + 7] {
            let all: Vec<usize> = (0..length).collect();
            let line = |number: usize, one: &usize, text: &mut Vec<u8>| {
                Ok(writeln!(text, "{number} {one}")?)
            };
            let mut printed = Vec::new();
            assert!(print_each(&all, line, &mut printed).is_ok());
            let wanted: String = all.iter().map(|one| format!("{} {one}\n", one + 1)).collect();
            assert_eq!(printed, wanted.as_bytes());
        }
    }

    #[test]
    fn in_parts_when_short_then_is_one() {
        assert_eq!(in_parts(&[1, 2, 3], |at, part| (at, part.len())), [(0, 3)]);
    }
}
