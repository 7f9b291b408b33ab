//! Python's pickle format, protocol 2, as far as weights need it: dicts, lists, texts, numbers and PyTorch's tensors.
//! Only PyTorch's own names are called when it is read, so `torch.load(weights_only=True)` takes it.

/// A value to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    List(Vec<Value>),
    /// In this order.
    Dict(Vec<(String, Value)>),
    /// A float32 tensor that lies in the storage of this number, row-major, all of it.
    Tensor {
        storage: usize,
        shape: Vec<usize>,
    },
}

/// Operation codes of the format.
mod code {
    pub const PROTOCOL: u8 = 0x80;
    pub const STOP: u8 = b'.';
    pub const MARK: u8 = b'(';
    pub const EMPTY_DICT: u8 = b'}';
    pub const SET_ITEMS: u8 = b'u';
    pub const EMPTY_LIST: u8 = b']';
    pub const APPENDS: u8 = b'e';
    pub const TEXT: u8 = b'X';
    pub const INT32: u8 = b'J';
    pub const LONG: u8 = 0x8a;
    pub const FALSE: u8 = 0x89;
    pub const TUPLE: u8 = b't';
    pub const EMPTY_TUPLE: u8 = b')';
    pub const GLOBAL: u8 = b'c';
    pub const PERSISTENT: u8 = b'Q';
    pub const REDUCE: u8 = b'R';
}

/// Bytes of a pickle that holds `value`.
pub(crate) fn pickle(value: &Value) -> Vec<u8> {
    let mut out = Pickle(vec![code::PROTOCOL, 2]);
    out.value(value);
    out.0.push(code::STOP);
    out.0
}

struct Pickle(Vec<u8>);

impl Pickle {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.text(text),
            Value::Int(int) => self.int(*int),
            Value::List(items) => {
                self.0.extend([code::EMPTY_LIST, code::MARK]);
                items.iter().for_each(|item| self.value(item));
                self.0.push(code::APPENDS);
            }
            Value::Dict(entries) => {
                self.0.extend([code::EMPTY_DICT, code::MARK]);
                for (key, value) in entries {
                    self.text(key);
                    self.value(value);
                }
                self.0.push(code::SET_ITEMS);
            }
            Value::Tensor { storage, shape } => self.tensor(*storage, shape),
        }
    }

    fn text(&mut self, text: &str) {
        self.0.push(code::TEXT);
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn int(&mut self, int: i64) {
        match i32::try_from(int) {
            Ok(short) => {
                self.0.push(code::INT32);
                self.0.extend(short.to_le_bytes());
            }
            Err(_) => {
                self.0.extend([code::LONG, 8]);
                self.0.extend(int.to_le_bytes());
            }
        }
    }

    /// Lengths, or steps.
    fn tuple(&mut self, numbers: &[usize]) {
        self.0.push(code::MARK);
        numbers.iter().for_each(|n| self.int(*n as i64));
        self.0.push(code::TUPLE);
    }

    fn global(&mut self, module: &str, name: &str) {
        self.0.push(code::GLOBAL);
        self.0.extend(format!("{module}\n{name}\n").as_bytes());
    }

    /// `_rebuild_tensor_v2(storage, offset, shape, steps, requires_grad, hooks)`.
    fn tensor(&mut self, storage: usize, shape: &[usize]) {
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.0.push(code::MARK);
        // ("storage", type, key, place, values), which PyTorch resolves.
        self.0.push(code::MARK);
        self.text("storage");
        self.global("torch", "FloatStorage");
        self.text(&storage.to_string());
        self.text("cpu");
        self.int(shape.iter().product::<usize>() as i64);
        self.0.extend([code::TUPLE, code::PERSISTENT]);
        self.int(0);
        self.tuple(shape);
        let steps: Vec<usize> = (1..=shape.len()).map(|i| shape[i..].iter().product()).collect();
        self.tuple(&steps);
        self.0.push(code::FALSE);
        self.global("collections", "OrderedDict");
        self.0.extend([code::EMPTY_TUPLE, code::REDUCE]);
        self.0.extend([code::TUPLE, code::REDUCE]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Python's `pickletools.optimize(pickle.dumps({"a": [1, "b"]}, 2))`, but numbers of 32 bits and marks where one
    /// item would do.
    #[test]
    fn bytes_are_those_of_the_format() {
        let value =
            Value::Dict(vec![("a".into(), Value::List(vec![Value::Int(1), Value::Text("b".into())]))]);
        let expected =
            [&b"\x80\x02}("[..], b"X\x01\0\0\0a", b"](", b"J\x01\0\0\0", b"X\x01\0\0\0b", b"e", b"u."]
                .concat();
        assert_eq!(pickle(&value), expected);
        assert_eq!(pickle(&Value::Int(1 << 40)), b"\x80\x02\x8a\x08\0\0\0\0\0\x01\0\0.");
    }
}
