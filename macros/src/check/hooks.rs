//! Checks of `#[connect]`, `#[disconnect]` and `#[gap]` methods: their parameters and return types.

use quote::ToTokens;
use syn::Type;

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
    if let Some(first) = parameters.next()
        && !(matches!(*first.ty, Type::Reference(_)) && is_type_named(&first.ty, takes.0))
    {
        let is_scope = hook.kind == MethodKind::Disconnect && is_type_named(&first.ty, "Scope");
        let hint = if is_scope { "; the scope is `cx.scope()`" } else { "" };
        diagnostics.error(first, format!("`#[{name}]` takes `&self` and optionally `{}`{hint}", takes.1));
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

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
