//! Keeping what plugins were called with, to learn from and to make fixtures of.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::lab;

/// Where a recording plugin writes, in a test's own mount namespace.
const CALLS: &str = "/run/calls";

/// Keeps environment, input, output and exit code of each call in files of its own.
const RECORDER: &str = r#"call=CALLS/$(/usr/bin/date +%s.%N).${0##*/}.$CNI_COMMAND
/usr/bin/env | /usr/bin/grep ^CNI_ > "$call.env"
/usr/bin/cat > "$call.stdin"
PLUGIN < "$call.stdin" > "$call.stdout" 2> "$call.stderr"
code=$?
/usr/bin/cat "$call.stdout"
/usr/bin/cat "$call.stderr" >&2
echo $code > "$call.code"
exit $code
"#;

/// Where recordings are kept, if they are: the environment variable `PORTCULLIS_TEST_RECORD`.
pub fn directory() -> Option<PathBuf> {
    std::env::var_os("PORTCULLIS_TEST_RECORD").map(PathBuf::from)
}

/// Puts a script in `plugin`'s place that records each call before it hands it on.
pub fn install(plugin: &Path, place: &Path) {
    fs::create_dir_all(CALLS).unwrap_or_else(|e| panic!("mkdir {CALLS}: {e}"));
    let script = RECORDER.replace("PLUGIN", &plugin.to_string_lossy()).replace("CALLS", CALLS);
    lab::script(place, &script);
}

/// Writes what was recorded as JSON, in the order of the calls: `DIRECTORY/NAME/003-bridge-ADD.json`.
pub fn keep(name: &str) {
    let Some(directory) = directory() else { return };
    let directory = directory.join(name);
    fs::create_dir_all(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let calls: BTreeSet<String> = fs::read_dir(CALLS)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            entry.file_name().to_string_lossy().strip_suffix(".code").map(str::to_owned)
        })
        .collect();
    for (number, call) in calls.iter().enumerate() {
        let mut words = call.split('.').skip(2);
        let [plugin, command] = [(); 2].map(|()| words.next().unwrap_or_default());
        let file = directory.join(format!("{number:03}-{plugin}-{command}.json"));
        let text = serde_json::to_string_pretty(&read(call, plugin)).expect("a value is JSON");
        fs::write(&file, text + "\n").unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }
}

fn read(call: &str, plugin: &str) -> Value {
    let part =
        |suffix: &str| fs::read_to_string(format!("{CALLS}/{call}.{suffix}")).unwrap_or_default();
    let parsed = |suffix: &str| serde_json::from_str::<Value>(&part(suffix)).unwrap_or(Value::Null);
    let variable = |line: &str| line.split_once('=').map(|(k, v)| (k.to_owned(), v.into()));
    let env: Map<String, Value> = part("env").lines().filter_map(variable).collect();
    json!({
        "plugin": plugin,
        "env": env,
        "stdin": parsed("stdin"),
        "stdout": parsed("stdout"),
        "exit": part("code").trim().parse::<i32>().ok(),
    })
}
