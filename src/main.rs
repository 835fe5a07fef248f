//! The binary: picks the applet by the name it is called with, or by its first argument.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::applet::run(&std::env::args_os().collect::<Vec<_>>())
}
