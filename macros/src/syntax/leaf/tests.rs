use super::{Leaf, token_string};
use quote::ToTokens;
use syn::parse::Parser;

fn read(text: &str) -> Result<Leaf, String> {
    Leaf::parse.parse_str(text).map_err(|error| error.to_string())
}

#[test]
fn leaf_of_each_form_has_its_kind_and_subject() {
    for (text, codename, subject, arguments) in [
        ("Owner", false, None, 0),
        ("HasRole(\"admin\")", false, None, 1),
        ("HasRole(ADMIN, Self::x, self::y, _X)", false, None, 4),
        ("Owner(room)", false, Some("room"), 0),
        ("Owner(r#type)", false, Some("r#type"), 0),
        ("Owner(_room)", false, Some("_room"), 0),
        ("HasRoleIn(room, \"admin\", 3)", false, Some("room"), 2),
        ("Owner(room.id)", false, None, 1),
        ("Owner((room))", false, None, 1),
        ("Owner(room())", false, None, 1),
        ("Owner(true)", false, None, 1),
        ("InRoom({room_id})", false, None, 1),
        ("InRoom({room_id}, 3, Key({r#type}))", false, None, 3),
        ("InRoom({0})", false, None, 1),
        ("Author(message, {room_id})", false, Some("message"), 1),
        ("chat.read", true, None, 0),
        ("::shop::chat.admin.read", true, None, 0),
        ("chat.read(room)", true, Some("room"), 0),
        ("chat.r#type", true, None, 0),
        ("r#type.all", true, None, 0),
        ("crate.chat.read", true, None, 0),
        ("super::chat.read", true, None, 0),
    ] {
        let leaf = read(text).unwrap();
        assert_eq!(leaf.is_codename, codename, "{text}");
        assert_eq!(leaf.subject.map(|name| name.to_string()).as_deref(), subject, "{text}");
        assert_eq!(leaf.arguments.len(), arguments, "{text}");
        assert_eq!(leaf.text, text);
    }
}

#[test]
fn placeholder_is_found_at_any_depth() {
    for (text, expected) in [
        ("A({a})", &["a"][..]),
        ("A({a}, {b})", &["a", "b"]),
        ("A(m, {a}, f(Key({b}), [{0}]))", &["a", "b", "0"]),
        ("Blocking(A({r#type}))", &["r#type"]),
        ("A(|x| { x }, if B { C } else { D }, match x { y => { y } }, E { f: 3 }, unsafe { g })", &[]),
        ("A", &[]),
    ] {
        let placeholders = read(text).unwrap().placeholders;
        let names: Vec<_> = placeholders.iter().map(|placeholder| placeholder.to_token_stream().to_string()).collect();
        assert_eq!(names, expected, "{text}");
    }
}

#[test]
fn blocking_leaf_without_type_arguments_gets_them() {
    for (text, path) in [
        ("Blocking(InLedger)", "Blocking<InLedger>"),
        ("portcullis::Blocking(rules::Limit(5))", "portcullis::Blocking<rules::Limit>"),
        ("Blocking<InLedger>(InLedger)", "Blocking<InLedger>"),
        ("Other(InLedger)", "Other"),
    ] {
        let leaf = read(text).unwrap();
        assert_eq!((token_string::print(leaf.path.to_token_stream()), leaf.text), (path.to_owned(), text.to_owned()));
    }
}

#[test]
fn leaf_text_ignores_trailing_commas_and_empty_parentheses() {
    assert_eq!(read("Owner(room,)").unwrap().text, "Owner(room)");
    assert_eq!(read("HasRole(\"a\",)").unwrap().text, "HasRole(\"a\")");
    assert_eq!(read("IsAuthenticated()").unwrap().text, "IsAuthenticated");
}

#[test]
fn codename_leaf_has_the_path_of_its_constant() {
    let path = read("a::b.c.d").unwrap().path;
    assert_eq!(token_string::print(path.to_token_stream()), "a::b::c::d");
}

#[test]
fn malformed_leaf_reports_the_error() {
    for (text, expected) in [
        ("HasRole(\"admin\", room)", "the parameter comes first; write `HasRole(room, …)`"),
        ("Owner(a, b)", "`Owner` already evaluates the parameter `a`"),
        ("InRoom({})", "`{}` is empty; write the name of a capture"),
        ("InRoom(3, {*path})", "write `{path}` here"),
        ("InRoom({room:[0-9]+})", "write `{room}`"),
        ("InRoom({room:u32})", "write `{room}`"),
        ("InRoom({a.b})", "contain only the name of a capture"),
        ("InRoom(m, Key({ f() }))", "contain only the name of a capture"),
        ("chat.", "`.` has no name after it"),
        ("chat..read", "`.` has no name after it"),
        ("chat.5", "`.` has no name after it"),
        ("chat.type", "write `r#type`"),
        ("chat.read()", "`()` is empty"),
        ("chat.read(a, b)", "one parameter"),
        ("chat.read(3)", "one parameter"),
        ("chat.read(Room)", "one parameter"),
        ("chat.read(a.b)", "one parameter"),
        ("chat.a::b", "separated by `.`"),
        ("chat.a<B>", "separated by `.`"),
        ("Chat<B>.a", "has no type arguments"),
        ("self.a", "`self` has no codenames"),
        ("Owner::new(room)", "write `Owner(…)`"),
        ("HasRole::ADMIN", "write `HasRole(…)`"),
        ("any(Staff, Owner(room))", "`any` is not an operator; write `Staff | Owner(room)`"),
        ("all(Staff, chat.read)", "`all` is not an operator; write `Staff & chat.read`"),
        ("Staff.or(Owner)", "`.or` is not an operator; write `Staff | Owner`"),
        ("Staff.and(Owner)", "`.and` is not an operator; write `Staff & Owner`"),
        ("Staff.not()", "`.not` is not an operator; write `!Staff`"),
        ("perm!(Staff)", "`perm!` is a macro, and a permission is a type"),
        ("inherit", "`inherit` is not a permission; write `permission = inherited`"),
        ("uploads::read(channel)", "write `uploads.read(channel)`"),
        ("crate::uploads::read", "write `crate::uploads.read`"),
        ("type.all", "write `r#type`"),
        ("chat::fn.all", "write `r#fn`"),
        ("Self.all", "`Self` is a Rust keyword; a codename is written"),
        ("chat.crate", "`crate` is a Rust keyword; a codename is written"),
    ] {
        let error = read(text).map(|_| ()).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
