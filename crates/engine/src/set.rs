//! ipset: named sets of addresses, ports and the like that rules look packets up in (net/netfilter/ipset/).
//!
//! [`SetTable`] is what `ipset` commands and rules work on; [`kind`] says what an element of each type consists of;
//! [`mod@packet`] takes an element out of a packet. Elements of hash and bitmap types are kept in the order of their
//! values: the kernel's order in a hash changes with its seed, and nobody may rely on it.

pub mod kind;
pub mod packet;

pub use kind::{Dim, SetType};
pub use packet::{PacketFields, Test};

use crate::addr::{Addr, AddrMask, Family};
use crate::time::{Duration, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is fixed when a set is created, `ipset create`.
#[derive(Clone, PartialEq, Debug)]
pub struct SetHeader {
    /// Type.
    pub kind: SetType,
    /// Family of its addresses; IPv4 for bitmap types. `bitmap:port`, `hash:mac` and `list:set` serve both.
    pub family: Family,
    /// `hashsize` of hash types; 1024 by default.
    pub hashsize: u32,
    /// `maxelem` of hash types; 65536 by default.
    pub maxelem: u32,
    /// `bucketsize` of hash types; 12 by default.
    pub bucketsize: u8,
    /// `initval` of hash types: the seed of its hash.
    pub initval: u32,
    /// `netmask`: addresses are stored and looked up as networks of this prefix length.
    pub netmask: Option<u8>,
    /// `bitmask`: the same with any mask.
    pub bitmask: Option<Addr>,
    /// `markmask` of `hash:ip,mark`; all ones by default.
    pub markmask: u32,
    /// First and last address or port of bitmap types.
    pub range: (u32, u32),
    /// `size` of `list:set`; 8 by default.
    pub size: u32,
    /// `timeout`: the default for its elements in seconds, 0 for ever; `None`: elements have no timeout.
    pub timeout: Option<u32>,
    /// `counters`.
    pub counters: bool,
    /// `comment`.
    pub comment: bool,
    /// `skbinfo`.
    pub skbinfo: bool,
    /// `forceadd`: a full set makes room.
    pub forceadd: bool,
}

impl SetHeader {
    /// A set of this type with the defaults of `ipset create`.
    pub fn new(kind: SetType, family: Family) -> SetHeader {
        SetHeader {
            kind,
            family,
            hashsize: 1024,
            maxelem: 65536,
            bucketsize: 12,
            initval: 0,
            netmask: None,
            bitmask: None,
            markmask: u32::MAX,
            range: (0, 0),
            size: 8,
            timeout: None,
            counters: false,
            comment: false,
            skbinfo: false,
            forceadd: false,
        }
    }
    /// The longest prefix length that `netmask` leaves, from 1.
    fn mask(&self) -> Addr {
        match (self.netmask, self.bitmask) {
            (_, Some(mask)) => mask,
            (Some(len), None) => Addr::prefix_mask(self.family, len),
            (None, None) => Addr([u32::MAX; 4]),
        }
    }
}

/// An element: which fields mean something is the type's matter ([`SetType::dims`]); the others keep their defaults.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Elem {
    /// First address.
    pub ip: Addr,
    /// Its prefix length: 32 or 128 for a host, also in types without networks.
    pub cidr: u8,
    /// Second address.
    pub ip2: Addr,
    /// Its prefix length; 0 where the type has no second address.
    pub cidr2: u8,
    /// Protocol of `port`; 0 in `bitmap:port`.
    pub proto: u8,
    /// Port; for ICMP `type << 8 | code`.
    pub port: u16,
    /// Hardware address; in `bitmap:ip,mac` it may be absent.
    pub mac: Option<[u8; 6]>,
    /// Mark.
    pub mark: u32,
    /// Interface, or the name of a member set.
    pub name: Option<Arc<str>>,
    /// `physdev:` before the interface.
    pub physdev: bool,
    /// `wildcard`: the interface's name is the beginning of a name.
    pub wildcard: bool,
}

/// What an element carries besides its key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ext {
    /// When it expires; `None`: never, or the set has no timeouts.
    pub expires: Option<Time>,
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// Comment, at most 255 bytes.
    pub comment: Option<Arc<str>>,
    /// `skbmark`: value and mask.
    pub skbmark: Option<(u32, u32)>,
    /// `skbprio`: as one number.
    pub skbprio: Option<u32>,
    /// `skbqueue`.
    pub skbqueue: Option<u16>,
    /// `nomatch`: an exception within a larger network.
    pub nomatch: bool,
    /// `bitmap:ip,mac`: the address, which is not part of the key there.
    pub mac: Option<[u8; 6]>,
    /// `bitmap:ip,mac`: the timeout in seconds of an element that has no address yet: it runs from when that is known.
    pub waiting: Option<u32>,
}

/// A set.
#[derive(Clone, PartialEq, Debug)]
pub struct Set {
    /// Name, at most 31 bytes.
    pub name: Arc<str>,
    /// Header.
    pub header: SetHeader,
    /// Elements of hash and bitmap types.
    elems: BTreeMap<Elem, Ext>,
    /// Members of a `list:set`, in their order.
    list: Vec<(Elem, Ext)>,
    /// Prefix lengths in use, longest first, with the number of their elements; for the first and second address.
    prefixes: [Vec<(u8, u32)>; 2],
}

/// How far a look-up has gone through the prefix lengths.
#[derive(Clone, Copy, Default)]
struct Search {
    /// Of the first address.
    first: usize,
    /// Of the second.
    second: usize,
    /// Nothing larger counts any more.
    over: bool,
}

/// Why an `ipset` command failed, with the tool's words for it in the comments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetError {
    /// "The set with the given name does not exist".
    NoSet,
    /// "Set cannot be created: set with the same name already exists".
    NameTaken,
    /// "Set cannot be destroyed: it is in use by a kernel component", "Set cannot be renamed: …".
    InUse,
    /// "Element cannot be added to the set: it's already added".
    Exists,
    /// "Element cannot be deleted from the set: it's not added".
    Missing,
    /// "Hash is full, cannot add more elements".
    HashFull,
    /// "Set is full, more elements cannot be added" (`list:set`).
    ListFull,
    /// "Element is out of the range of the set".
    OutOfRange,
    /// "The value of the CIDR parameter of the IP address is invalid".
    Cidr,
    /// "Set to be added/deleted/tested as element does not exist".
    NoMemberSet,
    /// "A set with list:set type cannot be added to a list:set type of set".
    ListInList,
    /// "Sets cannot be swapped: they are of different types".
    SwapTypes,
    /// "Timeout cannot be used: set was created without timeout support", and the like for the other extensions.
    NoExtension,
    /// "Null-valued element, cannot be stored in a hash type of set": the address of all zeros in `hash:ip`.
    NullElement,
    /// An element of the set's type needs what this one does not have, or no such thing is allowed (all zeros).
    Invalid,
}

/// Where a member goes in a `list:set`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ListPlace {
    /// At the end.
    #[default]
    End,
    /// `before NAME`.
    Before(Arc<str>),
    /// `after NAME`.
    After(Arc<str>),
}

impl Set {
    /// An empty set.
    pub fn new(name: &str, header: SetHeader) -> Set {
        Set {
            name: name.into(),
            header,
            elems: BTreeMap::new(),
            list: Vec::new(),
            prefixes: [Vec::new(), Vec::new()],
        }
    }

    /// Its elements that have not expired at `now`.
    pub fn iter(&self, now: Time) -> impl Iterator<Item = (&Elem, &Ext)> {
        let list = self.list.iter().map(|(elem, ext)| (elem, ext));
        self.elems.iter().chain(list).filter(move |(_, ext)| !expired(ext, now))
    }
    /// How many elements it has, those that expired and are not yet swept included (`Number of entries`).
    pub fn len(&self) -> usize {
        self.elems.len() + self.list.len()
    }
    /// Has it none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element as it is stored: masked by `netmask`, `bitmask`, `markmask` and its own prefix lengths.
    pub fn canonical(&self, elem: &Elem) -> Result<Elem, SetError> {
        let header = &self.header;
        let family = header.family;
        // Only what the type asks for is kept.
        let mut kept = Elem::default();
        let mut second = false;
        for dim in header.kind.dims() {
            match dim {
                Dim::Ip | Dim::Net => {
                    let (ip, cidr) = if second { (elem.ip2, elem.cidr2) } else { (elem.ip, elem.cidr) };
                    let cidr = if *dim == Dim::Ip { family.bits() } else { cidr };
                    // A zero prefix is refused but for the types that test another thing as well.
                    if cidr > family.bits() || (cidr == 0 && !header.kind.zero_prefix()) {
                        return Err(SetError::Cidr);
                    }
                    let mut ip = AddrMask::prefix(family, ip, cidr).addr;
                    // The masks of the header apply to the first address, in hash:net,net to both.
                    if !second || header.kind == SetType::HashNetNet {
                        ip = ip.and(header.mask());
                    }
                    if second {
                        (kept.ip2, kept.cidr2) = (ip, cidr);
                    } else {
                        (kept.ip, kept.cidr) = (ip, cidr);
                    }
                    second = true;
                }
                Dim::Port => (kept.proto, kept.port) = (elem.proto, elem.port),
                Dim::Mark => kept.mark = elem.mark & header.markmask,
                Dim::Mac => {
                    if header.kind != SetType::BitmapIpMac && elem.mac.unwrap_or_default() == [0; 6] {
                        return Err(SetError::Invalid);
                    }
                    kept.mac = elem.mac;
                }
                Dim::Iface | Dim::Set => {
                    if elem.name.is_none() {
                        return Err(SetError::Invalid);
                    }
                    kept.name = elem.name.clone();
                    (kept.physdev, kept.wildcard) = (elem.physdev, elem.wildcard);
                }
            }
        }
        let mut elem = kept;
        match header.kind {
            SetType::BitmapIp | SetType::BitmapIpMac => {
                let value = elem.ip.as_v4();
                if value < header.range.0 || value > header.range.1 {
                    return Err(SetError::OutOfRange);
                }
            }
            SetType::BitmapPort => {
                elem.proto = 0;
                if u32::from(elem.port) < header.range.0 || u32::from(elem.port) > header.range.1 {
                    return Err(SetError::OutOfRange);
                }
            }
            SetType::HashIp if elem.ip.is_unspecified() => return Err(SetError::NullElement),
            _ => {}
        }
        if header.kind == SetType::BitmapIpMac {
            elem.mac = None;
        }
        Ok(elem)
    }

    fn count_prefix(&mut self, elem: &Elem, add: bool) {
        for (len, nets) in [elem.cidr, elem.cidr2].into_iter().zip(&mut self.prefixes) {
            match nets.iter().position(|&(l, _)| l <= len) {
                Some(at) if nets[at].0 == len => {
                    if add {
                        nets[at].1 += 1;
                    } else {
                        nets[at].1 -= 1;
                        if nets[at].1 == 0 {
                            nets.remove(at);
                        }
                    }
                }
                at if add => nets.insert(at.unwrap_or(nets.len()), (len, 1)),
                _ => {}
            }
        }
    }

    /// `ipset add`: with `exist` (`-exist`) an element that is there takes on the new values.
    pub fn add(&mut self, elem: &Elem, ext: Ext, exist: bool, now: Time) -> Result<(), SetError> {
        if self.header.kind == SetType::ListSet {
            return self.list_add(elem, ext, ListPlace::End, exist, now);
        }
        let key = self.canonical(elem)?;
        let mut ext = ext;
        if self.header.kind == SetType::BitmapIpMac {
            ext.mac = elem.mac;
            if elem.mac.is_none() {
                ext.waiting = ext.expires.take().map(|at| at.since(now).as_secs() as u32);
            }
        }
        let default = self.expiry(None, now);
        if let Some(old) = self.elems.get_mut(&key) {
            // bitmap:ip,mac: an element without a hardware address takes one; while it waits for one, its timeout looks
            // as if it were over.
            let open = self.header.kind == SetType::BitmapIpMac
                && old.mac.is_none()
                && (ext.mac.is_some() || old.waiting.is_some());
            if !expired(old, now) && !exist && !open {
                return Err(SetError::Exists);
            }
            // The timeout that waited begins, unless another was written.
            if open && ext.mac.is_some() && ext.expires == default {
                ext.expires = old.waiting.map(|secs| now + Duration::secs(u64::from(secs)));
            }
            ext.mac = ext.mac.or(old.mac);
            *old = ext;
            return Ok(());
        }
        if self.header.kind.is_hash() && self.elems.len() >= self.header.maxelem as usize {
            self.sweep(now);
            if self.elems.len() >= self.header.maxelem as usize {
                // The kernel evicts from the bucket where the new element goes, and gives up if that is empty: with
                // fewer elements than buckets it mostly is.
                if !self.header.forceadd || self.elems.len() < self.header.hashsize as usize {
                    return Err(SetError::HashFull);
                }
                if let Some(first) = self.elems.keys().next().cloned() {
                    self.remove(&first);
                }
            }
        }
        self.count_prefix(&key, true);
        self.elems.insert(key, ext);
        Ok(())
    }

    /// `ipset add` to a `list:set`, at a place.
    pub fn list_add(
        &mut self,
        elem: &Elem,
        ext: Ext,
        place: ListPlace,
        exist: bool,
        now: Time,
    ) -> Result<(), SetError> {
        let Some(name) = &elem.name else { return Err(SetError::Invalid) };
        self.sweep(now);
        let find =
            |list: &[(Elem, Ext)], name: &str| list.iter().position(|(e, _)| e.name.as_deref() == Some(name));
        if let Some(at) = find(&self.list, name) {
            if !exist {
                return Err(SetError::Exists);
            }
            self.list[at].1 = ext;
            return Ok(());
        }
        let at = match place {
            ListPlace::End => self.list.len(),
            ListPlace::Before(other) => find(&self.list, &other).ok_or(SetError::Missing)?,
            ListPlace::After(other) => find(&self.list, &other).ok_or(SetError::Missing)? + 1,
        };
        if self.list.len() >= self.header.size as usize {
            return Err(SetError::ListFull);
        }
        self.list.insert(at, (elem.clone(), ext));
        Ok(())
    }

    /// `ipset del`.
    pub fn del(&mut self, elem: &Elem, now: Time) -> Result<(), SetError> {
        if self.header.kind == SetType::ListSet {
            let at = self.list.iter().position(|(e, x)| e.name == elem.name && !expired(x, now));
            self.list.remove(at.ok_or(SetError::Missing)?);
            return Ok(());
        }
        let key = self.canonical(elem)?;
        // A hardware address that was written too is not compared (bitmap_ipmac_do_del).
        if self.elems.get(&key).is_none_or(|ext| expired(ext, now)) {
            return Err(SetError::Missing);
        }
        self.remove(&key);
        Ok(())
    }

    /// `ipset test`: is it in the set? An exception (`nomatch`) is found only if that is what is asked for.
    pub fn contains(&self, elem: &Elem, nomatch: bool, now: Time) -> Result<bool, SetError> {
        match self.get(elem, now) {
            Err(SetError::NullElement) => Ok(false),
            found => {
                let known = |ext: &Ext| ext.mac.is_none() || elem.mac.is_none() || ext.mac == elem.mac;
                Ok(found?.is_some_and(|ext| ext.nomatch == nomatch && known(ext)))
            }
        }
    }

    /// What exactly this element carries as it is stored, expired or not.
    pub fn stored(&self, elem: &Elem) -> Option<&Ext> {
        let in_list = || self.list.iter().find(|(e, _)| e.name == elem.name).map(|(_, x)| x);
        match self.header.kind {
            SetType::ListSet => in_list(),
            _ => self.elems.get(&self.canonical(elem).ok()?),
        }
    }

    /// What the element, or the network that it lies in, carries; `None` if it is not in the set. Exceptions
    /// (`nomatch`) are found too.
    pub fn get(&self, elem: &Elem, now: Time) -> Result<Option<&Ext>, SetError> {
        if self.header.kind == SetType::ListSet {
            let found = self.list.iter().find(|(e, x)| e.name == elem.name && !expired(x, now));
            return Ok(found.map(|(_, x)| x));
        }
        let key = self.canonical(elem)?;
        // A host is looked up in the networks, a network only as itself (mtype_test).
        let bits = self.header.family.bits();
        let host = |dim: Dim, len| dim != Dim::Net || len == bits;
        let dims = self.header.kind.addr_dims();
        if dims[0].is_some_and(|d| host(d, key.cidr)) && dims[1].is_none_or(|d| host(d, key.cidr2)) {
            return Ok(self.find(&key, now).map(|found| &self.elems[&found]));
        }
        Ok(self.elems.get(&key).filter(|x| !expired(x, now)))
    }

    /// The stored element that a host's element falls under: the most specific first.
    fn find(&self, key: &Elem, now: Time) -> Option<Elem> {
        self.next_find(key, &mut Search::default(), now)
    }

    /// The next stored element that a host's element falls under, from the most specific on.
    fn next_find(&self, key: &Elem, search: &mut Search, now: Time) -> Option<Elem> {
        let family = self.header.family;
        let dims = self.header.kind.addr_dims();
        // The prefix lengths to try, longest first; an address that is no network has its own alone.
        let own = [[(key.cidr, 1)], [(key.cidr2, 1)]];
        let lens = |i: usize| match dims[i] {
            Some(Dim::Net) => &*self.prefixes[i],
            _ => &own[i][..],
        };
        let mut probe = key.clone();
        while let Some(&(len, _)) = lens(0).get(search.first).filter(|_| !search.over) {
            probe.cidr = len;
            probe.ip = AddrMask::prefix(family, key.ip, len).addr;
            while let Some(&(len2, _)) = lens(1).get(search.second) {
                search.second += 1;
                probe.cidr2 = len2;
                probe.ip2 = AddrMask::prefix(family, key.ip2, len2).addr;
                let exact = self.elems.get(&probe).is_some_and(|x| !expired(x, now));
                if self.header.kind == SetType::HashNetIface {
                    // A network that is there hides the larger ones, with whatever interface (`multi` in
                    // mtype_test_cidrs).
                    let (known, wildcard) = self.find_wildcard(&probe, now);
                    search.over = known;
                    if let (false, Some(found)) = (exact, wildcard) {
                        return Some(found);
                    }
                }
                if exact {
                    return Some(probe);
                }
                if search.over {
                    return None;
                }
            }
            search.first += 1;
            search.second = 0;
        }
        None
    }

    /// Is the network there with any interface; and the element of it whose interface is the beginning of the one
    /// asked for. Elements with and without `physdev:` do not see each other.
    fn find_wildcard(&self, probe: &Elem, now: Time) -> (bool, Option<Elem>) {
        let from = Elem { ip: probe.ip, cidr: probe.cidr, ..Elem::default() };
        let mut same = self
            .elems
            .range(from..)
            .take_while(|(e, _)| e.ip == probe.ip && e.cidr == probe.cidr)
            .filter(|(e, x)| e.physdev == probe.physdev && !expired(x, now))
            .peekable();
        let known = same.peek().is_some();
        let name = probe.name.as_deref().unwrap_or("");
        let found =
            same.find(|(e, _)| e.wildcard && e.name.as_deref().is_some_and(|stem| name.starts_with(stem)));
        (known, found.map(|(e, _)| e.clone()))
    }

    fn remove(&mut self, key: &Elem) {
        if self.elems.remove(key).is_some() {
            self.count_prefix(key, false);
        }
    }

    /// Forgets what has expired (`mtype_gc`, which the kernel runs now and then).
    pub fn sweep(&mut self, now: Time) {
        self.list.retain(|(_, ext)| !expired(ext, now));
        let gone: Vec<Elem> =
            self.elems.iter().filter(|(_, x)| expired(x, now)).map(|(e, _)| e.clone()).collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// `ipset flush`.
    pub fn flush(&mut self) {
        self.elems.clear();
        self.list.clear();
        self.prefixes = [Vec::new(), Vec::new()];
    }

    /// When an element that is added now expires, with a timeout of its own or with the set's.
    pub fn expiry(&self, timeout: Option<u32>, now: Time) -> Option<Time> {
        match timeout.or(self.header.timeout) {
            None | Some(0) => None,
            Some(secs) => Some(now + Duration::secs(u64::from(secs))),
        }
    }
}

fn expired(ext: &Ext, now: Time) -> bool {
    ext.expires.is_some_and(|at| at <= now)
}

/// The sets of a host, in order of creation.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SetTable {
    sets: Vec<Set>,
}

impl SetTable {
    /// The set of this name.
    pub fn get(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|s| *s.name == *name)
    }
    /// The set of this name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Set> {
        self.sets.iter_mut().find(|s| *s.name == *name)
    }
    /// All sets.
    pub fn iter(&self) -> impl Iterator<Item = &Set> {
        self.sets.iter()
    }
    /// How many lists the set is a member of; rules that name it are counted by [`crate::ruleset::Ruleset`].
    pub fn memberships(&self, name: &str) -> usize {
        self.sets.iter().flat_map(|s| &s.list).filter(|(e, _)| e.name.as_deref() == Some(name)).count()
    }
    /// `ipset create`. With `exist` a set of the same name and header is fine.
    pub fn create(&mut self, name: &str, mut header: SetHeader, exist: bool) -> Result<(), SetError> {
        // A list has room for four at least (IP_SET_LIST_MIN_SIZE).
        header.size = header.size.max(4);
        if let Some(old) = self.get(name) {
            // initval differs from set to set when it is drawn.
            let same = SetHeader { initval: old.header.initval, ..header } == old.header;
            return if exist && same { Ok(()) } else { Err(SetError::NameTaken) };
        }
        self.sets.push(Set::new(name, header));
        Ok(())
    }
    /// `ipset destroy NAME`; `in_rules`: how many rules name it.
    pub fn destroy(&mut self, name: &str, in_rules: usize) -> Result<(), SetError> {
        let at = self.sets.iter().position(|s| *s.name == *name).ok_or(SetError::NoSet)?;
        if in_rules + self.memberships(name) > 0 {
            return Err(SetError::InUse);
        }
        self.sets.remove(at);
        Ok(())
    }
    /// `ipset destroy` of all, where none may be in use.
    pub fn destroy_all(&mut self, in_rules: impl Fn(&str) -> usize) -> Result<(), SetError> {
        // Being a member of a list hinders too, although the list would go as well.
        if self.sets.iter().any(|s| in_rules(&s.name) + self.memberships(&s.name) > 0) {
            return Err(SetError::InUse);
        }
        self.sets.clear();
        Ok(())
    }
    /// `ipset rename`.
    pub fn rename(&mut self, from: &str, to: &str, in_rules: usize) -> Result<(), SetError> {
        let at = self.sets.iter().position(|s| *s.name == *from).ok_or(SetError::NoSet)?;
        if in_rules + self.memberships(from) > 0 {
            return Err(SetError::InUse);
        }
        if self.get(to).is_some() {
            return Err(SetError::NameTaken);
        }
        self.sets[at].name = to.into();
        Ok(())
    }
    /// `ipset swap`: contents change places, names and what refers to them stay.
    pub fn swap(&mut self, a: &str, b: &str) -> Result<(), SetError> {
        let at = |name: &str| self.sets.iter().position(|s| *s.name == *name).ok_or(SetError::NoSet);
        let (i, j) = (at(a)?, at(b)?);
        let (x, y) = (&self.sets[i].header, &self.sets[j].header);
        if !x.kind.same_features(y.kind) || x.family != y.family {
            return Err(SetError::SwapTypes);
        }
        self.sets.swap(i, j);
        let name = self.sets[i].name.clone();
        self.sets[i].name = self.sets[j].name.clone();
        self.sets[j].name = name;
        Ok(())
    }
    /// `ipset add`, with the checks that need other sets.
    pub fn add(&mut self, set: &str, elem: &Elem, ext: Ext, exist: bool, now: Time) -> Result<(), SetError> {
        self.add_at(set, elem, ext, ListPlace::End, exist, now)
    }
    /// [`SetTable::add`] with a place for `list:set`.
    pub fn add_at(
        &mut self,
        set: &str,
        elem: &Elem,
        ext: Ext,
        place: ListPlace,
        exist: bool,
        now: Time,
    ) -> Result<(), SetError> {
        let kind = self.get(set).ok_or(SetError::NoSet)?.header.kind;
        if kind == SetType::ListSet {
            let name = elem.name.as_deref().ok_or(SetError::Invalid)?;
            match self.get(name) {
                None => return Err(SetError::NoMemberSet),
                Some(member) if member.header.kind == SetType::ListSet => return Err(SetError::ListInList),
                Some(_) => {}
            }
        }
        let set = self.get_mut(set).ok_or(SetError::NoSet)?;
        match kind {
            SetType::ListSet => set.list_add(elem, ext, place, exist, now),
            _ => set.add(elem, ext, exist, now),
        }
    }
}
