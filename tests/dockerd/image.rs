//! The image of every container: busybox, and nothing from a registry.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::host::Host;
use crate::lab::{copy, run};

/// What a container is made of.
pub const NAME: &str = "busybox";
/// A container's command: its servers are the test's, in its network namespace.
pub const COMMAND: [&str; 2] = ["/bin/sleep", "600"];

/// `docker import`: makes the image known to the daemon of a host.
pub fn import(host: &Host) {
    let root = Path::new("/run/image");
    let program = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|p| Path::new(p).exists());
    let program = program.expect("no busybox: apt-get install busybox-static");
    for directory in ["bin", "proc", "sys", "dev", "etc", "run", "tmp"] {
        fs::create_dir_all(root.join(directory)).expect("a directory on tmpfs");
    }
    copy(program, root.join("bin/busybox"));
    symlink("busybox", root.join("bin/sleep")).expect("an applet's name");
    run(Command::new("tar").args(["-C", "/run/image", "-cf", "/run/image.tar", "."]), "");
    host.inside.run(&["docker", "import", "/run/image.tar", NAME]);
}
