//! `-m comment`: says something to people, not to the kernel.

use crate::xtables::module::Module;
use crate::xtables::setting::find;
use crate::xtables::words::OptionSpec;

/// No expression: the first is the comment of the rule, which nft shows too. Any other is in the
/// note of its part.
pub(super) static COMMENT: Module =
    Module::new("comment", &[OptionSpec::setting(&["comment"])], |comment| {
        comment.need("comment", "--comment")?;
        Ok(Vec::new())
    })
    .read_by(
        1,
        // A rule keeps it in its userdata and in the notes, not in expressions.
        |_| None,
        |settings, _| {
            let comment = find(settings, "comment").map_or("", |comment| comment.value());
            format!("/* {comment} */")
        },
    );
