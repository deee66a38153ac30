//! Encodes and decodes what is published and joined while an in-process client is connected, so that tests on one machine
//! show what another machine would receive. Without the feature `testing`, nothing here does anything.

#[cfg(feature = "testing")]
pub(super) use checked::{check_key, check_key_or_panic, transfer, transfer_or_panic};
#[cfg(not(feature = "testing"))]
pub(super) use unchecked::{check_key, check_key_or_panic, transfer, transfer_or_panic};

#[cfg(feature = "testing")]
mod checked {
    use crate::consumer::Consumer;
    use crate::error::{Error, Result};
    use crate::panic::log_entry;
    use crate::pubsub::codec::Codec;
    use crate::pubsub::event::Emits;
    use crate::pubsub::event_type::EventType;
    use crate::pubsub::group::Group;
    use crate::session::session::SessionRegistry;

    /// Returns the event as another machine receives it.
    ///
    /// # Errors
    ///
    /// 500 if it cannot be encoded or decoded, or if a field changes.
    pub(in crate::pubsub) fn transfer<C: Emits<E>, E>(registry: &SessionRegistry<C>, event: E) -> Result<E> {
        transfer_text(registry, event).map_err(fault)
    }

    /// Returns the event as another machine receives it, for publishers that get no result.
    pub(in crate::pubsub) fn transfer_or_panic<C: Emits<E>, E>(registry: &SessionRegistry<C>, event: E) -> E {
        transfer_text(registry, event).unwrap_or_else(|text| panic!("{text}"))
    }

    /// Checks that the key of a group is the same on another machine, and that equal keys encode equally.
    ///
    /// # Errors
    ///
    /// 500 otherwise.
    pub(in crate::pubsub) fn check_key<C: Consumer, G: Group>(registry: &SessionRegistry<C>, group: &G) -> Result<()> {
        check_key_text(registry, group).map_err(fault)
    }

    /// Checks a key as [`check_key`] does, for callers that get no result.
    pub(in crate::pubsub) fn check_key_or_panic<C: Consumer, G: Group>(registry: &SessionRegistry<C>, group: &G) {
        check_key_text(registry, group).unwrap_or_else(|text| panic!("{text}"));
    }

    /// Logs and returns the error, because the application may handle it.
    fn fault(text: String) -> Error {
        log_entry!(ERROR, cause = text, "encoding check failed");
        Error::internal(text)
    }

    fn transfer_text<C: Emits<E>, E>(registry: &SessionRegistry<C>, event: E) -> Result<E, String> {
        let Some(codec) = C::EVENT_TYPE.codec.filter(|_| registry.encoding_checks.is_enabled()) else {
            return Ok(event);
        };
        let advice = "correct its `Serialize` and `Deserialize`, or write `#[event(local)]` on the event";
        let name = format!("the event `{}`", C::EVENT.type_path);
        let (bytes, decoded, again) = encode_and_decode(&codec, &event, &name, advice)?;
        match find_changed_field(&C::EVENT_TYPE, [&event, &decoded], [&bytes, &again]) {
            None => Ok(decoded),
            Some(field) => Err(format!(
                "{name} changes on the way to another machine: its field `{field}` differs after encoding and decoding; \
                 {advice}"
            )),
        }
    }

    fn check_key_text<C: Consumer, G: Group>(registry: &SessionRegistry<C>, group: &G) -> Result<(), String> {
        let Some(codec) = G::CODEC.filter(|_| registry.encoding_checks.is_enabled()) else { return Ok(()) };
        let advice = "correct the `Serialize` and `Deserialize` of its fields, or write `local` in its `#[group(..)]`";
        let name = format!("the key of the group `{}`", G::PATH);
        let (bytes, decoded, again) = encode_and_decode(&codec, group, &name, advice)?;
        if decoded != *group {
            return Err(format!("{name} differs after encoding and decoding; {advice}"));
        }
        if bytes != again || !registry.encoding_checks.is_encoded_as_before(group, bytes) {
            return Err(format!("{name} is equal to another one that is encoded differently; {advice}"));
        }
        Ok(())
    }

    /// Returns the encoding, the decoded value, and its encoding.
    fn encode_and_decode<T>(
        codec: &Codec<T>,
        value: &T,
        name: &str,
        advice: &str,
    ) -> Result<(Vec<u8>, T, Vec<u8>), String> {
        let encode = |value: &T| {
            codec.encode_value(value).map_err(|error| format!("{name} cannot be encoded: {error}; {advice}"))
        };
        let bytes = encode(value)?;
        let decoded =
            codec.decode_value(&bytes).map_err(|error| format!("{name} cannot be decoded: {error}; {advice}"))?;
        let again = encode(&decoded)?;
        Ok((bytes, decoded, again))
    }

    /// Returns the name of a field that differs, by `PartialEq` or, if its type does not implement that, by its encoding.
    fn find_changed_field<E>(
        event_type: &EventType<E>,
        events: [&E; 2],
        encodings: [&[u8]; 2],
    ) -> Option<&'static str> {
        let fields = (event_type.compare_fields)(events[0], events[1]);
        let [one, other] =
            encodings.map(|bytes| serde_json::from_slice::<Vec<serde_json::Value>>(bytes).unwrap_or_default());
        // The number of the variant comes first.
        let encoded_fields = one.iter().zip(&other).skip(one.len().saturating_sub(fields.len()));
        let is_changed = |((_, are_equal), (one, other)): &((_, Option<bool>), _)| !are_equal.unwrap_or(one == other);
        fields.into_iter().zip(encoded_fields).find(is_changed).map(|((name, _), _)| name)
    }
}

#[cfg(not(feature = "testing"))]
#[expect(clippy::unnecessary_wraps, reason = "the signatures are those of the checks")]
mod unchecked {
    use crate::consumer::Consumer;
    use crate::error::Result;
    use crate::pubsub::event::Emits;
    use crate::pubsub::group::Group;
    use crate::session::session::SessionRegistry;

    #[inline]
    pub(in crate::pubsub) fn transfer<C: Emits<E>, E>(_: &SessionRegistry<C>, event: E) -> Result<E> {
        Ok(event)
    }

    #[inline]
    pub(in crate::pubsub) fn transfer_or_panic<C: Emits<E>, E>(_: &SessionRegistry<C>, event: E) -> E {
        event
    }

    #[inline]
    pub(in crate::pubsub) fn check_key<C: Consumer, G: Group>(_: &SessionRegistry<C>, _: &G) -> Result<()> {
        Ok(())
    }

    #[inline]
    pub(in crate::pubsub) fn check_key_or_panic<C: Consumer, G: Group>(_: &SessionRegistry<C>, _: &G) {}
}
