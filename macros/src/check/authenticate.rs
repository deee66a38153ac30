//! Checks of the `#[authenticate]` method: its parameters are the context and arguments of the message.

use quote::ToTokens;

use super::{parameter, signature};
use crate::diagnostics::Diagnostics;
use crate::model::Role;
use crate::model::authenticate::Authenticate;
use crate::model::block::Block;
use crate::model::parameter::{Parameter, ParameterKind};

pub(super) fn check(authenticate: &Authenticate, block: &Block, diagnostics: &mut Diagnostics) {
    signature::check_client_method(&authenticate.signature, diagnostics);
    parameter::check_parameters(&authenticate.parameters, diagnostics);
    for parameter in &authenticate.parameters {
        if check_source(parameter, diagnostics) {
            for attribute in &parameter.attributes {
                parameter::reject_cfg(attribute, diagnostics);
            }
            continue;
        }
        match &parameter.kind {
            ParameterKind::Context => parameter::check_context(parameter, diagnostics),
            _ => parameter::check_argument(parameter, block, diagnostics),
        }
        parameter::check_attributes(parameter, diagnostics);
    }
}

/// Rejects captures, objects and extractors: the method has no route and no permission, and only actions have extractors.
/// Returns whether the parameter was rejected.
fn check_source(parameter: &Parameter, diagnostics: &mut Diagnostics) -> bool {
    const ONLY_MESSAGE: &str = "`#[authenticate]` reads its arguments only from the message";
    if parameter::contains_object(parameter.ty.to_token_stream()) {
        let message = format!("{ONLY_MESSAGE}; take the key of the object, and load it in the body");
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
        diagnostics.error(attribute, format!("{ONLY_MESSAGE}; remove `#[{name}]`{more}"));
        found = true;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    const ACTION: &str = "#[action(permission = A)] fn act(&self) {}";

    fn errors(method: &str) -> Vec<String> {
        test_support::consumer_errors("user = Member", &format!("#[authenticate] {method} {ACTION}"))
    }

    #[test]
    fn authenticate_method_with_valid_signature_is_accepted() {
        for method in [
            "async fn renew(&self, cx: &Context<'_, Member>, token: String) -> Result<Option<Member>> {}",
            "fn renew(&self) -> Result<Option<Member>> {}",
            "fn renew(&self, cx: &Context<'_, Member>) -> Result<Option<Member>> {}",
            "fn authenticate(&self, #[serde(rename = \"jwt\", default)] token: &str, b: u8) -> R {}",
        ] {
            assert_eq!(errors(method), [""; 0], "{method}");
        }
    }

    #[test]
    fn authenticate_method_with_invalid_signature_is_rejected() {
        const ONLY_MESSAGE: &str = "only from the message; ";
        for (method, words) in [
            ("fn a(token: String) -> R {}", "takes no `&self`"),
            ("fn a<T>(&self) -> R {}", "a client cannot choose `T`"),
            ("fn a<'a>(&self, token: &'a str) -> R {}", "a client cannot choose `'a`"),
            ("fn a(&self, cx: Context<'_, Member>) -> R {}", "write `&Context<'_, …>`"),
            ("fn a(&self, a: &Context<'_, M>, b: &Context<'_, M>) -> R {}", "`b` is a second context"),
            ("fn a(&self, action: String) -> R {}", "a key of the envelope"),
            ("fn a(&self, #[serde(alias = \"b\")] a: u8, b: u8) -> R {}", "already the key of `a`"),
            ("fn a(&self, (a, b): (u8, u8)) -> R {}", "a parameter must be a name"),
            ("fn a(&self, #[cfg(b)] a: u8) -> R {}", "cannot be conditional"),
            ("fn a(&self, #[serde(default)] cx: &Context<'_, M>) -> R {}", "`#[serde]` applies only to arguments"),
            ("fn a(&self, #[path] room: u8) -> R {}", &format!("{ONLY_MESSAGE}remove `#[path]`")),
            ("fn a(&self, #[path] cx: &Context<'_, M>) -> R {}", &format!("{ONLY_MESSAGE}remove `#[path]`")),
            ("fn a(&self, #[extract] ip: Ip) -> R {}", &format!("{ONLY_MESSAGE}remove `#[extract]`")),
            ("fn a(&self, #[object(\"b\")] a: u8) -> R {}", &format!("{ONLY_MESSAGE}remove `#[object]`, or write")),
            ("fn a(&self, a: Object<Room>) -> R {}", &format!("{ONLY_MESSAGE}take the key of the object")),
            ("fn a(&self, #[object(\"b\")] a: Option<Object<Room>>) -> R {}", &format!("{ONLY_MESSAGE}take the key")),
            ("fn a(&self, a: Box<Object<Room>>) -> R {}", &format!("{ONLY_MESSAGE}take the key of the object")),
        ] {
            let errors = errors(method);
            assert_eq!(errors.len(), 1, "{method}: {errors:?}");
            assert!(errors[0].contains(words), "{method}: {errors:?}");
        }
    }

    #[test]
    fn action_named_authenticate_next_to_the_method_is_rejected() {
        let errors = |attributes: &str, action: &str| {
            let renew = format!("{attributes} #[authenticate] fn renew(&self) -> R {{}}");
            test_support::consumer_errors("permission = A", &format!("{renew} {action} fn act(&self) {{}}"))
        };
        let taken = "`authenticate` is the name of this block's `#[authenticate]`; rename the action";
        let action = "#[action(name = \"authenticate\")]";
        assert_eq!(errors("", action), [taken]);
        assert_eq!(errors("#[cfg(a)]", action), [taken]);
        assert_eq!(errors("", &format!("#[cfg(a)] {action}")), [taken]);
        assert_eq!(errors("#[cfg(a)]", &format!("#[cfg(b)] {action}")), [""; 0]);
        assert_eq!(errors("", "#[action(name = \"renew\")]"), [""; 0]);
        let free = test_support::consumer_errors("permission = A", "#[action] fn authenticate(&self) {}");
        assert_eq!(free, [""; 0]);
    }

    #[test]
    fn authenticate_method_that_is_repeated_or_in_a_handler_is_rejected() {
        let two = |one: &str, other: &str| {
            let body =
                format!("{one} #[authenticate] fn a(&self) -> R {{}} {other} #[authenticate] fn b(&self) -> R {{}}");
            test_support::consumer_errors("", &format!("{body} {ACTION}"))
        };
        let twice = "`#[authenticate]` is already on `a`; remove one of them";
        assert_eq!(two("", ""), [twice]);
        assert_eq!(two("#[cfg(a)]", ""), [twice]);
        assert_eq!(two("#[cfg(a)]", "#[cfg(not(a))]"), [""; 0]);
        let elsewhere = test_support::handler_errors("", &format!("#[authenticate] fn a(&self) -> R {{}} {ACTION}"));
        assert_eq!(elsewhere.len(), 1);
        assert!(elsewhere[0].contains("`#[authenticate]` belongs in a `#[consumer]` block"), "{elsewhere:?}");
    }

    #[test]
    fn authenticate_attribute_with_keys_is_rejected() {
        let keyed = format!("#[authenticate(permission = A)] fn a(&self) -> R {{}} {ACTION}");
        let errors = test_support::consumer_errors("", &keyed);
        assert_eq!(errors, ["`#[authenticate]` takes no keys; write `#[authenticate]` alone"]);
        let alone = test_support::consumer_errors("", "#[authenticate] fn a(&self) -> R {}");
        assert!(alone.len() == 1 && alone[0].contains("no actions, routes or events"), "{alone:?}");
    }
}
