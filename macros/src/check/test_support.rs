//! Test support: the errors that are reported for a block.

use syn::{ItemImpl, parse_str};

use crate::diagnostics::Diagnostics;
use crate::model::BlockKind;
use crate::model::block::Block;
use crate::syntax::block::BlockArgs;

/// Returns the errors for `#[handler(arguments)] impl Rooms { body }`.
pub(super) fn handler_errors(arguments: &str, body: &str) -> Vec<String> {
    block_errors(BlockKind::Handler, arguments, body)
}

/// Returns the errors for `#[consumer(arguments)] impl Rooms { body }`.
pub(super) fn consumer_errors(arguments: &str, body: &str) -> Vec<String> {
    block_errors(BlockKind::Consumer, arguments, body)
}

fn block_errors(kind: BlockKind, arguments: &str, body: &str) -> Vec<String> {
    let mut item: ItemImpl = parse_str(&format!("impl Rooms {{ {body} }}")).unwrap();
    let mut diagnostics = Diagnostics::new();
    let arguments = diagnostics.record_partial(BlockArgs::read(kind, arguments.parse().unwrap()));
    let block = Block::read(kind, arguments, &mut item, &mut diagnostics);
    super::block(&block, &mut diagnostics);
    let errors = diagnostics.finish().err().into_iter().flatten();
    errors.map(|error| error.to_string()).collect()
}
