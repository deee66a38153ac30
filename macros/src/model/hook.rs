//! `#[connect]` and `#[disconnect]`: what a consumer does once per socket.

use proc_macro2::Ident;
use syn::{Attribute, FnArg, ImplItemFn, PatType, ReturnType, Signature, Type};

use crate::diagnostics::Diagnostics;
use crate::syntax::attribute::{self, Mark};

pub(crate) struct Hook {
    pub(crate) mark: Mark,
    pub(crate) attribute: Attribute,
    pub(crate) method: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) signature: Signature,
}

impl Hook {
    pub(crate) fn read(mark: Mark, attribute: Attribute, method: &ImplItemFn, diagnostics: &mut Diagnostics) -> Self {
        diagnostics.take(attribute::bare(&attribute));
        Self {
            mark,
            attribute,
            method: method.sig.ident.clone(),
            cfgs: attribute::cfgs(&method.attrs),
            signature: method.sig.clone(),
        }
    }

    /// Its parameters after `&self`.
    pub(crate) fn parameters(&self) -> Vec<&PatType> {
        let typed = self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        typed.collect()
    }

    pub(crate) fn output(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(ty),
        }
    }
}
