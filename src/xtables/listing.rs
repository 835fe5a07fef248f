//! A rule as `iptables -L` prints it: the columns.

use std::fmt;

use super::base::Base;
use super::base_read::BaseSetting;
use super::compile::Counters;
use super::operation::PrintStyle;
use super::protocol;
use super::rule::{Rule, Target};
use super::setting::Style;
use crate::net::IpVersion;
use crate::nft::expr::Verdict;

/// What the columns of a list say besides the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// `iptables -L`.
    List,
    /// The one line of `iptables -v -A`: no columns, no counts.
    Line,
}

/// A rule in a list. Addresses are printed as numbers, with and without `-n`: names are not asked
/// for.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Its family.
    pub version: IpVersion,
    /// Its number, from 1.
    pub number: usize,
    /// `-v`, `-n`, `-x`, `--line-numbers`.
    pub style: PrintStyle,
    /// In columns or not.
    pub columns: Columns,
}

/// The titles of the columns.
#[must_use]
pub fn titles(style: PrintStyle) -> String {
    let mut text = String::new();
    if style.line_numbers {
        text.push_str("num  ");
    }
    if style.verbose > 0 {
        text.push_str(if style.exact { "    pkts      bytes " } else { " pkts bytes " });
    }
    text.push_str("target     prot opt");
    if style.verbose > 0 {
        text.push_str(" in     out    ");
    }
    text + " source               destination         "
}

/// A count; with `K`, `M`, `G` or `T` where it has more than five digits, but for `-x`.
#[must_use]
pub fn count(count: u64, style: PrintStyle) -> String {
    if style.exact || count <= 99_999 {
        return count.to_string();
    }
    let thousands = |count: u64| count / 1000 + u64::from(count % 1000 >= 500);
    let mut number = count;
    for unit in ['K', 'M', 'G'] {
        number = thousands(number);
        if number <= 9999 {
            return format!("{number}{unit}");
        }
    }
    format!("{}T", thousands(number))
}

impl Listing<'_> {
    fn setting(&self, base: Base) -> Option<&BaseSetting> {
        self.rule.base.iter().find(|setting| setting.base == base)
    }

    fn is_list(&self) -> bool {
        self.columns == Columns::List
    }

    fn protocol(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = self.setting(Base::Protocol);
        let not = if setting.is_some_and(|setting| setting.negated) { '!' } else { ' ' };
        let name = setting.map_or("all", |setting| setting.value.as_str());
        let number = protocol::protocol(name).unwrap_or_default();
        match (self.is_list(), self.style.numeric) {
            (true, true) => write!(f, "{not}{number:<4} "),
            (true, false) => write!(f, "{not}{name:<4} "),
            (false, _) => write!(f, "{not}{name} "),
        }
    }

    fn fragment(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.setting(Base::Fragment) {
            None => "--",
            Some(setting) if setting.negated => "!f",
            Some(_) => "-f",
        };
        let opt = if self.is_list() { "" } else { "opt " };
        write!(f, "{opt}{text} ")
    }

    fn interface(&self, f: &mut fmt::Formatter<'_>, base: Base) -> fmt::Result {
        let any = if self.style.numeric || !self.is_list() { "*" } else { "any" };
        let name = match self.setting(base) {
            None => any.to_owned(),
            Some(BaseSetting { negated: true, value, .. }) => format!("!{value}"),
            Some(BaseSetting { value, .. }) => value.clone(),
        };
        match (self.is_list(), base) {
            (true, Base::In) => write!(f, " {name:<6} "),
            (true, _) => write!(f, "{name:<6} "),
            (false, Base::In) => write!(f, "in {name} "),
            (false, _) => write!(f, "out {name} "),
        }
    }

    fn address(&self, base: Base) -> String {
        let numeric = self.style.numeric || !self.is_list();
        let (any, whole) = match (numeric, self.version) {
            (false, IpVersion::V4) => ("anywhere", "/32"),
            (false, IpVersion::V6) => ("anywhere", "/128"),
            (true, IpVersion::V4) => ("0.0.0.0/0", "/32"),
            (true, IpVersion::V6) => ("::/0", "/128"),
        };
        let Some(BaseSetting { negated, value, .. }) = self.setting(base) else {
            return format!(" {any}");
        };
        let not = if *negated { '!' } else { ' ' };
        format!("{not}{}", value.strip_suffix(whole).unwrap_or(value))
    }

    fn addresses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.address(Base::Source);
        let destination = self.address(Base::Destination);
        if self.is_list() {
            // A column of 19 behind the sign.
            return write!(f, "{source:<20} {destination:<20} ");
        }
        let (not, destination) = destination.split_at(1);
        write!(f, "{source} {not}-> {destination}")
    }
}

impl fmt::Display for Listing<'_> {
    /// One line, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PrintStyle { verbose, exact, line_numbers, .. } = self.style;
        if self.is_list() {
            if line_numbers {
                write!(f, "{:<4} ", self.number)?;
            }
            if verbose > 0 {
                let Counters { packets, bytes } = self.rule.counters().unwrap_or_default();
                let width = if exact { 8 } else { 5 };
                write!(f, "{:>width$} ", count(packets, self.style))?;
                write!(f, "{:>width$} ", count(bytes, self.style))?;
            }
        }
        let name = self.rule.target_name();
        if self.is_list() {
            write!(f, "{name:<9} ")?;
        } else {
            write!(f, "{name} ")?;
        }
        self.protocol(f)?;
        self.fragment(f)?;
        if verbose > 0 || !self.is_list() {
            self.interface(f, Base::In)?;
            self.interface(f, Base::Out)?;
        }
        self.addresses(f)?;
        if !self.is_list() {
            f.write_str("  ")?;
        }
        if matches!(self.rule.target, Target::Verdict(Verdict::Goto(_))) {
            f.write_str("[goto] ")?;
        }
        let style = Style { numeric: self.style.numeric || !self.is_list() };
        self.rule.details(&style).iter().try_for_each(|text| write!(f, " {text}"))
    }
}

impl Rule {
    /// What `-L` prints in the column of the target: empty where the rule only counts.
    fn target_name(&self) -> &str {
        match &self.target {
            Target::None => "",
            Target::Verdict(verdict) => super::rule::verdict_name(verdict),
            Target::Extension(extension) => extension.name(),
        }
    }
}
