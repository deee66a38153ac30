//! The names of channels and logs on a Redis server.

use crate::broker::Channel;
use crate::broker::event_log::LogId;

/// The names of a link's channels and logs on the server.
pub(super) struct ServerNames {
    /// What all names start with.
    prefix: String,
}

impl ServerNames {
    pub(super) fn new(prefix: &str, namespace: &str) -> ServerNames {
        // Without colons in it, so that two pairs of prefix and namespace never have the same name.
        let namespace = namespace.replace('%', "%25").replace(':', "%3A");
        ServerNames { prefix: format!("{prefix}:{namespace}:") }
    }

    pub(super) fn channel_name(&self, channel: Channel) -> String {
        format!("{}{channel}", self.prefix)
    }

    /// Returns the keys of the messages and of the state of a log. With a hash tag, because a server of a cluster requires keys
    /// of one slot.
    pub(super) fn log_keys(&self, log: &LogId) -> [String; 2] {
        let key = format!("{}log:{{{}}}", self.prefix, log.name());
        let state = format!("{key}:state");
        [key, state]
    }

    pub(super) fn channel(&self, name: &[u8]) -> Option<Channel> {
        let name = name.strip_prefix(self.prefix.as_bytes())?;
        Channel::from_name(std::str::from_utf8(name).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::channel::CHANNEL_COUNT;

    #[test]
    fn channel_names_tell_prefixes_and_namespaces_apart() {
        let pairs = [("a", "b:c"), ("a:b", "c"), ("a", "b%3Ac"), ("a:", "c"), ("a", ":c"), ("a%3Ab", "c"), ("", "")];
        let names = pairs.map(|(prefix, namespace)| ServerNames::new(prefix, namespace).channel_name(Channel::Control));
        assert_eq!(names[0], "a:b%3Ac:control");
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name}");
        }
    }

    #[test]
    fn channel_is_parsed_from_its_name() {
        let names = ServerNames::new("chat", "app::Chat\n\u{1f600}");
        for channel in (0..CHANNEL_COUNT).filter_map(Channel::from_index) {
            assert_eq!(names.channel(names.channel_name(channel).as_bytes()), Some(channel));
        }
        for name in ["", "chat:other:1", "chat:app%3A%3AChat\n\u{1f600}:128", "1"] {
            assert_eq!(names.channel(name.as_bytes()), None);
        }
    }
}
