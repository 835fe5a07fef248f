//! `-m comment`: says something to people, not to the kernel.

use super::module::Module;
use crate::xtables::words::OptionSpec;

/// No expression: the rule's own comment names its owner.
pub(super) static COMMENT: Module =
    Module::new("comment", &[OptionSpec::setting(&["comment"])], |comment| {
        comment.need("comment", "--comment")?;
        Ok(Vec::new())
    });
