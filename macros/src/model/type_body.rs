//! The fields of a type with a derive, one by one, as they are encoded for other machines.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Data, Fields, GenericArgument, Index, Member, PathArguments, Type, TypeReference};

use super::{print, unraw_name};

/// The definition of a struct or an enum.
pub(crate) enum TypeBody {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    /// A union, with its keyword for errors to underline.
    Union(syn::token::Union),
}

/// A variant of an enum.
pub(crate) struct Variant {
    pub(crate) name: Ident,
    pub(crate) fields: Vec<Field>,
}

/// A field of a struct or of a variant.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
}

impl TypeBody {
    pub(crate) fn read(data: &Data) -> Self {
        match data {
            Data::Struct(data) => Self::Struct(read_fields(&data.fields)),
            Data::Enum(data) => {
                let variants = data.variants.iter();
                let variants = variants
                    .map(|variant| Variant { name: variant.ident.clone(), fields: read_fields(&variant.fields) });
                Self::Enum(variants.collect())
            }
            Data::Union(data) => Self::Union(data.union_token),
        }
    }

    /// Returns all fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        let (fields, variants): (&[Field], &[Variant]) = match self {
            Self::Struct(fields) => (fields, &[]),
            Self::Enum(variants) => (&[], variants),
            Self::Union(_) => (&[], &[]),
        };
        fields.iter().chain(variants.iter().flat_map(|variant| &variant.fields))
    }

    /// Returns the text that the fingerprint is computed from: the name, the variants, and the fields with their types as
    /// written. Attributes are not part of it.
    pub(crate) fn fingerprint_text(&self, name: &str) -> String {
        match self {
            Self::Struct(fields) => format!("struct {name} {{{}}}", print_fields(fields)),
            Self::Enum(variants) => {
                let variants = variants.iter();
                let variants: Vec<_> = variants
                    .map(|variant| format!("{} {{{}}}", unraw_name(&variant.name), print_fields(&variant.fields)))
                    .collect();
                format!("enum {name} {{{}}}", variants.join(", "))
            }
            Self::Union(_) => String::new(),
        }
    }
}

impl Field {
    /// Returns the name or the position of the field.
    pub(crate) fn name(&self) -> String {
        match &self.member {
            Member::Named(name) => unraw_name(name),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }

    /// Returns the reference in the field's type, if there is one.
    pub(crate) fn reference(&self) -> Option<&TypeReference> {
        find_reference(&self.ty)
    }
}

/// Finds the first reference in a type. One in the argument of a marker such as `PhantomData` holds no value.
fn find_reference(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(reference) => Some(reference),
        Type::Array(array) => find_reference(&array.elem),
        Type::Slice(slice) => find_reference(&slice.elem),
        Type::Group(group) => find_reference(&group.elem),
        Type::Paren(paren) => find_reference(&paren.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(find_reference),
        Type::Path(path) => {
            let last = path.path.segments.last().filter(|segment| segment.ident != "PhantomData")?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => find_reference(ty),
                _ => None,
            })
        }
        _ => None,
    }
}

fn read_fields(fields: &Fields) -> Vec<Field> {
    let members = fields.iter().enumerate().map(|(position, field)| match &field.ident {
        Some(name) => Member::Named(name.clone()),
        None => Member::Unnamed(Index::from(position)),
    });
    members.zip(fields).map(|(member, field)| Field { member, ty: field.ty.clone() }).collect()
}

fn print_fields(fields: &[Field]) -> String {
    let fields = fields.iter().map(|field| format!("{}: {}", field.name(), print(field.ty.to_token_stream())));
    fields.collect::<Vec<_>>().join(", ")
}
