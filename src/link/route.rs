//! Which interface leads to an address.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::TryStreamExt;
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::route::RouteAttribute;

use super::error::Error;

/// The interface through which packets to an address leave: `ip route get ADDRESS`.
///
/// # Errors
/// [`Error::NoRoute`] if there is no route, [`Error::NoInterface`] if it has none.
pub fn interface_towards(address: Ipv4Addr) -> Result<String, Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(Error::Open)?;
    let index = runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(Error::Open)?;
        tokio::spawn(connection);
        let request =
            RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(address, 32).build();
        let answer = handle.route().get(request).execute().try_next().await;
        let address = IpAddr::V4(address);
        let route = match answer {
            Ok(route) => route.ok_or(Error::NoInterface { address })?,
            // The kernel answered, and the answer is no.
            Err(rtnetlink::Error::NetlinkError(_)) => return Err(Error::NoRoute { address }),
            Err(cause) => return Err(Error::Route { address, cause }),
        };
        let out = route.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        });
        out.ok_or(Error::NoInterface { address })
    })?;
    let name = nix::net::if_::if_indextoname(index)
        .map_err(|_| Error::NoInterface { address: IpAddr::V4(address) })?;
    Ok(name.to_string_lossy().into_owned())
}
