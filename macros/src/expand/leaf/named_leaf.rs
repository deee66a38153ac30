//! One leaf: its value, the captures that it names, and the checks of its parameter.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Generics, Member, PathArguments, Token};

use super::alias;
use crate::expand::object_parameters;
use crate::expand::paths::{self, Locals};
use crate::expand::tokens::{mentions_generics, string_literal};
use crate::model::action::Action;
use crate::model::expression::{Expression, object_permission_name};
use crate::model::object::Object;
use crate::model::parameter::{Parameter, ParameterKind};
use crate::model::{Leaf, respan, unraw_name};

/// A leaf with its generated name and the parameter that it names.
pub(in crate::expand) struct NamedLeaf<'a> {
    pub(in crate::expand) leaf: &'a Leaf,
    /// The alias, or the path as written if it names generics of the block.
    pub(in crate::expand) name: TokenStream,
    has_alias: bool,
    /// The function that returns the leaf as a value, if there is one.
    constructor: Option<Ident>,
    pub(super) subject: Option<LeafSubject<'a>>,
    /// Whether the leaf is under a `!`.
    is_negated: bool,
}

pub(super) struct LeafSubject<'a> {
    position: usize,
    /// The local that holds the parameter.
    pub(super) local: Ident,
    parameter: &'a Parameter,
    /// `None` if the parameter is not an object.
    pub(super) object: Option<&'a Object>,
}

impl LeafSubject<'_> {
    /// Returns the future that loads the objects, or `None` if the parameter is not an object.
    pub(super) fn fetch(&self, locals: &Locals) -> Option<TokenStream> {
        Some(object_parameters::fetch(&self.local, self.parameter, self.object?, locals))
    }
}

/// Returns the leaves of an expression. `role` makes the names unique within the block, for example `Action0` or `Connect`.
pub(in crate::expand) fn named_leaves<'a>(
    expression: &'a Expression,
    role: &str,
    generics: &Generics,
    action: Option<&'a Action>,
) -> Vec<NamedLeaf<'a>> {
    let leaves =
        expression.leaves.iter().zip(expression.negated_leaves()).enumerate().map(|(position, (leaf, is_negated))| {
            let has_alias = !mentions_generics(leaf.path.to_token_stream(), generics);
            let name = if has_alias {
                alias::alias_name(leaf, role, position).to_token_stream()
            } else {
                // All tokens at one span: otherwise the compiler reports twice that the type is not a permission.
                respan(leaf_path(leaf), leaf.span)
            };
            let parameter = leaf.subject.as_ref().zip(action).and_then(|(name, action)| action.find_parameter(name));
            let subject = parameter.map(|(position, parameter)| {
                let object = match &parameter.kind {
                    ParameterKind::Object(object) => Some(object),
                    _ => None,
                };
                let ty = object.map_or(&parameter.ty, |object| &object.ty);
                LeafSubject { position, local: paths::parameter(position, ty), parameter, object }
            });
            let constructor = alias::constructor_name(expression, leaf, role, position, generics);
            NamedLeaf { leaf, name, has_alias, constructor, subject, is_negated }
        });
    leaves.collect()
}

/// Returns the path in a form that is valid as a type and at the head of a value.
fn leaf_path(leaf: &Leaf) -> TokenStream {
    let mut path = leaf.path.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token.get_or_insert(Token![::](leaf.span));
        }
    }
    path.to_token_stream()
}

impl NamedLeaf<'_> {
    /// Returns whether the name is an alias, which means the same type in every item.
    pub(super) fn has_alias(&self) -> bool {
        self.has_alias
    }

    /// Returns whether the leaf names the parameter at `position`.
    pub(in crate::expand) fn is_for_parameter(&self, position: usize) -> bool {
        self.subject.as_ref().is_some_and(|subject| subject.position == position)
    }

    /// Returns the local that holds the parameter that the leaf names.
    pub(in crate::expand) fn parameter(&self) -> Option<&Ident> {
        self.subject.as_ref().map(|subject| &subject.local)
    }

    /// Returns the `CaptureUse` of the leaf, or `None` if it names no captures and needs no checks. `action` is the name of
    /// the action whose permission has the leaf.
    pub(in crate::expand) fn capture_use(&self, action: Option<&str>) -> Option<TokenStream> {
        let text = &self.leaf.text;
        let reader = action.map_or_else(|| format!("`{text}`"), |action| format!("`{text}` of action `{action}`"));
        let capture_use = paths::capture_use(Span::call_site());
        let (names, checks) = (self.capture_names(), self.object_checks());
        if names.is_empty() && checks.is_none() {
            return None;
        }
        let captures = quote!(&[#(#names),*]);
        let captures = checks.map_or_else(|| captures.clone(), |checks| quote!({ #checks #captures }));
        Some(quote!(#capture_use { reader: #reader, captures: #captures },))
    }

    fn capture_names(&self) -> Vec<String> {
        self.leaf.placeholders.iter().map(placeholder_name).collect()
    }

    /// Returns checks of a leaf with a parameter that need type information: its answer depends on the object, and it may be
    /// negated.
    fn object_checks(&self) -> Option<TokenStream> {
        let (leaf, span) = (self.leaf, self.leaf.span);
        let subject =
            self.subject.as_ref().filter(|_| object_permission_name(leaf).is_some_and(|word| word != "AllowAny"))?;
        let (answer, check) = (self.object_answer()?, paths::check_not_constant(span));
        let (text, name) = (&leaf.text, &subject.parameter.name);
        let allow_any = string_literal(&format!("`{text}` allows every object; write `AllowAny({name})`"), span);
        let deny_all =
            string_literal(&format!("`{text}` is `DenyAll`, which takes no object; write `DenyAll` alone"), span);
        let depends = quote_spanned!(span=> #check(#answer, #allow_any, #deny_all););
        let object = subject.object.filter(|_| self.is_negated);
        let single = object.map(|object| {
            let (single, loaded_parameter) =
                (paths::check_single_object(span), object_parameters::loaded_parameter(subject.parameter, object));
            let converted = format!(
                "`{text}` cannot be negated, because its parameter is not exactly one object; write a \
                 permission with the opposite meaning"
            );
            let converted = string_literal(&converted, span);
            quote_spanned!(span=> #single(#loaded_parameter::IS_SINGLE, #converted);)
        });
        Some(quote!(#depends #single))
    }

    /// Returns `<Leaf as PermissionLeaf<Self, _>>`.
    pub(super) fn as_permission(&self) -> Option<TokenStream> {
        let (leaf, span, name) = (self.leaf, self.leaf.span, &self.name);
        if leaf.is_codename {
            return None;
        }
        if leaf.subject.is_none() {
            // The marker that distinguishes permissions from rules is inferred.
            let permission = paths::permission_leaf(span);
            return Some(quote_spanned!(span=> <#name as #permission<Self, _>>));
        }
        let (object, permission) = (self.object_type()?, paths::object_permission(span));
        Some(quote_spanned!(span=> <#name as #permission<#object, Self>>))
    }

    /// Returns the type of the object that the leaf is about.
    fn object_type(&self) -> Option<TokenStream> {
        let (subject, span) = (self.subject.as_ref()?, self.leaf.span);
        // By the parameter's type and not by its type argument: an alias hides what is loaded.
        let loaded_parameter = object_parameters::loaded_parameter(subject.parameter, subject.object?);
        Some(quote_spanned!(span=> #loaded_parameter::Item))
    }

    /// Returns the type that has the leaf's items with a default. Unlike the permission trait it has no bound, so that a
    /// type that is not a permission is reported once, where the leaf is evaluated.
    pub(super) fn options(&self) -> Option<TokenStream> {
        let (span, name) = (self.leaf.span, &self.name);
        if self.leaf.is_codename {
            return None;
        }
        if self.leaf.subject.is_none() {
            let options = paths::leaf_options(span);
            return Some(quote_spanned!(span=> <#options<#name, Self>>));
        }
        let (object, options) = (self.object_type()?, paths::object_leaf_options(span));
        Some(quote_spanned!(span=> <#options<#name, #object, Self>>))
    }

    /// Returns the answer of a leaf about an object, if it is the same for every object.
    pub(super) fn object_answer(&self) -> Option<TokenStream> {
        let (span, options) = (self.leaf.span, self.options()?);
        Some(quote_spanned!(span=> #options::__ANSWER))
    }

    /// Returns the `REEVALUATE` of the leaf. A codename is always evaluated again.
    pub(in crate::expand) fn reevaluate(&self) -> TokenStream {
        let (span, options) = (self.leaf.span, self.options());
        options.map_or_else(|| quote_spanned!(span=> true), |options| quote_spanned!(span=> #options::__REEVALUATE))
    }

    /// Returns the headers that the leaf reads, as elements of a list with commas. A codename reads none.
    pub(in crate::expand) fn headers(&self) -> Option<TokenStream> {
        let (span, name, options) = (self.leaf.span, &self.name, self.options()?);
        // One of the two is a default: a leaf is a permission or a rule.
        let rule = self.subject.is_none().then(|| {
            let options = paths::rule_options(span);
            quote_spanned!(span=> <#options<#name, Self>>::__HEADERS,)
        });
        Some(quote_spanned!(span=> #options::__HEADERS, #rule))
    }

    /// Returns the leaf as a value. `replacement` is what stands for a placeholder.
    pub(super) fn value_with(&self, replacement: impl FnMut(Member) -> TokenStream) -> TokenStream {
        alias::value(self.leaf, &self.name, replacement)
    }

    /// Returns the leaf as a value. The checks have rejected placeholders.
    pub(super) fn value(&self) -> TokenStream {
        if let Some(constructor) = &self.constructor {
            return quote_spanned!(self.leaf.span=> #constructor());
        }
        self.value_with(|placeholder| placeholder.to_token_stream())
    }

    /// Calls `evaluate` with a reference to the leaf, and returns the evaluation. If a capture does not parse, the leaf ends
    /// with that error instead. A type that does not implement `FromStr` is reported at the placeholder.
    pub(super) fn with_captures(
        &self,
        evaluate: impl FnOnce(TokenStream) -> TokenStream,
        locals: &Locals,
    ) -> TokenStream {
        if self.leaf.placeholders.is_empty() {
            let value = self.value();
            return evaluate(quote_spanned!(self.leaf.span=> &#value));
        }
        let Locals { answer, call, leaf, site, .. } = locals;
        let value = self.value_with(|placeholder| {
            let at = placeholder_span(&placeholder);
            let (read, name) = (paths::read_capture(at), string_literal(&placeholder_name(&placeholder), at));
            quote_spanned!(at=> #read(#call, #name)?)
        });
        let (build, ok, err) = (paths::build_leaf(*site), paths::ok(*site), paths::err(*site));
        let evaluated = evaluate(leaf.to_token_stream());
        quote_spanned! {*site=>
            match #build(|| #ok(#value)) {
                #ok(#leaf) => {
                    let #leaf = &#leaf;
                    #evaluated
                }
                #err(#answer) => #err(#answer),
            }
        }
    }
}

/// Returns the name of the capture or field that a placeholder stands for.
fn placeholder_name(placeholder: &Member) -> String {
    match placeholder {
        Member::Named(name) => unraw_name(name),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

pub(super) fn placeholder_span(placeholder: &Member) -> Span {
    match placeholder {
        Member::Named(name) => name.span(),
        Member::Unnamed(index) => index.span,
    }
}
