//! AF_PACKET sockets: one a namespace sees every frame of every device; another sends frames as they are.

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{LinkAddr, MsgFlags, SockaddrLike, recvfrom, sendto};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Every protocol, in network order, as packet(7) wants it.
const ETH_P_ALL: i32 = (3u16).to_be() as i32;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;
const PACKET_OTHERHOST: u8 = 3;
const PACKET_OUTGOING: u8 = 4;
const HEADER: usize = 14;

/// Which way a frame passed its device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The device received it.
    In,
    /// The device sent it.
    Out,
}

/// A frame that carried IPv4 or IPv6.
pub(crate) struct Frame {
    /// Index of the device in its namespace.
    pub(crate) ifindex: usize,
    /// Received or sent.
    pub(crate) direction: Direction,
    /// From the IP header on.
    pub(crate) packet: Vec<u8>,
}

/// A socket that sees every frame of the namespace it was made in.
pub(crate) struct Capture {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Capture {
    /// Begins to capture in the calling thread's namespace.
    pub(crate) fn start() -> io::Result<Capture> {
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(ETH_P_ALL)))?;
        socket.set_nonblocking(true)?;
        // Room for what arrives while a command runs; a smaller buffer than asked for will do, too.
        let _ = socket.set_recv_buffer_size(8 << 20);
        Ok(Capture { socket, buffer: vec![0; 1 << 17] })
    }

    /// The next IP frame that waits, if any. Neighbour discovery's and other frames are passed over.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let (len, from) = match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut self.buffer) {
                Ok((len, Some(from))) => (len, from),
                Ok((_, None)) => continue,
                Err(Errno::EAGAIN) => return Ok(None),
                // A device went down or away: what others carry still arrives.
                Err(Errno::ENETDOWN | Errno::ENODEV | Errno::EINTR) => continue,
                Err(e) => return Err(e.into()),
            };
            let frame = &self.buffer[..len.min(self.buffer.len())];
            if frame.len() < HEADER || from.pkttype() == PACKET_OTHERHOST {
                continue;
            }
            let ethertype = u16::from_be_bytes([frame[12], frame[13]]);
            if !matches!(ethertype, ETH_P_IP | ETH_P_IPV6) {
                continue;
            }
            let direction = if from.pkttype() == PACKET_OUTGOING { Direction::Out } else { Direction::In };
            return Ok(Some(Frame { ifindex: from.ifindex(), direction, packet: frame[HEADER..].to_vec() }));
        }
    }
}

impl AsFd for Capture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Sends frames from the devices of the namespace it was made in.
pub(crate) struct Sender {
    socket: Socket,
    devices: HashMap<String, LinkAddr>,
}

impl Sender {
    /// Opens the socket and learns the devices that are there.
    pub(crate) fn open() -> io::Result<Sender> {
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        let mut devices = HashMap::new();
        for device in getifaddrs()? {
            if let Some(link) = device.address.as_ref().and_then(|a| a.as_link_addr()) {
                devices.insert(device.interface_name, *link);
            }
        }
        Ok(Sender { socket, devices })
    }

    /// Sends an IP packet in an Ethernet frame; `false`: it is longer than the device allows.
    pub(crate) fn send(&self, device: &str, dst: [u8; 6], src: [u8; 6], packet: &[u8]) -> io::Result<bool> {
        let to = self.devices.get(device).ok_or(io::ErrorKind::NotFound)?;
        let ethertype = if packet.first().is_some_and(|b| b >> 4 == 6) { ETH_P_IPV6 } else { ETH_P_IP };
        let mut frame = Vec::with_capacity(HEADER + packet.len());
        frame.extend_from_slice(&dst);
        frame.extend_from_slice(&src);
        frame.extend_from_slice(&ethertype.to_be_bytes());
        frame.extend_from_slice(packet);
        debug_assert!(to.len() > 0);
        match sendto(self.socket.as_raw_fd(), &frame, to, MsgFlags::empty()) {
            // It is out, but the other end does not take it: too long for it, or down.
            Ok(_) | Err(Errno::ENOBUFS) => Ok(true),
            Err(Errno::EMSGSIZE) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

/// A device's index in the calling thread's namespace.
pub(crate) fn ifindex(name: &str) -> io::Result<usize> {
    Ok(if_nametoindex(name)? as usize)
}
