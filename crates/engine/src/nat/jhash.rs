//! Bob Jenkins' lookup3 hash of 32-bit words, which the kernel calls `jhash2` (include/linux/jhash.h). NAT chooses an
//! address of a range with it, without any secret, so the choice can be predicted exactly.

/// The hash of these words with this initial value.
pub fn jhash2(words: &[u32], initval: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add((words.len() as u32) << 2).wrapping_add(initval);
    let [mut a, mut b, mut c] = [start; 3];
    let mut rest = words;
    while let [x, y, z, more @ ..] = rest {
        if more.is_empty() {
            break;
        }
        a = a.wrapping_add(*x);
        b = b.wrapping_add(*y);
        c = c.wrapping_add(*z);
        for (i, shift) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
            // The three take turns: each is reduced by the one before it and mixed with it.
            let (p, q, r) = match i % 3 {
                0 => (&mut a, &mut c, &mut b),
                1 => (&mut b, &mut a, &mut c),
                _ => (&mut c, &mut b, &mut a),
            };
            *p = p.wrapping_sub(*q) ^ q.rotate_left(shift);
            *q = q.wrapping_add(*r);
        }
        rest = more;
    }
    if rest.is_empty() {
        return c;
    }
    let tail = |i: usize| rest.get(i).copied().unwrap_or(0);
    a = a.wrapping_add(tail(0));
    b = b.wrapping_add(tail(1));
    c = c.wrapping_add(tail(2));
    for (i, shift) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        let (p, q) = match i % 3 {
            0 => (&mut c, b),
            1 => (&mut a, c),
            _ => (&mut b, a),
        };
        *p = (*p ^ q).wrapping_sub(q.rotate_left(shift));
    }
    c
}
