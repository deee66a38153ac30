//! An impl block with `#[consumer]` or `#[handler]`: its user type, its permission and its methods.

use quote::{ToTokens, quote_spanned};
use syn::{Attribute, Generics, ImplItem, ImplItemFn, ItemImpl, Path, Token, Type, parse_quote, parse_quote_spanned};

use super::action::Action;
use super::authenticate::Authenticate;
use super::event::Event;
use super::expression::Expression;
use super::hook::Hook;
use super::route::Route;
use super::{RenameRule, print};
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute::{self, MethodKind};
use crate::syntax::block::{BlockArgs, BlockKind};
use crate::syntax::permission::PermissionValue;

/// A `#[consumer]` or `#[handler]` block.
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    pub(crate) runtime: Path,
    /// The name of the block in the registry.
    pub(crate) name: String,
    pub(crate) rename_all: RenameRule,
    pub(crate) user: Type,
    /// Whether the attribute names the user type, or has a key that could not be parsed and may name it.
    pub(crate) may_have_user: bool,
    pub(crate) permission: BlockPermission,
    /// A key that may be a permission could not be parsed, so that a missing permission is not reported too.
    pub(crate) has_unreadable_permission: bool,
    pub(crate) connect: Option<Expression>,
    pub(crate) impl_token: Token![impl],
    pub(crate) generics: Generics,
    pub(crate) ty: Type,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) actions: Vec<Action>,
    pub(crate) routes: Vec<Route>,
    pub(crate) events: Vec<Event>,
    pub(crate) hooks: Vec<Hook>,
    /// More than one is valid only if each has a `cfg`.
    pub(crate) authenticates: Vec<Authenticate>,
    /// Whether the block has an `#[action]`, `#[route]` or `#[event]`, including one that could not be read.
    pub(crate) has_callables: bool,
}

/// The value of the block's `permission` key.
pub(crate) enum BlockPermission {
    /// The key is missing.
    Absent,
    Inherited,
    Expression(Expression),
}

impl BlockPermission {
    pub(crate) fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Expression(expression) => Some(expression),
            Self::Absent | Self::Inherited => None,
        }
    }

    /// Returns whether the permission may refuse a caller.
    pub(crate) fn restricts(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Inherited => true,
            Self::Expression(expression) => expression.sole_permission_name().as_deref() != Some("AllowAny"),
        }
    }
}

impl Block {
    /// Reads the block and removes the Portcullis attributes from `item`.
    pub(crate) fn read(
        kind: BlockKind,
        arguments: BlockArgs,
        item: &mut ItemImpl,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let runtime = arguments.runtime.unwrap_or_else(|| parse_quote!(::portcullis));
        report_second_attribute(kind, item, diagnostics);
        let permission = match arguments.permission {
            None => BlockPermission::Absent,
            Some(PermissionValue::Inherited(_)) => BlockPermission::Inherited,
            Some(PermissionValue::Expression(syntax)) => {
                BlockPermission::Expression(Expression::new(&syntax, diagnostics))
            }
        };
        let name = arguments.name.map_or_else(|| type_name(&item.self_ty), |literal| literal.value());
        let mut block = Self {
            kind,
            runtime,
            name,
            rename_all: arguments.rename_all,
            may_have_user: arguments.user.is_some() || arguments.has_unreadable_key,
            user: arguments.user.unwrap_or_else(|| parse_quote!(())),
            permission,
            has_unreadable_permission: arguments.has_unreadable_permission,
            connect: arguments.connect.map(|syntax| Expression::new(&syntax, diagnostics)),
            impl_token: item.impl_token,
            generics: item.generics.clone(),
            ty: (*item.self_ty).clone(),
            cfgs: attribute::cfgs(&item.attrs),
            actions: Vec::new(),
            routes: Vec::new(),
            events: Vec::new(),
            hooks: Vec::new(),
            authenticates: Vec::new(),
            has_callables: false,
        };
        block.read_items(&mut item.items, diagnostics);
        block
    }

    fn read_items(&mut self, items: &mut [ImplItem], diagnostics: &mut Diagnostics) {
        let mut routes = 0;
        for item in items {
            match item {
                ImplItem::Fn(method) => self.read_method(method, &mut routes, diagnostics),
                ImplItem::Const(other) => self.report_misplaced(&mut other.attrs, diagnostics),
                ImplItem::Type(other) => self.report_misplaced(&mut other.attrs, diagnostics),
                ImplItem::Macro(other) => self.report_misplaced(&mut other.attrs, diagnostics),
                _ => {}
            }
        }
    }

    fn read_method(&mut self, method: &mut ImplItemFn, routes: &mut usize, diagnostics: &mut Diagnostics) {
        for (path, attribute) in attribute::take_conditional_method_attributes(&mut method.attrs, &self.runtime) {
            let name = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            let message = format!(
                "`{name}` inside of `cfg_attr` is not supported; write `#[cfg(…)]` and `#[{name}]` on the method"
            );
            diagnostics.error(attribute, message);
            self.has_callables = true;
        }
        let mut attributes = attribute::take_method_attributes(&mut method.attrs, &self.runtime);
        if attributes.is_empty() {
            return;
        }
        // An action may be `async`, take `&self` and own its arguments for the sake of the attribute. Before the user's
        // attributes, so that an `expect` of them still applies.
        let span = method.sig.ident.span();
        let lints = quote_spanned!(span=> clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self);
        method.attrs.insert(0, parse_quote_spanned!(span=> #[allow(#lints)]));
        let (kind, attribute) = attributes.remove(0);
        self.has_callables |= matches!(kind, MethodKind::Action | MethodKind::Route | MethodKind::Event);
        for (other_kind, other) in attributes {
            let message = format!(
                "`{}` has two Portcullis attributes, `#[{}]` and `#[{}]`; remove one",
                method.sig.ident,
                kind.name(),
                other_kind.name()
            );
            diagnostics.error(other, message);
        }
        match kind {
            MethodKind::Action => self.actions.push(Action::read(&attribute, method, self.rename_all, diagnostics)),
            MethodKind::Route => {
                self.routes.extend(Route::read(&attribute, *routes, method, diagnostics));
                *routes += 1;
            }
            MethodKind::Event => self.events.push(Event::read(attribute, method, self.rename_all, diagnostics)),
            MethodKind::Connect | MethodKind::Disconnect | MethodKind::Gap => {
                self.hooks.push(Hook::read(kind, attribute, method, diagnostics));
            }
            MethodKind::Authenticate => {
                self.authenticates.push(Authenticate::read(attribute, method, self.rename_all, diagnostics));
            }
        }
    }

    fn report_misplaced(&mut self, attributes: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) {
        for (_, attribute) in attribute::take_method_attributes(attributes, &self.runtime) {
            self.has_callables = true;
            diagnostics.error(
                attribute,
                "this attribute can only be put on a method of the block; move it to a method, or remove it",
            );
        }
    }

    /// Returns whether the block is not generic. Only then can const checks be evaluated in the block's own crate.
    pub(crate) fn is_concrete(&self) -> bool {
        self.generics.params.is_empty()
    }
}

/// Reports and removes another attribute that makes the block a consumer or handler.
fn report_second_attribute(kind: BlockKind, item: &mut ItemImpl, diagnostics: &mut Diagnostics) {
    for (other, attribute) in attribute::take_block_attributes(&mut item.attrs) {
        let (ty, kind, other) = (print(item.self_ty.to_token_stream()), kind.name(), other.name());
        let message = if kind == other {
            format!("`{ty}` has `#[{kind}]` twice; remove one")
        } else {
            format!(
                "`{ty}` has `#[{kind}]` and `#[{other}]`; keep `#[consumer]` if clients connect to it, or `#[handler]` if a \
                 route leads to it"
            )
        };
        diagnostics.error(attribute, message);
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| super::unraw_name(&segment.ident)),
        _ => None,
    }
    .unwrap_or_default()
}
