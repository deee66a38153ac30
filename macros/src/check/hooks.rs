//! Checks of `#[connect]`, `#[disconnect]` and `#[gap]` methods: their parameters and return types.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type};

use super::signature;
use crate::diagnostics::Diagnostics;
use crate::model::MethodKind;
use crate::model::block::Block;
use crate::model::hook::Hook;
use crate::model::parameter::is_type_named;

pub(super) fn check(hook: &Hook, block: &Block, diagnostics: &mut Diagnostics) {
    signature::check_client_method(&hook.signature, diagnostics);
    let (name, user) = (hook.kind.name(), block.user.to_token_stream());
    let takes = match hook.kind {
        MethodKind::Connect => ("ConnectContext", format!("cx: &ConnectContext<'_, {user}>")),
        MethodKind::Gap => ("Gap", "cx: &Gap<'_, Self>".to_owned()),
        _ => ("Disconnect", format!("cx: &Disconnect<'_, {user}>")),
    };
    let mut parameters = hook.parameters().into_iter();
    if let Some(first) = parameters.next() {
        if !(matches!(*first.ty, Type::Reference(_)) && is_type_named(&first.ty, takes.0)) {
            let is_scope = hook.kind == MethodKind::Disconnect && is_type_named(&first.ty, "Scope");
            let hint = if is_scope { "; the scope is `cx.scope()`" } else { "" };
            diagnostics.error(first, format!("`#[{name}]` takes `&self` and optionally `{}`{hint}", takes.1));
        } else if hook.kind == MethodKind::Gap && !is_gap_of(&first.ty, &block.ty) {
            diagnostics.error(first, "`Gap` names the consumer; write `cx: &Gap<'_, Self>`");
        }
    }
    for more in parameters {
        diagnostics.error(more, format!("`#[{name}]` takes `&self` and optionally `{}`; remove this", takes.1));
    }
    if let Some(output) = hook.return_type().filter(|output| hook.kind != MethodKind::Connect && !is_unit(output)) {
        let reason = if hook.kind == MethodKind::Gap { "nothing receives it" } else { "the connection is closed" };
        let message = format!("a `#[{name}]` method cannot return a value, because {reason}; remove the return type");
        diagnostics.error(output, message);
    }
}

/// Returns whether a type is a shared reference to the gap of this consumer.
fn is_gap_of(ty: &Type, consumer: &Type) -> bool {
    let Type::Reference(reference) = ty else { return false };
    let Type::Path(path) = &*reference.elem else { return false };
    let arguments = path.path.segments.last().map(|segment| &segment.arguments);
    let Some(PathArguments::AngleBracketed(arguments)) = arguments else { return false };
    let is_consumer = |ty: &Type| {
        let tokens = ty.to_token_stream().to_string();
        tokens == "Self" || tokens == consumer.to_token_stream().to_string()
    };
    reference.mutability.is_none()
        && arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Type(ty) if is_consumer(ty)))
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
