//! The method marked `#[authenticate]`: that a message is all it takes.

use quote::ToTokens;

use super::signature;
use crate::diagnostics::Diagnostics;
use crate::model::Role;
use crate::model::authenticate::Authenticate;
use crate::model::block::Block;
use crate::model::parameter::{Parameter, ParameterKind};

pub(super) fn check(authenticate: &Authenticate, block: &Block, diagnostics: &mut Diagnostics) {
    signature::plain(&authenticate.signature, diagnostics);
    signature::together(&authenticate.parameters, diagnostics);
    for parameter in &authenticate.parameters {
        if from_elsewhere(parameter, diagnostics) {
            for attribute in &parameter.attributes {
                signature::no_cfg(attribute, diagnostics);
            }
            continue;
        }
        match &parameter.kind {
            ParameterKind::Context => signature::context(parameter, diagnostics),
            _ => signature::key(parameter, block, diagnostics),
        }
        signature::common(parameter, diagnostics);
    }
}

/// No route leads to it and no permission is asked about it, so it has no captures and no objects; nor does it take what
/// only an action is given.
fn from_elsewhere(parameter: &Parameter, diagnostics: &mut Diagnostics) -> bool {
    const ALONE: &str = "`#[authenticate]` takes its arguments from the message alone";
    if signature::holds_an_object(parameter.ty.to_token_stream()) {
        let message = format!("{ALONE}; take the key of the object, and load it in the body");
        diagnostics.error(&parameter.ty, message);
        return true;
    }
    let mut found = false;
    for (role, attribute) in &parameter.roles {
        let (name, more) = match role {
            Role::Path => ("path", ""),
            Role::Extract => ("extract", ""),
            Role::Object => ("object", ", or write `#[serde(rename = \"…\")]` if the key has another name"),
            Role::Serde => continue,
        };
        diagnostics.error(attribute, format!("{ALONE}; remove `#[{name}]`{more}"));
        found = true;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    const ACTION: &str = "#[action(permission = A)] fn act(&self) {}";

    fn told(method: &str) -> Vec<String> {
        test_support::of_a_consumer("user = Member", &format!("#[authenticate] {method} {ACTION}"))
    }

    #[test]
    fn sound_ones_pass() {
        for method in [
            "async fn renew(&self, cx: &Context<'_, Member>, token: String) -> Result<Option<Member>> {}",
            "fn renew(&self) -> Result<Option<Member>> {}",
            "fn renew(&self, cx: &Context<'_, Member>) -> Result<Option<Member>> {}",
            "fn authenticate(&self, #[serde(rename = \"jwt\", default)] token: &str, b: u8) -> R {}",
        ] {
            assert_eq!(told(method), [""; 0], "{method}");
        }
    }

    #[test]
    fn each_mistake_has_its_words() {
        const ALONE: &str = "from the message alone; ";
        for (method, words) in [
            ("fn a(token: String) -> R {}", "takes no `&self`"),
            ("fn a<T>(&self) -> R {}", "a client cannot choose `T`"),
            ("fn a<'a>(&self, token: &'a str) -> R {}", "a client cannot choose `'a`"),
            ("fn a(&self, cx: Context<'_, Member>) -> R {}", "write `&Context<'_, …>`"),
            ("fn a(&self, a: &Context<'_, M>, b: &Context<'_, M>) -> R {}", "`b` is a second context"),
            ("fn a(&self, action: String) -> R {}", "a key of the envelope"),
            ("fn a(&self, #[serde(alias = \"b\")] a: u8, b: u8) -> R {}", "the key of `a` already"),
            ("fn a(&self, (a, b): (u8, u8)) -> R {}", "a parameter must be a name"),
            ("fn a(&self, #[cfg(b)] a: u8) -> R {}", "cannot come and go"),
            ("fn a(&self, #[serde(default)] cx: &Context<'_, M>) -> R {}", "serde reads arguments only"),
            ("fn a(&self, #[path] room: u8) -> R {}", &format!("{ALONE}remove `#[path]`")),
            ("fn a(&self, #[path] cx: &Context<'_, M>) -> R {}", &format!("{ALONE}remove `#[path]`")),
            ("fn a(&self, #[extract] ip: Ip) -> R {}", &format!("{ALONE}remove `#[extract]`")),
            ("fn a(&self, #[object(\"b\")] a: u8) -> R {}", &format!("{ALONE}remove `#[object]`, or write")),
            ("fn a(&self, a: Object<Room>) -> R {}", &format!("{ALONE}take the key of the object")),
            ("fn a(&self, #[object(\"b\")] a: Option<Object<Room>>) -> R {}", &format!("{ALONE}take the key")),
            ("fn a(&self, a: Box<Object<Room>>) -> R {}", &format!("{ALONE}take the key of the object")),
        ] {
            let told = told(method);
            assert_eq!(told.len(), 1, "{method}: {told:?}");
            assert!(told[0].contains(words), "{method}: {told:?}");
        }
    }

    #[test]
    fn its_name_is_taken_while_it_is_there() {
        let told = |attributes: &str, action: &str| {
            let renew = format!("{attributes} #[authenticate] fn renew(&self) -> R {{}}");
            test_support::of_a_consumer("permission = A", &format!("{renew} {action} fn act(&self) {{}}"))
        };
        let taken = "`authenticate` is the name of this block's `#[authenticate]`; call the action otherwise";
        let action = "#[action(name = \"authenticate\")]";
        assert_eq!(told("", action), [taken]);
        assert_eq!(told("#[cfg(a)]", action), [taken]);
        assert_eq!(told("", &format!("#[cfg(a)] {action}")), [taken]);
        assert_eq!(told("#[cfg(a)]", &format!("#[cfg(b)] {action}")), [""; 0]);
        assert_eq!(told("", "#[action(name = \"renew\")]"), [""; 0]);
        let free = test_support::of_a_consumer("permission = A", "#[action] fn authenticate(&self) {}");
        assert_eq!(free, [""; 0]);
    }

    #[test]
    fn it_stands_once_in_a_consumer() {
        let two = |one: &str, other: &str| {
            let body =
                format!("{one} #[authenticate] fn a(&self) -> R {{}} {other} #[authenticate] fn b(&self) -> R {{}}");
            test_support::of_a_consumer("", &format!("{body} {ACTION}"))
        };
        let twice = "`#[authenticate]` stands on `a` already; keep one";
        assert_eq!(two("", ""), [twice]);
        assert_eq!(two("#[cfg(a)]", ""), [twice]);
        assert_eq!(two("#[cfg(a)]", "#[cfg(not(a))]"), [""; 0]);
        let elsewhere = test_support::of_a_handler("", &format!("#[authenticate] fn a(&self) -> R {{}} {ACTION}"));
        assert_eq!(elsewhere.len(), 1);
        assert!(elsewhere[0].contains("`#[authenticate]` goes into a `#[consumer]` block"), "{elsewhere:?}");
    }

    #[test]
    fn it_takes_no_keys_and_is_nothing_to_call() {
        let keyed = format!("#[authenticate(permission = A)] fn a(&self) -> R {{}} {ACTION}");
        let told = test_support::of_a_consumer("", &keyed);
        assert_eq!(told, ["`#[authenticate]` takes no keys; write `#[authenticate]` alone"]);
        let alone = test_support::of_a_consumer("", "#[authenticate] fn a(&self) -> R {}");
        assert!(alone.len() == 1 && alone[0].contains("nothing to call"), "{alone:?}");
    }
}
