//! Programs that a test puts in place to be run.
//!
//! Another process writes them: a file that this process has open for writing is for a moment open
//! in every child that another test's thread forks just then, and whoever runs it in that moment
//! gets ETXTBSY (`execve(2)`).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::netns::run;

/// Writes a shell script that can be run, in place of what is there.
pub fn script(path: impl AsRef<Path>, text: &str) {
    run(install().arg("/dev/stdin").arg(path.as_ref()), &format!("#!/bin/sh\n{text}\n"));
}

/// Copies a program.
pub fn copy(program: impl AsRef<Path>, to: impl AsRef<Path>) {
    run(install().arg(program.as_ref()).arg(to.as_ref()), "");
}

/// Makes a directory with links to these of the machine's programs.
pub fn link(programs: &[&str], directory: &str) {
    fs::create_dir(directory).unwrap_or_else(|e| panic!("mkdir {directory}: {e}"));
    for program in programs {
        let path = ["/usr/bin", "/usr/sbin", "/bin"].map(|place| Path::new(place).join(program));
        let path = path.into_iter().find(|path| path.exists());
        let path = path.unwrap_or_else(|| panic!("no {program}: `cargo xtask setup` installs it"));
        symlink(path, Path::new(directory).join(program))
            .unwrap_or_else(|e| panic!("symlink {program}: {e}"));
    }
}

fn install() -> Command {
    let mut command = Command::new("install");
    command.arg("--mode=755");
    command
}
