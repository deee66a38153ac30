//! The attributes that belong to a derive, on the type and on its fields and variants.

use syn::{Attribute, Data, Fields};

/// Returns the attributes with this name.
pub(super) fn attributes_named<'a>(name: &str, attributes: &'a [Attribute]) -> impl Iterator<Item = &'a Attribute> {
    attributes.iter().filter(move |attribute| attribute.path().is_ident(name))
}

/// Returns the attributes with this name on fields and variants.
pub(super) fn misplaced_attributes(name: &str, data: &Data) -> Vec<Attribute> {
    let of_fields = |fields: &Fields| -> Vec<Attribute> {
        fields.iter().flat_map(|field| attributes_named(name, &field.attrs)).cloned().collect()
    };
    match data {
        Data::Struct(data) => of_fields(&data.fields),
        Data::Enum(data) => {
            let variants = data.variants.iter();
            variants
                .flat_map(|variant| attributes_named(name, &variant.attrs).cloned().chain(of_fields(&variant.fields)))
                .collect()
        }
        Data::Union(data) => {
            data.fields.named.iter().flat_map(|field| attributes_named(name, &field.attrs)).cloned().collect()
        }
    }
}
