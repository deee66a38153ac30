//! One type of events: a type with `#[derive(Event)]`.

use proc_macro2::Ident;
use syn::{Attribute, DeriveInput, Generics, Path, parse_quote};

use super::helper_attribute::{attributes_named, misplaced_attributes};
use super::type_body::TypeBody;
use super::unraw_name;
use crate::diagnostics::Diagnostics;
use crate::syntax::event_type::EventTypeArgs;

/// A type with `#[derive(Event)]`.
pub(crate) struct EventType {
    pub(crate) runtime: Path,
    pub(crate) ty: Ident,
    pub(crate) generics: Generics,
    /// All `#[event]` attributes on the type. At most one is valid.
    pub(crate) attributes: Vec<Attribute>,
    /// `#[event]` attributes on fields and variants, which are invalid.
    pub(crate) misplaced_attributes: Vec<Attribute>,
    /// The name that machines know the type by.
    pub(crate) name: String,
    /// Whether its events never leave their machine.
    pub(crate) is_local: bool,
    pub(crate) body: TypeBody,
}

impl EventType {
    pub(crate) fn read(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Self {
        let attributes: Vec<_> = attributes_named("event", &input.attrs).cloned().collect();
        let mut arguments = EventTypeArgs::default();
        if let Some(first) = attributes.first() {
            arguments = diagnostics.record_partial(EventTypeArgs::read(first));
        }
        Self {
            runtime: arguments.runtime.unwrap_or_else(|| parse_quote!(::portcullis)),
            ty: input.ident.clone(),
            generics: input.generics.clone(),
            attributes,
            misplaced_attributes: misplaced_attributes("event", &input.data),
            name: arguments.name.map_or_else(|| unraw_name(&input.ident), |name| name.value()),
            is_local: arguments.is_local,
            body: TypeBody::read(&input.data),
        }
    }
}
