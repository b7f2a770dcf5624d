//! The simulated router: eth0 towards the client, eth1 towards the server, a ruleset, and nobody who looks.

use crate::traffic::{Sent, Side};
use crate::workload::Workload;
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use hookwalk_engine::conntrack;
use hookwalk_engine::device::DevId;
use hookwalk_engine::event::{Emit, NoObserver};
use hookwalk_engine::flight::{Cpu, Out, PacketIds};
use hookwalk_engine::host::{Host, HostId};
use hookwalk_engine::packet::{Packet, PacketId, Skb};
use hookwalk_engine::route::{Route, RouteKind, table};
use hookwalk_engine::time::Duration;
use hookwalk_engine::wire;
use hookwalk_lang::shell::Word;

const ETH0: DevId = DevId(2);
const ETH1: DevId = DevId(3);

/// Addresses that are routed to the server's side besides its own network: the endpoints of the kube-proxy ruleset.
const PODS: (u32, u8) = (0x0af4_0000, 16);

/// A host that forwards, and the processor that it has.
#[derive(Clone, Debug)]
pub struct Router {
    /// The host.
    pub host: Host,
    cpu: Cpu,
    ids: PacketIds,
}

/// What one lap did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lap {
    /// Packets that came in.
    pub packets: u64,
    /// Frames that left.
    pub forwarded: u64,
}

impl Router {
    /// A router with this ruleset, as `iptables-restore` loads it.
    ///
    /// # Errors
    /// What `iptables-restore` said.
    pub fn new(ruleset: &str) -> Result<Router, String> {
        let mut host = Host::new(HostId(0), 1);
        let devices = [("eth0", 0x0a00_0101_u32), ("eth1", 0x0a00_0201)];
        for (i, (name, addr)) in devices.into_iter().enumerate() {
            let dev = host.add_device(name, [2, 0, 0, 0, 0, i as u8]);
            host.add_addr(dev, Family::V4, Addr::v4(addr), 24);
            host.net.sysctl.conf[usize::from(dev.0)].forwarding = true;
        }
        host.net.fib.routes.push(Route {
            family: Family::V4,
            table: table::MAIN,
            kind: RouteKind::Unicast,
            dst: AddrMask::prefix(Family::V4, Addr::v4(PODS.0), PODS.1),
            dev: Some(ETH1),
            via: Some(Addr::v4(0x0a00_0202)),
            src: None,
            metric: 0,
            tos: 0,
            protocol: 3,
            scope: 0,
            onlink: false,
            mtu: None,
        });
        host.net.sysctl.ct_max = 8_000_000;
        if !ruleset.is_empty() {
            let argv = [Word::new("iptables-restore")];
            let output = hookwalk_lang::command::run(&mut host, &argv, Some(ruleset));
            if output.exit != 0 || output.refused.is_some() {
                return Err(output.stderr);
            }
        }
        host.refresh();
        Ok(Router { host, cpu: Cpu::default(), ids: PacketIds::default() })
    }

    /// The router of a workload, with its connections in the table where they are not new.
    ///
    /// # Errors
    /// What `iptables-restore` said.
    pub fn of(workload: Workload) -> Result<(Router, Vec<Sent>), String> {
        let mut router = Router::new(&workload.ruleset())?;
        let packets = workload.packets();
        // Once for the entries and the sizes of tables; a second time, so that established ones are ASSURED.
        for _ in 0..2 {
            router.flush_if(workload.is_new());
            router.lap(&packets);
        }
        router.flush_if(workload.is_new());
        Ok((router, packets))
    }

    /// Empties the connection table.
    pub fn flush_if(&mut self, wanted: bool) {
        if !wanted {
            return;
        }
        let mut silent = NoObserver;
        let mut emit = Emit { observer: &mut silent, host: HostId(0), packet: PacketId(0) };
        self.host.net.now += Duration::secs(10_000_000);
        conntrack::collect(&mut self.host.net, &mut emit);
    }

    /// Every packet through the router, one after the other.
    pub fn lap(&mut self, packets: &[Sent]) -> Lap {
        let mut lap = Lap::default();
        for Sent { side, packet } in packets {
            self.packet(*side, packet.clone(), &mut lap);
        }
        lap
    }

    /// A lap under a name of its own, by which callgrind knows when to count.
    #[inline(never)]
    pub fn counted_lap(&mut self, packets: &[Sent]) -> Lap {
        self.lap(packets)
    }

    /// The packets of a capture, read from its bytes. Its frames carry their side in the last byte of the source address.
    pub fn replay(&mut self, capture: &[u8]) -> Lap {
        let mut lap = Lap::default();
        for frame in crate::traffic::frames(capture) {
            let side = if frame[11] == 1 { Side::Server } else { Side::Client };
            if let Ok(packet) = wire::decode_headers(&frame[14..]) {
                self.packet(side, packet, &mut lap);
            }
        }
        lap
    }

    fn packet(&mut self, side: Side, packet: Packet, lap: &mut Lap) {
        let dev = if side == Side::Client { ETH0 } else { ETH1 };
        let skb = Skb::new(self.ids.next_id(), packet);
        self.host.receive(dev, skb, &mut self.cpu);
        self.host.run(&mut self.cpu, &mut self.ids);
        lap.packets += 1;
        while let Some(out) = self.cpu.out.pop_front() {
            lap.forwarded += u64::from(matches!(out, Out::Wire { .. }));
        }
    }
}
