//! `#[connect]`, `#[disconnect]` and `#[gap]`: the methods that a consumer runs when a connection begins and ends, and when
//! events were lost.

use proc_macro2::Ident;
use syn::{Attribute, ImplItemFn, PatType, Signature, Type};

use super::typed_parameters;
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute::{self, MethodKind};

/// A `#[connect]`, `#[disconnect]` or `#[gap]` method.
pub(crate) struct Hook {
    pub(crate) kind: MethodKind,
    pub(crate) attribute: Attribute,
    pub(crate) method: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) signature: Signature,
}

impl Hook {
    pub(crate) fn read(
        kind: MethodKind,
        attribute: Attribute,
        method: &ImplItemFn,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        diagnostics.record(attribute::require_bare(&attribute));
        Self {
            kind,
            attribute,
            method: method.sig.ident.clone(),
            cfgs: attribute::cfgs(&method.attrs),
            signature: method.sig.clone(),
        }
    }

    /// Returns the parameters after `&self`.
    pub(crate) fn parameters(&self) -> Vec<&PatType> {
        typed_parameters(&self.signature)
    }

    pub(crate) fn return_type(&self) -> Option<&Type> {
        super::return_type(&self.signature)
    }
}
