//! The encoding of a type for other machines, field by field: the attributes that shape what a client sees have no part in
//! it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::paths;
use crate::model::type_body::{Field, TypeBody, Variant};

/// What is encoded, which decides the trait that each field must implement and its message.
#[derive(Clone, Copy)]
pub(super) enum Encoded {
    Event,
    GroupKey,
}

impl Encoded {
    fn encode_field(self, span: Span) -> TokenStream {
        match self {
            Self::Event => paths::encode_event_field(span),
            Self::GroupKey => paths::encode_key_field(span),
        }
    }

    fn decode_field(self, span: Span) -> TokenStream {
        match self {
            Self::Event => paths::decode_event_field(span),
            Self::GroupKey => paths::decode_key_field(span),
        }
    }
}

/// Returns the constants that identify the type on other machines: its path in this program and its fingerprint. `settings` are those
/// that must be equal on all machines.
pub(super) fn identity(body: &TypeBody, ty: &Ident, name: &str, settings: &str) -> TokenStream {
    let (site, text, ty) = (Span::call_site(), body.fingerprint_text(name) + settings, ty.to_string());
    let (string, u64, fingerprint) = (paths::string(site), paths::u64(site), paths::fingerprint(site));
    let (concat, module_path) = (paths::concat(site), paths::module_path(site));
    quote! {
        const PATH: &'static #string = #concat!(#module_path, "::", #ty);
        const FINGERPRINT: #u64 = #fingerprint(#text);
    }
}

/// Returns the constant with the functions that encode and decode. Both stand in one constant, so that the compiler reports
/// a field that cannot be encoded once.
pub(super) fn codec(body: &TypeBody, kind: Encoded) -> TokenStream {
    let (site, value, encoder, decoder) = (Span::call_site(), local("__value"), local("__encoder"), local("__decoder"));
    let (option, some, ok, codec) = (paths::option(site), paths::some(site), paths::ok(site), paths::codec(site));
    let (encode, decode) = match body {
        TypeBody::Struct(fields) => {
            let (pattern, encode) = (pattern(fields, "__field"), encode_fields(fields, kind, &encoder));
            let construct = decode_fields(fields, kind, &decoder);
            (quote!(let Self #pattern = #value; #encode #ok(())), quote!(#ok(Self #construct)))
        }
        TypeBody::Enum(variants) => {
            (encode_enum(variants, kind, &value, &encoder), decode_enum(variants, kind, &decoder))
        }
        TypeBody::Union(_) => return TokenStream::new(),
    };
    quote! {
        const CODEC: #option<#codec<Self>> = #some(#codec {
            encode: |#value, #encoder| { #encode },
            decode: |#decoder| { #decode },
        });
    }
}

/// Returns the method that compares two values field by field, where the fields can be compared.
pub(super) fn compare_fields(body: &TypeBody) -> Option<TokenStream> {
    let site = Span::call_site();
    let (one, other) = (local("__one"), local("__other"));
    let body = match body {
        TypeBody::Struct(fields) if fields.is_empty() => return None,
        TypeBody::Struct(fields) => {
            let (one_pattern, other_pattern) = (pattern(fields, "__one"), pattern(fields, "__other"));
            let compared = compared(fields);
            quote!(let (Self #one_pattern, Self #other_pattern) = (#one, #other); #compared)
        }
        TypeBody::Enum(variants) if variants.is_empty() => return None,
        TypeBody::Enum(variants) => {
            let vec = paths::vec(site);
            let arms = variants.iter().map(|Variant { name, fields }| {
                let (one_pattern, other_pattern) = (pattern(fields, "__one"), pattern(fields, "__other"));
                let compared = compared(fields);
                quote!((Self::#name #one_pattern, Self::#name #other_pattern) => { #compared })
            });
            let different = (variants.len() > 1).then(|| quote!(_ => #vec![],));
            quote!(match (#one, #other) { #(#arms)* #different })
        }
        TypeBody::Union(_) => return None,
    };
    let (owned, field_equality) = (paths::owned_vec(site), paths::field_equality(site));
    let equality_traits = paths::equality_traits(site);
    Some(quote! {
        fn compare_fields(&self, #other: &Self) -> #owned<#field_equality> {
            #equality_traits
            let #one = self;
            #body
        }
    })
}

fn compared(fields: &[Field]) -> TokenStream {
    let (vec, compared) = (paths::vec(Span::call_site()), paths::compared(Span::call_site()));
    let rows = fields.iter().enumerate().map(|(position, field)| {
        let (one, other) = (field_local("__one", position, field), field_local("__other", position, field));
        let name = field.name();
        quote!((#name, (&#compared(#one, #other)).are_equal()))
    });
    quote!(#vec![#(#rows),*])
}

fn encode_enum(variants: &[Variant], kind: Encoded, value: &Ident, encoder: &Ident) -> TokenStream {
    if variants.is_empty() {
        // The local is unused.
        return quote!({ let _ = #encoder; match *#value {} });
    }
    let (ok, encode_variant) = (paths::ok(Span::call_site()), paths::encode_variant(Span::call_site()));
    let arms = (0_u32..).zip(variants).map(|(index, Variant { name, fields })| {
        let (pattern, encode) = (pattern(fields, "__field"), encode_fields(fields, kind, encoder));
        quote!(Self::#name #pattern => { #encode_variant(#encoder, #index); #encode })
    });
    quote!(match #value { #(#arms)* } #ok(()))
}

fn decode_enum(variants: &[Variant], kind: Encoded, decoder: &Ident) -> TokenStream {
    let site = Span::call_site();
    let (ok, err) = (paths::ok(site), paths::err(site));
    let (decode_variant, unknown_variant) = (paths::decode_variant(site), paths::unknown_variant(site));
    let arms = (0_u32..).zip(variants).map(|(index, Variant { name, fields })| {
        let construct = decode_fields(fields, kind, decoder);
        quote!(#index => #ok(Self::#name #construct),)
    });
    quote!(match #decode_variant(#decoder)? { #(#arms)* _ => #err(#unknown_variant()) })
}

/// Returns the pattern that binds each field to a local with this prefix.
fn pattern(fields: &[Field], prefix: &str) -> TokenStream {
    let bindings = fields.iter().enumerate().map(|(position, field)| {
        let (member, binding) = (&field.member, field_local(prefix, position, field));
        quote!(#member: #binding)
    });
    quote!({ #(#bindings),* })
}

fn encode_fields(fields: &[Field], kind: Encoded, encoder: &Ident) -> TokenStream {
    let statements = fields.iter().enumerate().map(|(position, field)| {
        // A field that cannot be encoded is reported at its type.
        let at = paths::type_span(&field.ty);
        let (encode, encoder) = (kind.encode_field(at), paths::at_span(encoder, at));
        let field = field_local("__field", position, field);
        quote_spanned!(at=> #encode(#encoder, #field)?;)
    });
    statements.collect()
}

fn decode_fields(fields: &[Field], kind: Encoded, decoder: &Ident) -> TokenStream {
    let fields = fields.iter().map(|Field { member, ty }| {
        let at = paths::type_span(ty);
        let (decode, decoder) = (kind.decode_field(at), paths::at_span(decoder, at));
        let construct = quote_spanned!(at=> #decode(#decoder)?);
        quote!(#member: #construct)
    });
    quote!({ #(#fields),* })
}

/// Returns the local that borrows a field. It has the span of the field's type, which the compiler underlines.
fn field_local(prefix: &str, position: usize, field: &Field) -> Ident {
    format_ident!("{prefix}{position}", span = paths::type_span(&field.ty))
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
