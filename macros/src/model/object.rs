//! A parameter that is loaded and checked before the action sees it.

use proc_macro2::{Ident, Span};
use syn::{GenericArgument, PathArguments, PathSegment, Type, TypeReference};

use super::unraw_name;
use crate::syntax::json_path::JsonPath;

/// What `Object<T>` says, alone or in an `Option` or a `Vec`.
pub(crate) struct Object {
    pub(crate) shape: ObjectShape,
    /// What is loaded: the `T`.
    pub(crate) ty: Box<Type>,
    pub(crate) source: ObjectSource,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ObjectShape {
    One,
    Optional,
    List,
}

/// Where its key comes from, or its keys.
pub(crate) enum ObjectSource {
    /// A key of the message.
    Key(String),
    /// A place deeper in the message.
    Nested(JsonPath),
    Capture {
        name: String,
        at: Span,
    },
}

impl ObjectSource {
    /// The place, or the parameter's own name.
    pub(crate) fn new(path: Option<JsonPath>, name: &Ident) -> Self {
        match path {
            None => Self::Key(unraw_name(name)),
            Some(path) if path.is_top_level() => Self::Key(path.text),
            Some(path) => Self::Nested(path),
        }
    }

    /// How it is called where it cannot be read.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Key(name) | Self::Capture { name, .. } => name,
            Self::Nested(path) => &path.text,
        }
    }

    /// The key of the message in which it stands.
    pub(crate) fn top_level_key(&self) -> Option<&str> {
        match self {
            Self::Key(name) => Some(name),
            Self::Nested(path) => Some(path.top_level_key()),
            Self::Capture { .. } => None,
        }
    }
}

/// What `Object<T>`, `Option<Object<T>>`, `Vec<Object<T>>` or a reference to one of them loads.
pub(crate) fn parse_object_type(ty: &Type) -> Option<(ObjectShape, &Type)> {
    match ty {
        Type::Reference(TypeReference { elem, .. }) => parse_object_type(elem),
        Type::Group(group) => parse_object_type(&group.elem),
        Type::Paren(paren) => parse_object_type(&paren.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let inner = single_type_argument(last)?;
            let shape = match last.ident.to_string().as_str() {
                "Object" => return Some((ObjectShape::One, inner)),
                "Option" => ObjectShape::Optional,
                "Vec" => ObjectShape::List,
                _ => return None,
            };
            object_type(inner).map(|inner| (shape, inner))
        }
        _ => None,
    }
}

/// The `T` of `Object<T>`.
fn object_type(ty: &Type) -> Option<&Type> {
    single_type_argument_of(ty, "Object")
}

/// The `T` of `Name<T>`.
pub(super) fn single_type_argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    match ty {
        Type::Group(group) => single_type_argument_of(&group.elem, name),
        Type::Paren(paren) => single_type_argument_of(&paren.elem, name),
        Type::Path(path) => path.path.segments.last().filter(|last| last.ident == name).and_then(single_type_argument),
        _ => None,
    }
}

fn single_type_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(ty)) if arguments.args.len() == 1 => Some(ty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ObjectShape, parse_object_type};
    use quote::ToTokens;
    use syn::parse_str;

    #[test]
    fn objects_are_known_by_their_last_words() {
        for (ty, expected) in [
            ("Object<Message>", Some((ObjectShape::One, "Message"))),
            ("portcullis::Object<a::Message>", Some((ObjectShape::One, "a :: Message"))),
            ("std::option::Option<Object<Message>>", Some((ObjectShape::Optional, "Message"))),
            ("Vec<portcullis::Object<Message>>", Some((ObjectShape::List, "Message"))),
            ("(Vec<(Object<Message>)>)", Some((ObjectShape::List, "Message"))),
            ("&Object<Message>", Some((ObjectShape::One, "Message"))),
            ("Object", None),
            ("Object<Message, Other>", None),
            ("Message", None),
            ("Vec<Option<Object<Message>>>", None),
            ("Option<&Object<Message>>", None),
            ("Box<Object<Message>>", None),
            ("[Object<Message>; 3]", None),
        ] {
            let parsed = parse_str(ty).unwrap();
            let found = parse_object_type(&parsed).map(|(shape, inner)| (shape, inner.to_token_stream().to_string()));
            assert_eq!(found, expected.map(|(shape, inner)| (shape, inner.to_owned())), "{ty}");
        }
    }
}
