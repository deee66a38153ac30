//! The whole impl block: who it is for, what guards it, what it holds.

use syn::{Attribute, Generics, ImplItem, ImplItemFn, ItemImpl, Path, Token, Type, parse_quote};

use super::action::Action;
use super::authenticate::Authenticate;
use super::event::Event;
use super::expression::Expression;
use super::hook::Hook;
use super::route::Route;
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute::{self, Mark};
use crate::syntax::block::{Arguments, Kind};
use crate::syntax::permission::Written;

pub(crate) struct Block {
    pub(crate) kind: Kind,
    pub(crate) runtime: Path,
    /// The registry's name for it.
    pub(crate) name: String,
    pub(crate) user: Type,
    pub(crate) permission: Permission,
    /// Something could not be read, and it may have been a permission: that error is enough.
    pub(crate) tried_permission: bool,
    pub(crate) connect: Option<Expression>,
    pub(crate) impl_token: Token![impl],
    pub(crate) generics: Generics,
    pub(crate) ty: Type,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) actions: Vec<Action>,
    pub(crate) routes: Vec<Route>,
    pub(crate) events: Vec<Event>,
    pub(crate) hooks: Vec<Hook>,
    /// One, or some that `cfg` keeps apart.
    pub(crate) authenticates: Vec<Authenticate>,
    /// Was something marked as an action, a route or an event, even if it could not be read?
    pub(crate) callable: bool,
}

/// What the block's own `permission` key says.
pub(crate) enum Permission {
    /// There is no such key.
    Silent,
    Inherited,
    Asked(Expression),
}

impl Permission {
    pub(crate) fn asked(&self) -> Option<&Expression> {
        match self {
            Self::Asked(expression) => Some(expression),
            Self::Silent | Self::Inherited => None,
        }
    }
}

impl Block {
    /// Reads the block and takes our attributes off `item`.
    pub(crate) fn read(kind: Kind, arguments: Arguments, item: &mut ItemImpl, diagnostics: &mut Diagnostics) -> Self {
        let runtime = arguments.runtime.unwrap_or_else(|| parse_quote!(::portcullis));
        let permission = match arguments.permission {
            None => Permission::Silent,
            Some(Written::Inherited(_)) => Permission::Inherited,
            Some(Written::Asked(written)) => Permission::Asked(Expression::new(&written, diagnostics)),
        };
        let name = arguments.name.map_or_else(|| type_name(&item.self_ty), |literal| literal.value());
        let mut block = Self {
            kind,
            runtime,
            name,
            user: arguments.user.unwrap_or_else(|| parse_quote!(())),
            permission,
            tried_permission: arguments.tried_permission,
            connect: arguments.connect.map(|written| Expression::new(&written, diagnostics)),
            impl_token: item.impl_token,
            generics: item.generics.clone(),
            ty: (*item.self_ty).clone(),
            cfgs: attribute::cfgs(&item.attrs),
            actions: Vec::new(),
            routes: Vec::new(),
            events: Vec::new(),
            hooks: Vec::new(),
            authenticates: Vec::new(),
            callable: false,
        };
        block.read_items(&mut item.items, diagnostics);
        block
    }

    fn read_items(&mut self, items: &mut [ImplItem], diagnostics: &mut Diagnostics) {
        let mut routes = 0;
        for item in items {
            match item {
                ImplItem::Fn(method) => self.read_method(method, &mut routes, diagnostics),
                ImplItem::Const(other) => self.misplaced(&mut other.attrs, diagnostics),
                ImplItem::Type(other) => self.misplaced(&mut other.attrs, diagnostics),
                ImplItem::Macro(other) => self.misplaced(&mut other.attrs, diagnostics),
                _ => {}
            }
        }
    }

    fn read_method(&mut self, method: &mut ImplItemFn, routes: &mut usize, diagnostics: &mut Diagnostics) {
        for (path, attribute) in attribute::take_hidden_marks(&mut method.attrs, &self.runtime) {
            let name = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            let message = format!(
                "`{name}` inside `cfg_attr` cannot be seen from here; write `#[cfg(…)]` and `#[{name}]` on the method"
            );
            diagnostics.error(attribute, message);
            self.callable = true;
        }
        let mut marks = attribute::take_marks(&mut method.attrs, &self.runtime);
        if marks.is_empty() {
            return;
        }
        let (mark, attribute) = marks.remove(0);
        self.callable |= matches!(mark, Mark::Action | Mark::Route | Mark::Event);
        for (_, other) in marks {
            let message = "a method is one thing; keep one of its `#[action]`, `#[route]`, `#[event]`, `#[connect]`, `#[disconnect]` and `#[authenticate]`";
            diagnostics.error(other, message);
        }
        match mark {
            Mark::Action => self.actions.push(Action::read(&attribute, method, diagnostics)),
            Mark::Route => {
                self.routes.extend(Route::read(&attribute, *routes, method, diagnostics));
                *routes += 1;
            }
            Mark::Event => self.events.push(Event::read(attribute, method, diagnostics)),
            Mark::Connect | Mark::Disconnect => {
                self.hooks.push(Hook::read(mark, attribute, method, diagnostics));
            }
            Mark::Authenticate => self.authenticates.push(Authenticate::read(attribute, method, diagnostics)),
        }
    }

    fn misplaced(&mut self, attributes: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) {
        for (_, attribute) in attribute::take_marks(attributes, &self.runtime) {
            self.callable = true;
            diagnostics.error(attribute, "this attribute goes on a method of the block; move it there, or remove it");
        }
    }

    /// A block that stands for one type, so that constants about it can be checked where it is written.
    pub(crate) fn is_concrete(&self) -> bool {
        self.generics.params.is_empty()
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| super::plain(&segment.ident)),
        _ => None,
    }
    .unwrap_or_default()
}
