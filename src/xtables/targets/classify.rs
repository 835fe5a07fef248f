//! `-j CLASSIFY`: the class of the traffic shaper.

use crate::nft::Expr;
use crate::nft::expr::{Immediate, Meta, MetaKey};
use crate::xtables::Error;
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::host_u32;
use crate::xtables::words::OptionSpec;

/// `meta priority set 1:3`.
pub(super) static CLASSIFY: Module =
    Module::new("CLASSIFY", &[OptionSpec::setting(&["set-class"])], build).read_by(152, read, list);

fn build(classify: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = classify.need("set-class", "--set-class")?;
    let expected = "a class: expected MAJOR:MINOR, both in hexadecimal";
    let bad = || given.bad(given.value(), expected);
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u16::from_str_radix(text, 16).ok().filter(|_| digits).ok_or_else(bad)
    };
    let (major, minor) = given.value().split_once(':').ok_or_else(bad)?;
    let class = u32::from(number(major)?) << 16 | u32::from(number(minor)?);
    Ok(vec![
        Immediate::value(REGISTER, class.to_ne_bytes()).into(),
        Meta::Set { key: MetaKey::Priority, sreg: REGISTER }.into(),
    ])
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    match span.exprs {
        [
            Expr::Immediate(Immediate::Value { dreg, data }),
            Expr::Meta(Meta::Set { key: MetaKey::Priority, sreg }),
        ] if dreg == sreg => {
            let class = host_u32(data)?;
            let text = format!("{:04x}:{:04x}", class >> 16, class & 0xffff);
            Some(vec![Setting::new("set-class", text)])
        }
        _ => None,
    }
}

/// `CLASSIFY set 1:3`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let part = |text: &str| match text.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    };
    let class = |setting: &Setting| {
        let (major, minor) = setting.value().split_once(':').unwrap_or((setting.value(), ""));
        format!("CLASSIFY set {}:{}", part(major), part(minor))
    };
    settings.iter().map(class).collect()
}
