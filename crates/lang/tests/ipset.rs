//! `ipset` against what ipset 7.17 printed on Linux 6.18. Elements come in the order of a hash whose seed (`initval`) the
//! kernel draws; some types were not in the kernel of the recording and are tested by round trips.

mod common;

use common::{Order, replay, replay_but};
use hookwalk_engine::{Host, HostId};

fn without_seed(line: &str) -> String {
    match line.find("initval 0x") {
        Some(at) => line[..at + "initval 0x".len()].to_string(),
        None => line.to_string(),
    }
}

#[test]
fn as_the_tool_prints() {
    let mut host = Host::new(HostId(0), 1);
    // Time went by while the session was recorded; here it stands still.
    let session = include_str!("data/ipset-1.txt")
        .replace("timeout 298", "timeout 299")
        .replace("timeout 75", "timeout 76");
    replay_but(&mut host, &session, Order::Free, without_seed);
}

#[test]
fn restoring_limits_and_old_names() {
    let mut host = Host::new(HostId(0), 1);
    replay_but(&mut host, include_str!("data/ipset-2.txt"), Order::Free, without_seed);
}

#[test]
fn what_is_saved_can_be_restored() {
    let session = "$ ipset restore <<EOF
create a hash:net,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add a 10.0.0.0/8,10.1.0.0/16
create b hash:net,port,net family inet6 hashsize 1024 maxelem 65536 timeout 9 bucketsize 12 initval 0x00000001
add b fd00::/16,tcp:80,fd01::/64 timeout 0
create c hash:mac hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add c 02:00:00:00:00:0A
create d hash:ip,mac family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add d 10.0.0.1,02:00:00:00:00:0A
create e hash:ip,mark family inet markmask 0x000000ff hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add e 10.0.0.1,0x00000010
create f list:set size 8
add f a
add f b
EOF
$ ipset save
create a hash:net,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add a 10.0.0.0/8,10.1.0.0/16
create b hash:net,port,net family inet6 hashsize 1024 maxelem 65536 timeout 9 bucketsize 12 initval 0x00000001
add b fd00::/16,tcp:80,fd01::/64 timeout 0
create c hash:mac hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add c 02:00:00:00:00:0A
create d hash:ip,mac family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add d 10.0.0.1,02:00:00:00:00:0A
create e hash:ip,mark family inet markmask 0x000000ff hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000001
add e 10.0.0.1,0x00000010
create f list:set size 8
add f a
add f b
";
    replay(&mut Host::new(HostId(0), 1), session, Order::Kept);
}

#[test]
fn too_much_at_once_is_refused() {
    let session = "$ ipset create a hash:ip
$ ipset add a 0.0.0.0/1
2> ipset v7.17: Syntax error: 0.0.0.0/1 are too many elements at once
[exit 1]
";
    replay(&mut Host::new(HostId(0), 1), session, Order::Kept);
}
