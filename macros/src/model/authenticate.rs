//! `#[authenticate]`: the method that receives new credentials from a connected client.

use proc_macro2::Ident;
use syn::{Attribute, ImplItemFn, Signature, Type};

use super::RenameRule;
use super::parameter::{Parameter, read_parameters};
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute;

/// An `#[authenticate]` method.
pub(crate) struct Authenticate {
    pub(crate) attribute: Attribute,
    pub(crate) method: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) signature: Signature,
}

/// The name with which clients call the action, independent of the method's name.
pub(crate) const ACTION_NAME: &str = "authenticate";

impl Authenticate {
    /// Reads an `#[authenticate]` method and removes the Portcullis attributes from its parameters.
    pub(crate) fn read(
        attribute: Attribute,
        method: &mut ImplItemFn,
        rename_all: RenameRule,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        diagnostics.record(attribute::require_bare(&attribute));
        let parameters = read_parameters(&mut method.sig, rename_all, diagnostics);
        Self {
            attribute,
            method: method.sig.ident.clone(),
            cfgs: attribute::cfgs(&method.attrs),
            parameters,
            signature: method.sig.clone(),
        }
    }

    /// Returns the declared return type.
    pub(crate) fn return_type(&self) -> Option<&Type> {
        super::return_type(&self.signature)
    }
}
