//! A connection that the host itself ends.

use super::{ConnRef, Nfct, ProtoState, TcpConntrack, notify};
use crate::host::Net;
use crate::packet::Skb;
use crate::time::Duration;

/// `nf_conntrack_tcp_set_closing` (net/netfilter/nf_conntrack_proto_tcp.c): a RST was sent for a packet of a confirmed
/// TCP entry, so the entry closes.
pub fn set_closing(net: &mut Net, skb: &Skb) {
    let Nfct::Conn { conn, .. } = skb.nfct else { return };
    let ConnRef::Confirmed(id) = net.ct.resolve(conn) else { return };
    let timeout = net.sysctl.ct_tcp_timeouts[TcpConntrack::Close as usize];
    let now = net.now;
    let Some(entry) = net.ct.entry_mut(id) else { return };
    let ProtoState::Tcp(tcp) = &mut entry.conn.proto else { return };
    tcp.state = TcpConntrack::Close;
    entry.conn.note(notify::PROTOINFO);
    let expires = now + Duration::secs(u64::from(timeout));
    entry.expires = expires;
    net.ct.expires_at(expires);
}
