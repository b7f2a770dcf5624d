//! `-m socket`: does a local socket want it (net/netfilter/xt_socket.c)?

/// `-m socket`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SocketMatch {
    /// `--transparent`: only sockets with IP_TRANSPARENT.
    pub transparent: bool,
    /// `--nowildcard`: sockets bound to any address count too.
    pub nowildcard: bool,
    /// `--restore-skmark`: the socket's mark becomes the packet's.
    pub restore_skmark: bool,
}
