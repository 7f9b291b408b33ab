//! Protocol buffers' wire format, as far as ONNX files need it: fields are written in the order in which they are
//! given, zeros too.

/// A message under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

/// How a field's value is laid out.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Bytes = 2,
}

impl Message {
    /// A whole number, as `int64`, `int32` and enumerations have it.
    pub fn int(&mut self, field: u32, value: i64) {
        self.key(field, Wire::Varint);
        // Negative numbers take ten bytes, as the format wants.
        self.varint(value as u64);
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, field: u32, value: &[u8]) {
        self.key(field, Wire::Bytes);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// A text; an empty one is written too.
    pub fn text(&mut self, field: u32, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    /// A message within this one.
    pub fn message(&mut self, field: u32, value: &Self) {
        self.bytes(field, &value.bytes);
    }

    /// All of it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn key(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the format's own description.
    #[test]
    fn bytes_are_those_of_the_description() {
        let mut inner = Message::default();
        inner.int(1, 150);
        assert_eq!(inner.bytes, [0x08, 0x96, 0x01]);
        let mut outer = Message::default();
        outer.text(2, "testing");
        outer.message(3, &inner);
        let mut expected = vec![0x12, 0x07];
        expected.extend(b"testing");
        expected.extend([0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(outer.into_bytes(), expected);
        let mut numbers = Message::default();
        numbers.int(1, -1);
        numbers.int(16, 0);
        let expected = [&[0x08][..], &[0xff; 9], &[0x01, 0x80, 0x01, 0x00]].concat();
        assert_eq!(numbers.into_bytes(), expected);
    }
}
