//! Waiting for firewalld to forget what it was told: it reloads, or starts anew.

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use zbus::message::Message;
use zbus::{MatchRule, MessageStream};

use super::bus::Bus;
use super::client::{Firewalld, NAME, PATH};
use super::error::Error;

/// An ear on the system bus.
pub struct Watch {
    // Both are dropped before the connection that they listen on.
    reloads: MessageStream,
    owners: MessageStream,
    firewalld: Firewalld,
}

impl Watch {
    /// Listens from now on, whether firewalld runs or not; `None` if there is no system bus.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open() -> Result<Option<Self>, Error> {
        let Some(bus) = Bus::open()? else { return Ok(None) };
        let reloads = listen(&bus, reload_rule)?;
        let owners = listen(&bus, owner_rule)?;
        Ok(Some(Watch { reloads, owners, firewalld: Firewalld::on(bus) }))
    }

    /// firewalld, which may not be there.
    #[must_use]
    pub fn firewalld(&self) -> &Firewalld {
        &self.firewalld
    }

    /// Waits, as long as it takes, until firewalld has reloaded or come up.
    ///
    /// # Errors
    /// [`Error::Lost`] if the bus has ended.
    pub fn wait(&mut self) -> Result<(), Error> {
        loop {
            let (reloads, owners) = (&mut self.reloads, &mut self.owners);
            let next = async {
                match select(reloads.next(), owners.next()).await {
                    Either::Left((message, _)) => message.map(|message| (message, false)),
                    Either::Right((message, _)) => message.map(|message| (message, true)),
                }
            };
            let (message, is_owner) = self.firewalld.bus().wait(next).ok_or(Error::Lost)?;
            let message = message.map_err(|_| Error::Lost)?;
            if !is_owner || has_come(&message)? {
                return Ok(());
            }
        }
    }
}

/// `Reloaded` of firewalld. A reload that keeps the permanent part only sends it too.
fn reload_rule() -> zbus::Result<MatchRule<'static>> {
    Ok(MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .path(PATH)?
        .interface(NAME)?
        .member("Reloaded")?
        .build())
}

/// `NameOwnerChanged` of the bus, for firewalld's name.
fn owner_rule() -> zbus::Result<MatchRule<'static>> {
    Ok(MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender("org.freedesktop.DBus")?
        .interface("org.freedesktop.DBus")?
        .member("NameOwnerChanged")?
        .arg(0, NAME)?
        .build())
}

fn listen(
    bus: &Bus,
    rule: fn() -> zbus::Result<MatchRule<'static>>,
) -> Result<MessageStream, Error> {
    let stream = async { MessageStream::for_match_rule(rule()?, bus.connection(), None).await };
    bus.wait(stream).map_err(|cause| Error::failed("listen on the system bus".to_owned(), cause))
}

/// Whether a name has an owner now: the third word of `NameOwnerChanged`.
fn has_come(message: &Message) -> Result<bool, Error> {
    let what = || "read NameOwnerChanged".to_owned();
    let body = message.body();
    let (_, _, owner): (String, String, String) =
        body.deserialize().map_err(|cause| Error::failed(what(), cause))?;
    Ok(!owner.is_empty())
}
