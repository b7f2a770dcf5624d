//! The lab's servers: TCP accepts and says nothing; UDP swallows, or sends every datagram back.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

/// What a server does with a datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagrams {
    /// Nothing.
    Swallow,
    /// Sends it back to its sender.
    Echo,
}

/// A server in some namespace.
pub(crate) enum Server {
    /// Listens for connections, and holds those that it accepted: it says nothing, not even good-bye.
    Tcp(TcpListener, Vec<TcpStream>),
    /// Waits for datagrams.
    Udp(UdpSocket, Datagrams),
}

/// Binds in the calling thread's namespace: both families with one socket, or IPv4 where IPv6 is off. A transparent
/// socket takes what TPROXY gives it (IP_TRANSPARENT).
fn bind(kind: Type, protocol: Protocol, port: u16, transparent: bool) -> io::Result<Socket> {
    let dual = || {
        let socket = Socket::new(Domain::IPV6, kind, Some(protocol))?;
        socket.set_only_v6(false)?;
        socket.set_ip_transparent_v4(transparent)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
        io::Result::Ok(socket)
    };
    let socket = dual().or_else(|e| {
        if e.kind() == io::ErrorKind::AddrInUse {
            return Err(e);
        }
        let socket = Socket::new(Domain::IPV4, kind, Some(protocol))?;
        socket.set_ip_transparent_v4(transparent)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
        Ok(socket)
    })?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Server {
    /// `listen tcp/PORT [transparent]`
    pub(crate) fn tcp(port: u16, transparent: bool) -> io::Result<Server> {
        let socket = bind(Type::STREAM, Protocol::TCP, port, transparent)?;
        socket.listen(128)?;
        Ok(Server::Tcp(socket.into(), Vec::new()))
    }

    /// `listen udp/PORT [echo] [transparent]`
    pub(crate) fn udp(port: u16, datagrams: Datagrams, transparent: bool) -> io::Result<Server> {
        Ok(Server::Udp(bind(Type::DGRAM, Protocol::UDP, port, transparent)?.into(), datagrams))
    }

    /// Does what waits to be done.
    pub(crate) fn serve(&mut self) {
        let mut buffer = [0; 1 << 16];
        match self {
            Server::Tcp(socket, held) => {
                while let Ok((stream, _)) = socket.accept() {
                    held.push(stream);
                }
            }
            Server::Udp(socket, datagrams) => {
                // A datagram from the server's own port comes back for ever: some at a time.
                for _ in 0..64 {
                    let Ok((len, from)) = socket.recv_from(&mut buffer) else { break };
                    if *datagrams == Datagrams::Echo {
                        let _ = socket.send_to(&buffer[..len], from);
                    }
                }
            }
        }
    }
}

impl AsFd for Server {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Server::Tcp(socket, _) => socket.as_fd(),
            Server::Udp(socket, _) => socket.as_fd(),
        }
    }
}
