//! Groups and events: group and event permissions, and the delivery of an event from its publisher to every member that may
//! see it.

mod announcement;
mod chunked_list;
mod coalescing_key;
mod codec;
pub(crate) mod context;
mod delivery;
mod disconnect;
mod encoding_check;
pub(crate) mod event;
pub(crate) mod event_type;
mod fanout;
mod fingerprint;
mod gap;
pub(crate) mod group;
mod group_evaluation;
mod group_hold;
pub(crate) mod group_membership;
mod group_table;
mod history;
mod history_feed;
mod history_function;
mod join_from;
pub(crate) mod join_request;
mod logged_event;
mod member;
mod new_user_joins;
pub(crate) mod outgoing_event;
mod position;
mod presence;
mod presence_changes;
mod present_users;
pub(crate) mod publication;
mod publish_authorization;
mod publish_permit;
mod publisher;
mod remote_event;
mod remote_presence;
mod remote_user;
mod remote_users;
mod remote_users_state;
mod resume;
mod roster;
mod settlement;

pub use coalescing_key::{KeyQuery, answer_key_query};
pub use codec::{Codec, EventField, FieldDecoder, FieldEncoder, KeyField};
pub use event::{
    Emits, EventLeaf, EventLeafOptions, EventPermission, Frame, Subscriber, encode_frame, encode_personal_frame,
};
pub use event_type::{
    Compared, DistributedEvent, EqualityOfAny, EqualityOfPartialEq, Event, EventType, FieldEquality, check_distributed,
};
pub use fingerprint::fingerprint;
#[cfg(feature = "registry")]
pub use group::group_registration;
pub use group::{
    CarriedEvent, Carries, Group, GroupLeaf, GroupLeafOptions, GroupPermission, KeepsHistory, Reach, UnknownReach,
    may_join_on,
};
pub use history::History;
pub use history_function::{HistoryFunction, HistoryFuture, call_history_function};
pub use join_from::Resumed;
pub(crate) use new_user_joins::NewUserJoins;
pub use position::Position;
pub use presence::{MemberLeafOptions, MemberPermission, Presence, ViewerLeaf, member_answer, viewer_answer};
pub use present_users::PresentUser;
pub use publish_permit::PublishPermit;
pub use publisher::Publisher;
pub use remote_event::receive_event;
pub(crate) use remote_users::LoadUser;
