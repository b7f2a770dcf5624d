//! A small map, pairs in a vector in order of their keys; and a sort.
//!
//! The map is for what has some dozens of keys, or meets new ones seldom. The standard library's tree is better for many,
//! and its sort is quicker, but each type that they are used for is some kilobytes of code, which counts where the code
//! is downloaded.

use core::cmp::Ordering;

/// Sorts a list; what compares equal stays in its order.
pub fn sort_by<T>(list: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(list.len(), &|a, b| compare(&list[a], &list[b]));
    let mut old: Vec<Option<T>> = list.drain(..).map(Some).collect();
    list.extend(order.into_iter().filter_map(|i| old[i].take()));
}

/// The places of a list in the order of what is there. Not generic: this is the code that there shall be once.
fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..len).collect();
    places.sort_unstable_by(|a, b| compare(*a, *b).then(a.cmp(b)));
    places
}

/// Pairs of key and value, sorted by key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SortedMap<K, V> {
    pairs: Vec<(K, V)>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        SortedMap { pairs: Vec::new() }
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where the key is, or else would have to be.
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.pairs.binary_search_by(|(k, _)| k.cmp(key))
    }
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }
    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        Some(&self.pairs[self.find(key).ok()?].1)
    }
    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.find(key).ok()?;
        Some(&mut self.pairs[at].1)
    }
    /// The value of a key, made now if there was none.
    pub fn get_or(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let at = self.find(&key).unwrap_or_else(|at| {
            self.pairs.insert(at, (key, make()));
            at
        });
        &mut self.pairs[at].1
    }
    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => self.pairs[at].1 = value,
            Err(at) => self.pairs.insert(at, (key, value)),
        }
    }
    /// Takes a key away, and gives its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.find(key).ok()?;
        Some(self.pairs.remove(at).1)
    }
    /// The pairs, in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.pairs.iter()
    }
    /// Keeps what passes.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.pairs.retain(|(k, v)| keep(k, v));
    }
    /// The values, in order of their keys.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.pairs.into_iter().map(|(_, v)| v)
    }
}

#[cfg(test)]
mod tests {
    use super::{SortedMap, sort_by};

    #[test]
    fn sorts_stably() {
        let mut list = vec![(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        sort_by(&mut list, |a, b| a.0.cmp(&b.0));
        assert_eq!(list, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        sort_by(&mut Vec::<u8>::new(), u8::cmp);
    }

    #[test]
    fn keeps_order() {
        let mut map = SortedMap::default();
        for key in [5, 1, 9, 3, 7] {
            assert_eq!(*map.get_or(key, || key * 10), key * 10);
        }
        *map.get_or(3, || 0) += 1;
        assert_eq!((map.len(), map.get(&3), map.get(&4)), (5, Some(&31), None));
        assert_eq!((map.remove(&9), map.remove(&9)), (Some(90), None));
        map.retain(|k, _| *k != 5);
        if let Some(v) = map.get_mut(&7) {
            *v = 0;
        }
        assert_eq!(map.into_values().collect::<Vec<_>>(), [10, 31, 0]);
    }
}
