//! What is random in a run: host interfaces' names get a number, MAC addresses one word.

/// The random names of one side, in the order in which they were seen.
#[derive(Default)]
pub struct Names {
    veths: Vec<String>,
}

/// Addresses that a configuration or the topology gives have this beginning, and stay.
const CHOSEN: &str = "02:00:00:";

impl Names {
    /// `text` with its random words numbered.
    pub fn clean(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (word, length) = if let Some(veth) = veth(rest) {
                (format!("veth#{}", number(&mut self.veths, veth)), veth.len())
            } else if let Some(mac) = mac(rest) {
                (chosen(mac), mac.len())
            } else if let Some(length) = link_local(rest) {
                ("fe80::#".to_owned(), length)
            } else {
                (first.to_string(), first.len_utf8())
            };
            out.push_str(&word);
            rest = &rest[length..];
        }
        out
    }
}

/// An address that was chosen, or the word `mac` for one that the kernel rolled.
fn chosen(mac: &str) -> String {
    let fixed = ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"].contains(&mac);
    if fixed || mac.starts_with(CHOSEN) { mac.to_owned() } else { "mac".to_owned() }
}

fn number(seen: &mut Vec<String>, word: &str) -> usize {
    let found = seen.iter().position(|known| known == word);
    found.unwrap_or_else(|| {
        seen.push(word.to_owned());
        seen.len() - 1
    }) + 1
}

/// `veth` and 8 hexadecimal digits.
fn veth(text: &str) -> Option<&str> {
    let word = text.get(..12)?;
    let digits = word.strip_prefix("veth")?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(word)
}

/// Six pairs of hexadecimal digits, and no seventh.
fn mac(text: &str) -> Option<&str> {
    let word = text.get(..17)?;
    let is_mac = word.bytes().enumerate().all(|(place, byte)| match place % 3 {
        2 => byte == b':',
        _ => byte.is_ascii_hexdigit(),
    });
    (is_mac && !text[17..].starts_with(':')).then_some(word)
}

/// The length of a link-local address that stems from a MAC address.
fn link_local(text: &str) -> Option<usize> {
    let digits = text.strip_prefix("fe80::")?;
    let is_part = |c: char| c.is_ascii_hexdigit() || c == ':';
    let length = digits.find(|c| !is_part(c)).unwrap_or(digits.len());
    (length > 0).then_some(6 + length)
}

#[test]
fn clean_when_words_are_random_then_they_are_numbered_in_order() {
    let mut names = Names::default();
    let text = "veth0a1b2c3d 9a:00:11:22:33:44 fe80::9800:11ff:fe22:3344/64 vethffffffff";
    assert_eq!(names.clean(text), "veth#1 mac fe80::#/64 veth#2");
    assert_eq!(names.clean("vethffffffff 02:00:00:00:00:01 fe80::/64"), {
        "veth#2 02:00:00:00:00:01 fe80::/64"
    });
}
