//! One route: a pattern and the method that returns its handler.

use quote::ToTokens;
use syn::{Attribute, ImplItemFn, ReturnType, Signature, Type, TypeReference};

use super::expression::Expression;
use super::object::single_type_argument_of;
use super::print;
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute;
use crate::syntax::pattern::Pattern;
use crate::syntax::route::RouteArgs;

/// A `#[route]` method.
pub(crate) struct Route {
    /// The index among the routes of the block, including routes that `cfg` removes.
    pub(crate) id: usize,
    pub(crate) pattern: Pattern,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) permission: Option<Expression>,
    /// The handler's type, the `T` in `-> &T`.
    pub(crate) handler: Type,
    pub(crate) signature: Signature,
}

impl Route {
    /// Reads a `#[route]` method. Returns `None` if its pattern or its return type has an error.
    pub(crate) fn read(
        attribute: &Attribute,
        id: usize,
        method: &ImplItemFn,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let arguments = diagnostics.record_partial(RouteArgs::read(attribute));
        let permission = arguments.permission.map(|syntax| Expression::new(&syntax, diagnostics));
        let handler = handler_type(&method.sig, diagnostics);
        Some(Self {
            id,
            pattern: arguments.pattern?,
            cfgs: attribute::cfgs(&method.attrs),
            permission,
            handler: handler?,
            signature: method.sig.clone(),
        })
    }
}

fn handler_type(signature: &Signature, diagnostics: &mut Diagnostics) -> Option<Type> {
    let message = "a `#[route]` method returns a reference to its handler; write, for example, `-> &Rooms`";
    match &signature.output {
        ReturnType::Default => diagnostics.error(&signature.ident, message),
        ReturnType::Type(_, ty) => match &**ty {
            Type::Reference(TypeReference { mutability: None, elem, .. }) if !matches!(**elem, Type::ImplTrait(_)) => {
                return reject_smart_pointer(elem, diagnostics);
            }
            other => diagnostics.error(other, message),
        },
    }
    None
}

/// Returns the type, or reports an error if it is a smart pointer to the handler.
fn reject_smart_pointer(ty: &Type, diagnostics: &mut Diagnostics) -> Option<Type> {
    for pointer in ["Arc", "Box", "Rc"] {
        if let Some(inner) = single_type_argument_of(ty, pointer) {
            let inner = print(inner.to_token_stream());
            let message = format!(
                "a `#[route]` method returns a reference to its handler, not to the `{pointer}` around it; \
                 write `-> &{inner}`"
            );
            diagnostics.error(ty, message);
            return None;
        }
    }
    Some(ty.clone())
}
