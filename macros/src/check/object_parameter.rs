//! Checks of object parameters: the type, and the attributes that name the source of the key.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{LitStr, Type};

use super::envelope::check_envelope_key;
use crate::diagnostics::Diagnostics;
use crate::model::Role;
use crate::model::object::{Object, ObjectShape, ObjectSource};
use crate::model::parameter::{Parameter, ParameterKind};

pub(super) fn check(parameter: &Parameter, object: &Object, diagnostics: &mut Diagnostics) {
    if let Type::Reference(reference) = &parameter.ty {
        diagnostics.error(reference, "an action takes ownership of an object; remove the `&`");
    }
    if let Some(name) = object.source.top_level_key() {
        check_envelope_key(name, key_location(parameter), diagnostics);
    }
    check_element_path(parameter, object, diagnostics);
    check_attributes(parameter, object, diagnostics);
}

/// Returns the tokens that name the key, for the error location.
fn key_location(parameter: &Parameter) -> TokenStream {
    let written = parameter.roles.iter().find(|(role, _)| *role == Role::Object);
    let literal = written.and_then(|(_, attribute)| attribute.parse_args::<LitStr>().ok());
    literal.map_or_else(|| parameter.name.to_token_stream(), ToTokens::into_token_stream)
}

/// Checks that only a list has `[]` in its path, which selects many keys.
fn check_element_path(parameter: &Parameter, object: &Object, diagnostics: &mut Diagnostics) {
    let ObjectSource::Nested(place) = &object.source else { return };
    if place.is_list() && object.shape != ObjectShape::List {
        let message = format!(
            "`[]` selects many keys, but `{}` is a single object; write `Vec<Object<…>>`, or remove the `[]`",
            parameter.name
        );
        diagnostics.error(&place.literal, message);
    }
}

fn check_attributes(parameter: &Parameter, object: &Object, diagnostics: &mut Diagnostics) {
    let name = &parameter.name;
    if parameter.has_role(Role::Extract) {
        let message = format!(
            "`{name}` is an object, which is loaded and not extracted; remove `#[extract]`, or change the type"
        );
        diagnostics.error(parameter.role_tokens(Role::Extract), message);
    }
    if parameter.has_role(Role::Path) && parameter.has_role(Role::Object) {
        let message = format!("the key of `{name}` has two sources, `#[path]` and `#[object]`; remove one of them");
        diagnostics.error(parameter.role_tokens(Role::Object), message);
    }
    if parameter.has_role(Role::Path) && object.shape != ObjectShape::One {
        let message = format!(
            "a capture always holds exactly one key; write `{name}: Object<…>`, or remove `#[path]` to take it \
             from the message"
        );
        diagnostics.error(parameter.role_tokens(Role::Path), message);
    }
    for (_, attribute) in parameter.roles.iter().filter(|(role, _)| *role == Role::Serde) {
        let message = "`#[serde]` does not apply to objects; write `#[object(\"…\")]` if the key has another \
            name, or remove this attribute";
        diagnostics.error(attribute, message);
    }
}

/// Returns the error message for `#[object]` on a parameter that is not an object.
pub(super) fn misplaced_message(parameter: &Parameter) -> String {
    let name = &parameter.name;
    let instead = match &parameter.kind {
        ParameterKind::Key { .. } => {
            format!("write `{name}: Object<…>`, or `#[serde(rename = \"…\")]` for a plain argument")
        }
        _ => "remove this".to_owned(),
    };
    format!("`#[object]` names the key of an object, but `{name}` is not an object; {instead}")
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    /// Returns the errors for an action with this parameter `a`, an object or not.
    fn errors(parameter: &str) -> Vec<String> {
        let permission = if parameter.contains("Object<") { "AllowAny(a)" } else { "A" };
        let action = format!("#[action(permission = {permission})] fn act(&self, {parameter}) {{}}");
        test_support::handler_errors("", &action)
    }

    #[test]
    fn object_parameter_with_one_key_source_is_accepted() {
        for parameter in [
            "a: Object<T>",
            "a: Option<portcullis::Object<T>>",
            "#[object(\"b\")] a: Vec<Object<T>>",
            "#[object(\"b.c\")] a: Option<Object<T>>",
            "#[object(\"b[].c\")] a: Vec<Object<T>>",
            "#[path] a: Object<T>",
            "#[path(\"b\")] a: Object<T>",
        ] {
            assert_eq!(errors(parameter), [""; 0], "{parameter}");
        }
    }

    #[test]
    fn object_parameter_with_invalid_attributes_is_rejected() {
        for (parameter, words) in [
            ("a: &Object<T>", "remove the `&`"),
            ("action: Object<T>, #[object(\"b\")] a: Object<T>", "key of the envelope"),
            ("#[object(\"route.b\")] a: Object<T>", "key of the envelope"),
            ("#[object(\"b[].c\")] a: Object<T>", "write `Vec<Object<…>>`"),
            ("#[object(\"b[]\")] a: Option<Object<T>>", "write `Vec<Object<…>>`"),
            ("#[object(\"b\")] a: Object<T>, b: u8", "`b` is already the key of `a`"),
            ("#[object(\"b..c\")] a: Object<T>", "before or after a `.`"),
            ("#[object(\"b\")] #[object(\"c\")] a: Object<T>", "is repeated"),
            ("#[path] #[object(\"b\")] a: Object<T>", "two sources, `#[path]` and `#[object]`"),
            ("#[extract] a: Object<T>", "remove `#[extract]`"),
            ("#[path] a: Option<Object<T>>", "a capture always holds exactly one key"),
            ("#[path] a: Vec<Object<T>>", "a capture always holds exactly one key"),
            ("#[serde(rename = \"b\")] a: Object<T>", "`#[serde]` does not apply to objects"),
            ("#[object(\"b\")] a: u8", "`a` is not an object; write `a: Object<…>`"),
            ("#[path] #[object(\"b\")] a: u8", "`a` is not an object; remove this"),
            ("#[extract] #[object(\"b\")] a: u8", "`a` is not an object; remove this"),
            ("#[object(\"b\")] a: &Context<'_, ()>", "`a` is not an object; remove this"),
        ] {
            let errors = errors(parameter);
            assert!(errors.iter().any(|errors| errors.contains(words)), "{parameter}: {errors:?}");
        }
    }

    #[test]
    fn object_inside_another_type_is_rejected() {
        for parameter in ["a: Box<Object<T>>", "a: Vec<Option<Object<T>>>", "a: (u8, Object<T>)", "a: &[Object<T>]"] {
            let action = format!("#[action(permission = A)] fn act(&self, {parameter}) {{}}");
            let errors = test_support::handler_errors("", &action);
            assert!(errors[0].contains("an object cannot be loaded inside another type"), "{parameter}: {errors:?}");
        }
    }

    #[test]
    fn object_capture_in_a_consumer_is_rejected() {
        let errors =
            test_support::consumer_errors("", "#[action(permission = A(a))] fn act(&self, #[path] a: Object<T>) {}");
        assert!(errors[0].contains("cannot read the capture `a`"), "{errors:?}");
    }
}
