//! Namespaces, and the two families of programs that run in them.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::lab::{Netns, feed};

/// Whose programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// iptables-nft 1.8.9.
    Real,
    Ours,
}

/// What a call answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Family {
    /// Runs a program of the family, by its name, in a namespace.
    pub fn call(self, netns: &Netns, words: &[String], input: &str) -> Answer {
        let binary = match self {
            Family::Real => "/usr/sbin/xtables-nft-multi",
            Family::Ours => env!("CARGO_BIN_EXE_portcullis"),
        };
        let mut command = Command::new(binary);
        command.arg0(&words[0]).args(&words[1..]).env("TZ", "UTC");
        let output = netns.enter(|| feed(&mut command, input));
        Answer {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// `iptables-save` or `ip6tables-save`, without its comments.
    pub fn saved(self, netns: &Netns, program: &str) -> Vec<String> {
        let answer = self.call(netns, &[program.to_owned()], "");
        assert_eq!(answer.code, Some(0), "{program}: {answer:?}");
        let is_line = |line: &&str| !line.starts_with("# Generated") && !line.starts_with("# Comp");
        answer.out.lines().filter(is_line).map(str::to_owned).collect()
    }
}
