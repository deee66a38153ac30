//! Truth tables, and the smallest part of an expression that shows why it always or never holds.

use crate::model::expression::Tree;

/// Maximum number of distinct leaves of a truth table.
const MAX_LEAVES: usize = 16;

/// Maximum number of parts of one operator in which the smallest reason is searched. For more parts, the reason is minimal
/// but not necessarily the smallest.
const MAX_SEARCHED_PARTS: usize = 16;

/// The value of an expression for every combination of leaf values, one bit per row. Bit `n` of the row number is the value
/// of leaf `n`.
#[derive(Clone)]
pub(super) struct TruthTable(Vec<u64>);

/// The rows of one word in which each of the first six leaves is true.
const LEAF_PATTERNS: [u64; 6] = [
    0xAAAA_AAAA_AAAA_AAAA,
    0xCCCC_CCCC_CCCC_CCCC,
    0xF0F0_F0F0_F0F0_F0F0,
    0xFF00_FF00_FF00_FF00,
    0xFFFF_0000_FFFF_0000,
    0xFFFF_FFFF_0000_0000,
];

impl TruthTable {
    /// Returns `None` if there are more than [`MAX_LEAVES`] leaves.
    pub(super) fn new(tree: &Tree, leaves: usize) -> Option<Self> {
        (leaves <= MAX_LEAVES).then(|| Self::fill(tree, 1 << leaves.saturating_sub(LEAF_PATTERNS.len())))
    }

    fn fill(tree: &Tree, words: usize) -> Self {
        let joined = |parts: &[Tree], start: u64, join: fn(u64, u64) -> u64| {
            parts.iter().fold(Self(vec![start; words]), |all, part| all.combine(&Self::fill(part, words), join))
        };
        match tree {
            Tree::Leaf(leaf) => match LEAF_PATTERNS.get(*leaf) {
                Some(rows) => Self(vec![*rows; words]),
                None => Self(
                    (0..words).map(|word| if word >> (leaf - LEAF_PATTERNS.len()) & 1 == 1 { !0 } else { 0 }).collect(),
                ),
            },
            Tree::Not(inner) => Self::fill(inner, words).negate(),
            Tree::All(parts) => joined(parts, !0, |one, other| one & other),
            Tree::Any(parts) => joined(parts, 0, |one, other| one | other),
        }
    }

    fn combine(mut self, other: &Self, join: fn(u64, u64) -> u64) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(one, other)| *one = join(*one, *other));
        self
    }

    fn negate(mut self) -> Self {
        self.0.iter_mut().for_each(|word| *word = !*word);
        self
    }

    pub(super) fn is_never(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn is_always(&self) -> bool {
        self.0.iter().all(|word| *word == !0)
    }

    /// Returns the value of all rows, if it is the same.
    pub(super) fn constant(&self) -> Option<bool> {
        if self.is_never() { Some(false) } else { self.is_always().then_some(true) }
    }

    pub(super) fn depends_on(&self, leaf: usize) -> bool {
        match LEAF_PATTERNS.get(leaf) {
            Some(rows) => self.0.iter().any(|word| (word & rows) >> (1 << leaf) != word & !rows),
            None => (0..self.0.len()).any(|word| self.0[word] != self.0[word ^ (1 << (leaf - LEAF_PATTERNS.len()))]),
        }
    }
}

/// A tree that holds in all rows or in none.
pub(super) struct Constant {
    pub(super) tree: Tree,
    pub(super) holds: bool,
}

/// Returns the smallest part of a constant `tree` that makes it constant, or `None` if that takes several parts.
pub(super) fn smallest_reason(tree: &Tree, leaves: usize) -> Option<Constant> {
    let (parts, holds) = match tree {
        Tree::Leaf(_) => return None,
        Tree::Not(inner) => return smallest_reason(inner, leaves),
        Tree::All(_) => (conjuncts(tree), false),
        Tree::Any(_) => (disjuncts(tree), true),
    };
    if TruthTable::new(tree, leaves)?.constant() != Some(holds) {
        return None;
    }
    let tables: Option<Vec<_>> = parts.iter().map(|part| TruthTable::new(part, leaves)).collect();
    let tables = tables?.into_iter().map(|table| if holds { table.negate() } else { table });
    let chosen: Vec<Tree> =
        find_conflict(&tables.collect::<Vec<_>>()).into_iter().map(|part| parts[part].clone()).collect();
    Some(match (chosen.as_slice(), holds) {
        ([one], _) => smallest_reason(one, leaves).unwrap_or_else(|| Constant { tree: one.clone(), holds }),
        (_, false) => Constant { tree: Tree::All(chosen), holds },
        (_, true) => Constant { tree: Tree::Any(chosen), holds },
    })
}

/// Returns the first constant part, searching innermost parts first, with its value and the reason.
pub(super) fn inner_constant(tree: &Tree, leaves: usize) -> Option<(&Tree, bool, Constant)> {
    let deeper = match tree {
        Tree::Leaf(_) => return None,
        Tree::Not(part) => inner_constant(part, leaves),
        Tree::Any(parts) | Tree::All(parts) => parts.iter().find_map(|part| inner_constant(part, leaves)),
    };
    deeper.or_else(|| {
        let holds = TruthTable::new(tree, leaves)?.constant()?;
        Some((tree, holds, smallest_reason(tree, leaves)?))
    })
}

/// Returns the operands of nested `&`.
pub(super) fn conjuncts(tree: &Tree) -> Vec<&Tree> {
    match tree {
        Tree::All(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// Returns the operands of nested `|`.
pub(super) fn disjuncts(tree: &Tree) -> Vec<&Tree> {
    match tree {
        Tree::Any(parts) => parts.iter().flat_map(disjuncts).collect(),
        other => vec![other],
    }
}

/// Returns the positions of the fewest tables that hold together in no row, the first such set in order, or an empty list if
/// all tables hold together in some row.
pub(super) fn find_conflict(tables: &[TruthTable]) -> Vec<usize> {
    let everything: Vec<usize> = (0..tables.len()).collect();
    if !is_conflict(tables, &everything) {
        return Vec::new();
    }
    if tables.len() <= MAX_SEARCHED_PARTS {
        let found = (1..=tables.len()).find_map(|size| find_conflict_of_size(tables, size, 0, None));
        return found.unwrap_or_default();
    }
    everything.iter().fold(everything.clone(), |kept, position| {
        let others: Vec<usize> = kept.iter().copied().filter(|other| other != position).collect();
        if is_conflict(tables, &others) { others } else { kept }
    })
}

/// Returns `size` tables at or after position `start` that conflict with each other and with `previous`.
fn find_conflict_of_size(
    tables: &[TruthTable],
    size: usize,
    start: usize,
    previous: Option<&TruthTable>,
) -> Option<Vec<usize>> {
    (start..tables.len()).find_map(|position| {
        let table = tables[position].clone();
        let joined = previous
            .map_or_else(|| table.clone(), |previous| table.clone().combine(previous, |one, other| one & other));
        if size == 1 {
            return joined.is_never().then(|| vec![position]);
        }
        let mut found = find_conflict_of_size(tables, size - 1, position + 1, Some(&joined))?;
        found.insert(0, position);
        Some(found)
    })
}

fn is_conflict(tables: &[TruthTable], positions: &[usize]) -> bool {
    let chosen = positions.iter().map(|position| tables[*position].clone());
    chosen.reduce(|all, table| all.combine(&table, |one, other| one & other)).is_some_and(|all| all.is_never())
}

#[cfg(test)]
mod tests {
    use super::{Tree, TruthTable};

    fn holds(tree: &Tree, row: usize) -> bool {
        match tree {
            Tree::Leaf(leaf) => row & (1 << leaf) != 0,
            Tree::Not(inner) => !holds(inner, row),
            Tree::Any(parts) => parts.iter().any(|part| holds(part, row)),
            Tree::All(parts) => parts.iter().all(|part| holds(part, row)),
        }
    }

    /// Returns a pseudo-random tree over `leaves` leaves.
    fn tree(seed: &mut u64, leaves: usize, depth: usize) -> Tree {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = usize::try_from(*seed >> 33).unwrap();
        let mut parts = |count| (0..count).map(|_| tree(seed, leaves, depth - 1)).collect::<Vec<_>>();
        match drawn % 4 {
            1 if depth > 0 => Tree::Not(Box::new(parts(1).remove(0))),
            2 if depth > 0 => Tree::All(parts(2 + drawn / 4 % 3)),
            3 if depth > 0 => Tree::Any(parts(2 + drawn / 4 % 3)),
            _ => Tree::Leaf(drawn / 4 % leaves),
        }
    }

    #[test]
    fn table_agrees_with_the_evaluation_of_each_row() {
        let mut seed = 1;
        for leaves in [1, 3, 6, 7, 9] {
            for _ in 0..300 {
                let tree = tree(&mut seed, leaves, 4);
                let table = TruthTable::new(&tree, leaves).unwrap();
                let rows: Vec<bool> = (0..1 << leaves).map(|row| holds(&tree, row)).collect();
                assert_eq!(table.is_never(), !rows.contains(&true), "{tree:?}");
                assert_eq!(table.is_always(), !rows.contains(&false), "{tree:?}");
                for leaf in 0..leaves {
                    let depends = (0..rows.len()).any(|row| rows[row] != rows[row ^ (1 << leaf)]);
                    assert_eq!(table.depends_on(leaf), depends, "{leaf} in {tree:?}");
                }
            }
        }
    }

    #[test]
    fn table_of_too_many_leaves_is_none() {
        assert!(TruthTable::new(&Tree::Leaf(0), 16).is_some());
        assert!(TruthTable::new(&Tree::Leaf(0), 17).is_none());
    }
}
