//! One netlink socket of the netfilter bus, opened and bound by libmnl.
//!
//! The kernel works on a request while `sendto` runs and queues every answer before it returns,
//! so nothing here ever waits: an empty queue is an end, not a pause.

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use mnl::mnl_sys;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};

/// What an open socket can refuse.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The kernel has no netfilter netlink (`CONFIG_NETFILTER_NETLINK`), or no descriptor is left.
    #[error("cannot open a netlink socket of the netfilter bus")]
    Open(#[source] io::Error),
    /// The message was not taken.
    #[error("cannot send {bytes} bytes over netlink")]
    Send {
        /// Length of all messages.
        bytes: usize,
        /// Why: EMSGSIZE when larger than the send buffer, ENOBUFS, EPERM, …
        #[source]
        cause: Errno,
    },
    /// No answer could be read.
    #[error("cannot receive from netlink")]
    Receive(#[source] Errno),
    /// An option that this kernel does not have.
    #[error("cannot set netlink option {option}")]
    Option {
        /// The option's name in linux/netlink.h.
        option: &'static str,
        /// Why.
        #[source]
        cause: Errno,
    },
}

/// A bound netlink socket.
pub struct Socket {
    inner: mnl::Socket,
}

/// The receiving side of a [`Socket`], which another thread may have too.
#[derive(Debug, Clone, Copy)]
pub struct Receiver<'a>(BorrowedFd<'a>);

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("fd", &self.as_raw_fd()).finish()
    }
}

impl Socket {
    /// Opens and binds a socket, with extended ACKs that do not echo the request
    /// (`NETLINK_EXT_ACK`, `NETLINK_CAP_ACK`; both since Linux 4.12).
    ///
    /// # Errors
    /// [`SocketError::Open`] or [`SocketError::Option`].
    pub fn open() -> Result<Self, SocketError> {
        let inner = mnl::Socket::new(mnl::Bus::Netfilter).map_err(SocketError::Open)?;
        let socket = Socket { inner };
        socket.enable(nix::libc::NETLINK_EXT_ACK, "NETLINK_EXT_ACK", 1)?;
        socket.enable(nix::libc::NETLINK_CAP_ACK, "NETLINK_CAP_ACK", 1)?;
        Ok(socket)
    }

    /// Joins a multicast group (`NFNLGRP_*`); its messages queue from now on.
    ///
    /// # Errors
    /// [`SocketError::Option`].
    pub fn join(&self, group: u32) -> Result<(), SocketError> {
        self.enable(nix::libc::NETLINK_ADD_MEMBERSHIP, "NETLINK_ADD_MEMBERSHIP", group)
    }

    fn enable(&self, option: i32, name: &'static str, value: u32) -> Result<(), SocketError> {
        let mut value = value;
        let length = size_of::<u32>() as nix::libc::socklen_t;
        let pointer = (&raw mut value).cast::<c_void>();
        // SAFETY: the socket is open; `pointer` is readable for the `length` bytes of a C int.
        let rc = unsafe {
            mnl_sys::mnl_socket_setsockopt(self.inner.as_raw_socket(), option, pointer, length)
        };
        if rc == 0 {
            Ok(())
        } else {
            Err(SocketError::Option { option: name, cause: Errno::last() })
        }
    }

    /// The cookie of the socket's network namespace (`SO_NETNS_COOKIE`, Linux 5.14): no other has
    /// the same until the next boot, as may happen with inodes. `None` on older kernels.
    #[must_use]
    pub fn netns_cookie(&self) -> Option<u64> {
        let mut cookie = 0_u64;
        let mut length = size_of::<u64>() as nix::libc::socklen_t;
        // SAFETY: the socket is open; the cookie is writable for `length` bytes, and the kernel
        // writes no more than that.
        let rc = unsafe {
            nix::libc::getsockopt(
                self.as_raw_fd(),
                nix::libc::SOL_SOCKET,
                nix::libc::SO_NETNS_COOKIE,
                (&raw mut cookie).cast(),
                &raw mut length,
            )
        };
        (rc == 0 && length as usize == size_of::<u64>()).then_some(cookie)
    }

    /// Asks for a send buffer of at least `bytes`: past `net.core.wmem_max` where CAP_NET_ADMIN
    /// of the initial user namespace allows it, else up to it. Returns what is there now.
    #[must_use]
    pub fn grow_send_buffer(&self, bytes: usize) -> usize {
        let fd = self.as_fd();
        if setsockopt(&fd, sockopt::SndBufForce, &bytes).is_err() {
            // The forced form is refused in user namespaces; this one is capped but never fails.
            let _capped = setsockopt(&fd, sockopt::SndBuf, &bytes);
        }
        nix::sys::socket::getsockopt(&fd, sockopt::SndBuf).unwrap_or(0)
    }

    /// As [`Socket::grow_send_buffer`], for what arrives.
    #[must_use]
    pub fn grow_receive_buffer(&self, bytes: usize) -> usize {
        let fd = self.as_fd();
        if setsockopt(&fd, sockopt::RcvBufForce, &bytes).is_err() {
            let _capped = setsockopt(&fd, sockopt::RcvBuf, &bytes);
        }
        self.receive_buffer()
    }

    /// How much the kernel may queue for us, with its own bookkeeping.
    #[must_use]
    pub fn receive_buffer(&self) -> usize {
        nix::sys::socket::getsockopt(&self.as_fd(), sockopt::RcvBuf).unwrap_or(0)
    }

    /// Sends everything in one `sendto`: one batch is one send, or the kernel drops it silently.
    ///
    /// # Errors
    /// [`SocketError::Send`] with the errno.
    pub fn send(&self, bytes: &[u8]) -> Result<(), SocketError> {
        let cause = loop {
            match self.inner.send(bytes) {
                Ok(sent) if sent == bytes.len() => return Ok(()),
                Ok(_) => break Errno::EMSGSIZE,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Errno::from_raw(error.raw_os_error().unwrap_or(0)),
            }
        };
        Err(SocketError::Send { bytes: bytes.len(), cause })
    }

    /// The receiving side of it.
    #[must_use]
    pub fn receiver(&self) -> Receiver<'_> {
        Receiver(self.as_fd())
    }
}

impl Receiver<'_> {
    /// Takes the next datagram from the queue; `None` when there is none.
    ///
    /// # Errors
    /// [`SocketError::Receive`]: ENOBUFS means that answers were lost for want of buffer.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>, SocketError> {
        self.receive_with(buffer, MsgFlags::MSG_DONTWAIT)
    }

    /// Waits for the next datagram: for events, which come when they come.
    ///
    /// # Errors
    /// As [`Receiver::receive`].
    pub fn wait<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>, SocketError> {
        self.receive_with(buffer, MsgFlags::empty())
    }

    fn receive_with<'a>(
        &self,
        buffer: &'a mut [u8],
        flags: MsgFlags,
    ) -> Result<Option<&'a [u8]>, SocketError> {
        loop {
            match recv(self.0.as_raw_fd(), buffer, flags | MsgFlags::MSG_TRUNC) {
                Ok(length) if length > buffer.len() => {
                    return Err(SocketError::Receive(Errno::EMSGSIZE));
                }
                Ok(length) => return Ok(Some(&buffer[..length])),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(errno) => return Err(SocketError::Receive(errno)),
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as `self` is, which the lifetime says.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}
