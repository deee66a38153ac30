//! `permissions!`: one module per group, and in it one constant per codename.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Ident, Meta, Path, parse_quote};

use super::paths;
use crate::model::{Codename, CodenameGroup, Codenames, cfgs, unraw_name};

/// Returns the modules of all groups that could be parsed.
pub(crate) fn codenames(codenames: &Codenames) -> TokenStream {
    let runtime = codenames.runtime.clone().unwrap_or_else(|| parse_quote!(::portcullis));
    let alias = paths::alias(&from_within(runtime));
    codenames.groups.iter().map(|group| module(group, &alias)).collect()
}

/// Returns the path as seen from inside the modules of the groups.
fn from_within(mut path: Path) -> Path {
    let first = path.segments.first().map(|segment| segment.ident.clone());
    match first {
        Some(word) if path.leading_colon.is_none() && word == "self" => {
            if let Some(segment) = path.segments.first_mut() {
                segment.ident = Ident::new("super", word.span());
            }
            path
        }
        Some(word) if path.leading_colon.is_none() && word == "super" => parse_quote!(super::#path),
        _ => path,
    }
}

/// Returns the module of one group. Its runtime alias is private to it.
fn module(group: &CodenameGroup, alias: &TokenStream) -> TokenStream {
    let CodenameGroup { attributes, visibility, name, codenames } = group;
    let documented = document(attributes, || format!("The codenames of `{}`.", unraw_name(name)));
    let codenames = codenames.iter().map(|codename| constant(group, codename));
    quote! {
        #documented
        #(#attributes)*
        #visibility mod #name {
            #alias
            #(#codenames)*
        }
    }
}

fn constant(group: &CodenameGroup, codename: &Codename) -> TokenStream {
    let Codename { attributes, name, description } = codename;
    let text = format!("{}.{}", unraw_name(&group.name), unraw_name(name));
    let described = description.as_ref().map_or_else(|| text.clone(), syn::LitStr::value);
    let documented = document(attributes, || described.clone());
    let description =
        description.as_ref().map_or_else(|| Literal::string(&text).to_token_stream(), ToTokens::to_token_stream);
    let (codename, row) = (paths::codename(Span::call_site()), paths::codename_row(Span::call_site()));
    let (of, declare) = (paths::codename_of(Span::call_site()), paths::declare(Span::call_site()));
    let (module, cfgs) = (paths::module_path(Span::call_site()), cfgs(attributes));
    let declared = quote!(#declare!(#name););
    // The author of a deprecated codename cannot avoid this use of it.
    let deprecated = attributes.iter().any(|attribute| attribute.path().is_ident("deprecated"));
    let declared = if deprecated { quote!(#[allow(deprecated)] const _: () = { #declared };) } else { declared };
    quote! {
        #documented
        #(#attributes)*
        #[allow(non_upper_case_globals)]
        pub const #name: #codename = {
            static ROW: #row = #row::new(#text, #description, #module);
            #of(&ROW)
        };
        #(#cfgs)*
        #declared
    }
}

/// Returns a doc attribute with `words`, unless the item is already documented.
fn document(attributes: &[Attribute], words: impl FnOnce() -> String) -> Option<TokenStream> {
    let text = |attribute: &Attribute| matches!(attribute.meta, Meta::NameValue(_));
    let documented = attributes.iter().any(|attribute| attribute.path().is_ident("doc") && text(attribute));
    (!documented).then(|| {
        let words = words();
        quote!(#[doc = #words])
    })
}
