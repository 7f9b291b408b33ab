//! The messages of an ONNX file (`onnx.proto`), those that a network needs.

use super::wire::Message;

/// Version of the operators: known to ONNX Runtime from 1.7 on, to the engines of ImageJ's plugins too.
pub(crate) const OPSET: i64 = 13;
/// Version of the file format that belongs to [`OPSET`].
const IR_VERSION: i64 = 7;

/// Numbers of a tensor of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    F32(Vec<f32>),
    F16(Vec<half::f16>),
    I64(Vec<i64>),
}

/// A constant of the graph.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Constant {
    pub name: String,
    /// Empty for a scalar.
    pub shape: Vec<usize>,
    pub values: Values,
}

/// A setting of an operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    Int(i64),
    Ints(Vec<i64>),
    Text(&'static str),
}

/// An operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub operator: &'static str,
    pub inputs: Vec<String>,
    /// Also the node's own name.
    pub output: String,
    pub settings: Vec<(&'static str, Setting)>,
}

/// Length of one side of an input or output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Side {
    Fixed(usize),
    /// Known when the network runs: equal names, equal lengths.
    Named(&'static str),
}

/// An input or output: float32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub name: String,
    pub sides: Vec<Side>,
    pub what: String,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    pub nodes: Vec<Node>,
    pub constants: Vec<Constant>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    pub what: String,
    /// Key and value.
    pub notes: Vec<(String, String)>,
}

impl File {
    /// Bytes of the file; the name of the producer stands at its beginning.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut graph = Message::default();
        self.nodes.iter().for_each(|node| graph.message(1, &node.message()));
        graph.text(2, "sorby");
        self.constants.iter().for_each(|constant| graph.message(5, &constant.message()));
        self.inputs.iter().for_each(|port| graph.message(11, &port.message()));
        self.outputs.iter().for_each(|port| graph.message(12, &port.message()));
        let mut opset = Message::default();
        opset.text(1, "");
        opset.int(2, OPSET);
        let mut model = Message::default();
        model.int(1, IR_VERSION);
        model.text(2, "sorby");
        model.text(3, env!("CARGO_PKG_VERSION"));
        model.text(6, &self.what);
        model.message(7, &graph);
        model.message(8, &opset);
        for (key, value) in &self.notes {
            let mut note = Message::default();
            note.text(1, key);
            note.text(2, value);
            model.message(14, &note);
        }
        model.into_bytes()
    }
}

impl Node {
    fn message(&self) -> Message {
        let mut node = Message::default();
        self.inputs.iter().for_each(|input| node.text(1, input));
        node.text(2, &self.output);
        node.text(3, &self.output);
        node.text(4, self.operator);
        for (name, setting) in &self.settings {
            let mut attribute = Message::default();
            attribute.text(1, name);
            let kind = match setting {
                Setting::Int(value) => {
                    attribute.int(3, *value);
                    2
                }
                Setting::Text(text) => {
                    attribute.text(4, text);
                    3
                }
                Setting::Ints(values) => {
                    // Not packed: readers of version 2 of the format take one by one.
                    values.iter().for_each(|v| attribute.int(8, *v));
                    7
                }
            };
            attribute.int(20, kind);
            node.message(5, &attribute);
        }
        node
    }
}

impl Constant {
    fn message(&self) -> Message {
        let (kind, bytes): (i64, Vec<u8>) = match &self.values {
            Values::F32(values) => (1, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Values::F16(values) => (10, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Values::I64(values) => (7, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        };
        let mut tensor = Message::default();
        self.shape.iter().for_each(|length| tensor.int(1, *length as i64));
        tensor.int(2, kind);
        tensor.text(8, &self.name);
        tensor.bytes(9, &bytes);
        tensor
    }
}

impl Port {
    fn message(&self) -> Message {
        const FLOAT32: i64 = 1;
        let mut shape = Message::default();
        for side in &self.sides {
            let mut dimension = Message::default();
            match side {
                Side::Fixed(length) => dimension.int(1, *length as i64),
                Side::Named(name) => dimension.text(2, name),
            }
            shape.message(1, &dimension);
        }
        let (mut tensor, mut kind, mut port) = (Message::default(), Message::default(), Message::default());
        tensor.int(1, FLOAT32);
        tensor.message(2, &shape);
        kind.message(1, &tensor);
        port.text(1, &self.name);
        port.message(2, &kind);
        port.text(3, &self.what);
        port
    }
}
