use std::io::{self, Read, Write};

use proptest::collection::vec;
use proptest::prelude::*;
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};

use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// The first byte of a frame that is final.
const FIN: u8 = 0x80;

/// Builds a frame of a client.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(first & 0x0F, payload, &mut frame);
    let header_bytes = frame.len() - payload.len();
    frame[0] = first;
    frame[1] |= 0x80;
    frame.splice(header_bytes..header_bytes, MASK);
    unmask(&mut frame[header_bytes + 4..], MASK);
    frame
}

/// The messages that the bytes contain, and the code with which decoding has failed.
#[derive(Debug, PartialEq, Eq)]
struct Transcript(Vec<Decoded>, Option<CloseReason>);

/// Decodes bytes that arrive in chunks of these lengths; the last chunk is the rest.
fn decode_chunks(bytes: &[u8], lengths: &[usize], max_message_bytes: usize) -> Transcript {
    let (mut decoder, mut input, mut messages) = (Decoder::new(max_message_bytes), BytesMut::new(), Vec::new());
    let mut rest = bytes;
    for length in lengths.iter().copied().chain([bytes.len()]) {
        let (chunk, later) = rest.split_at(length.min(rest.len()));
        rest = later;
        input.extend_from_slice(chunk);
        loop {
            match decoder.decode(&mut input) {
                Ok(Decoded::Incomplete(missing)) => {
                    assert!(missing > 0, "nothing is missing, but nothing was decoded");
                    break;
                }
                Ok(Decoded::Close(code)) => {
                    messages.push(Decoded::Close(code));
                    return Transcript(messages, None);
                }
                Ok(message) => messages.push(message),
                Err(code) => return Transcript(messages, Some(code)),
            }
        }
    }
    Transcript(messages, None)
}

fn decode(frames: &[Vec<u8>]) -> Transcript {
    let bytes = frames.concat();
    let whole = decode_chunks(&bytes, &[], MAX_MESSAGE_BYTES);
    if bytes.len() < 2000 {
        assert_eq!(decode_chunks(&bytes, &vec![1; bytes.len()], MAX_MESSAGE_BYTES), whole, "byte by byte");
    }
    whole
}

fn text(text: &str) -> Decoded {
    Decoded::Text(text.into())
}

fn binary(payload: &[u8]) -> Decoded {
    Decoded::Binary(Bytes::copy_from_slice(payload))
}

fn ping(payload: &'static [u8]) -> Decoded {
    Decoded::Ping(Bytes::from_static(payload))
}

fn messages(messages: impl IntoIterator<Item = Decoded>) -> Transcript {
    Transcript(messages.into_iter().collect(), None)
}

fn failure(code: CloseReason) -> Transcript {
    Transcript(Vec::new(), Some(code))
}

#[test]
fn message_of_any_length_is_decoded() {
    for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 100_000] {
        let payload = "*".repeat(length);
        assert_eq!(decode(&[frame(FIN | TEXT, payload.as_bytes())]), messages([text(&payload)]), "{length}");
        assert_eq!(
            decode(&[frame(FIN | BINARY, payload.as_bytes())]),
            messages([binary(payload.as_bytes())]),
            "{length}"
        );
    }
}

#[test]
fn ping_and_pong_are_decoded_up_to_125_bytes() {
    assert_eq!(decode(&[frame(FIN | PING, b"")]), messages([ping(b"")]));
    assert_eq!(decode(&[frame(FIN | PING, b"\x00\xff\xfe\xfd")]), messages([ping(b"\x00\xff\xfe\xfd")]));
    assert_eq!(decode(&[frame(FIN | PING, &[0xfe; 125])]), messages([ping(&[0xfe; 125])]));
    assert_eq!(decode(&[frame(FIN | PONG, b"unsolicited")]), messages([Decoded::Pong]));
    for opcode in [PING, PONG, CLOSE] {
        for length in [126, 127, 70_000] {
            assert_eq!(decode(&[frame(FIN | opcode, &vec![0xfe; length])]), failure(CloseReason::ProtocolError));
        }
    }
    let ten = vec![frame(FIN | PING, b"x"); 10];
    assert_eq!(decode(&ten).0.len(), 10);
}

#[test]
fn reserved_bit_is_a_protocol_error() {
    for reserved in 1..8_u8 {
        for opcode in [TEXT, BINARY, PING, PONG, CLOSE] {
            let frames =
                [frame(FIN | TEXT, b"first"), frame(FIN | reserved << 4 | opcode, b""), frame(FIN | PING, b"")];
            assert_eq!(decode(&frames), Transcript(vec![text("first")], Some(CloseReason::ProtocolError)));
        }
    }
}

#[test]
fn reserved_opcode_is_a_protocol_error() {
    for opcode in (3..8).chain(11..16) {
        for payload in [&b""[..], b"x", &[b'x'; 200]] {
            assert_eq!(decode(&[frame(FIN | opcode, payload)]), failure(CloseReason::ProtocolError), "{opcode}");
        }
    }
}

#[test]
fn unmasked_frame_is_a_protocol_error() {
    let mut unmasked = Vec::new();
    encode(TEXT, b"x", &mut unmasked);
    assert_eq!(decode(&[unmasked]), failure(CloseReason::ProtocolError));
}

#[test]
fn length_that_is_not_the_shortest_is_a_protocol_error() {
    let header = |length: &[u8]| [&[FIN | TEXT], length, &MASK].concat();
    for length in [&[0xFE, 0, 125][..], &[0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], &[0xFF, 0x80, 0, 0, 0, 0, 1, 0, 0]] {
        assert_eq!(decode(&[header(length)]), failure(CloseReason::ProtocolError), "{length:?}");
    }
}

#[test]
fn fragments_are_joined() {
    let fragments = [frame(TEXT, b"frag"), frame(CONTINUATION, b""), frame(FIN | CONTINUATION, b"ment")];
    assert_eq!(decode(&fragments), messages([text("fragment")]));
    let binary_frames = [frame(BINARY, b"\xff"), frame(FIN | CONTINUATION, b"\xff"), frame(FIN | TEXT, b"next")];
    assert_eq!(decode(&binary_frames), messages([binary(b"\xff\xff"), text("next")]));
    let with_pings = [
        frame(TEXT, b"a"),
        frame(FIN | PING, b"1"),
        frame(CONTINUATION, b"b"),
        frame(FIN | PONG, b"2"),
        frame(FIN | CONTINUATION, b"c"),
    ];
    assert_eq!(decode(&with_pings), messages([ping(b"1"), Decoded::Pong, text("abc")]));
    let many = "x".repeat(65_536);
    let mut frames: Vec<_> = many.as_bytes().chunks(1300).map(|chunk| frame(CONTINUATION, chunk)).collect();
    frames[0][0] = TEXT;
    frames.last_mut().unwrap()[0] = FIN | CONTINUATION;
    assert_eq!(decode(&frames), messages([text(&many)]));
}

#[test]
fn fragment_out_of_place_is_a_protocol_error() {
    for control in [PING, PONG, CLOSE] {
        assert_eq!(decode(&[frame(control, b"")]), failure(CloseReason::ProtocolError));
    }
    assert_eq!(decode(&[frame(CONTINUATION, b"x")]), failure(CloseReason::ProtocolError));
    assert_eq!(decode(&[frame(FIN | CONTINUATION, b"x")]), failure(CloseReason::ProtocolError));
    let completed = [frame(TEXT, b"a"), frame(FIN | CONTINUATION, b"b"), frame(FIN | CONTINUATION, b"c")];
    assert_eq!(decode(&completed), Transcript(vec![text("ab")], Some(CloseReason::ProtocolError)));
    for opcode in [TEXT, BINARY] {
        assert_eq!(decode(&[frame(TEXT, b"a"), frame(FIN | opcode, b"b")]), failure(CloseReason::ProtocolError));
    }
}

#[test]
fn utf8_is_checked() {
    let valid = ["", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\u{0}", "\u{7ff}\u{ffff}\u{10ffff}", "\u{fffd}\u{fffe}"];
    for valid in valid {
        assert_eq!(decode(&[frame(FIN | TEXT, valid.as_bytes())]), messages([text(valid)]));
        // Also in fragments that split its characters.
        let mut frames: Vec<_> = valid.bytes().map(|byte| frame(CONTINUATION, &[byte])).collect();
        frames.push(frame(FIN | CONTINUATION, b""));
        frames[0][0] = frames[0][0] & FIN | TEXT;
        assert_eq!(decode(&frames), messages([text(valid)]));
    }
    let invalid: [&[u8]; 10] = [
        b"\x80",
        b"\xbf",
        b"\xce\xba\xe1\xbd",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf8\x88\x80\x80\x80",
        b"\xed\xa0\x80",
        b"\xed\xaf\xbf\xed\xb0\x80",
        b"\xf4\x90\x80\x80",
        b"\xfe",
    ];
    for invalid in invalid {
        assert_eq!(decode(&[frame(FIN | TEXT, invalid)]), failure(CloseReason::InvalidUtf8), "{invalid:?}");
        let fragments = [frame(TEXT, "κ".as_bytes()), frame(FIN | CONTINUATION, invalid)];
        assert_eq!(decode(&fragments), failure(CloseReason::InvalidUtf8), "{invalid:?}");
    }
}

#[test]
fn invalid_utf8_in_a_fragment_fails_before_the_message_is_complete() {
    let fragments = [frame(TEXT, b"\xce\xba\xe1"), frame(CONTINUATION, b"\xbd\xb9"), frame(CONTINUATION, b"\xf4\x90")];
    assert_eq!(decode(&fragments[..2]), messages([]));
    assert_eq!(decode(&fragments), failure(CloseReason::InvalidUtf8));
}

#[test]
fn close_frame_is_checked() {
    let close = |code: u16, reason: &[u8]| frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat());
    assert_eq!(decode(&[frame(FIN | CLOSE, b"")]), messages([Decoded::Close(None)]));
    assert_eq!(decode(&[frame(FIN | CLOSE, b"\x03")]), failure(CloseReason::ProtocolError));
    assert_eq!(decode(&[close(1000, &[b'*'; 123])]), messages([Decoded::Close(Some(1000))]));
    assert_eq!(decode(&[close(1000, &[b'*'; 124])]), failure(CloseReason::ProtocolError));
    assert_eq!(decode(&[close(1000, b"\xce\xba\xe1")]), failure(CloseReason::InvalidUtf8));
    let valid = (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]);
    for code in valid {
        assert_eq!(decode(&[close(code, b"bye")]), messages([Decoded::Close(Some(code))]), "{code}");
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        assert_eq!(decode(&[close(code, b"")]), failure(CloseReason::ProtocolError), "{code}");
    }
}

#[test]
fn message_over_the_limit_is_refused_at_its_header() {
    let limited = |bytes: &[u8]| decode_chunks(bytes, &[], 100);
    assert_eq!(limited(&frame(FIN | TEXT, &[b'x'; 100])).0.len(), 1);
    let long = frame(FIN | BINARY, &[b'x'; 101]);
    assert_eq!(limited(&long[..6]), failure(CloseReason::MessageTooLarge));
    assert_eq!(limited(&[FIN | TEXT, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), {
        failure(CloseReason::MessageTooLarge)
    });
    let fragments = [frame(TEXT, &[b'x'; 60]), frame(CONTINUATION, &[b'x'; 40]), frame(FIN | CONTINUATION, b"x")];
    assert_eq!(limited(&fragments.concat()), failure(CloseReason::MessageTooLarge));
    assert_eq!(limited(&[&fragments[0][..], &frame(FIN | PING, &[1; 125])].concat()).0.len(), 1);
}

#[test]
fn incomplete_frame_tells_how_much_is_missing() {
    let whole = frame(FIN | TEXT, &vec![b'x'; 70_000]);
    for received in [0, 1, 2, 5, 9, 13, 14, 15, 60_000, 70_013] {
        let (mut decoder, mut input) = (Decoder::new(MAX_MESSAGE_BYTES), BytesMut::from(&whole[..received]));
        let Ok(Decoded::Incomplete(missing)) = decoder.decode(&mut input) else { panic!("{received}") };
        assert!(missing > 0 && received + missing <= whole.len(), "{received}: {missing}");
        assert!(received < 14 || received + missing == whole.len(), "{received}: {missing}");
    }
}

#[test]
fn close_frame_with_the_longest_reason_is_decoded_by_tungstenite() {
    let (reason, mut bytes) = ("x".repeat(123), Vec::new());
    encode_close(Some(4000), &reason, &mut bytes);
    let mut socket = WebSocket::from_raw_socket(Received(&bytes), Role::Client, None);
    let Message::Close(Some(frame)) = socket.read().unwrap() else { panic!("no close frame") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4000, reason.as_str()));
}

/// A frame, also one that must not follow, or has an invalid payload.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![6 => Just(CONTINUATION), 6 => Just(TEXT), 3 => Just(BINARY), 3 => Just(PING), 2 => Just(PONG),
        1 => Just(3_u8)];
    let payload = prop_oneof![
        4 => "[a-zä€😀]{0,40}".prop_map(String::into_bytes),
        2 => vec(prop_oneof![Just(0xe2_u8), Just(0x82), Just(0xac), Just(b'a')], 0..4),
        1 => vec(any::<u8>(), 0..300),
    ];
    (prop_oneof![3 => Just(FIN), 2 => Just(0)], prop_oneof![40 => Just(0), 1 => Just(0x40)], opcode, payload)
        .prop_map(|(fin, reserved, opcode, payload)| frame(fin | reserved | opcode, &payload))
}

/// A close frame with a code that a client may send.
fn any_close() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![Just(1000_u16), Just(1001), Just(3000), Just(4999)];
    let payload = prop_oneof![
        Just(Vec::new()),
        Just(vec![3]),
        (code, vec(any::<u8>(), 0..3)).prop_map(|(code, reason)| [&code.to_be_bytes(), &reason[..]].concat()),
    ];
    payload.prop_map(|payload| frame(FIN | CLOSE, &payload))
}

/// A stream that has received these bytes, and discards what is written.
struct Received<'a>(&'a [u8]);

impl Read for Received<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Received<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decodes the bytes with tungstenite.
fn decode_with_tungstenite(bytes: &[u8], max_message_bytes: usize) -> Transcript {
    let config =
        WebSocketConfig::default().max_message_size(Some(max_message_bytes)).max_frame_size(Some(max_message_bytes));
    let mut socket = WebSocket::from_raw_socket(Received(bytes), Role::Server, Some(config));
    let mut decoded = Vec::new();
    loop {
        decoded.push(match socket.read() {
            Ok(Message::Text(text)) => Decoded::Text(text.as_str().into()),
            Ok(Message::Binary(payload)) => Decoded::Binary(payload),
            Ok(Message::Ping(payload)) => Decoded::Ping(payload),
            Ok(Message::Pong(_)) => Decoded::Pong,
            Ok(Message::Close(frame)) => {
                decoded.push(Decoded::Close(frame.map(|frame| frame.code.into())));
                return Transcript(decoded, None);
            }
            Ok(Message::Frame(_)) => unreachable!("never read"),
            Err(Error::Capacity(_)) => return Transcript(decoded, Some(CloseReason::MessageTooLarge)),
            Err(Error::Utf8(_)) => return Transcript(decoded, Some(CloseReason::InvalidUtf8)),
            Err(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
                return Transcript(decoded, None);
            }
            Err(Error::Protocol(_)) => return Transcript(decoded, Some(CloseReason::ProtocolError)),
            Err(other) => panic!("{other}"),
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn frames_in_any_chunks_give_the_same_messages(
        frames in vec(any_frame(), 0..12),
        lengths in vec(0..40_usize, 0..60),
    ) {
        let bytes = frames.concat();
        prop_assert_eq!(decode_chunks(&bytes, &lengths, 200), decode_chunks(&bytes, &[], 200));
    }

    #[test]
    fn frames_give_the_messages_that_tungstenite_decodes(frames in vec(any_frame(), 0..12), close in any_close()) {
        // tungstenite applies the limit to control frames first, so no single frame exceeds it.
        let bytes = [frames.concat(), close].concat();
        prop_assert_eq!(decode_chunks(&bytes, &[], 300), decode_with_tungstenite(&bytes, 300));
    }

    #[test]
    fn any_bytes_give_messages_or_a_close_code(bytes in vec(any::<u8>(), 0..400), lengths in vec(0..40_usize, 0..30)) {
        let Transcript(decoded, code) = decode_chunks(&bytes, &lengths, 100);
        prop_assert!(decoded.len() <= bytes.len());
        let codes = [CloseReason::ProtocolError, CloseReason::InvalidUtf8, CloseReason::MessageTooLarge];
        prop_assert!(code.is_none_or(|code| codes.contains(&code)));
    }

    #[test]
    fn encoded_frames_are_decoded_by_tungstenite(payloads in vec("[a-zä€😀]{0,200}", 0..8)) {
        let mut bytes = Vec::new();
        for payload in &payloads {
            encode(TEXT, payload.as_bytes(), &mut bytes);
        }
        let mut socket = WebSocket::from_raw_socket(Received(&bytes), Role::Client, None);
        for payload in payloads {
            prop_assert_eq!(socket.read().unwrap(), Message::text(payload));
        }
    }
}
