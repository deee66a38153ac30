//! Truth tables, and the smallest part of an expression that shows why it always or never holds.

use crate::model::expression::Tree;

/// Up to this many different leaves an expression is weighed by its whole truth table.
const WEIGHED: usize = 16;

/// Up to this many parts of one operator the smallest reason is looked for; of more, one that has nothing to spare.
const SEARCHED: usize = 16;

/// The outcome for every answer of the leaves, one bit each; bit `n` of a row's number is what leaf `n` says.
#[derive(Clone)]
pub(super) struct Table(Vec<u64>);

/// The rows of one word in which each of the first six leaves says yes.
const FIRST: [u64; 6] = [
    0xAAAA_AAAA_AAAA_AAAA,
    0xCCCC_CCCC_CCCC_CCCC,
    0xF0F0_F0F0_F0F0_F0F0,
    0xFF00_FF00_FF00_FF00,
    0xFFFF_0000_FFFF_0000,
    0xFFFF_FFFF_0000_0000,
];

impl Table {
    /// Nothing where the leaves are too many.
    pub(super) fn of(tree: &Tree, leaves: usize) -> Option<Self> {
        (leaves <= WEIGHED).then(|| Self::fill(tree, 1 << leaves.saturating_sub(FIRST.len())))
    }

    fn fill(tree: &Tree, words: usize) -> Self {
        let joined = |parts: &[Tree], start: u64, join: fn(u64, u64) -> u64| {
            parts.iter().fold(Self(vec![start; words]), |all, part| all.with(&Self::fill(part, words), join))
        };
        match tree {
            Tree::Leaf(leaf) => match FIRST.get(*leaf) {
                Some(rows) => Self(vec![*rows; words]),
                None => {
                    Self((0..words).map(|word| if word >> (leaf - FIRST.len()) & 1 == 1 { !0 } else { 0 }).collect())
                }
            },
            Tree::Not(inner) => Self::fill(inner, words).opposite(),
            Tree::All(parts) => joined(parts, !0, |one, other| one & other),
            Tree::Any(parts) => joined(parts, 0, |one, other| one | other),
        }
    }

    fn with(mut self, other: &Self, join: fn(u64, u64) -> u64) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(one, other)| *one = join(*one, *other));
        self
    }

    fn opposite(mut self) -> Self {
        self.0.iter_mut().for_each(|word| *word = !*word);
        self
    }

    pub(super) fn never(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn always(&self) -> bool {
        self.0.iter().all(|word| *word == !0)
    }

    /// What it is in all rows, if it is the same in all.
    pub(super) fn constant(&self) -> Option<bool> {
        if self.never() { Some(false) } else { self.always().then_some(true) }
    }

    pub(super) fn depends_on(&self, leaf: usize) -> bool {
        match FIRST.get(leaf) {
            Some(rows) => self.0.iter().any(|word| (word & rows) >> (1 << leaf) != word & !rows),
            None => (0..self.0.len()).any(|word| self.0[word] != self.0[word ^ (1 << (leaf - FIRST.len()))]),
        }
    }
}

/// A tree that always or never holds.
pub(super) struct Constant {
    pub(super) tree: Tree,
    pub(super) holds: bool,
}

/// The smallest reason why `tree`, which is constant, is; nothing where it takes several.
pub(super) fn why(tree: &Tree, leaves: usize) -> Option<Constant> {
    let (parts, holds) = match tree {
        Tree::Leaf(_) => return None,
        Tree::Not(inner) => return why(inner, leaves),
        Tree::All(_) => (all_of(tree), false),
        Tree::Any(_) => (any_of(tree), true),
    };
    if Table::of(tree, leaves)?.constant() != Some(holds) {
        return None;
    }
    let tables: Option<Vec<_>> = parts.iter().map(|part| Table::of(part, leaves)).collect();
    let tables = tables?.into_iter().map(|table| if holds { table.opposite() } else { table });
    let chosen: Vec<Tree> = clash(&tables.collect::<Vec<_>>()).into_iter().map(|part| parts[part].clone()).collect();
    Some(match (chosen.as_slice(), holds) {
        ([one], _) => why(one, leaves).unwrap_or_else(|| Constant { tree: one.clone(), holds }),
        (_, false) => Constant { tree: Tree::All(chosen), holds },
        (_, true) => Constant { tree: Tree::Any(chosen), holds },
    })
}

/// The first part, of the innermost, that is constant; what it is, and the reason.
pub(super) fn inner(tree: &Tree, leaves: usize) -> Option<(&Tree, bool, Constant)> {
    let deeper = match tree {
        Tree::Leaf(_) => return None,
        Tree::Not(part) => inner(part, leaves),
        Tree::Any(parts) | Tree::All(parts) => parts.iter().find_map(|part| inner(part, leaves)),
    };
    deeper.or_else(|| {
        let holds = Table::of(tree, leaves)?.constant()?;
        Some((tree, holds, why(tree, leaves)?))
    })
}

/// What must all hold for the whole to hold.
pub(super) fn all_of(tree: &Tree) -> Vec<&Tree> {
    match tree {
        Tree::All(parts) => parts.iter().flat_map(all_of).collect(),
        other => vec![other],
    }
}

/// What of which one must hold for the whole to hold.
pub(super) fn any_of(tree: &Tree) -> Vec<&Tree> {
    match tree {
        Tree::Any(parts) => parts.iter().flat_map(any_of).collect(),
        other => vec![other],
    }
}

/// The fewest of the tables that hold together in no row, the first such in their order; none where all hold in one.
pub(super) fn clash(tables: &[Table]) -> Vec<usize> {
    let everything: Vec<usize> = (0..tables.len()).collect();
    if !never_together(tables, &everything) {
        return Vec::new();
    }
    if tables.len() <= SEARCHED {
        let found = (1..=tables.len()).find_map(|size| of_size(tables, size, 0, None));
        return found.unwrap_or_default();
    }
    everything.iter().fold(everything.clone(), |kept, position| {
        let others: Vec<usize> = kept.iter().copied().filter(|other| other != position).collect();
        if never_together(tables, &others) { others } else { kept }
    })
}

/// `size` tables from position `from` on that clash with each other and with `before`.
fn of_size(tables: &[Table], size: usize, from: usize, before: Option<&Table>) -> Option<Vec<usize>> {
    (from..tables.len()).find_map(|position| {
        let table = tables[position].clone();
        let joined =
            before.map_or_else(|| table.clone(), |before| table.clone().with(before, |one, other| one & other));
        if size == 1 {
            return joined.never().then(|| vec![position]);
        }
        let mut found = of_size(tables, size - 1, position + 1, Some(&joined))?;
        found.insert(0, position);
        Some(found)
    })
}

fn never_together(tables: &[Table], positions: &[usize]) -> bool {
    let chosen = positions.iter().map(|position| tables[*position].clone());
    chosen.reduce(|all, table| all.with(&table, |one, other| one & other)).is_some_and(|all| all.never())
}

#[cfg(test)]
mod tests {
    use super::{Table, Tree};

    fn holds(tree: &Tree, row: usize) -> bool {
        match tree {
            Tree::Leaf(leaf) => row & (1 << leaf) != 0,
            Tree::Not(inner) => !holds(inner, row),
            Tree::Any(parts) => parts.iter().any(|part| holds(part, row)),
            Tree::All(parts) => parts.iter().all(|part| holds(part, row)),
        }
    }

    /// A tree over `leaves` leaves, made of the bits of `seed`.
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
    fn a_table_says_what_each_row_says() {
        let mut seed = 1;
        for leaves in [1, 3, 6, 7, 9] {
            for _ in 0..300 {
                let tree = tree(&mut seed, leaves, 4);
                let table = Table::of(&tree, leaves).unwrap();
                let rows: Vec<bool> = (0..1 << leaves).map(|row| holds(&tree, row)).collect();
                assert_eq!(table.never(), !rows.contains(&true), "{tree:?}");
                assert_eq!(table.always(), !rows.contains(&false), "{tree:?}");
                for leaf in 0..leaves {
                    let depends = (0..rows.len()).any(|row| rows[row] != rows[row ^ (1 << leaf)]);
                    assert_eq!(table.depends_on(leaf), depends, "{leaf} in {tree:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_too_long_is_not_weighed() {
        assert!(Table::of(&Tree::Leaf(0), 16).is_some());
        assert!(Table::of(&Tree::Leaf(0), 17).is_none());
    }
}
