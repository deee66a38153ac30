//! Checks of `validate`: what it names can be validated, and the feature that validates is on.

use proc_macro2::Ident;

use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::parameter::{Parameter, ParameterKind};
use crate::model::unraw_name;
use crate::syntax::validate::Validate;

/// Whether the crate `portcullis` has the feature `validate`, which turns that of this crate on.
pub(super) const IS_ENABLED: bool = cfg!(any(feature = "validate", test));

pub(super) fn check(action: &Action, is_enabled: bool, diagnostics: &mut Diagnostics) {
    let Some(validate) = &action.validate else { return };
    if !is_enabled {
        let message = "`validate` needs the feature `validate` of `portcullis`; write \
            `portcullis = { version = \"…\", features = [\"validate\"] }` in `Cargo.toml`";
        return diagnostics.error(&validate.key, message);
    }
    match &validate.names {
        None => check_any(action, validate, diagnostics),
        Some(names) => names.iter().for_each(|name| check_name(name, action, diagnostics)),
    }
}

fn check_any(action: &Action, validate: &Validate, diagnostics: &mut Diagnostics) {
    if !action.parameters.iter().any(|parameter| action.validates(parameter)) {
        let message = format!("`{}` reads no argument from the message; remove `validate`", action.method);
        diagnostics.error(&validate.key, message);
    }
}

fn check_name(name: &Ident, action: &Action, diagnostics: &mut Diagnostics) {
    let message = match action.find_parameter(name) {
        None => unknown_message(name, action),
        Some((_, parameter)) => match kind_of(parameter) {
            None => return,
            Some(kind) => format!(
                "`{name}` is {kind}, but `validate` applies only to arguments that are read from the message; remove `{name}`"
            ),
        },
    };
    diagnostics.error(name, message);
}

/// Returns what a parameter is that cannot be validated.
fn kind_of(parameter: &Parameter) -> Option<&'static str> {
    match &parameter.kind {
        ParameterKind::Key { .. } => None,
        ParameterKind::Context => Some("the context"),
        ParameterKind::Capture { .. } => Some("a capture of the route"),
        ParameterKind::Extract => Some("extracted"),
        ParameterKind::Object(_) => Some("an object"),
    }
}

fn unknown_message(name: &Ident, action: &Action) -> String {
    let arguments = action.parameters.iter().filter(|parameter| kind_of(parameter).is_none());
    let known: Vec<_> = arguments.map(|parameter| format!("`{}`", unraw_name(&parameter.name))).collect();
    let method = &action.method;
    match &*known {
        [] => format!("`{method}` has no argument `{name}`, and none that could be validated; remove `validate`"),
        known => format!("`{method}` has no argument `{name}`; write one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use syn::{Attribute, ImplItemFn, parse_quote};

    use super::super::test_support;
    use super::*;
    use crate::syntax::rename_rule::RenameRule;

    #[test]
    fn missing_feature_is_reported_at_the_key() {
        let attribute: Attribute = parse_quote!(#[action(permission = A, validate)]);
        let mut method: ImplItemFn = parse_quote!(
            fn act(&self, a: A) {}
        );
        let mut diagnostics = Diagnostics::new();
        let action = Action::read(&attribute, &mut method, RenameRule::None, &mut diagnostics);
        check(&action, false, &mut diagnostics);
        let errors: Vec<_> = diagnostics.finish().unwrap_err().into_iter().map(|error| error.to_string()).collect();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].contains("features = [\"validate\"]"), "{errors:?}");
    }

    #[test]
    fn validate_accepts_arguments_of_the_message_alone() {
        for (key, error) in [
            ("validate", ""),
            ("validate(message)", ""),
            ("validate(message, r#type)", ""),
            ("validate(filter)", "`act` has no argument `filter`; write one of `message`, `type`"),
            ("validate(cx)", "`cx` is the context, but `validate` applies only to"),
            ("validate(room)", "`room` is a capture of the route, but"),
            ("validate(caller)", "`caller` is extracted, but"),
            ("validate(draft)", "`draft` is an object, but"),
            ("validate()", "`validate` names no parameter; write `validate` for all"),
            ("validate(message, message)", "`message` is named twice"),
            ("validate(message, r#message)", "`r#message` is named twice"),
            ("validate = true", "`validate` takes no value; write"),
            ("validate(\"message\")", "`\"message\"` is not the name of a parameter"),
            ("validate(message type)", "expected a `,` before this"),
        ] {
            let errors = test_support::handler_errors(
                "",
                &format!(
                    "#[action(permission = A(draft), {key})] fn act(&self, cx: &Context<'_, ()>, #[path] room: u8, \
                     #[extract] caller: Caller, draft: Object<Draft>, message: Message, r#type: Type) {{}}"
                ),
            );
            match error {
                "" => assert_eq!(errors, [""; 0], "{key}"),
                error => assert!(errors.len() == 1 && errors[0].contains(error), "{key}: {errors:?}"),
            }
        }
    }

    #[test]
    fn validate_without_arguments_is_reported() {
        let errors =
            test_support::handler_errors("", "#[action(permission = A, validate)] fn act(&self, #[path] room: u8) {}");
        assert_eq!(errors, ["`act` reads no argument from the message; remove `validate`"]);
        let errors = test_support::handler_errors("", "#[action(permission = A, validate(a))] fn act(&self) {}");
        assert_eq!(errors, ["`act` has no argument `a`, and none that could be validated; remove `validate`"]);
    }
}
