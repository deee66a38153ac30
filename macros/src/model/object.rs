//! A parameter that is loaded and checked before the action sees it.

use proc_macro2::{Ident, Span};
use syn::{GenericArgument, PathArguments, PathSegment, Type, TypeReference};

use super::plain;
use crate::syntax::json_path::Place;

/// What `Object<T>` says, alone or in an `Option` or a `Vec`.
pub(crate) struct Object {
    pub(crate) shape: Shape,
    /// What is loaded: the `T`.
    pub(crate) ty: Box<Type>,
    pub(crate) source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    One,
    Optional,
    List,
}

/// Where its key comes from, or its keys.
pub(crate) enum Source {
    /// A key of the message.
    Key(String),
    /// A place deeper in the message.
    Nested(Place),
    Capture {
        name: String,
        at: Span,
    },
}

impl Source {
    /// The place, or the parameter's own name.
    pub(crate) fn new(place: Option<Place>, name: &Ident) -> Self {
        match place {
            None => Self::Key(plain(name)),
            Some(place) if place.is_key() => Self::Key(place.text),
            Some(place) => Self::Nested(place),
        }
    }

    /// How it is called where it cannot be read.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Key(name) | Self::Capture { name, .. } => name,
            Self::Nested(place) => &place.text,
        }
    }

    /// The key of the message in which it stands.
    pub(crate) fn top(&self) -> Option<&str> {
        match self {
            Self::Key(name) => Some(name),
            Self::Nested(place) => Some(place.top()),
            Self::Capture { .. } => None,
        }
    }
}

/// What `Object<T>`, `Option<Object<T>>`, `Vec<Object<T>>` or a reference to one of them loads.
pub(crate) fn loaded(ty: &Type) -> Option<(Shape, &Type)> {
    match ty {
        Type::Reference(TypeReference { elem, .. }) => loaded(elem),
        Type::Group(group) => loaded(&group.elem),
        Type::Paren(paren) => loaded(&paren.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let inner = only_argument(last)?;
            let shape = match last.ident.to_string().as_str() {
                "Object" => return Some((Shape::One, inner)),
                "Option" => Shape::Optional,
                "Vec" => Shape::List,
                _ => return None,
            };
            object(inner).map(|inner| (shape, inner))
        }
        _ => None,
    }
}

/// The `T` of `Object<T>`.
fn object(ty: &Type) -> Option<&Type> {
    only_argument_of(ty, "Object")
}

/// The `T` of `Name<T>`.
pub(super) fn only_argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    match ty {
        Type::Group(group) => only_argument_of(&group.elem, name),
        Type::Paren(paren) => only_argument_of(&paren.elem, name),
        Type::Path(path) => path.path.segments.last().filter(|last| last.ident == name).and_then(only_argument),
        _ => None,
    }
}

fn only_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(ty)) if arguments.args.len() == 1 => Some(ty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Shape, loaded};
    use quote::ToTokens;
    use syn::parse_str;

    #[test]
    fn objects_are_known_by_their_last_words() {
        for (ty, expected) in [
            ("Object<Message>", Some((Shape::One, "Message"))),
            ("portcullis::Object<a::Message>", Some((Shape::One, "a :: Message"))),
            ("std::option::Option<Object<Message>>", Some((Shape::Optional, "Message"))),
            ("Vec<portcullis::Object<Message>>", Some((Shape::List, "Message"))),
            ("(Vec<(Object<Message>)>)", Some((Shape::List, "Message"))),
            ("&Object<Message>", Some((Shape::One, "Message"))),
            ("Object", None),
            ("Object<Message, Other>", None),
            ("Message", None),
            ("Vec<Option<Object<Message>>>", None),
            ("Option<&Object<Message>>", None),
            ("Box<Object<Message>>", None),
            ("[Object<Message>; 3]", None),
        ] {
            let parsed = parse_str(ty).unwrap();
            let found = loaded(&parsed).map(|(shape, inner)| (shape, inner.to_token_stream().to_string()));
            assert_eq!(found, expected.map(|(shape, inner)| (shape, inner.to_owned())), "{ty}");
        }
    }
}
