//! A parameter that is loaded as an object: its type, and the attributes that say where its key comes from.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{LitStr, Type};

use super::signature::no_envelope_key;
use crate::diagnostics::Diagnostics;
use crate::model::Role;
use crate::model::object::{Object, ObjectShape, ObjectSource};
use crate::model::parameter::{Parameter, ParameterKind};

pub(super) fn check(parameter: &Parameter, object: &Object, diagnostics: &mut Diagnostics) {
    if let Type::Reference(reference) = &parameter.ty {
        diagnostics.error(reference, "an action is given the object itself; remove the `&`");
    }
    if let Some(name) = object.source.top_level_key() {
        no_envelope_key(name, place(parameter), diagnostics);
    }
    elements(parameter, object, diagnostics);
    attributes(parameter, object, diagnostics);
}

/// Where its key was named.
fn place(parameter: &Parameter) -> TokenStream {
    let written = parameter.roles.iter().find(|(role, _)| *role == Role::Object);
    let literal = written.and_then(|(_, attribute)| attribute.parse_args::<LitStr>().ok());
    literal.map_or_else(|| parameter.name.to_token_stream(), ToTokens::into_token_stream)
}

/// `[]` leads to many keys, which only a list can take.
fn elements(parameter: &Parameter, object: &Object, diagnostics: &mut Diagnostics) {
    let ObjectSource::Nested(place) = &object.source else { return };
    if place.is_list() && object.shape != ObjectShape::List {
        let message = format!(
            "`[]` leads to many keys, and `{}` is one object; write `Vec<Object<…>>`, or remove the `[]`",
            parameter.name
        );
        diagnostics.error(&place.literal, message);
    }
}

fn attributes(parameter: &Parameter, object: &Object, diagnostics: &mut Diagnostics) {
    let name = &parameter.name;
    if parameter.has_role(Role::Extract) {
        let message =
            format!("`{name}` is loaded, so that permissions see it; remove `#[extract]`, or change the type");
        diagnostics.error(parameter.role_tokens(Role::Extract), message);
    }
    if parameter.has_role(Role::Path) && parameter.has_role(Role::Object) {
        let message = format!("the key of `{name}` comes from one place; keep `#[path]` or `#[object]`");
        diagnostics.error(parameter.role_tokens(Role::Object), message);
    }
    if parameter.has_role(Role::Path) && object.shape != ObjectShape::One {
        let message = format!(
            "a capture is always there and is one key; write `{name}: Object<…>`, or remove `#[path]` to take it from the message"
        );
        diagnostics.error(parameter.role_tokens(Role::Path), message);
    }
    for (_, attribute) in parameter.roles.iter().filter(|(role, _)| *role == Role::Serde) {
        let message = "serde reads no objects; write `#[object(\"…\")]` if the key has another name, or remove this";
        diagnostics.error(attribute, message);
    }
}

/// What to say about `#[object]` on a parameter that is none.
pub(super) fn misplaced(parameter: &Parameter) -> String {
    let name = &parameter.name;
    let instead = match &parameter.kind {
        ParameterKind::Key { .. } => {
            format!("write `{name}: Object<…>`, or `#[serde(rename = \"…\")]` for a plain argument")
        }
        _ => "remove this".to_owned(),
    };
    format!("`#[object]` says where the key of an object stands, and `{name}` is none; {instead}")
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    /// What is told about an action with this parameter `a`, loaded or not.
    fn told(parameter: &str) -> Vec<String> {
        let permission = if parameter.contains("Object<") { "AllowAny(a)" } else { "A" };
        let action = format!("#[action(permission = {permission})] fn act(&self, {parameter}) {{}}");
        test_support::of_a_handler("", &action)
    }

    #[test]
    fn keys_come_from_one_place_each() {
        for parameter in [
            "a: Object<T>",
            "a: Option<portcullis::Object<T>>",
            "#[object(\"b\")] a: Vec<Object<T>>",
            "#[object(\"b.c\")] a: Option<Object<T>>",
            "#[object(\"b[].c\")] a: Vec<Object<T>>",
            "#[path] a: Object<T>",
            "#[path(\"b\")] a: Object<T>",
        ] {
            assert_eq!(told(parameter), [""; 0], "{parameter}");
        }
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (parameter, words) in [
            ("a: &Object<T>", "remove the `&`"),
            ("action: Object<T>, #[object(\"b\")] a: Object<T>", "key of the envelope"),
            ("#[object(\"route.b\")] a: Object<T>", "key of the envelope"),
            ("#[object(\"b[].c\")] a: Object<T>", "write `Vec<Object<…>>`"),
            ("#[object(\"b[]\")] a: Option<Object<T>>", "write `Vec<Object<…>>`"),
            ("#[object(\"b\")] a: Object<T>, b: u8", "`b` is the key of `a` already"),
            ("#[object(\"b..c\")] a: Object<T>", "before or after a `.`"),
            ("#[object(\"b\")] #[object(\"c\")] a: Object<T>", "stands here twice"),
            ("#[path] #[object(\"b\")] a: Object<T>", "keep `#[path]` or `#[object]`"),
            ("#[extract] a: Object<T>", "remove `#[extract]`"),
            ("#[path] a: Option<Object<T>>", "a capture is always there"),
            ("#[path] a: Vec<Object<T>>", "a capture is always there"),
            ("#[serde(rename = \"b\")] a: Object<T>", "serde reads no objects"),
            ("#[object(\"b\")] a: u8", "`a` is none; write `a: Object<…>`"),
            ("#[path] #[object(\"b\")] a: u8", "`a` is none; remove this"),
            ("#[extract] #[object(\"b\")] a: u8", "`a` is none; remove this"),
            ("#[object(\"b\")] a: &Context<'_, ()>", "`a` is none; remove this"),
        ] {
            let told = told(parameter);
            assert!(told.iter().any(|told| told.contains(words)), "{parameter}: {told:?}");
        }
    }

    #[test]
    fn an_object_in_anything_else_is_refused() {
        for parameter in ["a: Box<Object<T>>", "a: Vec<Option<Object<T>>>", "a: (u8, Object<T>)", "a: &[Object<T>]"] {
            let action = format!("#[action(permission = A)] fn act(&self, {parameter}) {{}}");
            let told = test_support::of_a_handler("", &action);
            assert!(told[0].contains("no object can be loaded in there"), "{parameter}: {told:?}");
        }
    }

    #[test]
    fn a_consumer_has_no_captures() {
        let told =
            test_support::of_a_consumer("", "#[action(permission = A(a))] fn act(&self, #[path] a: Object<T>) {}");
        assert!(told[0].contains("cannot read the capture `a`"), "{told:?}");
    }
}
