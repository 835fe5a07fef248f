//! The table of `docs/iptables.md`: what of iptables is known, and which test is behind it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use portcullis::net::IpVersion;
use portcullis::xtables::{Covered, CoveredOption, Place, command, coverage};

use crate::scenario::blessing;

const BEGIN: &str = "<!-- written by `cargo xtask bless` -->\n";
/// Where all that is refused is seen refused.
const HERE: &str = "golden/coverage.rs";
const END: &str = "<!-- end of what is written -->";

/// The rules that tests compare with those of iptables, or see refused: each with its file.
fn cases() -> Vec<(String, String)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files: Vec<PathBuf> =
        fs::read_dir(tests.join("language")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.ends_with("judge.rs"));
    files.sort();
    files.push(tests.join("conditions.rs"));
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap().replace("\\\"", "'");
        let name = file.strip_prefix(&tests).unwrap().display().to_string();
        for literal in text.split('"').skip(1).step_by(2) {
            let words: Vec<&str> =
                literal.split_whitespace().filter(|word| *word != "\\").collect();
            cases.push((name.clone(), format!(" {} ", words.join(" "))));
        }
    }
    cases
}

/// The file that has a rule with the module and the option.
fn test_of<'a>(
    cases: &'a [(String, String)],
    covered: &Covered,
    option: Option<&CoveredOption>,
) -> Option<&'a str> {
    let name = covered.name;
    let modules = match covered.place {
        Place::Match if name == "icmp6" => {
            [" -m icmp6 ", " -p icmpv6 "].map(str::to_owned).to_vec()
        }
        Place::Match => vec![format!(" -m {name} "), format!(" -p {name} ")],
        Place::Target => vec![format!(" -j {name} ")],
    };
    let names = option.map_or(&[][..], |option| option.names);
    let has_option = |case: &str| {
        names.is_empty() || names.iter().any(|name| case.contains(&format!(" --{name} ")))
    };
    let found = cases
        .iter()
        .find(|(_, case)| has_option(case) && modules.iter().any(|module| case.contains(module)));
    found.map(|(file, _)| file.as_str())
}

fn family(version: Option<IpVersion>) -> &'static str {
    match version {
        None => "both",
        Some(IpVersion::V4) => "IPv4",
        Some(IpVersion::V6) => "IPv6",
    }
}

/// The tables, and the options that no test names.
fn tables() -> (String, Vec<String>) {
    let (cases, all) = (cases(), coverage());
    let (mut text, mut untested) = (String::new(), Vec::new());
    for (place, heading, word) in
        [(Place::Match, "Matches", "-m"), (Place::Target, "Targets", "-j")]
    {
        writeln!(text, "\n### {heading}\n").unwrap();
        writeln!(text, "| {word} | family | option | what becomes of it | test |").unwrap();
        writeln!(text, "| --- | --- | --- | --- | --- |").unwrap();
        for covered in all.iter().filter(|covered| covered.place == place) {
            let (name, of) = (covered.name, family(covered.version));
            if let Some(reason) = covered.refused {
                writeln!(text, "| {name} | {of} | | refused: {reason} | {HERE} |").unwrap();
            } else if covered.options.is_empty() {
                let test = test_of(&cases, covered, None);
                untested.extend(test.is_none().then(|| format!("{word} {name}")));
                writeln!(text, "| {name} | {of} | | native | {} |", test.unwrap_or("none"))
                    .unwrap();
            }
            for option in &covered.options {
                let long = option.names[0];
                let test = match option.refused {
                    None => test_of(&cases, covered, Some(option)),
                    Some(_) => Some(HERE),
                };
                untested.extend(test.is_none().then(|| format!("{word} {name} --{long}")));
                let what = match option.refused {
                    None => "native".to_owned(),
                    Some(reason) => format!("refused: {reason}"),
                };
                let test = test.unwrap_or("none");
                writeln!(text, "| {name} | {of} | `--{long}` | {what} | {test} |").unwrap();
            }
        }
    }
    (text, untested)
}

#[test]
fn coverage_when_generated_then_equals_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/iptables.md");
    let document = fs::read_to_string(&path).unwrap();
    let (head, rest) = document.split_once(BEGIN).expect("where the tables begin");
    let (_, tail) = rest.split_once(END).expect("where the tables end");
    let expected = format!("{head}{BEGIN}{}\n{END}{tail}", tables().0);
    if blessing() {
        fs::write(&path, &expected).unwrap();
        return;
    }
    assert_eq!(document, expected, "cargo xtask bless writes it anew");
}

#[test]
fn coverage_when_an_option_is_known_then_a_test_names_it() {
    let (_, untested) = tables();
    assert!(untested.is_empty(), "no test names {untested:#?}");
}

/// What the words behind `iptables -A INPUT` are refused with.
fn refusal(version: IpVersion, words: &[&str]) -> String {
    let words: Vec<String> =
        ["-A", "INPUT"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    match command(&words, version) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn refusals_when_asked_for_then_say_what_the_document_says() {
    for covered in coverage() {
        let version = covered.version.unwrap_or(IpVersion::V4);
        let place = match covered.place {
            Place::Match => "-m",
            Place::Target => "-j",
        };
        if let Some(reason) = covered.refused {
            let said = refusal(version, &[place, covered.name]);
            assert!(said.ends_with(reason) && said.contains(covered.name), "{said}");
        }
        for option in &covered.options {
            let Some(reason) = option.refused else { continue };
            // --proto is -p first, in iptables too.
            for name in option.names.iter().filter(|name| **name != "proto") {
                let word = format!("--{name}");
                let said = refusal(version, &[place, covered.name, &word]);
                assert!(said.ends_with(reason) && said.contains(&word), "{covered:?}: {said}");
            }
        }
    }
}
