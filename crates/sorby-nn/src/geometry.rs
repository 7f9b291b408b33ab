//! Channels, strides and dilations of both networks: known once, by the layers here and by what writes the networks for
//! other programs.

/// Channels of the encoder's four stages.
pub const STAGE_CHANNELS: [usize; 4] = [64, 128, 256, 512];

/// PSPNet pools to so many bins a side.
pub const POOL_SCALES: [usize; 4] = [1, 2, 3, 6];

/// Dilations of the separable branches at output stride 8; the plain 1x1 branch comes before them.
const ASPP_DILATIONS: [usize; 3] = [12, 24, 36];

/// Strides and dilations of the four stages. A stage's first block has half the dilation, 1 at least; only the first
/// convolution of a block is dilated.
///
/// # Panics
/// If `output_stride` is not 8, 16 or 32.
pub fn strides_and_dilations(output_stride: usize) -> ([usize; 4], [usize; 4]) {
    match output_stride {
        8 => ([1, 2, 1, 1], [1, 1, 2, 4]),
        16 => ([1, 2, 2, 1], [1, 1, 1, 2]),
        32 => ([1, 2, 2, 2], [1, 1, 1, 1]),
        other => panic!("no ResNet with output stride {other}"),
    }
}

/// Dilations of DeepLabV3+'s separable branches, which reach as far in the image at any output stride.
pub fn aspp_dilations(output_stride: usize) -> [usize; 3] {
    ASPP_DILATIONS.map(|d| d * 8 / output_stride)
}
