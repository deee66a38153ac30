//! `#[connect]` and `#[disconnect]`: what a consumer does once per socket.

use proc_macro2::Ident;
use syn::{Attribute, ImplItemFn, PatType, Signature, Type};

use super::typed;
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
        typed(&self.signature)
    }

    pub(crate) fn output(&self) -> Option<&Type> {
        super::output(&self.signature)
    }
}
