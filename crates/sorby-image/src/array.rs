//! Pictures and masks from arrays of other programs, by the rules that files are read by.

use crate::{LabelMap, Micrograph, Pixels, grey_range};

/// Values of an array, row by row; of colour, the three channels of a pixel next to each other.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrayValues {
    /// Of 8 bits.
    U8(Vec<u8>),
    /// Of 16 bits.
    U16(Vec<u16>),
    /// Of floating-point numbers.
    F32(Vec<f32>),
}

/// Why an array is no picture or no mask, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArrayError(String);

impl ArrayValues {
    fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::F32(v) => v.len(),
        }
    }
}

/// Rows, columns and channels.
fn sides(what: &str, shape: &[usize], colour: bool) -> Result<(usize, usize, usize), ArrayError> {
    let (height, width, channels) = match *shape {
        [height, width] => (height, width, 1),
        [height, width, 3] if colour => (height, width, 3),
        _ => {
            let also = if colour { ", or (rows, columns, 3) for colour" } else { "" };
            let shape = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(ArrayError(format!(
                "{what} must have the shape (rows, columns){also}, not ({shape})"
            )));
        }
    };
    if width * height == 0 {
        return Err(ArrayError(format!("{what} is empty: it has the shape ({height}, {width})")));
    }
    Ok((height, width, channels))
}

impl Micrograph {
    /// The picture that an array holds, as a file of the same values is read: three equal channels are grey, floats within
    /// 0..1 have black at 0 and white at 1, other floats have no black and white of their own.
    ///
    /// ```
    /// use sorby_image::{ArrayValues, Micrograph, Pixels};
    ///
    /// let image = Micrograph::of_array(&[1, 2], ArrayValues::F32(vec![0.0, 1.0])).unwrap();
    /// assert_eq!(image.pixels, Pixels::Grey16(vec![0, 65535]));
    /// let error = Micrograph::of_array(&[2, 1, 4], ArrayValues::U8(vec![0; 8])).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the image must have the shape (rows, columns), or (rows, columns, 3) for colour, not (2, 1, 4)"
    /// );
    /// ```
    ///
    /// # Errors
    /// For another shape, for values that are no numbers, and for coloured floats beyond 0..1.
    ///
    /// # Panics
    /// When there are not as many values as the shape says.
    pub fn of_array(shape: &[usize], values: ArrayValues) -> Result<Self, ArrayError> {
        let (height, width, channels) = sides("the image", shape, true)?;
        assert_eq!(values.len(), height * width * channels);
        let grey = channels == 1;
        let pixels = match values {
            ArrayValues::U8(v) if grey => Pixels::Grey8(v),
            ArrayValues::U8(v) => Pixels::Rgb8(v),
            ArrayValues::U16(v) if grey => Pixels::Grey16(v),
            ArrayValues::U16(v) => Pixels::Rgb16(v),
            ArrayValues::F32(v) => of_floats(v, grey)?,
        };
        Ok(Self { width, height, pixels }.into_grey())
    }
}

fn of_floats(values: Vec<f32>, grey: bool) -> Result<Pixels, ArrayError> {
    let strange = values.iter().filter(|v| !v.is_finite()).count();
    if strange > 0 {
        return Err(ArrayError(format!(
            "{strange} values of the image are no numbers (NaN or infinite); replace them first"
        )));
    }
    match (grey, values.iter().all(|v| (0.0..=1.0).contains(v))) {
        (true, true) => Ok(Pixels::Grey16(grey_range::of_unit(&values))),
        (false, true) => Ok(Pixels::Rgb16(grey_range::of_unit(&values))),
        (true, false) => Ok(Pixels::Float(values)),
        (false, false) => Err(ArrayError(
            "colour as floating-point numbers must lie within 0 to 1; divide by the largest value first"
                .into(),
        )),
    }
}

impl LabelMap {
    /// The class indices that an array holds, [`IGNORE`](crate::IGNORE) where there is no label.
    ///
    /// # Errors
    /// For another shape than rows and columns, and an empty array.
    ///
    /// # Panics
    /// When there are not as many values as the shape says.
    pub fn of_array(shape: &[usize], labels: Vec<u8>) -> Result<Self, ArrayError> {
        let (height, width, _) = sides("the mask", shape, false)?;
        assert_eq!(labels.len(), height * width);
        Ok(Self { width, height, labels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_the_picture_that_its_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let sixteen: Vec<u16> = (0..12).map(|v| v * 5000).collect();
        let mut floats: Vec<f32> = (0..12).map(|v| v as f32 / 11.0).collect();
        for (shape, values) in [
            (vec![3, 4], ArrayValues::U16(sixteen.clone())),
            (vec![2, 2, 3], ArrayValues::U16(sixteen)),
            (vec![3, 4], ArrayValues::U8((0..12).collect())),
            (vec![1, 4, 3], ArrayValues::U8([7, 7, 7, 9, 9, 9].repeat(2))),
            (vec![3, 4], ArrayValues::F32(floats.clone())),
            (vec![3, 4], ArrayValues::F32(floats.iter().map(|v| 300.0 * v - 7.5).collect())),
        ] {
            let image = Micrograph::of_array(&shape, values).unwrap();
            let path = folder.path().join("a.tif");
            image.write(&path).unwrap();
            assert_eq!(Micrograph::read(&path).unwrap(), image, "{shape:?}");
        }
        floats[3] = f32::NAN;
        let error = Micrograph::of_array(&[3, 4], ArrayValues::F32(floats)).unwrap_err();
        assert!(error.to_string().starts_with("1 values of the image are no numbers"), "{error}");
        for shape in [vec![], vec![0, 3], vec![2, 2, 2]] {
            assert!(Micrograph::of_array(&shape, ArrayValues::U8(Vec::new())).is_err(), "{shape:?}");
        }
        assert!(LabelMap::of_array(&[2, 2, 3], vec![0; 12]).is_err());
        assert_eq!(LabelMap::of_array(&[1, 2], vec![0, 255]).unwrap().field_rows(), 1);
    }
}
