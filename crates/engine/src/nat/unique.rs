//! Which address and port a connection gets: the search for a tuple that nobody else uses (`get_unique_tuple`).

use super::jhash::jhash2;
use super::{Manip, Range};
use crate::addr::{Addr, Family};
use crate::conntrack::table::{Found, hash_tuple, scale};
use crate::conntrack::{Conn, ConnRef, Direction, ProtoState, TcpConntrack, Tuple, Zone, kill, status};
use crate::event::{Emit, Gone, Observer};
use crate::host::Net;
use crate::packet::proto;

/// The connection that looks for a tuple: what the search needs to know of it.
pub(super) struct Seeker {
    tuples: [Tuple; 2],
    zone: Zone,
    /// A new TCP connection: where its SYN ends.
    syn_end: Option<u32>,
    clash_tolerant: bool,
    expected: bool,
}

impl Seeker {
    pub(super) fn new(conn: &Conn) -> Seeker {
        let syn_end = match &conn.proto {
            ProtoState::Tcp(tcp) if tcp.state == TcpConntrack::SynSent => Some(tcp.seen[0].end),
            _ => None,
        };
        Seeker {
            tuples: conn.tuples,
            zone: conn.zone,
            syn_end,
            clash_tolerant: crate::conntrack::l4::allows_clash(conn.tuples[0].proto),
            expected: conn.master.is_some(),
        }
    }
}

/// Attempts in one round of the search for a port (`NF_NAT_MAX_ATTEMPTS`).
const MAX_ATTEMPTS: u32 = 128;
/// With so few attempts left, a connection that is over may be pushed out (`NF_NAT_HARDER_THRESH`).
const HARDER: u32 = 32;

/// `get_unique_tuple`: the tuple in the original direction after this half is translated. Where no free one is found
/// the last that was tried comes back, and confirm will drop the packet.
pub(super) fn unique<O: Observer>(
    net: &mut Net,
    seeker: &Seeker,
    from: &Tuple,
    range: &Range,
    manip: Manip,
    emit: &mut Emit<'_, O>,
) -> Tuple {
    let any_random = range.flags.random || range.flags.random_fully;
    if manip == Manip::Src && !any_random {
        if in_range(from, range) {
            if !used_at_first(net, seeker, from, emit) {
                return *from;
            }
        } else if let Some(same) = mapped_before(net, seeker, from, range)
            && !used(net, seeker, &same, emit)
        {
            return same;
        }
    }
    let mut tuple = *from;
    choose_address(&mut tuple, &seeker.zone, range, manip);
    if !any_random {
        if range.flags.proto_specified {
            let single = range.min_port == range.max_port;
            let inside = !range.flags.proto_offset && port_in_range(&tuple, range, manip);
            if inside && (single || !used(net, seeker, &tuple, emit)) {
                return tuple;
            }
        } else if !used(net, seeker, &tuple, emit) {
            return tuple;
        }
    }
    search_port(net, seeker, &mut tuple, range, manip, emit);
    tuple
}

/// `nf_in_range`: does the tuple's source already meet the range?
fn in_range(tuple: &Tuple, range: &Range) -> bool {
    let address = !range.flags.map_ips || (range.min_addr <= tuple.src && tuple.src <= range.max_addr);
    address && (!range.flags.proto_specified || port_in_range(tuple, range, Manip::Src))
}

/// `l4proto_in_range`.
fn port_in_range(tuple: &Tuple, range: &Range, manip: Manip) -> bool {
    let port = match (tuple.proto, manip) {
        _ if tuple.is_icmp() => tuple.sport,
        (proto::TCP | proto::UDP | proto::UDPLITE | proto::DCCP | proto::SCTP | proto::GRE, Manip::Src) => {
            tuple.sport
        }
        (proto::TCP | proto::UDP | proto::UDPLITE | proto::DCCP | proto::SCTP | proto::GRE, Manip::Dst) => {
            tuple.dport
        }
        _ => return true,
    };
    (range.min_port..=range.max_port).contains(&port)
}

/// `find_appropriate_src`: another connection from the same address and port was given a source that meets the range.
fn mapped_before(net: &Net, seeker: &Seeker, from: &Tuple, range: &Range) -> Option<Tuple> {
    let zone = seeker.zone.id_for(Direction::Original);
    net.ct
        .by_source(from)
        .filter(|c| c.zone.id_for(Direction::Original) == zone)
        .filter_map(|c| {
            let theirs = c.tuple(Direction::Reply).invert()?;
            Some(Tuple { src: theirs.src, sport: theirs.sport, ..*from })
        })
        .find(|t| in_range(t, range))
}

/// `nf_nat_used_tuple`, `nf_conntrack_tuple_taken`: would the answers to this tuple be taken for those of another
/// connection?
fn used<O: Observer>(net: &mut Net, seeker: &Seeker, tuple: &Tuple, emit: &mut Emit<'_, O>) -> bool {
    let Some(reply) = tuple.invert() else { return false };
    let hash = hash_tuple(&reply, seeker.zone.id_for(Direction::Reply));
    loop {
        let mut met = None;
        for (id, dir, entry) in net.ct.in_chain(hash) {
            if entry.expires <= net.now {
                met = Some((id, false));
                break;
            }
            let same_zone = |dir| entry.conn.zone.id_for(dir) == seeker.zone.id_for(dir);
            // The same original tuple is the same flow; confirm will see to that.
            let same_flow =
                *entry.conn.tuple(Direction::Original) == seeker.tuples[0] && same_zone(Direction::Original);
            if *entry.conn.tuple(dir) == reply && same_zone(dir) && !same_flow {
                met = Some((id, true));
                break;
            }
        }
        match met {
            None => return false,
            Some((_, true)) => {
                net.ct.stats.found += 1;
                return true;
            }
            Some((id, false)) => {
                kill(net, id, Gone::Expired, None, emit);
            }
        }
    }
}

/// `nf_nat_used_tuple_new`: for the unchanged tuple, an entry without NAT that is the same flow the other way round does
/// not count where clashes can be resolved.
fn used_at_first<O: Observer>(net: &mut Net, seeker: &Seeker, tuple: &Tuple, emit: &mut Emit<'_, O>) -> bool {
    if !used(net, seeker, tuple, emit) {
        return false;
    }
    if !seeker.clash_tolerant {
        return true;
    }
    // The kernel looks for the other entry anew, and with a zone for one direction may find another one.
    let mut found = net.ct.find(tuple, &seeker.zone, net.now);
    if let (Found::Nothing, Some(reply)) = (found, tuple.invert()) {
        found = net.ct.find(&reply, &seeker.zone, net.now);
    }
    let Found::Entry(id, _) = found else { return false };
    !net.ct.entry(id).is_some_and(|e| {
        !e.conn.has(status::SRC_NAT | status::DST_NAT)
            && e.conn.tuples == [seeker.tuples[1], seeker.tuples[0]]
    })
}

/// `nf_nat_used_tuple_harder`: when few attempts are left, a closed connection whose numbers the new one has passed
/// makes way.
fn used_harder<O: Observer>(
    net: &mut Net,
    seeker: &Seeker,
    tuple: &Tuple,
    attempts_left: u32,
    emit: &mut Emit<'_, O>,
) -> bool {
    let (true, Some(syn_end)) = (attempts_left <= HARDER, seeker.syn_end) else {
        return used(net, seeker, tuple, emit);
    };
    let Some(reply) = tuple.invert() else { return false };
    let id = loop {
        match net.ct.find(&reply, &seeker.zone, net.now) {
            Found::Nothing => return false,
            Found::Entry(_, Direction::Original) => return true,
            Found::Entry(id, Direction::Reply) => break id,
            Found::Expired(id) => {
                kill(net, id, Gone::Expired, None, emit);
            }
        }
    };
    let Some(conn) = net.ct.conn(ConnRef::Confirmed(id)) else { return false };
    let over = match &conn.proto {
        ProtoState::Tcp(tcp) if matches!(tcp.state, TcpConntrack::TimeWait | TcpConntrack::Close) => {
            (syn_end.wrapping_sub(tcp.seen[0].end) as i32) > 0
        }
        _ => false,
    };
    if !over || !conn.has(status::SRC_NAT) || conn.has(status::FIXED_TIMEOUT | status::DYING) {
        return true;
    }
    kill(net, id, Gone::PortReused, None, emit);
    false
}

/// `find_best_ips_proto`: an address of the range, by a hash of the two ends, so that a client keeps its address.
fn choose_address(tuple: &mut Tuple, zone: &Zone, range: &Range, manip: Manip) {
    if !range.flags.map_ips {
        return;
    }
    let mut chosen = match manip {
        Manip::Src => tuple.src,
        Manip::Dst => tuple.dst,
    };
    if range.min_addr == range.max_addr {
        chosen = range.min_addr;
    } else {
        // The kernel hashes addresses as they lie in memory, and we follow a little-endian machine.
        let raw = |a: Addr| a.0.map(u32::swap_bytes);
        let words = match tuple.family {
            Family::V4 => 1,
            Family::V6 => 4,
        };
        let persistent = range.flags.persistent;
        let start = if persistent { 0 } else { raw(tuple.dst)[words - 1] ^ u32::from(zone.id) };
        let mut hash = jhash2(&raw(tuple.src), start);
        let mut free = false;
        for i in 0..words {
            let (low, size) = match free {
                // Once below the upper end, the rest of the address is free.
                true => (0, u32::MAX),
                false => {
                    let (low, high) = (range.min_addr.0[i], range.max_addr.0[i]);
                    (low, high.wrapping_sub(low).wrapping_add(1))
                }
            };
            chosen.0[i] = low.wrapping_add(scale(hash, size));
            if chosen.0[i] != range.max_addr.0[i] {
                free = true;
            }
            if !persistent {
                // A destination that is being chosen is hashed with what was just chosen.
                let word = if manip == Manip::Dst { chosen.0[i] } else { tuple.dst.0[i] };
                hash ^= word.swap_bytes();
            }
        }
    }
    match manip {
        Manip::Src => tuple.src = chosen,
        Manip::Dst => tuple.dst = chosen,
    }
}

/// `nf_nat_l4proto_unique_tuple`: tries ports (or ICMP ids) until one is free.
fn search_port<O: Observer>(
    net: &mut Net,
    seeker: &Seeker,
    tuple: &mut Tuple,
    range: &Range,
    manip: Manip,
    emit: &mut Emit<'_, O>,
) {
    let key = if manip == Manip::Src || tuple.is_icmp() { tuple.sport } else { tuple.dport };
    let given = range.flags.proto_specified;
    let (min, size) = match tuple.proto {
        _ if tuple.is_icmp() => match given {
            true => (
                range.min_port,
                u32::from(range.max_port).wrapping_sub(u32::from(range.min_port)).wrapping_add(1),
            ),
            false => (0, 65536),
        },
        // Without PPTP's helper a key means nothing.
        proto::GRE if !seeker.expected => return,
        proto::GRE if !given => (1, 65535),
        proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::GRE => {
            if given {
                let (low, high) = (range.min_port.min(range.max_port), range.min_port.max(range.max_port));
                (low, u32::from(high - low) + 1)
            } else {
                match (manip, key) {
                    (Manip::Dst, _) => return,
                    (Manip::Src, ..512) => (1, 511),
                    (Manip::Src, 512..1024) => (600, 424),
                    (Manip::Src, _) => (1024, 64512),
                }
            }
        }
        _ => return,
    };
    if size == 0 {
        return;
    }
    let any_random = range.flags.random || range.flags.random_fully;
    let mut offset = if range.flags.proto_offset {
        key.wrapping_sub(range.base_port)
    } else if any_random || manip != Manip::Dst {
        draw(net, size)
    } else {
        0
    };
    let mut attempts = size.min(MAX_ATTEMPTS);
    loop {
        for i in 0..attempts {
            let port = min.wrapping_add((u32::from(offset) % size) as u16);
            if manip == Manip::Src || tuple.is_icmp() {
                tuple.sport = port;
            } else {
                tuple.dport = port;
            }
            if !used_harder(net, seeker, tuple, attempts - i, emit) {
                return;
            }
            offset = offset.wrapping_add(1);
        }
        if attempts >= size || attempts < 16 {
            return;
        }
        attempts /= 2;
        offset = draw(net, size);
    }
}

/// A random place to begin the search. The kernel may draw any; we do not begin at an end of the range, which would look
/// as if a rule had named it.
fn draw(net: &mut Net, size: u32) -> u16 {
    loop {
        let offset = net.rng.next_u16();
        let place = u32::from(offset) % size;
        if size <= 2 || (place != 0 && place != size - 1) {
            return offset;
        }
    }
}
