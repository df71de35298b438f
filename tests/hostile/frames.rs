//! Frames of HTTP/2 (RFC 9113, section 4.1) as no library writes them.

/// What a client begins a connection with.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Settings that change nothing; they have to be acknowledged.
pub(crate) fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[])
}

pub(crate) fn ping() -> Vec<u8> {
    frame(PING, 0, 0, b"12345678")
}

/// `GET / HTTP/2` to `localhost`, in HPACK's static table and literals.
fn get() -> Vec<u8> {
    let mut block = vec![0x82, 0x84, 0x87, 0x41, 9];
    block.extend(b"localhost");
    block
}

/// A request that is taken back at once.
pub(crate) fn reset(stream: u32) -> Vec<u8> {
    const CANCEL: u32 = 8;
    let mut frames = frame(HEADERS, END_STREAM | END_HEADERS, stream, &get());
    frames.extend(frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()));
    frames
}

/// A head that begins and does not end.
pub(crate) fn endless_head() -> Vec<u8> {
    frame(HEADERS, END_STREAM, 1, &get())
}

/// A further part of it: a header of 16,000 bytes.
pub(crate) fn continuation() -> Vec<u8> {
    let mut block = vec![0, 1, b'x', 0x7F];
    // 16,000 = 127 + 15,873, in groups of seven bits.
    block.extend([0x81, 0x7C]);
    block.resize(block.len() + 16_000, b'y');
    frame(CONTINUATION, 0, 1, &block)
}
