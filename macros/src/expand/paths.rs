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
    action_node = [__rt::ActionDescriptor]
    admitted_type = [__rt::Authorized]
    as_context = [__rt::ConnectContext::as_context]
    argument = [__rt::Argument]
    arguments = [__rt::arguments]
    arguments_before = [__rt::arguments_before]
    asks = [__rt::asks]
    asked_answer = [__rt::LeafOverObjects::answer]
    asked_next = [__rt::LeafOverObjects::next]
    asked_tell = [__rt::LeafOverObjects::tell]
    asking_finish = [__rt::ObjectEvaluation::finish]
    asking_next = [__rt::ObjectEvaluation::next]
    asking_tell = [__rt::ObjectEvaluation::tell]
    beforehand = [__rt::beforehand]
    box_pin = [__rt::Box::pin]
    call_of_a_walk = [__rt::Traversal::call]
    call_type = [__rt::Call]
    carries = [__rt::Carries]
    check = [__rt::check]
    check_mount = [__rt::check_mount]
    check_node = [__rt::check_node]
    codename = [__rt::Codename]
    codename_of = [__rt::Codename::of]
    codename_row = [__rt::CodenameRow]
    connect_type = [__rt::ConnectContext]
    consumer = [__rt::Consumer]
    consumer_block = [__rt::ConsumerBlock]
    context = [__rt::Call::context]
    declare = [__rt::declare]
    dispatch = [__rt::Dispatch]
    emits = [__rt::Emits]
    event_key = [__rt::event_key]
    event_node = [__rt::EventDescriptor]
    event_permission = [__rt::EventPermission]
    expr = [__rt::Expr]
    expression = [__rt::Expression]
    finish = [__rt::Evaluation::finish]
    finish_join = [__rt::Evaluation::finish_join]
    finish_connect = [__rt::Evaluation::finish_connect]
    finish_connect_strictly = [__rt::Evaluation::finish_connect_strictly]
    frame = [__rt::frame]
    frame_type = [__rt::Frame]
    from_context = [__rt::FromContext]
    gate_of_a_call = [__rt::Call::gate]
    gate_of_a_connection = [__rt::ConnectContext::gate]
    group_permission = [__rt::GroupPermission]
    group_trait = [__rt::Group]
    handler_block = [__rt::HandlerBlock]
    handler_trait = [__rt::Handler]
    held = [__rt::LoadedParameter]
    hook_outcome = [__rt::HookOutcome::outcome]
    identity = [__rt::Identity::<<Self as __rt::Handler>::User>::identity]
    ignored = [__rt::serde::de::IgnoredAny]
    into_reply = [__rt::IntoReply::into_reply]
    load = [__rt::Load]
    loading_asked = [__rt::LoadingObjects::asked]
    loading_may = [__rt::LoadingObjects::may]
    loading_take = [__rt::LoadingObjects::take]
    may = [__rt::Call::may]
    may_connect = [__rt::ConnectContext::may]
    may_join_on = [__rt::may_join_on]
    may_on = [__rt::may_on]
    mountable = [__rt::Mountable]
    need = [__rt::CaptureUse]
    nested = [__rt::nested]
    next = [__rt::Evaluation::next]
    no_arguments = [__rt::no_arguments]
    no_captures = [__rt::no_captures]
    no_captures_here = [__rt::no_captures_here]
    nobody = [&__rt::Expression { tree: __rt::Expr::Any(&[]), leaves: &[], codenames: false }]
    no_opinion = [__rt::no_opinion]
    node = [__rt::HandlerDescriptor]
    object_permission = [__rt::ObjectPermission]
    objects = [__rt::ObjectParameter]
    objects_of_a_gate = [__rt::Evaluation::objects]
    path = [__rt::path]
    pattern = [__rt::Pattern]
    personal_frame = [__rt::personal_frame]
    permission = [__rt::Permission]
    regex = [__rt::Regex]
    register = [__rt::register]
    register_group = [__rt::register_group]
    result = [__rt::Result]
    returned = [__rt::returned]
    route_node = [__rt::RouteDescriptor]
    scope_of_a_call = [__rt::Call::scope]
    scope_of_seeing = [__rt::Subscriber::scope]
    scope_type = [__rt::Scope]
    seeing_may = [__rt::Subscriber::may]
    seeing_may_on = [__rt::Subscriber::may_on]
    seeing_type = [__rt::Subscriber]
    segment = [__rt::Segment]
    sight = [__rt::Subscriber::sight]
    sight_finish = [__rt::EventEvaluation::finish]
    sight_next = [__rt::EventEvaluation::next]
    sight_tell = [__rt::EventEvaluation::tell]
    single_only = [__rt::single_only]
    start = [__rt::start]
    tell = [__rt::Evaluation::tell]
    unknown_leaf = [__rt::unknown_leaf()]
    unseen = [::core::option::Option::Some(false)]
    unknown_route = [__rt::unknown_route]
    walk_type = [__rt::Traversal]
    whole_context = [__rt::Call::<'_, <Self as __rt::Handler>::User>::whole_context]

    bool = [::core::primitive::bool]
    key_number = [::core::primitive::u64]
    string = [::core::primitive::str]
    route_id = [::core::primitive::u16]
    module_path = [::core::module_path!()]
    format = [::std::format]
    owned_string = [::std::string::String]
}

/// The locals of generated functions. They are made once and interpolated: a name typed in a spanned quote would
/// take that span's hygiene, and no user's name can meet these.
pub(super) struct Locals {
    pub(super) admitted: Ident,
    pub(super) answer: Ident,
    pub(super) arguments: Ident,
    pub(super) asked: Ident,
    pub(super) call: Ident,
    pub(super) consumer: Ident,
    pub(super) cx: Ident,
    pub(super) event: Ident,
    pub(super) gate: Ident,
    pub(super) group: Ident,
    pub(super) handler: Ident,
    pub(super) leaf: Ident,
    pub(super) object: Ident,
    pub(super) reply: Ident,
    pub(super) route: Ident,
    pub(super) said: Ident,
    pub(super) scope: Ident,
    pub(super) seeing: Ident,
    pub(super) walk: Ident,
}

impl Locals {
    pub(super) fn new() -> Self {
        Self {
            admitted: local("__admitted"),
            answer: local("__answer"),
            arguments: local("__arguments"),
            asked: local("__asked"),
            call: local("__call"),
            consumer: local("__consumer"),
            cx: local("__cx"),
            event: local("__event"),
            gate: local("__gate"),
            group: local("__group"),
            handler: local("__handler"),
            leaf: local("__leaf"),
            object: local("__object"),
            reply: local("__reply"),
            route: local("__route"),
            said: local("__said"),
            scope: local("__scope"),
            seeing: local("__seeing"),
            walk: local("__walk"),
        }
    }
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Where to show what is wrong with a type: at its last word, as a span on stable Rust covers one token only.
pub(super) fn shown(ty: &Type) -> Span {
    match ty {
        Type::Reference(reference) => shown(&reference.elem),
        Type::Path(path) => path.path.segments.last().map_or_else(|| ty.span(), |segment| segment.ident.span()),
        Type::Group(group) => shown(&group.elem),
        _ => ty.span(),
    }
}

/// The same name, shown at `span` in messages.
pub(super) fn shown_at(name: &Ident, span: Span) -> Ident {
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
    format_ident!("__p{position}", span = shown(ty))
}
