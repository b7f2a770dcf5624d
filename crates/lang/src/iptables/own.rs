//! The options of iptables itself, by name and by letter.

use super::getopt::{Arg, Id, Long};

/// The tool's own long options.
pub(crate) const LONGS: &[Long] = {
    const fn long(name: &'static str, arg: Arg, letter: char) -> Long {
        Long { name, arg, id: Id::Own(letter) }
    }
    use Arg::*;
    &[
        long("append", Required, 'A'),
        long("delete", Required, 'D'),
        long("check", Required, 'C'),
        long("insert", Required, 'I'),
        long("replace", Required, 'R'),
        long("list", Optional, 'L'),
        long("list-rules", Optional, 'S'),
        long("flush", Optional, 'F'),
        long("zero", Optional, 'Z'),
        long("new-chain", Required, 'N'),
        long("delete-chain", Optional, 'X'),
        long("rename-chain", Required, 'E'),
        long("policy", Required, 'P'),
        long("source", Required, 's'),
        long("destination", Required, 'd'),
        long("src", Required, 's'),
        long("dst", Required, 'd'),
        long("protocol", Required, 'p'),
        long("in-interface", Required, 'i'),
        long("jump", Required, 'j'),
        long("table", Required, 't'),
        long("match", Required, 'm'),
        long("numeric", None, 'n'),
        long("out-interface", Required, 'o'),
        long("verbose", None, 'v'),
        long("wait", Optional, 'w'),
        long("wait-interval", Optional, 'W'),
        long("exact", None, 'x'),
        long("fragments", None, 'f'),
        long("version", None, 'V'),
        long("help", Optional, 'h'),
        long("line-numbers", None, '0'),
        long("modprobe", Required, 'M'),
        long("set-counters", Required, 'c'),
        long("goto", Required, 'g'),
        long("ipv4", None, '4'),
        long("ipv6", None, '6'),
    ]
};

/// A letter's argument.
pub(crate) fn short(letter: char) -> Option<Arg> {
    Some(match letter {
        'A' | 'C' | 'D' | 'R' | 'I' | 'M' | 'N' | 'E' | 'P' | 'o' | 'p' | 's' | 'd' | 'j' | 'i' | 't'
        | 'm' | 'c' | 'g' => Arg::Required,
        'L' | 'S' | 'F' | 'Z' | 'X' | 'h' | 'w' | 'W' => Arg::Optional,
        'V' | 'f' | 'v' | 'n' | 'x' | '4' | '6' => Arg::None,
        _ => return None,
    })
}
