//! Bits and codes of a JPEG's scans.

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stop {
    /// A marker or the end of the file, where a code should be.
    Ended,
    /// Bits that are no code, or codes that do not fit together.
    Damaged,
}

/// Codes in order: shorter first, and within a length by their numbers.
#[derive(Clone)]
pub(super) struct Huffman {
    /// For each length from 1: the first 16 bits at which longer codes begin, those at which its own begin, and the place
    /// of its first symbol.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From the number of codes of each length, 1 to 16, and the symbols in order.
    pub fn new(counts: &[u8], symbols: &[u8]) -> Result<Self, Stop> {
        let mut lengths = [(0, 0, 0); 16];
        let (mut code, mut place) = (0, 0);
        for (i, count) in counts.iter().enumerate() {
            let first = code;
            code += u32::from(*count) << (15 - i);
            lengths[i] = (code, first, place);
            place += usize::from(*count);
        }
        if code > 1 << 16 || place != symbols.len() {
            return Err(Stop::Damaged);
        }
        Ok(Self { lengths, symbols: symbols.to_vec() })
    }

    /// Length and symbol of the code at the beginning of 16 bits.
    fn find(&self, bits: u32) -> Option<(u32, u8)> {
        let (i, (_, first, place)) = self.lengths.iter().enumerate().find(|(_, (end, ..))| bits < *end)?;
        let symbol = self.symbols.get(place + ((bits - first) >> (15 - i)) as usize)?;
        Some((i as u32 + 1, *symbol))
    }
}

/// The data of a scan from its first byte on, without the zeros stuffed behind 0xff.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    place: usize,
    /// The next bits, the first of them highest of `held`.
    ahead: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, place: 0, ahead: 0, held: 0 }
    }

    /// The byte of data at `place` and how long it is there; `None` at a marker or the end.
    fn byte(&self) -> Option<(u8, usize)> {
        match (self.data.get(self.place)?, self.data.get(self.place + 1)) {
            (0xff, Some(0)) => Some((0xff, 2)),
            (0xff, _) => None,
            (byte, _) => Some((*byte, 1)),
        }
    }

    fn fill(&mut self) {
        while self.held <= 48 {
            let Some((byte, length)) = self.byte() else { return };
            self.place += length;
            self.ahead = self.ahead << 8 | u64::from(byte);
            self.held += 8;
        }
    }

    pub fn take(&mut self, count: u32) -> Result<u32, Stop> {
        if self.held < count {
            self.fill();
        }
        self.held = self.held.checked_sub(count).ok_or(Stop::Ended)?;
        Ok((self.ahead >> self.held) as u32 & ((1 << count) - 1))
    }

    pub fn symbol(&mut self, table: &Huffman) -> Result<u8, Stop> {
        if self.held < 16 {
            self.fill();
        }
        let next =
            if self.held < 16 { self.ahead << (16 - self.held) } else { self.ahead >> (self.held - 16) };
        let none = if self.held < 16 { Stop::Ended } else { Stop::Damaged };
        let (length, symbol) = table.find(next as u32 & 0xffff).ok_or(none)?;
        self.held = self.held.checked_sub(length).ok_or(Stop::Ended)?;
        Ok(symbol)
    }

    /// Ends a run of codes, and gives the place of the marker behind. The byte under way is padding; so are bytes of
    /// one value, 0 or 255, before a marker. Anything else is what damage leaves over.
    pub fn end(&mut self) -> Result<usize, Stop> {
        // Before the file's end nothing may be left: a copy that was cut is often filled with zeros.
        let (mut padding, mut left_over) = (true, false);
        while self.held >= 8 {
            self.held -= 8;
            padding &= matches!((self.ahead >> self.held) as u8, 0 | 0xff);
            left_over = true;
        }
        self.held = 0;
        while let Some((byte, length)) = self.byte() {
            self.place += length;
            padding &= matches!(byte, 0 | 0xff);
            left_over = true;
        }
        let ended = self.data.len() <= self.place + 1;
        if !padding || (ended && left_over) { Err(Stop::Damaged) } else { Ok(self.place) }
    }

    /// Passes the restart marker of number `count`.
    pub fn restart(&mut self, count: usize) -> Result<(), Stop> {
        self.end()?;
        while self.data.get(self.place..self.place + 2) == Some(&[0xff, 0xff]) {
            self.place += 1;
        }
        let marker = self.data.get(self.place..self.place + 2).ok_or(Stop::Ended)?;
        self.place += 2;
        match marker[1] == 0xd0 + (count % 8) as u8 {
            true => Ok(()),
            false if marker[1] == 0xd9 => Err(Stop::Ended),
            false => Err(Stop::Damaged),
        }
    }
}
