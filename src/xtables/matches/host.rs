//! `-m cpu`, `-m devgroup`, `-m realm`, `-m cgroup`, `-m quota`: numbers of this host.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Meta, MetaKey, Quota};
use crate::xtables::Error;
use crate::xtables::field::{equal, masked, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::{number, number32};
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, host_u32, tests};
use crate::xtables::words::{Given, OptionSpec};

/// `meta cpu 3`
pub(super) static CPU: Module = Module::new("cpu", &[OptionSpec::value(&["cpu"])], |cpu| {
    let given = cpu.need("cpu", "--cpu")?;
    let bad = || given.bad(given.value(), "the number of a processor");
    let number = number32(given.value()).ok_or_else(bad)?;
    Ok(equal(meta(MetaKey::Cpu), given.negated, number.to_ne_bytes()))
})
.read_by(71, |span| plain(span, MetaKey::Cpu, "cpu"), |settings, _| list("cpu", settings));

/// `meta cgroup 1048577`: the class that net_cls gives the sender's control group.
pub(super) static CGROUP: Module = Module::new(
    "cgroup",
    &[
        OptionSpec::value(&["cgroup"]),
        OptionSpec::refused(
            &["path"],
            "nf_tables compares the number of a control group, which only the file system tells",
        ),
    ],
    |cgroup| {
        let given = cgroup.need("cgroup", "--cgroup")?;
        let bad = || given.bad(given.value(), "the number of a class");
        let number = number32(given.value()).ok_or_else(bad)?;
        Ok(equal(meta(MetaKey::Cgroup), given.negated, number.to_ne_bytes()))
    },
)
.read_by(74, |span| plain(span, MetaKey::Cgroup, "cgroup"), |settings, _| list("cgroup", settings));

/// `meta rtclassid 0x1`
pub(super) static REALM: Module = Module::new("realm", &[OptionSpec::value(&["realm"])], |realm| {
    let given = realm.need("realm", "--realm")?;
    value_match(given, MetaKey::Rtclassid)
})
.only(IpVersion::V4)
.read_by(73, |span| read_values(span, &REALMS), |settings, _| list_values(settings));

/// `iifgroup 0x3`, `oifgroup & 0xff == 0x3`.
pub(super) static DEVGROUP: Module = Module::new(
    "devgroup",
    &[OptionSpec::value(&["src-group"]), OptionSpec::value(&["dst-group"])],
    |devgroup| {
        let mut exprs = Vec::new();
        for (name, key) in GROUPS {
            if let Some(given) = devgroup.find(name) {
                exprs.extend(value_match(given, key)?);
            }
        }
        match exprs.as_slice() {
            [] => Err(devgroup.incomplete("--src-group or --dst-group")),
            [..] => Ok(exprs),
        }
    },
)
.read_by(72, |span| read_values(span, &GROUPS), |settings, _| list_values(settings));

/// `quota 100 bytes`, `quota over 100 bytes`.
pub(super) static QUOTA: Module =
    Module::new("quota", &[OptionSpec::value(&["quota"])], build_quota).read_by(
        70,
        |span| match span.exprs {
            [Expr::Quota(Quota { bytes, over, .. })] => {
                Some(vec![Setting::new("quota", bytes.to_string()).negated(*over)])
            }
            _ => None,
        },
        |settings, _| {
            settings.iter().map(|quota| format!("quota: {} bytes", quota.value())).collect()
        },
    );

const REALMS: [(&str, MetaKey); 1] = [("realm", MetaKey::Rtclassid)];
const GROUPS: [(&str, MetaKey); 2] =
    [("src-group", MetaKey::Iifgroup), ("dst-group", MetaKey::Oifgroup)];

fn build_quota(quota: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = quota.need("quota", "--quota")?;
    let bytes =
        number(given.value()).ok_or_else(|| given.bad(given.value(), "a number of bytes"))?;
    Ok(vec![Quota { bytes, used: 0, over: given.negated }.into()])
}

/// `VALUE` or `VALUE/MASK`.
fn value_match(given: &Given<'_>, key: MetaKey) -> Result<Vec<Expr>, Error> {
    let expected = "a number, or VALUE/MASK (names of realms and groups are not looked up)";
    let read = |text: &str| number32(text).ok_or_else(|| given.bad(text, expected));
    let (value, mask) = match given.value().split_once('/') {
        Some((value, mask)) => (read(value)?, read(mask)?),
        None => (read(given.value())?, u32::MAX),
    };
    // Of a group the kernel ignores bits outside the mask; of a realm it compares them.
    let value = if key == MetaKey::Rtclassid { value } else { value & mask };
    let bytes = value.to_ne_bytes();
    Ok(match mask {
        u32::MAX => equal(meta(key), given.negated, bytes),
        mask => masked(meta(key), mask.to_ne_bytes(), given.negated, bytes),
    })
}

fn read_values(span: &Span<'_>, names: &[(&'static str, MetaKey)]) -> Option<Vec<Setting>> {
    let setting = |(field, test): &(&Expr, Test<'_>)| {
        let Expr::Meta(Meta::Load { key, .. }) = field else { return None };
        let (name, _) = names.iter().find(|(_, known)| known == key)?;
        let (negated, text) = match test {
            Test::Equal { negated, value } => (*negated, format!("{:#x}", host_u32(value)?)),
            Test::Masked { mask, negated, value } => {
                (*negated, format!("{:#x}/{:#x}", host_u32(value)?, host_u32(mask)?))
            }
            Test::Between { .. } | Test::Compared { .. } | Test::In { .. } => return None,
        };
        Some(Setting::new(name, text).negated(negated))
    };
    tests(span.exprs)?.iter().map(setting).collect()
}

fn plain(span: &Span<'_>, wanted: MetaKey, name: &'static str) -> Option<Vec<Setting>> {
    match tests(span.exprs)?.as_slice() {
        [(Expr::Meta(Meta::Load { key, .. }), Test::Equal { negated, value })]
            if *key == wanted =>
        {
            let number = host_u32(value)?.to_string();
            Some(vec![Setting::new(name, number).negated(*negated)])
        }
        _ => None,
    }
}

/// `cpu ! 3`.
fn list(name: &str, settings: &[Setting]) -> String {
    let one = |setting: &Setting| {
        let not = if setting.negated { "! " } else { "" };
        format!("{name} {not}{}", setting.value())
    };
    settings.iter().map(one).collect()
}

/// `src-group 0x3 ! dst-group 0x4`.
fn list_values(settings: &[Setting]) -> String {
    let one = |setting: &Setting| {
        let not = if setting.negated { "! " } else { "" };
        format!("{not}{} {}", setting.name, setting.value())
    };
    settings.iter().map(one).collect::<Vec<_>>().join(" ")
}
