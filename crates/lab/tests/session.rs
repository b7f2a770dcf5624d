//! Time travel: the world at a position is the same, however we came there.

use hookwalk_lab::Session;
use hookwalk_lab::record::What;

const LAB: &str = "\
wire client eth0=10.0.0.2/24
host server eth0=10.0.0.1/24
link client:eth0 server:eth0
say one
server$ listen udp/53 echo
client> udp 10.0.0.2:1 > 10.0.0.1:53 len=1
sleep 3
client> icmp 10.0.0.2 > 10.0.0.1 echo-request id=1
say two
client> tcp 10.0.0.2:9 > 10.0.0.1:99 S
client# frames
";

/// The state at a position, as text: enough to see every difference.
fn state(session: &Session) -> String {
    let run = session.run();
    format!("{:?} {:?} {:?}", run.world, run.blocks, run.line())
}

#[test]
fn positions_are_the_same_from_everywhere() {
    let mut forward = Session::new(LAB).unwrap();
    let len = forward.len();
    assert!(len > 30);
    let mut states = Vec::new();
    for at in 0..=len {
        forward.seek(at);
        assert_eq!(forward.position(), at);
        states.push(state(&forward));
    }
    let mut back = Session::new(LAB).unwrap();
    for at in (0..=len).rev() {
        back.seek(at);
        assert!(state(&back) == states[at], "at {at}");
    }
    back.seek(usize::MAX);
    assert_eq!(back.position(), len);
    assert!(back.run().is_over() || back.run().line() == Some(7));
}

#[test]
fn lines_times_and_stops() {
    let session = Session::new(LAB).unwrap();
    let lines: Vec<usize> = (0..8).map(|l| session.position_of_line(l).unwrap()).collect();
    assert!(lines.is_sorted());
    assert_eq!(session.position_of_line(8), None);
    for (line, at) in lines.iter().enumerate() {
        assert_eq!(session.line_at(*at), Some(line));
        assert_eq!(session.records(at - 1..*at)[0].what, What::Line);
    }
    assert_eq!(session.line_at(0), None);
    assert_eq!(session.stops(), [lines[0], lines[5]]);
    assert!(session.time(lines[3] - 1).as_secs() < 3);
    assert!(session.time(lines[4]).as_secs() >= 3);
    assert_eq!(session.records(0..usize::MAX).len(), session.len());
    let born = session.birth_of(hookwalk_engine::PacketId(1)).unwrap();
    assert_eq!(session.line_at(born + 1), Some(2));
}

#[test]
fn edits_fork_the_future() {
    let mut session = Session::new(LAB).unwrap();
    let old_end = state(&{
        let mut s = session.clone();
        s.seek(usize::MAX);
        s
    });
    // A bad line changes nothing.
    session.seek(20);
    let before = state(&session);
    let errors = session.edit(&format!("{LAB}clint# frames\n")).unwrap_err();
    assert_eq!(errors[0].to_string(), "12:1: no station is called clint (did you mean client?)");
    assert!(state(&session) == before);
    // A change in the middle: what comes out is what a fresh run gives.
    let text = LAB.replace("sleep 3", "sleep 4");
    let first_new = session.edit(&text).unwrap();
    assert_eq!(session.line_at(first_new + 1), Some(3));
    assert_eq!(session.position(), 20.min(first_new));
    for at in [0, 5, first_new, session.len()] {
        let mut fresh = Session::new(&text).unwrap();
        fresh.seek(at);
        session.seek(at);
        assert!(state(&session) == state(&fresh), "at {at}");
    }
    // And back, and with another network.
    session.edit(LAB).unwrap();
    session.seek(usize::MAX);
    assert!(state(&session) == old_end);
    session.edit(&LAB.replace("10.0.0.2/24", "10.0.0.3/24")).unwrap();
    assert_eq!(session.lab().stations[0].ifaces[0].addrs[0].1.as_v4(), 0x0a00_0003);
    session.edit("").unwrap();
    assert!(session.is_empty());
    session.edit(LAB).unwrap();
    session.seek(usize::MAX);
    assert!(state(&session) == old_end);
}

#[test]
fn long_runs_keep_few_checkpoints_and_seek_right() {
    let packets: String =
        (0..4000).map(|i| format!("client> udp 10.0.0.2:{} > 10.0.0.1:53 len=1\n", 1024 + i)).collect();
    let text = LAB.replace("sleep 3\n", &packets);
    let mut session = Session::new(&text).unwrap();
    let len = session.len();
    assert!(len > 50_000, "{len}");
    for at in [len / 3, len - 1, 17, len / 2, len / 2 + 1, len / 2 - 1, 0, len] {
        let frames = session.seek(at).world.stations[0].frames.len();
        let carried = session
            .records(0..at)
            .iter()
            .filter(|r| {
                matches!(r.what, What::Carry { from, .. } if from.station.0 == 0)
                    || matches!(r.what, What::Arrive { .. })
            })
            .count();
        assert_eq!(frames, carried, "at {at}");
    }
}

/// Listening tells what `conntrack -E` printed on the kernel, and changes nothing.
#[test]
fn listening() {
    let lab = "\
wire client eth0=10.0.0.2/24
host server eth0=10.0.0.1/24
link client:eth0 server:eth0
server# iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
server$ listen udp/53 echo
client> udp 10.0.0.2:5000 > 10.0.0.1:53 len=4
sleep 40
client> udp 10.0.0.2:5001 > 10.0.0.1:53 len=4
server# conntrack -D -p udp --orig-port-src 5001
";
    let session = Session::new(lab).expect("a lab");
    let heard = hookwalk_lab::listen::heard(&session, 100);
    use hookwalk_engine::conntrack::CtEventKind::{Destroy, New, Update};
    use hookwalk_engine::event::Gone;
    let told: Vec<_> = heard.iter().map(|h| (h.event.kind, h.gone)).collect();
    assert_eq!(
        told,
        [
            (New, None),
            (Update, None),
            (Destroy, Some(Gone::Expired)),
            (New, None),
            (Update, None),
            (Destroy, Some(Gone::Deleted)),
        ]
    );
    assert!(heard.is_sorted_by_key(|h| h.at));
    assert!(heard.last().is_some_and(|h| h.at <= session.len()));
    assert_eq!(hookwalk_lab::listen::heard(&session, 2).len(), 2);
}
