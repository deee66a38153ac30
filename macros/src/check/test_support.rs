//! For tests: all that is told about a block.

use syn::{ItemImpl, parse_str};

use crate::diagnostics::Diagnostics;
use crate::model::BlockKind;
use crate::model::block::Block;
use crate::syntax::block::BlockArgs;

/// What is told about `#[handler(arguments)] impl Rooms { body }`.
pub(super) fn of_a_handler(arguments: &str, body: &str) -> Vec<String> {
    of(BlockKind::Handler, arguments, body)
}

/// The same of a `#[consumer]`.
pub(super) fn of_a_consumer(arguments: &str, body: &str) -> Vec<String> {
    of(BlockKind::Consumer, arguments, body)
}

fn of(kind: BlockKind, arguments: &str, body: &str) -> Vec<String> {
    let mut item: ItemImpl = parse_str(&format!("impl Rooms {{ {body} }}")).unwrap();
    let mut diagnostics = Diagnostics::new();
    let arguments = diagnostics.record_partial(BlockArgs::read(kind, arguments.parse().unwrap()));
    let block = Block::read(kind, arguments, &mut item, &mut diagnostics);
    super::block(&block, &mut diagnostics);
    let told = diagnostics.finish().err().into_iter().flatten();
    told.map(|error| error.to_string()).collect()
}
