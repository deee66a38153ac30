//! Types of events: fields that are encoded one by one, variants, generic parameters, and local events.

#[derive(Event)]
#[event(name = "chat.MessageCreated")]
pub struct MessageCreated {
    pub room: RoomId,
    #[serde(skip)]
    pub r#type: Option<String>,
}

#[derive(Event)]
enum Moved<T: Clone, const N: usize>
where
    T: Ord,
{
    Nowhere,
    To(T, [u8; N]),
    Back { from: T },
}

#[derive(Event)]
#[event(local, crate = ::sockets)]
struct Typing<T>(T, Sender<()>);
