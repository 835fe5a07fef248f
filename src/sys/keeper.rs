//! Handing a descriptor to a process that keeps it: a socket of UNIX domain in the abstract
//! namespace, which belongs to the network namespace and leaves no file behind.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    UnixAddr, accept4, bind, connect, getsockopt, listen, recvmsg, sendmsg, socket, sockopt,
};
use nix::unistd::geteuid;

/// Its name, in the network namespace.
const NAME: &[u8] = b"portcullis-keeper";

/// How long somebody who has connected may take to send, in milliseconds.
const PATIENCE: u16 = 20;

/// A process that takes descriptors in and keeps them until it ends.
#[derive(Debug)]
pub struct Keeper {
    listener: OwnedFd,
    kept: Vec<OwnedFd>,
}

impl Keeper {
    /// Begins to listen; `None` where another keeper does so already.
    #[must_use]
    pub fn open() -> Option<Self> {
        let listener = local()?;
        bind(listener.as_raw_fd(), &UnixAddr::new_abstract(NAME).ok()?).ok()?;
        listen(&listener, Backlog::new(64).ok()?).ok()?;
        Some(Keeper { listener, kept: Vec::new() })
    }

    /// The descriptor that must stay open in a child that keeps.
    #[must_use]
    pub fn as_raw_fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }

    /// Takes in what is handed over within some milliseconds; says whether anything was.
    ///
    /// # Errors
    /// When it can take in no more, as it has as many descriptors as a process may have.
    pub fn take_in(&mut self, milliseconds: u16) -> io::Result<bool> {
        let mut polled = [PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
        if poll(&mut polled, PollTimeout::from(milliseconds))? == 0 {
            return Ok(false);
        }
        let from = accept4(self.listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC)?;
        // SAFETY: accept4 has just returned it, and nothing else owns it.
        let from = unsafe { OwnedFd::from_raw_fd(from) };
        // It is connected, and is about to send.
        let mut polled = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
        if poll(&mut polled, PollTimeout::from(PATIENCE))? > 0 {
            self.kept.extend(receive(&from));
        }
        Ok(true)
    }
}

/// Hands descriptors to the keeper of this network namespace; says whether there is one. It must
/// run as the same user: anybody may listen under the name.
#[must_use]
pub fn hand_over(descriptors: &[RawFd]) -> bool {
    let Some(to) = local() else { return false };
    let Ok(name) = UnixAddr::new_abstract(NAME) else { return false };
    if connect(to.as_raw_fd(), &name).is_err() {
        return false;
    }
    let ours = getsockopt(&to, sockopt::PeerCredentials)
        .is_ok_and(|keeper| keeper.uid() == geteuid().as_raw());
    let control = [ControlMessage::ScmRights(descriptors)];
    let byte = [IoSlice::new(b"k")];
    ours && sendmsg::<()>(to.as_raw_fd(), &byte, &control, MsgFlags::MSG_NOSIGNAL, None).is_ok()
}

/// A socket that never blocks: where a keeper is too busy, the caller closes by itself.
fn local() -> Option<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).ok()
}

fn receive(from: &OwnedFd) -> Vec<OwnedFd> {
    let mut byte = [0; 1];
    let mut into = [IoSliceMut::new(&mut byte)];
    let mut space = nix::cmsg_space!([RawFd; 4]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let received = recvmsg::<()>(from.as_raw_fd(), &mut into, Some(&mut space), flags);
    let Ok(messages) = received.as_ref().map(|message| message.cmsgs()) else { return Vec::new() };
    let rights = messages.into_iter().flatten().filter_map(|message| match message {
        ControlMessageOwned::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    // SAFETY: the kernel has just installed them in this process, and nothing else owns them.
    rights.flatten().map(|descriptor| unsafe { OwnedFd::from_raw_fd(descriptor) }).collect()
}
