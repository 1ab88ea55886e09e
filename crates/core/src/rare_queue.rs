//! A queue of which most owners never need any memory: one word while it is empty.

use std::collections::VecDeque;

/// A `VecDeque` that is allocated with the first value.
#[derive(Debug)]
#[expect(clippy::box_collection, reason = "an empty VecDeque is four words")]
pub struct RareQueue<T>(Option<Box<VecDeque<T>>>);

impl<T> Default for RareQueue<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> RareQueue<T> {
    fn allocated(&mut self) -> &mut VecDeque<T> {
        self.0.get_or_insert_default()
    }

    /// Whether it has no values.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|values| values.is_empty())
    }

    /// How many values it has.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |values| values.len())
    }

    /// Adds a value behind the others.
    pub fn push_back(&mut self, value: T) {
        self.allocated().push_back(value);
    }

    /// Adds a value before the others.
    pub fn push_front(&mut self, value: T) {
        self.allocated().push_front(value);
    }

    /// Removes the first value. The memory stays: see [`RareQueue::release`].
    pub fn pop_front(&mut self) -> Option<T> {
        self.0.as_mut()?.pop_front()
    }

    /// The first value.
    pub fn front_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.front_mut()
    }

    /// The last value.
    pub fn back_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.back_mut()
    }

    /// Removes all values, and gives the memory back.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Gives the memory back if there are no values.
    #[inline]
    pub fn release(&mut self) {
        if self.is_empty() {
            self.0 = None;
        }
    }

    /// The values in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|values| values.iter())
    }

    /// As `iter`.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().flat_map(|values| values.iter_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_in_order_and_memory_goes_with_the_last() {
        let mut queue = RareQueue::default();
        assert!(queue.is_empty() && queue.pop_front().is_none());
        queue.push_back(2);
        queue.push_front(1);
        queue.push_back(3);
        assert_eq!(queue.iter().copied().collect::<Vec<_>>(), [1, 2, 3]);
        queue.release();
        assert_eq!((queue.len(), queue.pop_front()), (3, Some(1)));
        assert_eq!((queue.pop_front(), queue.pop_front()), (Some(2), Some(3)));
        assert!(queue.0.is_some(), "for the next value");
        queue.release();
        assert!(queue.0.is_none());
    }

    #[test]
    fn an_empty_queue_is_one_word() {
        assert_eq!(size_of::<RareQueue<u64>>(), size_of::<usize>());
    }
}
