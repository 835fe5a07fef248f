//! The binary: picks the applet by the name it is called with, or by its first argument.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    portcullis::applet::run(arguments)
}
