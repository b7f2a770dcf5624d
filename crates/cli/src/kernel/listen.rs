//! The lab's servers: TCP accepts and says nothing; UDP swallows, or sends every datagram back.

use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};
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
    /// Listens for connections.
    Tcp(TcpListener),
    /// Holds one until the peer closes it.
    Connection(TcpStream),
    /// Waits for datagrams.
    Udp(UdpSocket, Datagrams),
}

/// Binds in the calling thread's namespace: both families with one socket, or IPv4 where IPv6 is off.
fn bind(kind: Type, protocol: Protocol, port: u16) -> io::Result<Socket> {
    let dual = || {
        let socket = Socket::new(Domain::IPV6, kind, Some(protocol))?;
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
        io::Result::Ok(socket)
    };
    let socket = dual().or_else(|e| {
        if e.kind() == io::ErrorKind::AddrInUse {
            return Err(e);
        }
        let socket = Socket::new(Domain::IPV4, kind, Some(protocol))?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
        Ok(socket)
    })?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Server {
    /// `listen tcp/PORT`
    pub(crate) fn tcp(port: u16) -> io::Result<Server> {
        let socket = bind(Type::STREAM, Protocol::TCP, port)?;
        socket.listen(128)?;
        Ok(Server::Tcp(socket.into()))
    }

    /// `listen udp/PORT [echo]`
    pub(crate) fn udp(port: u16, datagrams: Datagrams) -> io::Result<Server> {
        Ok(Server::Udp(bind(Type::DGRAM, Protocol::UDP, port)?.into(), datagrams))
    }

    /// Does what waits to be done. New connections are pushed to `born`; `false`: this one is over.
    pub(crate) fn serve(&mut self, born: &mut Vec<Server>) -> bool {
        let mut buffer = [0; 1 << 16];
        match self {
            Server::Tcp(socket) => {
                while let Ok((stream, _)) = socket.accept() {
                    if stream.set_nonblocking(true).is_ok() {
                        born.push(Server::Connection(stream));
                    }
                }
                true
            }
            Server::Connection(stream) => loop {
                match stream.read(&mut buffer) {
                    Ok(0) => return false,
                    Ok(_) => {}
                    Err(e) => return e.kind() == io::ErrorKind::WouldBlock,
                }
            },
            Server::Udp(socket, datagrams) => {
                while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                    if *datagrams == Datagrams::Echo {
                        let _ = socket.send_to(&buffer[..len], from);
                    }
                }
                true
            }
        }
    }
}

impl AsFd for Server {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Server::Tcp(socket) => socket.as_fd(),
            Server::Connection(stream) => stream.as_fd(),
            Server::Udp(socket, _) => socket.as_fd(),
        }
    }
}
