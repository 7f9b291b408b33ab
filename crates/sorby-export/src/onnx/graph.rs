//! A graph under way: operations by the names of their results, constants written once.

use super::file::{Constant, Node, Setting, Values};
use half::f16;
use std::collections::BTreeSet;

/// A tensor of the graph, `[N, channels, side, side]`.
#[derive(Clone, Debug)]
pub(crate) struct Maps {
    pub name: String,
    pub channels: usize,
    /// `None`: height and width are known when the network runs.
    pub side_px: Option<usize>,
}

/// Height and width to come to: a constant or a result, two `int64`.
#[derive(Clone, Debug)]
pub(crate) struct Size {
    pub name: String,
    pub side_px: Option<usize>,
}

/// Operations and constants so far.
#[derive(Default)]
pub(crate) struct Graph {
    pub nodes: Vec<Node>,
    pub constants: Vec<Constant>,
    names: BTreeSet<String>,
    /// Weights of convolutions in 16 bits.
    half: bool,
}

impl Graph {
    pub fn new(half: bool) -> Self {
        Self { half, ..Self::default() }
    }

    /// Adds an operation; gives the name of its result, which is `name`.
    pub fn add(
        &mut self,
        operator: &'static str,
        name: impl Into<String>,
        inputs: &[&str],
        settings: Vec<(&'static str, Setting)>,
    ) -> String {
        let (output, inputs) = (name.into(), inputs.iter().map(|i| (*i).to_owned()).collect());
        let new = self.names.insert(output.clone());
        debug_assert!(new, "two results are named {output}");
        self.nodes.push(Node { operator, inputs, output: output.clone(), settings });
        output
    }

    /// A constant of floats.
    pub fn floats(&mut self, name: impl Into<String>, shape: &[usize], values: Vec<f32>) -> String {
        let name = name.into();
        if self.names.insert(name.clone()) {
            let (shape, values) = (shape.to_vec(), Values::F32(values));
            self.constants.push(Constant { name: name.clone(), shape, values });
        }
        name
    }

    /// A constant of whole numbers, a row of them.
    pub fn ints(&mut self, values: &[i64]) -> String {
        self.whole(values, &[values.len()], "ints")
    }

    /// A constant of one whole number, without dimensions.
    pub fn int(&mut self, value: i64) -> String {
        self.whole(&[value], &[], "int")
    }

    /// A constant of whole numbers below each other, `[count, 1]`.
    pub fn column(&mut self, values: &[i64]) -> String {
        self.whole(values, &[values.len(), 1], "column")
    }

    fn whole(&mut self, values: &[i64], shape: &[usize], kind: &str) -> String {
        let words: Vec<String> = values.iter().map(i64::to_string).collect();
        let name = format!("{kind}_{}", words.join("_"));
        if self.names.insert(name.clone()) {
            let (shape, values) = (shape.to_vec(), Values::I64(values.to_vec()));
            self.constants.push(Constant { name: name.clone(), shape, values });
        }
        name
    }

    /// Weights of a convolution: in 16 bits, and widened by the graph, where that was asked for.
    fn weights(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> String {
        let fits = values.iter().all(|v| v.abs() <= f16::MAX.to_f32());
        if !(self.half && fits) {
            return self.floats(name, shape, values);
        }
        const FLOAT32: i64 = 1;
        let stored = format!("{name}.half");
        self.names.insert(stored.clone());
        let values = Values::F16(values.into_iter().map(f16::from_f32).collect());
        self.constants.push(Constant { name: stored.clone(), shape: shape.to_vec(), values });
        self.add("Cast", name, &[&stored], vec![("to", Setting::Int(FLOAT32))])
    }

    /// A convolution with bias that keeps the size of its input at stride 1.
    pub fn convolution(&mut self, name: &str, x: &Maps, folded: Folded, geometry: Geometry) -> Maps {
        let Folded { shape, weights, bias } = folded;
        let (channels, kernel) = (shape[0], shape[2]);
        let pad = geometry.dilation * (kernel / 2);
        let weights = self.weights(&format!("{name}.weight"), &shape, weights);
        let bias = self.floats(format!("{name}.bias"), &[channels], bias);
        let square = |v: usize| Setting::Ints(vec![v as i64; 2]);
        let settings = vec![
            ("kernel_shape", square(kernel)),
            ("strides", square(geometry.stride)),
            ("dilations", square(geometry.dilation)),
            ("pads", Setting::Ints(vec![pad as i64; 4])),
            ("group", Setting::Int(geometry.groups as i64)),
        ];
        let name = self.add("Conv", name, &[&x.name, &weights, &bias], settings);
        Maps { name, channels, side_px: x.side_px.map(|side| side.div_ceil(geometry.stride)) }
    }

    pub fn relu(&mut self, x: Maps) -> Maps {
        let name = self.add("Relu", format!("{}.relu", x.name), &[&x.name], vec![]);
        Maps { name, ..x }
    }

    /// Joined along the channels.
    pub fn concat(&mut self, name: &str, parts: &[Maps]) -> Maps {
        let names: Vec<&str> = parts.iter().map(|p| p.name.as_str()).collect();
        let name = self.add("Concat", name, &names, vec![("axis", Setting::Int(1))]);
        let channels = parts.iter().map(|p| p.channels).sum();
        Maps { name, channels, side_px: parts[0].side_px }
    }

    /// Height and width of `x`.
    pub fn size_of(&mut self, x: &Maps) -> Size {
        let name = match x.side_px {
            Some(side) => self.ints(&[side as i64; 2]),
            None => self.shape_part(x, 2, 4),
        };
        Size { name, side_px: x.side_px }
    }

    /// Lengths of the dimensions `first..last`, as a result of the graph.
    fn shape_part(&mut self, x: &Maps, first: i64, last: i64) -> String {
        let shape = format!("{}.shape", x.name);
        if !self.names.contains(&shape) {
            self.add("Shape", shape.as_str(), &[&x.name], vec![]);
        }
        let part = format!("{shape}.{first}_{last}");
        if !self.names.contains(&part) {
            let (first, last) = (self.ints(&[first]), self.ints(&[last]));
            self.add("Slice", part.as_str(), &[&shape, &first, &last], vec![]);
        }
        part
    }

    /// Bilinear, corners not aligned, as all resizing of these networks.
    pub fn resize(&mut self, x: &Maps, to: &Size) -> Maps {
        let name = format!("{}.resized", x.name);
        let outer = self.shape_part(x, 0, 2);
        let sizes =
            self.add("Concat", format!("{name}.sizes"), &[&outer, &to.name], vec![("axis", Setting::Int(0))]);
        let settings = vec![
            ("mode", Setting::Text("linear")),
            // Not `pytorch_half_pixel`: that differs where a side becomes 1.
            ("coordinate_transformation_mode", Setting::Text("half_pixel")),
        ];
        // Region and scales are left out.
        let name = self.add("Resize", name, &[&x.name, "", "", &sizes], settings);
        Maps { name, channels: x.channels, side_px: to.side_px }
    }

    /// One value for each channel, everywhere.
    pub fn spread(&mut self, x: &Maps, to: &Size) -> Maps {
        let name = format!("{}.spread", x.name);
        let one = self.ints(&[1, 1]);
        let shape =
            self.add("Concat", format!("{name}.shape"), &[&one, &to.name], vec![("axis", Setting::Int(0))]);
        let name = self.add("Expand", name, &[&x.name, &shape], vec![]);
        Maps { name, channels: x.channels, side_px: to.side_px }
    }
}

/// Weights and bias of a convolution that holds its batch norm.
pub(crate) struct Folded {
    /// `[out, in / groups, k, k]`.
    pub shape: Vec<usize>,
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// How a convolution goes over its input.
#[derive(Clone, Copy)]
pub(crate) struct Geometry {
    pub stride: usize,
    pub dilation: usize,
    pub groups: usize,
}

impl Geometry {
    /// Every pixel, all channels together.
    pub const PLAIN: Self = Self { stride: 1, dilation: 1, groups: 1 };
}
