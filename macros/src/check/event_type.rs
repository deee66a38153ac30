//! Checks of a type of events: its definition and its attribute.

use quote::ToTokens;
use syn::{GenericParam, Type};

use crate::diagnostics::Diagnostics;
use crate::model::event_type::EventType;
use crate::model::print;
use crate::model::type_body::TypeBody;

/// Checks the type and its attributes.
pub(crate) fn event_type(event: &EventType, diagnostics: &mut Diagnostics) {
    let name = &event.ty;
    if let TypeBody::Union(keyword) = &event.body {
        diagnostics.error(
            keyword,
            "a union cannot be an event, because its fields cannot be encoded; write a struct or an enum",
        );
    }
    for parameter in &event.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            let message = format!(
                "`{name}` cannot borrow, because it outlives the call that publishes it; remove `{}` and own what it \
                 borrows, for example `String` instead of `&str`",
                lifetime.lifetime
            );
            diagnostics.error(parameter, message);
        }
    }
    if !event.is_local {
        let local = format!("write `#[event(local)]` on `{name}`, which then never leaves its machine");
        check_owned(&event.body, &local, diagnostics);
    }
    for misplaced in &event.misplaced_attributes {
        diagnostics.error(misplaced, format!("`#[event(…)]` belongs on the type itself; move it onto `{name}`"));
    }
    for more in event.attributes.iter().skip(1) {
        diagnostics.error(more, format!("`{name}` has several `#[event(…)]` attributes; write all keys in one"));
    }
}

/// Reports fields that borrow, which cannot be decoded on another machine. `local` is the other way out. A field with a
/// lifetime parameter is reported with the parameter.
pub(super) fn check_owned(body: &TypeBody, local: &str, diagnostics: &mut Diagnostics) {
    for field in body.fields() {
        let Some(reference) = field.reference() else { continue };
        if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
            continue;
        }
        let owned = match &*reference.elem {
            Type::Slice(slice) => format!("Vec<{}>", print(slice.elem.to_token_stream())),
            elem if elem.to_token_stream().to_string() == "str" => "String".to_owned(),
            elem => print(elem.to_token_stream()),
        };
        let message = format!(
            "`{}` borrows, so it cannot be decoded on another machine; write `{owned}`, or {local}",
            field.name()
        );
        diagnostics.error(reference, message);
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostics::Diagnostics;
    use crate::model::event_type::EventType;
    use syn::parse_str;

    fn errors(text: &str) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        let event = EventType::read(&parse_str(text).unwrap(), &mut diagnostics);
        super::event_type(&event, &mut diagnostics);
        let errors = diagnostics.finish().err().into_iter().flatten();
        errors.map(|error| error.to_string()).collect()
    }

    #[test]
    fn valid_event_type_is_accepted() {
        for text in [
            "struct Said;",
            "struct Said(u8, String);",
            "#[event(local)] struct Said { r#type: u8 }",
            "#[event(name = \"chat.Said\")] enum Said { A, B(u8), C { d: u8 } }",
            "#[event(local)] struct Said { a: &'static str }",
            "struct Said { a: Cow<'static, str>, b: PhantomData<&'static u8> }",
            "struct Changed<T, const N: usize> where T: Clone { value: [T; N] }",
        ] {
            assert_eq!(errors(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn invalid_event_type_is_rejected() {
        for (text, words) in [
            ("union Said { a: u8 }", "write a struct or an enum"),
            (
                "struct Said<'a>(&'a str);",
                "remove `'a` and own what it borrows, for example `String` instead of `&str`",
            ),
            (
                "struct Said(&'static str);",
                "`0` borrows, so it cannot be decoded on another machine; write `String`, or",
            ),
            (
                "enum Said { A { b: Vec<&'static [u8]> } }",
                "`b` borrows, so it cannot be decoded on another machine; write `Vec<u8>`",
            ),
            ("struct Said { #[event(local)] a: u8 }", "move it onto `Said`"),
            ("enum Said { #[event(local)] A }", "move it onto `Said`"),
            ("#[event(local)] #[event(name = \"a\")] struct Said;", "several `#[event(…)]` attributes"),
            ("#[event(permission = A)] struct Said;", "belongs on its method"),
        ] {
            let errors = errors(text);
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].contains(words), "{text}: {errors:?}");
        }
    }

    #[test]
    fn fingerprint_text_depends_on_the_definition_only() {
        let text = |text: &str| {
            let mut diagnostics = Diagnostics::new();
            let event = EventType::read(&parse_str(text).unwrap(), &mut diagnostics);
            diagnostics.finish().unwrap();
            event.body.fingerprint_text(&event.name)
        };
        let said = text("struct Said { a: u8, b: Vec<String> }");
        assert_eq!(said, "struct Said {a: u8, b: Vec<String>}");
        for same in [
            "struct Said { a : u8 , b : Vec < String > , }",
            "#[serde(default)] pub struct Said { #[serde(skip)] pub a: u8, /** b */ b: Vec<String> }",
            "#[event(local)] struct Said { a: u8, b: Vec<String> }",
            "#[event(name = \"Said\")] struct Other { a: u8, b: Vec<String> }",
        ] {
            assert_eq!(text(same), said, "{same}");
        }
        for other in [
            "struct Told { a: u8, b: Vec<String> }",
            "#[event(name = \"Told\")] struct Said { a: u8, b: Vec<String> }",
            "struct Said { b: Vec<String>, a: u8 }",
            "struct Said { a: u8 }",
            "struct Said { a: u8, b: Vec<String>, c: u8 }",
            "struct Said { a: u16, b: Vec<String> }",
            "struct Said { a: u8, c: Vec<String> }",
            "struct Said(u8, Vec<String>);",
            "enum Said { Said { a: u8, b: Vec<String> } }",
        ] {
            assert_ne!(text(other), said, "{other}");
        }
        assert_ne!(text("enum Said { A, B }"), text("enum Said { B, A }"));
        assert_ne!(text("enum Said { A(u8) }"), text("enum Said { A(i8) }"));
    }
}
