//! One scan of a JPEG, code by code (ITU-T T.81, F.2 and G.2).

use super::bits::{Bits, Huffman, Stop};
use super::frame::Frame;
use super::{DAMAGED, Tables};

pub(super) struct Scan<'t> {
    /// Component, and its tables.
    parts: Vec<(usize, Option<&'t Huffman>, Option<&'t Huffman>)>,
    /// First and last coefficient.
    first: usize,
    last: usize,
    /// Whether bits of coefficients that began in an earlier scan follow.
    refines: bool,
    low: u8,
    restart: usize,
}

impl<'t> Scan<'t> {
    pub fn of(body: &[u8], frame: &Frame, tables: &'t Tables) -> Result<Self, String> {
        let (count, rest) = body.split_first().ok_or(DAMAGED)?;
        let parts = rest.get(..2 * usize::from(*count)).filter(|p| !p.is_empty()).ok_or(DAMAGED)?;
        let [first, last, approximation] = rest.get(parts.len()..parts.len() + 3).ok_or(DAMAGED)? else {
            return Err(DAMAGED.into());
        };
        let part = |p: &[u8]| {
            let table =
                |set: &'t [Option<Huffman>; 4], n: u8| set.get(usize::from(n)).and_then(Option::as_ref);
            Some((frame.component(p[0])?, table(&tables.dc, p[1] >> 4), table(&tables.ac, p[1] & 15)))
        };
        let parts: Option<Vec<_>> = parts.chunks_exact(2).map(part).collect();
        let (first, last) = (usize::from(*first), usize::from(*last));
        let range = if frame.progressive { (first, last) } else { (0, 63) };
        let scan = Self {
            parts: parts.ok_or(DAMAGED)?,
            first: range.0,
            last: range.1,
            refines: frame.progressive && approximation >> 4 != 0,
            low: if frame.progressive { approximation & 15 } else { 0 },
            restart: tables.restart,
        };
        let ac_alone = scan.first == 0 || scan.parts.len() == 1;
        if scan.last > 63 || scan.first > scan.last || !ac_alone {
            return Err(DAMAGED.into());
        }
        Ok(scan)
    }

    /// Reads the scan's codes from `data`; how many bytes they take.
    pub fn count(&self, data: &[u8], frame: &mut Frame) -> Result<usize, Stop> {
        let mut bits = Bits::new(data);
        let mut zero_run = 0;
        let alone = self.parts.len() == 1;
        let units = if alone { frame.components[self.parts[0].0].blocks } else { frame.units };
        for unit in 0..units.0 * units.1 {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                bits.restart(unit / self.restart - 1)?;
                zero_run = 0;
            }
            let (x, y) = (unit % units.0, unit / units.0);
            for (part, dc, ac) in &self.parts {
                let component = &mut frame.components[*part];
                let (across, down) = if alone { (1, 1) } else { component.sampling };
                for block in 0..across * down {
                    let place = (y * down + block / across) * component.row + x * across + block % across;
                    match component.not_zero.get_mut(place) {
                        Some(not_zero) => self.progressive(&mut bits, *dc, *ac, not_zero, &mut zero_run)?,
                        None => sequential(&mut bits, table(*dc)?, table(*ac)?)?,
                    }
                }
            }
        }
        for (part, ..) in &self.parts {
            frame.components[*part].lowest_bit[self.first..=self.last].fill(self.low);
        }
        bits.end()
    }

    fn progressive(
        &self,
        bits: &mut Bits,
        dc: Option<&Huffman>,
        ac: Option<&Huffman>,
        not_zero: &mut u64,
        zero_run: &mut u32,
    ) -> Result<(), Stop> {
        match (self.first, self.refines) {
            (0, true) => bits.take(1).map(drop),
            (0, false) => constant(bits, table(dc)?),
            (_, false) => self.begin(bits, table(ac)?, not_zero, zero_run),
            (_, true) => self.refine(bits, table(ac)?, not_zero, zero_run),
        }
    }

    /// Coefficients that begin.
    fn begin(&self, bits: &mut Bits, ac: &Huffman, not_zero: &mut u64, run: &mut u32) -> Result<(), Stop> {
        if *run > 0 {
            *run -= 1;
            return Ok(());
        }
        let mut k = self.first;
        while k <= self.last {
            let symbol = bits.symbol(ac)?;
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match (zeros, size) {
                (15, 0) => k += 16,
                (zeros, 0) => {
                    *run = (1 << zeros) + bits.take(zeros as u32)? - 1;
                    return Ok(());
                }
                _ => {
                    k += zeros;
                    bits.take(size)?;
                    *not_zero |= 1 << place(k)?;
                    k += 1;
                }
            }
        }
        Ok(())
    }

    /// One more bit of coefficients that began, and those that begin with this bit.
    fn refine(&self, bits: &mut Bits, ac: &Huffman, not_zero: &mut u64, run: &mut u32) -> Result<(), Stop> {
        let mut k = self.first;
        while *run == 0 && k <= self.last {
            let symbol = bits.symbol(ac)?;
            let (mut zeros, size) = (u32::from(symbol >> 4), symbol & 15);
            if size == 0 && zeros < 15 {
                *run = (1 << zeros) + bits.take(zeros)?;
                break;
            }
            if size != 0 {
                bits.take(1)?;
            }
            while k <= self.last {
                if *not_zero >> k & 1 == 1 {
                    bits.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if size != 0 {
                *not_zero |= 1 << place(k)?;
            }
            k += 1;
        }
        if *run > 0 {
            let rest =
                *not_zero & (u64::MAX >> (63 - self.last)) & u64::MAX.checked_shl(k as u32).unwrap_or(0);
            for _ in 0..rest.count_ones() {
                bits.take(1)?;
            }
            *run -= 1;
        }
        Ok(())
    }
}

fn table(table: Option<&Huffman>) -> Result<&Huffman, Stop> {
    table.ok_or(Stop::Damaged)
}

fn place(k: usize) -> Result<usize, Stop> {
    if k < 64 { Ok(k) } else { Err(Stop::Damaged) }
}

fn constant(bits: &mut Bits, dc: &Huffman) -> Result<(), Stop> {
    match bits.symbol(dc)? {
        size @ 0..=16 => bits.take(size.into()).map(drop),
        _ => Err(Stop::Damaged),
    }
}

/// All coefficients of a block at once.
fn sequential(bits: &mut Bits, dc: &Huffman, ac: &Huffman) -> Result<(), Stop> {
    constant(bits, dc)?;
    let mut k = 1;
    while k < 64 {
        let symbol = bits.symbol(ac)?;
        match (usize::from(symbol >> 4), u32::from(symbol & 15)) {
            (15, 0) => k += 16,
            (_, 0) => break,
            (zeros, size) => {
                k += zeros;
                place(k)?;
                bits.take(size)?;
                k += 1;
            }
        }
    }
    Ok(())
}
