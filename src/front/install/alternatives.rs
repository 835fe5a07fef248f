//! The alternatives of Debian and its relatives: which program a name in `/usr/sbin` leads to.
//!
//! See update-alternatives(1). The links are changed by that program alone, so that its books stay
//! right; what it says is read, not its files.

use std::io::ErrorKind;
use std::process::Command;

use super::error::Error;

const PROGRAM: &str = "update-alternatives";

/// A name with the programs that it can lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// Where the link is: `/usr/sbin/iptables`.
    pub(super) link: String,
    /// Whether somebody chose, or the highest priority wins.
    pub(super) is_manual: bool,
    /// What it leads to; none if to nothing.
    pub(super) value: Option<String>,
    /// What it can lead to, and the priorities.
    pub(super) choices: Vec<(String, i64)>,
}

impl Group {
    /// A name's group; `None` where it has none, or where there are no alternatives at all.
    pub(super) fn query(name: &str) -> Result<Option<Self>, Error> {
        let asked = Command::new(PROGRAM).env("LC_ALL", "C").args(["--query", name]).output();
        match asked {
            Ok(answer) if answer.status.success() => {
                Ok(Some(Group::parse(&String::from_utf8_lossy(&answer.stdout))))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Error::file("run", PROGRAM)(cause)),
        }
    }

    /// Reads `update-alternatives --query`: paragraphs of `Key: value`.
    pub(super) fn parse(text: &str) -> Self {
        let mut group = Group::default();
        let mut path = None;
        for (key, value) in text.lines().filter_map(|line| line.split_once(": ")) {
            match key {
                "Link" => value.clone_into(&mut group.link),
                "Status" => group.is_manual = value == "manual",
                "Value" => group.value = Some(value.to_owned()).filter(|value| value != "none"),
                "Alternative" => path = Some(value.to_owned()),
                "Priority" => {
                    let choice = path.take().zip(value.parse().ok());
                    group.choices.extend(choice);
                }
                _ => {}
            }
        }
        group
    }

    /// Whether a program is one that it can lead to.
    pub(super) fn has(&self, path: &str) -> bool {
        self.choices.iter().any(|(choice, _)| choice == path)
    }

    /// A priority above all that others have.
    pub(super) fn above(&self, own: &str) -> i64 {
        let others = self.choices.iter().filter(|(path, _)| path != own);
        others.map(|(_, priority)| *priority).max().unwrap_or(0) + 10
    }
}

/// `update-alternatives --install LINK NAME PATH PRIORITY --slave …`: the slaves lead to the same
/// program, which knows by its name what it is called for.
pub(super) fn add(name: &str, group: &Group, path: &str, slaves: &[String]) -> Result<(), Error> {
    let priority = group.above(path).to_string();
    let directory = group.link.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut words: Vec<String> =
        ["--install", &group.link, name, path, &priority].map(str::to_owned).to_vec();
    for slave in slaves {
        let link = format!("{directory}/{slave}");
        words.extend(["--slave".to_owned(), link, slave.clone(), path.to_owned()]);
    }
    run(&words)
}

/// `update-alternatives --set NAME PATH`.
pub(super) fn choose(name: &str, path: &str) -> Result<(), Error> {
    run(&["--set", name, path].map(str::to_owned))
}

/// `update-alternatives --auto NAME`.
pub(super) fn choose_best(name: &str) -> Result<(), Error> {
    run(&["--auto", name].map(str::to_owned))
}

/// `update-alternatives --remove NAME PATH`.
pub(super) fn remove(name: &str, path: &str) -> Result<(), Error> {
    run(&["--remove", name, path].map(str::to_owned))
}

fn run(words: &[String]) -> Result<(), Error> {
    let answer = Command::new(PROGRAM).env("LC_ALL", "C").args(words).output();
    let answer = answer.map_err(Error::file("run", PROGRAM))?;
    if answer.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
    Err(Error::Alternatives { command: format!("{PROGRAM} {}", words.join(" ")), said })
}
