//! Work on the rules of a long chain, in parts at the same time: a table of 10,000 rules is some
//! 20 ms of one processor to put into words.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{Builder, available_parallelism, scope};

/// How many rules are worth a thread, which takes 0.1 ms to begin.
const WORTH_A_THREAD: usize = 1000;
/// More parts than these were not seen to help.
const MOST: usize = 4;

/// What `work` makes of consecutive parts of a list, in order; of a short one as a whole.
pub(super) fn in_parts<T: Sync, R: Send>(all: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let processors = || available_parallelism().map_or(1, NonZero::get);
    let parts = match all.len() / WORTH_A_THREAD {
        0 | 1 => 1,
        worth => worth.min(MOST).min(processors()),
    };
    let mut parts = all.chunks(all.len().div_ceil(parts).max(1));
    let first = parts.next().unwrap_or_default();
    scope(|scope| {
        let work = &work;
        let others: Vec<_> = parts
            .map(|part| (part, Builder::new().spawn_scoped(scope, move || work(part))))
            .collect();
        let mut done = vec![work(first)];
        done.extend(others.into_iter().map(|(part, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // No more threads may be had: one's own will do.
            Err(_) => work(part),
        }));
        done
    })
}

#[cfg(test)]
mod tests {
    use super::{WORTH_A_THREAD, in_parts};

    #[test]
    fn in_parts_when_put_together_then_are_the_list_in_order() {
        for length in [0, 1, WORTH_A_THREAD, 2 * WORTH_A_THREAD, 5 * WORTH_A_THREAD + 7] {
            let all: Vec<usize> = (0..length).collect();
            let parts = in_parts(&all, <[usize]>::to_vec);
            assert_eq!(parts.concat(), all);
        }
    }

    #[test]
    fn in_parts_when_short_then_is_one() {
        assert_eq!(in_parts(&[1, 2, 3], <[i32]>::len), [3]);
    }
}
