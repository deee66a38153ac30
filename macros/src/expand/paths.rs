//! Every name that generated code uses: the paths into the runtime, and the local variables.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, Type};

/// Returns `use … as __rt`, the alias that all other paths start with.
pub(super) fn alias(runtime: &Path) -> TokenStream {
    quote!(use #runtime::__private as __rt;)
}

/// Returns the import of the defaults of leaves.
pub(super) fn leaf_defaults() -> TokenStream {
    quote!(
        use __rt::LeafDefaults as _;
    )
}

/// The value of `#[serde(crate = …)]`.
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
    map = [::core::result::Result::map]
    clone = [::core::clone::Clone::clone]
    option = [::core::option::Option]

    action_descriptor = [__rt::ActionDescriptor]
    action_fn = [__rt::ActionFn]
    action_future = [__rt::ActionFuture]
    answer_before_loading = [__rt::answer_before_loading]
    answer_key_query = [__rt::answer_key_query]
    argument = [__rt::Argument]
    authorized_type = [__rt::Authorized]
    await_unless_cancelled = [__rt::await_unless_cancelled]
    box_action = [<__rt::ActionBox<Self>>::__pin]
    build_leaf = [__rt::build_leaf]
    call_history_function = [__rt::call_history_function]
    call_context = [__rt::Call::permission_context]
    call_may = [__rt::Call::may]
    call_scope = [__rt::Call::scope]
    call_type = [__rt::Call]
    capture_use = [__rt::CaptureUse]
    carried_event = [__rt::CarriedEvent]
    check_consumer_captures = [__rt::check_consumer_captures]
    check_descriptor = [__rt::check_descriptor]
    check_execution = [__rt::check_execution]
    check_in_order = [__rt::check_in_order]
    check_mount = [__rt::check_mount]
    check_mounts = [__rt::check_mounts]
    check_rate = [__rt::check_rate]
    check_not_constant = [__rt::check_not_constant]
    check_restricts = [__rt::check_restricts]
    check_single_object = [__rt::check_single_object]
    codec = [__rt::Codec]
    codename = [__rt::Codename]
    codename_of = [__rt::Codename::of]
    codename_row = [__rt::CodenameRow]
    collect_keys = [__rt::collect_keys]
    compared = [__rt::Compared]
    connect_as_context = [__rt::ConnectContext::as_context]
    connect_context = [__rt::ConnectContext]
    conjunction_begin = [__rt::Conjunction::begin]
    conjunction_finish = [__rt::Conjunction::finish]
    conjunction_record = [__rt::Conjunction::record]
    conjunction_start = [__rt::Conjunction::start]
    connect_may = [__rt::ConnectContext::may]
    constant_answer = [__rt::ConstantAnswer]
    check_distributed = [__rt::check_distributed]
    consumer = [__rt::Consumer]
    consumer_block = [__rt::ConsumerBlock]
    declare = [__rt::declare]
    decode_event_field = [__rt::FieldDecoder::event_field]
    decode_key_field = [__rt::FieldDecoder::key_field]
    decode_variant = [__rt::FieldDecoder::variant]
    denied = [::core::option::Option::Some(false)]
    deny_all = [&__rt::Expression { tree: __rt::Expr::Any(&[]), leaves: &[], has_codenames: false }]
    disconnect_context = [__rt::Disconnect]
    dispatch = [__rt::HandlerOrConsumerBlock]
    distributed_event = [__rt::DistributedEvent]
    duration_from_millis = [__rt::Duration::from_millis]
    emits = [__rt::Emits]
    encode_event_field = [__rt::FieldEncoder::event_field]
    encode_frame = [__rt::encode_frame]
    encode_personal_frame = [__rt::encode_personal_frame]
    encode_key_field = [__rt::FieldEncoder::key_field]
    encode_variant = [__rt::FieldEncoder::variant]
    equality_traits = [use __rt::{EqualityOfAny as _, EqualityOfPartialEq as _};]
    error_conversion = [__rt::error_conversion]
    evaluate = [__rt::evaluate]
    evaluate_before_loading = [__rt::evaluate_before_loading]
    evaluate_connect = [__rt::evaluate_connect]
    evaluate_event = [__rt::evaluate_event]
    evaluate_objects = [__rt::evaluate_objects]
    evaluate_strict_connect = [__rt::evaluate_strict_connect]
    event_decision = [__rt::event_decision]
    event_descriptor = [__rt::EventDescriptor]
    event_field = [__rt::EventField]
    event_leaf = [__rt::EventLeaf]
    event_leaf_options = [__rt::EventLeafOptions]
    event_trait = [__rt::Event]
    event_type = [__rt::EventType]
    event_type_of = [__rt::EventType::of]
    event_type_unknown = [__rt::EventType::unknown()]
    expr = [__rt::Expr]
    expression = [__rt::Expression]
    field_equality = [__rt::FieldEquality]
    // The constant uses the trait, which is unused in a block whose actions return no reply.
    find_reply = [use __rt::FindReply as _; const _: fn(&__rt::ReplyValue<()>) = |reply| { let _ = reply.__reply(); };]
    fingerprint = [__rt::fingerprint]
    frame_type = [__rt::Frame]
    from_context = [__rt::FromContext]
    future_output = [__rt::future_output]
    gap_context = [__rt::Gap]
    grant_key = [__rt::GrantKey::grant_key]
    group_leaf = [__rt::GroupLeaf]
    group_leaf_options = [__rt::GroupLeafOptions]
    group_trait = [__rt::Group]
    handler_block = [__rt::HandlerBlock]
    handler_descriptor = [__rt::HandlerDescriptor]
    handler_trait = [__rt::Handler]
    history = [__rt::History]
    history_new = [__rt::History::new]
    hook_outcome = [__rt::HookOutcome::into_result]
    ignored = [__rt::serde::de::IgnoredAny]
    infallible = [__rt::Infallible]
    into_identity = [__rt::Identity::<<Self as __rt::Handler>::User>::into_identity]
    into_reply = [__rt::IntoReply::into_reply]
    leaf_headers = [__rt::LeafHeaders]
    leaf_options = [__rt::LeafOptions]
    load_options = [__rt::LoadOptions]
    loaded_parameter = [__rt::LoadedParameter]
    keep_answer = [__rt::keep_answer]
    keeps_history = [__rt::KeepsHistory]
    kept_answer = [__rt::kept_answer]
    kept_leaves = [__rt::kept_leaves]
    key_query = [__rt::KeyQuery]
    loading_objects_evaluate_leaf = [__rt::LoadingObjects::evaluate_leaf]
    loading_objects_load = [__rt::LoadingObjects::load]
    loading_objects_may = [__rt::LoadingObjects::may]
    may_join_on = [__rt::may_join_on]
    may_on = [__rt::may_on]
    member_answer = [__rt::member_answer]
    member_leaf_options = [__rt::MemberLeafOptions]
    member_permission = [__rt::MemberPermission]
    mount = [__rt::Mount]
    mountable = [__rt::Mountable]
    never_called = [__rt::never_called]
    no_opinion = [__rt::no_opinion]
    object_leaf_options = [__rt::ObjectLeafOptions]
    object_parameter = [__rt::ObjectParameter]
    object_permission = [__rt::ObjectPermission]
    output_conversion = [__rt::output_conversion]
    pattern = [__rt::Pattern]
    permission_leaf = [__rt::PermissionLeaf]
    presence = [__rt::Presence]
    publish_expression = [__rt::PublishRule::Expression]
    publish_members = [__rt::PublishRule::Members]
    publish_rule = [__rt::PublishRule]
    quoted_permission = [__rt::QuotedPermission]
    rate = [__rt::Rate]
    rate_per_hour = [__rt::Rate::per_hour]
    rate_per_minute = [__rt::Rate::per_minute]
    rate_per_second = [__rt::Rate::per_second]
    receive_event = [__rt::receive_event]
    receive_event_type = [__rt::ReceiveEvent]
    reach = [__rt::Reach]
    read_arguments = [__rt::read_arguments]
    read_arguments_for_evaluation = [__rt::read_arguments_for_evaluation]
    read_capture = [__rt::read_capture]
    read_nested = [__rt::read_nested]
    regex = [__rt::Regex]
    register = [__rt::register]
    register_group = [__rt::register_group]
    reply_type = [__rt::Reply]
    result = [__rt::Result]
    route_descriptor = [__rt::RouteDescriptor]
    rule_options = [__rt::RuleOptions]
    scope_type = [__rt::Scope]
    segment = [__rt::Segment]
    single_leaf_finish = [__rt::SingleLeaf::finish]
    single_leaf_finish_connect = [__rt::SingleLeaf::finish_connect]
    single_leaf_start = [__rt::SingleLeaf::start]
    single_leaf_start_connect = [__rt::SingleLeaf::start_connect]
    start_action = [__rt::start_action]
    streams = [__rt::streams]
    subscriber_may = [__rt::Subscriber::may]
    subscriber_may_on = [__rt::Subscriber::may_on]
    subscriber_scope = [__rt::Subscriber::scope]
    subscriber_type = [__rt::Subscriber]
    system_time = [__rt::SystemTime]
    traversal_call = [__rt::Traversal::call]
    traversal_type = [__rt::Traversal]
    unknown_variant = [__rt::FieldDecoder::unknown_variant]
    unknown_mount = [use __rt::UnknownMount as _;]
    unshared_action = [use __rt::UnsharedAction as _;]
    unknown_leaf = [__rt::unknown_leaf()]
    unknown_reach = [use __rt::UnknownReach as _;]
    unknown_route = [__rt::unknown_route]
    validated_argument = [__rt::ValidatedArgument]
    validation_finish = [__rt::Validation::finish]
    validation_start = [__rt::Validation::start]
    viewer_answer = [__rt::viewer_answer]
    viewer_leaf = [__rt::ViewerLeaf]
    whole_context = [__rt::Call::<'_, <Self as __rt::Handler>::User>::whole_context]

    bool = [::core::primitive::bool]
    u64 = [::core::primitive::u64]
    string = [::core::primitive::str]
    route_id = [::core::primitive::u16]
    module_path = [::core::module_path!()]
    concat = [::core::concat]
    format = [::std::format]
    owned_string = [::std::string::String]
    owned_vec = [::std::vec::Vec]
    send = [::core::marker::Send]
    sync = [::core::marker::Sync]
    vec = [::std::vec]
}

/// The local variables of generated functions. They are created once and interpolated: an identifier written in a spanned
/// quote would take the hygiene of that span, and these must not collide with names of the user.
///
/// They belong to one generated item and stand, like all its tokens, at one place of the block: the compiler joins the spans
/// of an expression, and one from the attribute to a method would cover the bodies between them. Editing such a body would
/// let it check the item again.
pub(super) struct Locals {
    /// The span of tokens that stand for nothing in particular.
    pub(super) site: Span,
    pub(super) authorized: Ident,
    pub(super) answer: Ident,
    pub(super) arguments: Ident,
    pub(super) call: Ident,
    pub(super) consumer: Ident,
    pub(super) cx: Ident,
    pub(super) event: Ident,
    pub(super) evaluation: Ident,
    pub(super) group: Ident,
    pub(super) handler: Ident,
    pub(super) leaf: Ident,
    pub(super) member: Ident,
    pub(super) object: Ident,
    pub(super) query: Ident,
    pub(super) reply: Ident,
    pub(super) route: Ident,
    pub(super) scope: Ident,
    pub(super) subscriber: Ident,
    pub(super) traversal: Ident,
    pub(super) validation: Ident,
}

impl Locals {
    /// Returns the locals of an item that belongs to the attribute itself.
    pub(super) fn at_attribute() -> Self {
        Self::at(Span::call_site())
    }

    /// Returns the locals of an item that belongs to what stands at `span`, for example a method.
    pub(super) fn at(span: Span) -> Self {
        let local = |name: &str| Ident::new(name, Span::mixed_site().located_at(span));
        Self {
            site: Span::call_site().located_at(span),
            authorized: local("__authorized"),
            answer: local("__answer"),
            arguments: local("__arguments"),
            call: local("__call"),
            consumer: local("__consumer"),
            cx: local("__cx"),
            event: local("__event"),
            evaluation: local("__evaluation"),
            group: local("__group"),
            handler: local("__handler"),
            leaf: local("__leaf"),
            member: local("__member"),
            object: local("__object"),
            query: local("__query"),
            reply: local("__reply"),
            route: local("__route"),
            scope: local("__scope"),
            subscriber: local("__subscriber"),
            traversal: local("__traversal"),
            validation: local("__validation"),
        }
    }
}

/// Returns the span for errors about a type: its last segment, because a span on stable Rust covers only one token.
pub(super) fn type_span(ty: &Type) -> Span {
    match ty {
        Type::Reference(reference) => type_span(&reference.elem),
        Type::Path(path) => path.path.segments.last().map_or_else(|| ty.span(), |segment| segment.ident.span()),
        Type::Group(group) => type_span(&group.elem),
        _ => ty.span(),
    }
}

/// Returns the same identifier, reported at `span`.
pub(super) fn at_span(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(name.span().located_at(span));
    name
}

/// Returns the local for the output of the method. It has the span of the return type, which the compiler underlines.
pub(super) fn output(span: Span) -> Ident {
    Ident::new("__output", span)
}

/// Returns the local for the argument of a closure that is never called.
pub(super) fn never(span: Span) -> Ident {
    Ident::new("__never", Span::mixed_site().located_at(span))
}

/// Returns the local for the error of the method's output.
pub(super) fn error(span: Span) -> Ident {
    Ident::new("__error", span)
}

/// Returns the local that borrows the field of a codename or a coalescing key. It has the span of the field's name.
pub(super) fn subject(span: Span) -> Ident {
    Ident::new("__subject", span)
}

/// Returns the local that holds the parameter at this position. It has the span of the parameter's type: tokens that mix the
/// macro's and the user's spans would be reported at the attribute.
pub(super) fn parameter(position: usize, ty: &Type) -> Ident {
    format_ident!("__p{position}", span = type_span(ty))
}
