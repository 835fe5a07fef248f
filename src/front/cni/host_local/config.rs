//! The configuration: ranges, routes, where addresses are remembered, which ones are asked for.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::front::cni::args::Args;
use crate::front::cni::call::Call;
use crate::front::cni::error::Error;
use crate::front::cni::json::Object;
use crate::front::cni::result::{Route, address};
use crate::front::cni::version::CniVersion;
use crate::ipam::{self, RangeSets, RangeSpec};
use crate::net::{Cidr, IpVersion};

/// Where addresses are remembered unless `dataDir` says otherwise.
const DATA_DIR: &str = "/var/lib/cni/networks";

/// The configuration of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLocalConf {
    /// What addresses are given from.
    pub ipam: ipam::Config,
    /// `routes`, which are handed on.
    pub routes: Vec<Route>,
    /// `resolvConf`: a file whose name resolution is handed on.
    pub resolv_conf: Option<PathBuf>,
}

impl HostLocalConf {
    /// Reads `ipam`, `runtimeConfig`, `args` and `CNI_ARGS` of a call. Pure.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(call: &Call) -> Result<Self, Error> {
        let root = call.config.root()?;
        let ipam = ipam_section(&root)?;
        let routes = ipam.objects("routes")?.iter().map(Route::parse).collect::<Result<_, _>>()?;
        let resolv_conf = ipam.filled_text("resolvConf")?.map(PathBuf::from);
        let requested = requested(call, &root)?;
        let sets = RangeSets::new(&range_sets(&root, &ipam)?)?;
        let several = IpVersion::BOTH.iter().any(|version| sets.count(*version) > 1);
        if several && call.version < CniVersion::V0_3_0 {
            return Err(Error::OneAddressPerFamily { version: call.version });
        }
        let directory = directory(call)?;
        let ipam = ipam::Config { directory, sets, requested };
        Ok(HostLocalConf { ipam, routes, resolv_conf })
    }
}

fn ipam_section<'a>(root: &Object<'a>) -> Result<Object<'a>, Error> {
    root.object("ipam")?.ok_or(Error::NoIpam)
}

/// The directory of the network. A configuration is good for that as long as it has `ipam`.
pub(super) fn directory(call: &Call) -> Result<PathBuf, Error> {
    let ipam = ipam_section(&call.config.root()?)?;
    let data_dir = ipam.filled_text("dataDir")?.unwrap_or(DATA_DIR);
    Ok(Path::new(data_dir).join(call.network.as_str()))
}

/// All range sets: those of the runtime, the one in the old style, then `ranges`.
fn range_sets(root: &Object<'_>, ipam: &Object<'_>) -> Result<Vec<Vec<RangeSpec>>, Error> {
    let mut sets = match root.object("runtimeConfig")? {
        Some(runtime) => lists(&runtime, "ipRanges")?,
        None => Vec::new(),
    };
    if ipam.filled_text("subnet")?.is_some() {
        sets.push(vec![range(ipam)?]);
    }
    sets.extend(lists(ipam, "ranges")?);
    Ok(sets)
}

/// A list of lists of ranges.
fn lists(object: &Object<'_>, key: &str) -> Result<Vec<Vec<RangeSpec>>, Error> {
    let sets = object.nested_objects(key)?;
    sets.iter().map(|set| set.iter().map(range).collect()).collect()
}

fn range(object: &Object<'_>) -> Result<RangeSpec, Error> {
    let subnet = object.text("subnet")?.unwrap_or_default();
    let subnet: Cidr = subnet.parse().map_err(|error| object.invalid("subnet", error))?;
    Ok(RangeSpec {
        subnet,
        start: address(object, "rangeStart")?,
        end: address(object, "rangeEnd")?,
        gateway: address(object, "gateway")?,
    })
}

/// The addresses that are asked for: of `CNI_ARGS`, of `args.cni.ips`, of `runtimeConfig.ips`.
fn requested(call: &Call, root: &Object<'_>) -> Result<Vec<IpAddr>, Error> {
    let mut requested = Vec::new();
    let args = Args::parse(&call.args, &["IP"])?;
    if let Some(text) = args.get("IP") {
        let invalid = |_| args.invalid("IP", format!("invalid IP address {text}"));
        requested.push(text.parse().map_err(invalid)?);
    }
    let cni = root.object("args")?.map(|args| args.object("cni")).transpose()?.flatten();
    for object in [cni, root.object("runtimeConfig")?].into_iter().flatten() {
        for text in object.texts("ips")?.unwrap_or_default() {
            let invalid = || object.invalid("ips", format!("invalid IP address {text}"));
            requested.push(bare_address(&text).ok_or_else(invalid)?);
        }
    }
    Ok(requested)
}

/// An address, with or without a prefix length, which does not count.
fn bare_address(text: &str) -> Option<IpAddr> {
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => text.parse::<Cidr>().ok().map(|cidr| cidr.address()),
    }
}
