//! A list that is copied on write in chunks.

use std::sync::Arc;
use std::{iter, mem};

/// The number of elements per chunk. With 10,000 elements, a change of a clone copies 156 pointers and at most three chunks.
const MAX_CHUNK_LEN: usize = 64;

/// A list whose clones share chunks of its elements. A change copies the chunks that it concerns, if a clone shares them.
///
/// A list of at most [`MAX_CHUNK_LEN`] elements is laid out as a vector, because most groups have few members.
#[derive(Clone)]
pub(crate) struct ChunkedList<T> {
    /// The first chunk, which clones do not share.
    first: Vec<T>,
    /// The other chunks, none of them empty. All chunks but the last are full.
    rest: Vec<Arc<Vec<T>>>,
}

impl<T> Default for ChunkedList<T> {
    fn default() -> Self {
        ChunkedList { first: Vec::new(), rest: Vec::new() }
    }
}

impl<T> ChunkedList<T> {
    pub(crate) fn len(&self) -> usize {
        match self.rest.last() {
            None => self.first.len(),
            Some(last) => self.rest.len() * MAX_CHUNK_LEN + last.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Returns the elements, chunk by chunk.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &[T]> {
        iter::once(&self.first[..]).chain(self.rest.iter().map(|chunk| &chunk[..]))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks().flatten()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        match (index / MAX_CHUNK_LEN).checked_sub(1) {
            None => self.first.get(index),
            Some(chunk) => self.rest.get(chunk)?.get(index % MAX_CHUNK_LEN),
        }
    }
}

impl<T: Clone> ChunkedList<T> {
    pub(crate) fn push(&mut self, element: T) {
        let chunk = self.len() / MAX_CHUNK_LEN;
        if chunk > self.rest.len() {
            self.rest.push(Arc::default());
        }
        self.chunk_mut(chunk).push(element);
    }

    /// Removes an element and moves the last one to its place. Returns `None` if there is no element at `index`.
    pub(crate) fn swap_remove(&mut self, index: usize) -> Option<T> {
        let last_index = self.len().checked_sub(1).filter(|last| index <= *last)?;
        let last_chunk = self.chunk_mut(last_index / MAX_CHUNK_LEN);
        let last = last_chunk.pop()?;
        if last_chunk.is_empty() {
            // Does nothing if it was the first chunk.
            self.rest.pop();
        }
        if index == last_index {
            return Some(last);
        }
        let element = self.chunk_mut(index / MAX_CHUNK_LEN).get_mut(index % MAX_CHUNK_LEN)?;
        Some(mem::replace(element, last))
    }

    fn chunk_mut(&mut self, chunk: usize) -> &mut Vec<T> {
        match chunk.checked_sub(1) {
            None => &mut self.first,
            Some(chunk) => Arc::make_mut(&mut self.rest[chunk]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A change of a list, or of which of its clones are held.
    #[derive(Debug, Clone)]
    enum Change {
        Push(u16),
        SwapRemove(usize),
        /// Removes the element at this index modulo the length, which exists unless the list is empty.
        SwapRemoveWithin(usize),
        Clone,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            4 => any::<u16>().prop_map(Change::Push),
            1 => (0..400_usize).prop_map(Change::SwapRemove),
            2 => any::<usize>().prop_map(Change::SwapRemoveWithin),
            1 => Just(Change::Clone),
        ]
    }

    fn swap_remove(vector: &mut Vec<u16>, index: usize) -> Option<u16> {
        (index < vector.len()).then(|| vector.swap_remove(index))
    }

    fn assert_equal(list: &ChunkedList<u16>, expected: &[u16]) {
        assert_eq!(list.iter().copied().collect::<Vec<_>>(), expected);
        assert_eq!((list.len(), list.is_empty()), (expected.len(), expected.is_empty()));
        for index in 0..expected.len() + 2 {
            assert_eq!(list.get(index), expected.get(index), "element {index}");
        }
        let lens: Vec<_> = list.chunks().map(<[u16]>::len).collect();
        let expected_lens: Vec<_> = expected.chunks(MAX_CHUNK_LEN).map(<[u16]>::len).collect();
        assert_eq!(lens, if expected.is_empty() { vec![0] } else { expected_lens });
    }

    proptest! {
        #[test]
        fn chunked_list_equals_a_vector_after_every_change(start in 0..300_u16, changes in vec(change(), 0..300)) {
            let (mut list, mut vector) = (ChunkedList::default(), Vec::new());
            for element in 0..start {
                list.push(element);
                vector.push(element);
            }
            let mut clones = Vec::new();
            for change in changes {
                match change {
                    Change::Push(element) => {
                        list.push(element);
                        vector.push(element);
                    }
                    Change::SwapRemove(index) => {
                        assert_eq!(list.swap_remove(index), swap_remove(&mut vector, index));
                    }
                    Change::SwapRemoveWithin(index) => {
                        let index = index % vector.len().max(1);
                        assert_eq!(list.swap_remove(index), swap_remove(&mut vector, index));
                    }
                    Change::Clone => clones.push((list.clone(), vector.clone())),
                }
                assert_equal(&list, &vector);
            }
            for (clone, expected) in clones {
                assert_equal(&clone, &expected);
            }
        }
    }

    #[test]
    fn change_of_a_cloned_list_copies_only_the_chunks_that_it_concerns() {
        let elements: Vec<Arc<usize>> = (0..10_000).map(Arc::new).collect();
        let mut list = ChunkedList::default();
        for element in &elements {
            list.push(element.clone());
        }
        let clone = list.clone();
        list.swap_remove(5_000);
        list.push(elements[5_000].clone());
        let copied = elements.iter().filter(|element| Arc::strong_count(element) > 2).count();
        // The first chunk, that of the removed element and the last one.
        assert!(copied <= 3 * MAX_CHUNK_LEN, "{copied} elements copied");
        assert_eq!(clone.get(5_000), Some(&elements[5_000]));
    }
}
