//! `-j NFQUEUE`: a process decides over the packet.

use crate::nft::Expr;
use crate::nft::expr::{Queue, QueueFlags, QueueTarget};
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::number::number16;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::OptionSpec;

/// `queue flags bypass,fanout to 0-3`.
pub(super) static NFQUEUE: Module = Module::new(
    "NFQUEUE",
    &[
        OptionSpec::setting(&["queue-num"]),
        OptionSpec::setting(&["queue-balance"]),
        OptionSpec::flag(&["queue-bypass"]),
        OptionSpec::flag(&["queue-cpu-fanout"]),
    ],
    build,
)
.read_by(142, read, list);

fn build(nfqueue: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let (first, total) = match (nfqueue.find("queue-num"), nfqueue.find("queue-balance")) {
        (Some(first), Some(second)) => return Err(conflict(second, first)),
        (None, None) => (0, 1),
        (Some(given), None) => {
            let bad = || given.bad(given.value(), "the number of a queue, 0 to 65535");
            (number16(given.value()).ok_or_else(bad)?, 1)
        }
        (None, Some(given)) => {
            let bad = || given.bad(given.value(), "a range of queues, FIRST:LAST");
            let (first, last) = given.value().split_once(':').ok_or_else(bad)?;
            let (first, last) = (number16(first).ok_or_else(bad)?, number16(last).ok_or_else(bad)?);
            // As many as the kernel can count.
            if first >= last || (first, last) == (0, u16::MAX) {
                return Err(bad());
            }
            (first, last - first + 1)
        }
    };
    let fanout = nfqueue.find("queue-cpu-fanout");
    if let (Some(given), 1) = (fanout, total) {
        let (word, needs) = (given.word.to_owned(), "--queue-balance");
        return Err(Error::NeedsValue { word, needs });
    }
    let bypass = nfqueue.find("queue-bypass").map_or(0, |_| QueueFlags::BYPASS);
    let flags = QueueFlags(bypass | fanout.map_or(0, |_| QueueFlags::FANOUT));
    Ok(vec![Queue { target: QueueTarget::Numbers { first, total }, flags }.into()])
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Queue(Queue { target: QueueTarget::Numbers { first, total }, flags })] = span.exprs
    else {
        return None;
    };
    let mut settings = vec![match total {
        0 | 1 => Setting::new("queue-num", first.to_string()),
        total => {
            let last = u32::from(*first) + u32::from(*total) - 1;
            Setting::new("queue-balance", format!("{first}:{last}"))
        }
    }];
    let has = |flag: u16| flags.0 & flag != 0;
    settings.extend(has(QueueFlags::BYPASS).then(|| Setting::flag("queue-bypass")));
    settings.extend(has(QueueFlags::FANOUT).then(|| Setting::flag("queue-cpu-fanout")));
    Some(settings)
}

/// `NFQUEUE num 3`, `NFQUEUE balance 1:3 bypass`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let word = |setting: &Setting| match (setting.name, setting.values.first()) {
        (name, Some(value)) => format!("{} {value}", name.trim_start_matches("queue-")),
        ("queue-cpu-fanout", None) => "cpu-fanout".to_owned(),
        (_, None) => "bypass".to_owned(),
    };
    let words = settings.iter().map(word);
    std::iter::once("NFQUEUE".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
