//! A container's file system: busybox, and a page that says whose it is.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::lab::copy;

/// The command of every container: a web server that serves the page.
pub const COMMAND: [&str; 4] = ["/bin/httpd", "-f", "-h", "/www"];

/// Makes the file system of the container `name`.
pub fn make(name: &str) -> PathBuf {
    let root = Path::new("/run/rootfs").join(name);
    let program = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|p| Path::new(p).exists());
    let program = program.expect("no busybox: apt-get install busybox-static");
    for directory in ["bin", "www", "proc", "sys", "dev", "etc", "run", "tmp"] {
        fs::create_dir_all(root.join(directory)).expect("a directory on tmpfs");
    }
    copy(program, root.join("bin/busybox"));
    for applet in ["httpd", "sh", "sleep", "ip"] {
        symlink("busybox", root.join("bin").join(applet)).expect("an applet's name");
    }
    fs::write(root.join("www/index.html"), format!("page of {name}\n")).expect("write the page");
    root
}

/// `GET /` from a web server; the last line of the answer, or what went wrong.
pub fn fetch(authority: &str) -> String {
    let answer = || -> std::io::Result<String> {
        let address: SocketAddr = authority.parse().expect("address:port");
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(800))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text.lines().last().unwrap_or_default().to_owned())
    };
    answer().unwrap_or_else(|error| error.to_string())
}
