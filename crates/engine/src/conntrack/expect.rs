//! Expectations: connections that a helper has read about in another's payload (nf_conntrack_expect.c).

use super::{ConnRef, Direction, EntryId, Helper, Tuple, Zone};
use crate::addr::Addr;
use crate::event::{Emit, EventKind, Observer};
use crate::host::Net;
use crate::time::{Duration, Time};

/// A connection that may come, `struct nf_conntrack_expect`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Expectation {
    /// Its original tuple. The source port is open.
    pub tuple: Tuple,
    /// Zone of its master.
    pub zone: Zone,
    /// The connection that announced it, which is held until it is fulfilled or gone.
    pub master: EntryId,
    /// The helper that read it.
    pub helper: Helper,
    /// When it is given up.
    pub expires: Time,
    /// With NAT on the master: how the coming connection is translated like it.
    pub nat: Option<FollowMaster>,
}

/// What `nf_nat_follow_master` needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FollowMaster {
    /// The announced port, before it was changed in the payload.
    pub port: u16,
    /// The direction of the master in which the connection will come.
    pub dir: Direction,
}

/// All that are open (`net->ct.expect_*`).
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    list: Vec<Expectation>,
}

/// Why an expectation was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// Another connection expects the same (`-EBUSY`, `-EALREADY`).
    Clash,
}

/// How long a connection that FTP announced may take to come (`ftp_exp_policy`).
const FTP_TIMEOUT: Duration = Duration::secs(300);

impl Expectations {
    /// Those that are open.
    pub fn iter(&self) -> impl Iterator<Item = &Expectation> {
        self.list.iter()
    }
    /// How many are open.
    pub fn len(&self) -> usize {
        self.list.len()
    }
    /// Is none open?
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
    /// `conntrack -F expect`: all go.
    pub fn clear(&mut self) {
        self.list.clear();
    }
    /// When the next one is given up.
    pub(crate) fn first_expiry(&self) -> Option<Time> {
        self.list.iter().map(|e| e.expires).min()
    }
}

impl Expectation {
    /// `nf_ct_tuple_mask_cmp` with an open source port.
    fn awaits(&self, tuple: &Tuple, zone: &Zone) -> bool {
        let open = Tuple { sport: self.tuple.sport, ..*tuple };
        open == self.tuple && zone.id_for(Direction::Original) == self.zone.id_for(Direction::Original)
    }
}

/// `nf_ct_expect_related`: the same again renews it; one a master, so that an older one of the same master goes.
pub(crate) fn add<O: Observer>(
    net: &mut Net,
    mut new: Expectation,
    emit: &mut Emit<'_, O>,
) -> Result<(), Refused> {
    new.expires = net.now + FTP_TIMEOUT;
    let other = net.ct.expect.list.iter().any(|e| e.tuple == new.tuple && e.master != new.master);
    if other {
        return Err(Refused::Clash);
    }
    remove_where(net, |e| e.master == new.master);
    net.ct.hold(ConnRef::Confirmed(new.master));
    net.ct.stats.expect_create += 1;
    net.ct.expect.list.push(new);
    emit.event(EventKind::Expect { master: new.master });
    Ok(())
}

/// `nf_ct_find_expectation`: takes the one that this first packet fulfils. The reference to its master goes along.
pub(crate) fn take(net: &mut Net, tuple: &Tuple, zone: &Zone) -> Option<Expectation> {
    if net.ct.expect.list.is_empty() {
        return None;
    }
    let now = net.now;
    let at = net.ct.expect.list.iter().position(|e| e.expires > now && e.awaits(tuple, zone))?;
    let found = net.ct.expect.list[at];
    net.ct.entry(found.master)?;
    net.ct.stats.expect_new += 1;
    Some(net.ct.expect.list.remove(at))
}

/// Takes away what fits, with the references to the masters.
pub(crate) fn remove_where(net: &mut Net, fits: impl Fn(&Expectation) -> bool) {
    let (gone, stay) = core::mem::take(&mut net.ct.expect.list).into_iter().partition(|e| fits(e));
    net.ct.expect.list = stay;
    let gone: Vec<Expectation> = gone;
    for e in gone {
        net.ct.stats.expect_delete += 1;
        net.ct.put(ConnRef::Confirmed(e.master));
    }
}

/// The expectation for what `master`'s other end will open: from that end's address, any port, to this address and port.
pub(crate) fn ftp(
    master: EntryId,
    zone: Zone,
    src: Addr,
    dst: Addr,
    dport: u16,
    like: &Tuple,
) -> Expectation {
    let tuple = Tuple { src, dst, sport: 0, dport, proto: like.proto, family: like.family };
    Expectation { tuple, zone, master, helper: Helper::Ftp, expires: Time::default(), nat: None }
}
