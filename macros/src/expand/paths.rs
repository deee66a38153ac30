//! Every name that generated code uses: the paths into the runtime, and the locals.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, Type};

/// `use … as __rt`: the one alias that all other paths start with.
pub(super) fn alias(runtime: &Path) -> TokenStream {
    quote!(use #runtime::__private as __rt;)
}

/// What `#[serde(crate = …)]` wants.
pub(super) const SERDE: &str = "__rt::serde";

macro_rules! paths {
    ($($name:ident = [$($path:tt)+])+) => {
        $(
            pub(super) fn $name(span: Span) -> TokenStream {
                quote_spanned!(span=> $($path)+)
            }
        )+
    };
}

paths! {
    some = [::core::option::Option::Some]
    none = [::core::option::Option::None]
    ok = [::core::result::Result::Ok]
    err = [::core::result::Result::Err]
    into = [::core::convert::Into::into]
    map = [::core::result::Result::map]
    option = [::core::option::Option]

    action_fn = [__rt::ActionFn]
    action_descriptor = [__rt::ActionDescriptor]
    authorized_type = [__rt::Authorized]
    connect_as_context = [__rt::ConnectContext::as_context]
    argument = [__rt::Argument]
    read_arguments = [__rt::read_arguments]
    read_arguments_for_evaluation = [__rt::read_arguments_for_evaluation]
    check_depends_on_object = [__rt::check_depends_on_object]
    leaf_over_objects_into_answer = [__rt::LeafOverObjects::into_answer]
    leaf_over_objects_next = [__rt::LeafOverObjects::next]
    leaf_over_objects_record = [__rt::LeafOverObjects::record]
    object_evaluation_finish = [__rt::ObjectEvaluation::finish]
    object_evaluation_next = [__rt::ObjectEvaluation::next]
    object_evaluation_record = [__rt::ObjectEvaluation::record]
    answer_before_loading = [__rt::answer_before_loading]
    box_pin = [__rt::Box::pin]
    traversal_call = [__rt::Traversal::call]
    call_type = [__rt::Call]
    carries = [__rt::Carries]
    check_mounts = [__rt::check_mounts]
    check_mount = [__rt::check_mount]
    check_descriptor = [__rt::check_descriptor]
    codename = [__rt::Codename]
    codename_of = [__rt::Codename::of]
    codename_row = [__rt::CodenameRow]
    connect_context = [__rt::ConnectContext]
    consumer = [__rt::Consumer]
    consumer_block = [__rt::ConsumerBlock]
    call_context = [__rt::Call::context]
    declare = [__rt::declare]
    dispatch = [__rt::Dispatch]
    emits = [__rt::Emits]
    hash_coalescing_key = [__rt::hash_coalescing_key]
    event_descriptor = [__rt::EventDescriptor]
    event_permission = [__rt::EventPermission]
    expr = [__rt::Expr]
    expression = [__rt::Expression]
    evaluation_finish = [__rt::Evaluation::finish]
    evaluation_finish_join = [__rt::Evaluation::finish_join]
    evaluation_finish_connect = [__rt::Evaluation::finish_connect]
    evaluation_finish_strict_connect = [__rt::Evaluation::finish_strict_connect]
    encode_frame = [__rt::encode_frame]
    frame_type = [__rt::Frame]
    from_context = [__rt::FromContext]
    call_start_evaluation = [__rt::Call::start_evaluation]
    connect_start_evaluation = [__rt::ConnectContext::start_evaluation]
    group_permission = [__rt::GroupPermission]
    group_trait = [__rt::Group]
    handler_block = [__rt::HandlerBlock]
    handler_trait = [__rt::Handler]
    loaded_parameter = [__rt::LoadedParameter]
    hook_outcome = [__rt::HookOutcome::into_result]
    into_identity = [__rt::Identity::<<Self as __rt::Handler>::User>::into_identity]
    ignored = [__rt::serde::de::IgnoredAny]
    into_reply = [__rt::IntoReply::into_reply]
    load = [__rt::Load]
    loading_objects_start_leaf = [__rt::LoadingObjects::start_leaf]
    loading_objects_may = [__rt::LoadingObjects::may]
    loading_objects_into_parameter = [__rt::LoadingObjects::into_parameter]
    call_may = [__rt::Call::may]
    connect_may = [__rt::ConnectContext::may]
    may_join_on = [__rt::may_join_on]
    may_on = [__rt::may_on]
    mountable = [__rt::Mountable]
    capture_use = [__rt::CaptureUse]
    read_nested = [__rt::read_nested]
    evaluation_next = [__rt::Evaluation::next]
    check_execution = [__rt::check_execution]
    check_connect_captures = [__rt::check_connect_captures]
    check_consumer_captures = [__rt::check_consumer_captures]
    deny_all = [&__rt::Expression { tree: __rt::Expr::Any(&[]), leaves: &[], has_codenames: false }]
    no_opinion = [__rt::no_opinion]
    handler_descriptor = [__rt::HandlerDescriptor]
    object_permission = [__rt::ObjectPermission]
    object_parameter = [__rt::ObjectParameter]
    evaluation_into_object_evaluation = [__rt::Evaluation::into_object_evaluation]
    read_capture = [__rt::read_capture]
    pattern = [__rt::Pattern]
    encode_personal_frame = [__rt::encode_personal_frame]
    permission = [__rt::Permission]
    regex = [__rt::Regex]
    register = [__rt::register]
    register_group = [__rt::register_group]
    result = [__rt::Result]
    output_conversion = [__rt::output_conversion]
    route_descriptor = [__rt::RouteDescriptor]
    call_scope = [__rt::Call::scope]
    subscriber_scope = [__rt::Subscriber::scope]
    scope_type = [__rt::Scope]
    subscriber_may = [__rt::Subscriber::may]
    subscriber_may_on = [__rt::Subscriber::may_on]
    subscriber_type = [__rt::Subscriber]
    segment = [__rt::Segment]
    subscriber_start_evaluation = [__rt::Subscriber::start_evaluation]
    event_evaluation_finish = [__rt::EventEvaluation::finish]
    event_evaluation_next = [__rt::EventEvaluation::next]
    event_evaluation_record = [__rt::EventEvaluation::record]
    check_single_object = [__rt::check_single_object]
    start_action = [__rt::start_action]
    evaluation_record = [__rt::Evaluation::record]
    unknown_leaf = [__rt::unknown_leaf()]
    denied = [::core::option::Option::Some(false)]
    unknown_route = [__rt::unknown_route]
    traversal_type = [__rt::Traversal]
    whole_context = [__rt::Call::<'_, <Self as __rt::Handler>::User>::whole_context]

    bool = [::core::primitive::bool]
    u64 = [::core::primitive::u64]
    string = [::core::primitive::str]
    route_id = [::core::primitive::u16]
    module_path = [::core::module_path!()]
    format = [::std::format]
    owned_string = [::std::string::String]
}

/// The locals of generated functions. They are made once and interpolated: a name typed in a spanned quote would
/// take that span's hygiene, and no user's name can meet these.
pub(super) struct Locals {
    pub(super) authorized: Ident,
    pub(super) answer: Ident,
    pub(super) arguments: Ident,
    pub(super) leaf_evaluation: Ident,
    pub(super) call: Ident,
    pub(super) consumer: Ident,
    pub(super) cx: Ident,
    pub(super) event: Ident,
    pub(super) evaluation: Ident,
    pub(super) group: Ident,
    pub(super) handler: Ident,
    pub(super) leaf: Ident,
    pub(super) object: Ident,
    pub(super) reply: Ident,
    pub(super) route: Ident,
    pub(super) object_answer: Ident,
    pub(super) scope: Ident,
    pub(super) subscriber: Ident,
    pub(super) traversal: Ident,
}

impl Locals {
    pub(super) fn new() -> Self {
        Self {
            authorized: local("__authorized"),
            answer: local("__answer"),
            arguments: local("__arguments"),
            leaf_evaluation: local("__leaf_evaluation"),
            call: local("__call"),
            consumer: local("__consumer"),
            cx: local("__cx"),
            event: local("__event"),
            evaluation: local("__evaluation"),
            group: local("__group"),
            handler: local("__handler"),
            leaf: local("__leaf"),
            object: local("__object"),
            reply: local("__reply"),
            route: local("__route"),
            object_answer: local("__object_answer"),
            scope: local("__scope"),
            subscriber: local("__subscriber"),
            traversal: local("__traversal"),
        }
    }
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Where to show what is wrong with a type: at its last word, as a span on stable Rust covers one token only.
pub(super) fn type_span(ty: &Type) -> Span {
    match ty {
        Type::Reference(reference) => type_span(&reference.elem),
        Type::Path(path) => path.path.segments.last().map_or_else(|| ty.span(), |segment| segment.ident.span()),
        Type::Group(group) => type_span(&group.elem),
        _ => ty.span(),
    }
}

/// The same name, shown at `span` in messages.
pub(super) fn at_span(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(name.span().located_at(span));
    name
}

/// What the method returned; at the return type, because a message about it underlines the local.
pub(super) fn output(span: Span) -> Ident {
    Ident::new("__output", span)
}

/// The error in what the method returned.
pub(super) fn error(span: Span) -> Ident {
    Ident::new("__error", span)
}

/// The local that borrows what a codename or a key is about; at its name, for the same reason.
pub(super) fn subject(span: Span) -> Ident {
    Ident::new("__subject", span)
}

/// The local that holds the parameter at this position; at its type, for the same reason. Leaves name it too, and what is
/// joined of tokens of the macro's own and of the user's is shown at the attribute.
pub(super) fn parameter(position: usize, ty: &Type) -> Ident {
    format_ident!("__p{position}", span = type_span(ty))
}
