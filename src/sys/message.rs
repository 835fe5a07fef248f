//! Netlink messages under construction, one behind the other in one buffer.
//!
//! Headers and attributes are put by libmnl (`mnl_nlmsg_put_header`, `mnl_attr_put_check`,
//! `mnl_attr_nest_start_check`); this type owns the buffer and makes it grow. Layout: netlink(7),
//! <https://docs.kernel.org/userspace-api/netlink/intro.html>.

use std::ffi::c_void;

use mnl::mnl_sys;
use nix::libc::nlmsghdr;

/// Bytes of a netlink header and of the netfilter header behind it (`struct nfgenmsg`).
const HEADERS: usize = 16 + 4;

/// One or more netlink messages of the netfilter family, ready for one `sendto`.
#[derive(Debug, Default)]
pub struct MessageBuilder {
    /// Words, not bytes: libmnl wants its headers aligned to four bytes.
    words: Vec<u32>,
    /// Bytes in use; always a multiple of four.
    len: usize,
    /// Where the message that is open begins.
    message: usize,
}

/// An attribute that holds attributes, still open. Hand it to [`MessageBuilder::end`].
#[derive(Debug)]
#[must_use = "an open nest has no length yet"]
pub struct Nest {
    offset: usize,
}

impl MessageBuilder {
    /// A builder with no message.
    #[must_use]
    pub fn new() -> Self {
        MessageBuilder::default()
    }

    /// Starts a message behind those there are.
    ///
    /// `kind` is subsystem << 8 | message, `flags` the `NLM_F_*`, `family` the `NFPROTO_*` and
    /// `resource` what the netfilter header carries as `res_id`, in host order.
    pub fn message(&mut self, kind: u16, flags: u16, seq: u32, family: u8, resource: u16) {
        self.message = self.len;
        self.reserve(HEADERS);
        let at = self.pointer(self.message);
        // SAFETY: mnl_nlmsg_put_header writes 16 bytes at `at`, which is aligned (words) and has
        // room (reserve), and returns the same address as a header.
        let header = unsafe { mnl_sys::mnl_nlmsg_put_header(at) };
        // SAFETY: `header` is the message just put; put_extra_header zeroes the four bytes behind
        // it, which are reserved, and returns their address.
        let extra = unsafe { mnl_sys::mnl_nlmsg_put_extra_header(header, 4) }.cast::<u8>();
        // SAFETY: both point into the buffer, to 16 and to 4 reserved bytes, and nothing else
        // holds a reference to it while `self` is borrowed.
        unsafe {
            let header = header.cast::<nlmsghdr>();
            (*header).nlmsg_type = kind;
            (*header).nlmsg_flags = (nix::libc::NLM_F_REQUEST as u16) | flags;
            (*header).nlmsg_seq = seq;
            extra.write(family);
            extra.add(2).cast::<[u8; 2]>().write(resource.to_be_bytes());
        }
        self.take_length();
    }

    /// Adds flags to the message that is open.
    pub fn add_flags(&mut self, flags: u16) {
        assert!(self.len >= self.message + HEADERS, "a message is open");
        let header = self.pointer(self.message).cast::<nlmsghdr>();
        // SAFETY: a message was started at `self.message`, so 16 bytes of header are there.
        unsafe { (*header).nlmsg_flags |= flags };
    }

    /// Puts an attribute with these bytes as they are.
    pub fn put(&mut self, kind: u16, value: &[u8]) {
        assert!(self.len >= self.message + HEADERS, "a message is open");
        self.reserve(4 + value.len());
        let room = self.room();
        let header = self.pointer(self.message);
        let data = value.as_ptr().cast::<c_void>();
        // SAFETY: `header` is the open message with `room` bytes up to the buffer's end, of which
        // the attribute's are reserved; `data` is readable for `value.len()` bytes.
        let fits =
            unsafe { mnl_sys::mnl_attr_put_check(header.cast(), room, kind, value.len(), data) };
        assert!(fits, "the room was reserved");
        self.take_length();
    }

    /// Puts a string with its final NUL, as netlink policies of type `NLA_STRING` take it.
    pub fn put_str(&mut self, kind: u16, value: &str) {
        // Names are short, and a batch has thousands.
        let mut short = [0; 64];
        if let Some(start) = short.get_mut(..value.len()).filter(|_| value.len() < 64) {
            start.copy_from_slice(value.as_bytes());
            return self.put(kind, &short[..=value.len()]);
        }
        self.put(kind, &[value.as_bytes(), &[0]].concat());
    }

    /// Puts one byte.
    pub fn put_u8(&mut self, kind: u16, value: u8) {
        self.put(kind, &[value]);
    }

    /// Puts 16 bits in network order.
    pub fn put_be16(&mut self, kind: u16, value: u16) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Puts 32 bits in network order, as almost every number in nf_tables is.
    pub fn put_be32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Puts 64 bits in network order.
    pub fn put_be64(&mut self, kind: u16, value: u64) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Opens an attribute that holds attributes.
    pub fn nest(&mut self, kind: u16) -> Nest {
        assert!(self.len >= self.message + HEADERS, "a message is open");
        self.reserve(4);
        let offset = self.len;
        let room = self.room();
        let header = self.pointer(self.message);
        // SAFETY: as for `put`: the open message, and four reserved bytes.
        let nest = unsafe { mnl_sys::mnl_attr_nest_start_check(header.cast(), room, kind) };
        assert!(!nest.is_null(), "the room was reserved");
        self.take_length();
        Nest { offset }
    }

    /// Closes a nest: its length is known now.
    #[allow(clippy::needless_pass_by_value, reason = "a closed nest must not be closed again")]
    pub fn end(&mut self, nest: Nest) {
        assert!(nest.offset >= self.message + HEADERS, "a nest of the message that is open");
        assert!(self.len - nest.offset <= usize::from(u16::MAX), "lengths have 16 bits");
        let header = self.pointer(self.message);
        let start = self.pointer(nest.offset);
        // SAFETY: `start` is where nest_start_check put this nest's header, in the open message;
        // the buffer may have moved since, which is why the offset is kept, not the pointer.
        unsafe { mnl_sys::mnl_attr_nest_end(header.cast(), start.cast()) };
    }

    /// Bytes in use by all messages so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no message was started.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All messages, as one `sendto` takes them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the vector holds at least `len` initialised bytes (reserve zero-fills), any
        // byte is a valid u8, and the slice borrows `self`.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.len) }
    }

    /// Makes room for `bytes` more, rounded up to the alignment, zero-filled.
    fn reserve(&mut self, bytes: usize) {
        let words = (self.len + bytes).div_ceil(4) + 1;
        if words > self.words.len() {
            self.words.resize(words.max(self.words.len() * 2).max(256), 0);
        }
    }

    /// Bytes from the start of the open message to the end of the buffer.
    fn room(&self) -> usize {
        self.words.len() * 4 - self.message
    }

    fn pointer(&mut self, offset: usize) -> *mut c_void {
        assert!(
            offset.is_multiple_of(4) && offset + 4 <= self.words.len() * 4,
            "inside the buffer"
        );
        // SAFETY: the offset is inside the buffer; every caller reserved what it points to.
        unsafe { self.words.as_mut_ptr().cast::<u8>().add(offset).cast() }
    }

    /// libmnl keeps the length in the header; this takes it over.
    fn take_length(&mut self) {
        let header = self.pointer(self.message).cast::<nlmsghdr>();
        // SAFETY: a message was started at `self.message`.
        let length = unsafe { (*header).nlmsg_len } as usize;
        self.len = self.message + length.next_multiple_of(4);
    }
}
