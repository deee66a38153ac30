//! One group: a type with `#[derive(Group)]`, whose values name sets of connections.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Fields, Generics, Path, Type, parse_quote};

use super::expression::Expression;
use super::helper_attribute::{attributes_named, misplaced_attributes};
use super::type_body::TypeBody;
use super::unraw_name;
use crate::diagnostics::Diagnostics;
use crate::syntax::group::{GroupArgs, PublishSyntax, UnreadableKeys};
use crate::syntax::history::History;
use crate::syntax::public_name::PublicName;

/// A type with `#[derive(Group)]`.
pub(crate) struct Group {
    pub(crate) runtime: Path,
    pub(crate) ty: Ident,
    pub(crate) generics: Generics,
    /// All `#[group]` attributes on the type. Exactly one is valid.
    pub(crate) attributes: Vec<Attribute>,
    /// `#[group]` attributes on fields and variants, which are invalid.
    pub(crate) misplaced_attributes: Vec<Attribute>,
    pub(crate) consumer: Option<Type>,
    pub(crate) permission: Option<Expression>,
    pub(crate) publish: Option<Publish>,
    /// Who may see which user. `None` if users cannot be listed.
    pub(crate) presence: Option<Expression>,
    /// The key by which changes of the users are announced to the members.
    pub(crate) announce: Option<Ident>,
    /// Which events are kept. `None` if none are.
    pub(crate) history: Option<History>,
    pub(crate) events: Vec<Type>,
    pub(crate) public_name: Option<PublicName>,
    /// The name that machines, logs and the audit know the type by.
    pub(crate) name: String,
    /// Whether its events never leave their machine.
    pub(crate) is_local: bool,
    pub(crate) unreadable_keys: UnreadableKeys,
    pub(crate) shape: GroupShape,
    pub(crate) body: TypeBody,
}

/// Who may publish to the group.
pub(crate) enum Publish {
    /// Its members.
    Members,
    /// Connections for which the expression holds.
    Expression(Expression),
}

/// The form of the type's definition.
pub(crate) enum GroupShape {
    /// A struct with these named fields.
    Named(Vec<Ident>),
    /// A struct with this number of unnamed fields.
    Tuple(usize),
    Unit,
    Enum {
        /// Whether it has one value at most: a single variant without fields.
        has_one_value: bool,
    },
    /// A union, with its keyword for errors to underline.
    Union(syn::token::Union),
}

impl Group {
    pub(crate) fn read(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Self {
        let attributes: Vec<_> = attributes_named("group", &input.attrs).cloned().collect();
        let mut arguments = GroupArgs::default();
        if let Some(first) = attributes.first() {
            arguments = diagnostics.record_partial(GroupArgs::read(first));
        }
        Self {
            runtime: arguments.runtime.unwrap_or_else(|| parse_quote!(::portcullis)),
            ty: input.ident.clone(),
            generics: input.generics.clone(),
            attributes,
            misplaced_attributes: misplaced_attributes("group", &input.data),
            consumer: arguments.consumer,
            permission: arguments.permission.map(|syntax| Expression::new(&syntax, diagnostics)),
            publish: arguments.publish.map(|syntax| match syntax {
                PublishSyntax::Members => Publish::Members,
                PublishSyntax::Expression(syntax) => Publish::Expression(Expression::new(&syntax, diagnostics)),
            }),
            presence: arguments.presence.map(|syntax| Expression::new(&syntax, diagnostics)),
            announce: arguments.announce,
            history: arguments.history,
            events: arguments.events,
            public_name: arguments.public_name,
            name: arguments.name.map_or_else(|| unraw_name(&input.ident), |name| name.value()),
            is_local: arguments.is_local,
            unreadable_keys: arguments.unreadable_keys,
            shape: group_shape(&input.data),
            body: TypeBody::read(&input.data),
        }
    }

    /// Returns the expression of `publish`, or `None` if its value is `members` or missing.
    pub(crate) fn publish_expression(&self) -> Option<&Expression> {
        match &self.publish {
            Some(Publish::Expression(expression)) => Some(expression),
            Some(Publish::Members) | None => None,
        }
    }

    /// Returns the tokens that errors about the whole group underline.
    pub(crate) fn span_tokens(&self) -> proc_macro2::TokenStream {
        self.attributes
            .first()
            .map_or_else(|| self.ty.to_token_stream(), |attribute| attribute.path().to_token_stream())
    }
}

fn group_shape(data: &Data) -> GroupShape {
    match data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                GroupShape::Named(fields.named.iter().filter_map(|field| field.ident.clone()).collect())
            }
            Fields::Unnamed(fields) => GroupShape::Tuple(fields.unnamed.len()),
            Fields::Unit => GroupShape::Unit,
        },
        Data::Enum(data) => {
            let has_one_value =
                data.variants.len() <= 1 && data.variants.iter().all(|variant| variant.fields.is_empty());
            GroupShape::Enum { has_one_value }
        }
        Data::Union(data) => GroupShape::Union(data.union_token),
    }
}
