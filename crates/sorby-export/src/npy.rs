//! NumPy's `.npy`, version 1.0: float32, row-major.

/// Bytes of the file.
pub(crate) fn npy(shape: &[usize], values: &[f32]) -> Vec<u8> {
    debug_assert_eq!(shape.iter().product::<usize>(), values.len());
    let lengths: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({lengths}), }}");
    // Magic number, version, length, header and its line end together fill whole blocks of 64 bytes.
    const BEFORE: usize = 10;
    while !(BEFORE + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::npy;

    #[test]
    fn header_says_shape_and_type() {
        let bytes = npy(&[1, 2], &[1.0, -0.5]);
        assert_eq!(bytes.len(), 128 + 8);
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\0\x76\0");
        let header = std::str::from_utf8(&bytes[10..128]).unwrap();
        assert!(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, ), }"));
        assert!(header.ends_with(" \n"));
        assert_eq!(bytes[128..], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf]);
    }
}
