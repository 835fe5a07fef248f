//! What is looked for in one file.

use super::code::{Code, leading_word};
use super::rooms::{EMPTY_NAMES, Room, UNSAFE_ROOM, objection, room_of};

/// The longest file, in lines; about 400 are wanted.
pub const FILE_LINES: usize = 500;
/// The longest function, in lines; about 60 are wanted.
pub const FUNCTION_LINES: usize = 80;

/// One thing that is wrong, at a line.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub line: usize,
    pub message: String,
}

/// Check one file; `path` is relative to `src`, with `/` between its parts.
pub fn check(path: &str, source: &str) -> Vec<Fault> {
    let code = Code::new(source);
    let file = Placed::new(path);
    let mut faults = Vec::new();
    faults.extend(file.name_fault());
    if !file.is_test() {
        faults.extend(door_text(source));
        faults.extend(length(source));
    }
    faults.extend(functions(&code, file.is_door()));
    faults.extend(declared_names(&code));
    if file.module.first() != Some(&UNSAFE_ROOM) {
        let message = format!("`unsafe` outside src/{UNSAFE_ROOM}");
        faults.extend(code.words("unsafe").map(|at| fault(code.line_of(at), message.clone())));
    }
    if let Some(room) = room_of(&file.module) {
        faults.extend(uses(&code, &file, room));
    }
    faults.sort();
    faults.dedup();
    faults
}

fn fault(line: usize, message: impl Into<String>) -> Fault {
    Fault { line, message: message.into() }
}

/// A file's place in the tree of modules.
struct Placed<'a> {
    /// Its module path below `crate`; for a crate's root file empty.
    module: Vec<&'a str>,
    stem: &'a str,
}

impl<'a> Placed<'a> {
    fn new(path: &'a str) -> Self {
        let mut module: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        let stem = module.last().copied().unwrap_or_default();
        if stem == "mod" || (module.len() == 1 && ["main", "lib"].contains(&stem)) {
            module.pop();
        }
        Self { module, stem }
    }

    fn is_door(&self) -> bool {
        self.stem == "mod"
    }

    fn is_test(&self) -> bool {
        self.module.contains(&"tests")
    }

    fn name_fault(&self) -> Option<Fault> {
        let name = self.module.iter().find(|name| EMPTY_NAMES.contains(name))?;
        Some(empty_name(1, name))
    }
}

fn empty_name(line: usize, name: &str) -> Fault {
    fault(line, format!("module name `{name}` says nothing; name the noun that it holds"))
}

fn door_text(source: &str) -> Option<Fault> {
    let missing = !source.starts_with("//!");
    missing.then(|| fault(1, "file does not start with `//!`"))
}

fn length(source: &str) -> Option<Fault> {
    let lines = source.lines().count();
    let message = || format!("file has {lines} lines, more than {FILE_LINES}");
    (lines > FILE_LINES).then(|| fault(FILE_LINES + 1, message()))
}

fn functions(code: &Code, is_door: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    for function in code.functions() {
        let Some(end) = function.end else { continue };
        let (first, last) = (code.line_of(function.at), code.line_of(end - 1));
        let (name, lines) = (function.name, last + 1 - first);
        if is_door {
            faults.push(fault(first, format!("`fn {name}` in a mod.rs, which is only a door")));
        }
        if lines > FUNCTION_LINES {
            let message = format!("`fn {name}` has {lines} lines, more than {FUNCTION_LINES}");
            faults.push(fault(first, message));
        }
    }
    faults
}

fn declared_names(code: &Code) -> Vec<Fault> {
    let named = code.words("mod").filter_map(|at| {
        let name = leading_word(code.text()[at + 3..].trim_start());
        EMPTY_NAMES.contains(&name).then(|| empty_name(code.line_of(at), name))
    });
    named.collect()
}

/// Every path through `crate::` or `super::` that leads where this room must not go.
fn uses(code: &Code, file: &Placed<'_>, room: &Room) -> Vec<Fault> {
    let mut faults = Vec::new();
    for root in ["crate", "super"] {
        for at in code.words(root) {
            let rest = &code.text()[at..];
            for path in paths(rest) {
                let absolute = absolute(&path, &file.module);
                let complaint = absolute.and_then(|path| objection(room, &path));
                faults.extend(complaint.map(|message| fault(code.line_of(at), message)));
            }
        }
    }
    faults
}

/// The paths that a text begins with: one, or as many as its braces `{…}` hold.
fn paths(text: &str) -> Vec<Vec<&str>> {
    let (mut found, mut open) = (Vec::new(), Vec::<usize>::new());
    let mut path: Vec<&str> = Vec::new();
    let mut rest = text;
    loop {
        let word = leading_word(rest);
        if !word.is_empty() {
            path.push(word);
            rest = &rest[word.len()..];
        }
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("::") {
            rest = after.trim_start();
            if let Some(inside) = rest.strip_prefix('{') {
                open.push(path.len());
                rest = inside.trim_start();
            }
            continue;
        }
        found.push(path.clone());
        // A name may be followed by `as other`, and a group by its end.
        if let Some(renamed) = rest.strip_prefix("as ").filter(|_| !open.is_empty()) {
            let renamed = renamed.trim_start();
            rest = renamed[leading_word(renamed).len()..].trim_start();
        }
        rest = rest.trim_start_matches('*').trim_start();
        while let Some(after) = rest.strip_prefix('}').filter(|_| !open.is_empty()) {
            open.pop();
            rest = after.trim_start();
        }
        let (Some(depth), Some(after)) = (open.last(), rest.strip_prefix(',')) else {
            return found;
        };
        path.truncate(*depth);
        rest = after.trim_start();
    }
}

/// A path with its `crate` and `super` resolved; nothing for one that goes on from elsewhere.
fn absolute<'a>(path: &[&'a str], module: &[&'a str]) -> Option<Vec<&'a str>> {
    let (first, rest) = path.split_first()?;
    if *first == "crate" {
        return Some(rest.to_vec());
    }
    let ups = path.iter().take_while(|segment| **segment == "super").count();
    // In a module written inside a file `super` is that file: too high a guess, and harmless.
    let base = &module[..module.len().saturating_sub(ups)];
    Some([base, &path[ups..]].concat())
}
