//! What a runtime tells a plugin beside the configuration.

use std::path::Path;
use std::process::Command;

/// The environment of a call (`CNI_*`), see <https://www.cni.dev/docs/spec/>, "Parameters".
#[derive(Clone, Copy, Debug)]
pub struct CniCall<'a> {
    pub command: &'a str,
    pub container: &'a str,
    pub netns: &'a Path,
    pub ifname: &'a str,
    /// `KEY=VALUE;KEY=VALUE`; nothing if empty.
    pub args: &'a str,
    /// The directory of the plugins.
    pub path: &'a Path,
}

impl<'a> CniCall<'a> {
    /// A call for `eth0`, with Debian's plugins.
    pub fn new(command: &'a str, container: &'a str, netns: &'a Path) -> CniCall<'a> {
        let path = Path::new("/usr/lib/cni");
        CniCall { command, container, netns, ifname: "eth0", args: "", path }
    }

    /// Gives a process this environment and no more than where the tools are.
    pub fn set_on(&self, process: &mut Command) {
        process
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("CNI_COMMAND", self.command)
            .env("CNI_CONTAINERID", self.container)
            .env("CNI_NETNS", self.netns)
            .env("CNI_IFNAME", self.ifname)
            .env("CNI_PATH", self.path);
        if !self.args.is_empty() {
            process.env("CNI_ARGS", self.args);
        }
    }
}
