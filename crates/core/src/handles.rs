//! Handles by number: an index and the generation of its slot.
//!
//! A closed handle's slot is used again under the next generation, so an event or a call that still names the
//! old one finds nothing. That is what makes late events harmless, instead of a rule that there must be none.

use std::collections::VecDeque;

const INDEX_BITS: u32 = 24;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
/// How many handles there are at most. One index is left out, so that [`HandleId::NONE`] never names a
/// handle.
const MOST: usize = INDEX_MASK as usize;
/// Together with the index 52 bits: an id is exact in a JavaScript number.
const GENERATION_MASK: u32 = (1 << 28) - 1;

/// The name of one handle, for its whole life and never again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandleId {
    index: u32,
    generation: u32,
}

impl HandleId {
    /// Names no handle, ever. Events about none carry it.
    pub const NONE: Self = Self {
        index: INDEX_MASK,
        generation: GENERATION_MASK,
    };

    /// The id as one integer below 2^52, for crossing into JavaScript.
    pub fn to_bits(self) -> u64 {
        (u64::from(self.generation) << INDEX_BITS) | u64::from(self.index)
    }

    /// The slot: no two handles that live at the same time have one. Below 2^24 - 1; that number itself is
    /// [`HandleId::NONE`]'s.
    pub const fn slot(self) -> u32 {
        self.index
    }

    /// Reads back what [`HandleId::to_bits`] gave. Any number is taken: one that names no handle finds
    /// nothing.
    pub fn from_bits(bits: u64) -> Self {
        Self {
            index: u32::try_from(bits & u64::from(INDEX_MASK)).unwrap_or(u32::MAX),
            generation: u32::try_from((bits >> INDEX_BITS) & u64::from(GENERATION_MASK)).unwrap_or(u32::MAX),
        }
    }
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Values by [`HandleId`].
#[derive(Debug)]
pub struct HandleTable<T> {
    most: usize,
    slots: Vec<Slot<T>>,
    /// Oldest first, so that a generation of one slot lasts as long as possible.
    free: VecDeque<u32>,
}

impl<T> Default for HandleTable<T> {
    fn default() -> Self {
        Self::of_at_most(MOST)
    }
}

impl<T> HandleTable<T> {
    fn of_at_most(most: usize) -> Self {
        Self {
            most,
            slots: Vec::new(),
            free: VecDeque::new(),
        }
    }

    /// Stores what `make` builds for the new id, or `None` when all slots are taken.
    pub fn insert_with<R>(&mut self, make: impl FnOnce(HandleId) -> (T, R)) -> Option<R> {
        let index = match self.free.pop_front() {
            Some(index) => index,
            None if self.slots.len() < self.most => {
                self.slots.push(Slot {
                    generation: 0,
                    value: None,
                });
                u32::try_from(self.slots.len() - 1).ok()?
            }
            None => return None,
        };
        let slot = self.slots.get_mut(index as usize)?;
        let (value, result) = make(HandleId {
            index,
            generation: slot.generation,
        });
        slot.value = Some(value);
        Some(result)
    }

    /// `None` for an id that names no value, or none any more.
    pub fn get(&self, id: HandleId) -> Option<&T> {
        let slot = self.slots.get(id.index as usize)?;
        if slot.generation == id.generation {
            slot.value.as_ref()
        } else {
            None
        }
    }

    /// As [`HandleTable::get`].
    pub fn get_mut(&mut self, id: HandleId) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation {
            slot.value.as_mut()
        } else {
            None
        }
    }

    /// Takes a value out, and frees its slot. `None` as of [`HandleTable::get`].
    pub fn remove(&mut self, id: HandleId) -> Option<T> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        self.free.push_back(id.index);
        Some(value)
    }

    /// Takes out everything, for the end of the reactor.
    pub fn drain(&mut self) -> Vec<T> {
        self.free.clear();
        self.slots.drain(..).filter_map(|slot| slot.value).collect()
    }

    /// The ids of all values, in the order of their slots.
    pub fn ids(&self) -> impl Iterator<Item = HandleId> {
        let taken = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.value.is_some());
        taken.filter_map(|(index, slot)| {
            Some(HandleId {
                index: u32::try_from(index).ok()?,
                generation: slot.generation,
            })
        })
    }

    /// All values, in the order of their slots.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn insert(table: &mut HandleTable<&'static str>, value: &'static str) -> HandleId {
        table.insert_with(|id| (value, id)).unwrap()
    }

    #[test]
    fn an_id_of_a_removed_handle_finds_nothing_when_its_slot_is_used_again() {
        let mut table = HandleTable::default();
        let first = insert(&mut table, "first");
        assert_eq!(table.remove(first), Some("first"));
        let second = insert(&mut table, "second");
        assert_eq!(first.index, second.index);
        assert_eq!(table.get(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get(second), Some(&"second"));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn ids_survive_the_way_through_a_number() {
        for (index, generation) in [(0, 0), (1, 7), (0x00ff_ffff, GENERATION_MASK)] {
            let id = HandleId { index, generation };
            assert_eq!(HandleId::from_bits(id.to_bits()), id);
            assert!(id.to_bits() < 1 << 52);
        }
    }

    #[test]
    fn a_full_table_takes_nothing_until_a_slot_is_free() {
        let mut table = HandleTable::of_at_most(2);
        let first = insert(&mut table, "first");
        insert(&mut table, "second");
        assert_eq!(table.insert_with(|id| ("third", id)), None);
        table.remove(first);
        assert!(table.insert_with(|id| ("third", id)).is_some());
    }

    #[test]
    fn the_id_of_no_handle_is_beyond_the_last_slot() {
        assert_eq!(HandleId::NONE.slot() as usize, MOST);
        assert_eq!(HandleId::from_bits(u64::MAX), HandleId::NONE);
        assert_eq!(HandleId::from_bits(HandleId::NONE.to_bits()), HandleId::NONE);
    }

    #[test]
    fn free_slots_are_used_oldest_first() {
        let mut table = HandleTable::default();
        let ids: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .map(|v| insert(&mut table, v))
            .collect();
        table.remove(ids[1]);
        table.remove(ids[0]);
        assert_eq!(insert(&mut table, "d").index, ids[1].index);
        assert_eq!(insert(&mut table, "e").index, ids[0].index);
    }
}
