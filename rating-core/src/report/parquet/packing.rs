//! Integers in as few bits as they need: the hybrid of runs and packed groups, and packed differences ("Parquet encoding
//! definitions": RLE / bit-packing hybrid, delta binary packing).

/// An unsigned integer, seven bits to a byte, the lowest first.
pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A signed integer as an unsigned one: 0, −1, 1, −2, …
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// How many values are packed at a time.
const GROUP: usize = 32;

/// Packs values of `W` bits. The width is known to the compiler, so that every shift is.
fn pack_group<const W: usize>(values: &[u32; GROUP], out: &mut Vec<u8>) {
    let mut bytes = [0; 4 * GROUP];
    let mut words = bytes.as_chunks_mut::<4>().0.iter_mut();
    let (mut bits, mut filled) = (0_u64, 0);
    for value in values {
        bits |= u64::from(*value) << filled;
        filled += W;
        if filled >= 32 {
            if let Some(word) = words.next() {
                *word = (bits as u32).to_le_bytes();
            }
            bits >>= 32;
            filled -= 32;
        }
    }
    out.extend_from_slice(bytes.get(..4 * W).unwrap_or_default());
}

/// Packs values of `width` bits, at most 32.
fn pack(values: &[u32; GROUP], width: u32, out: &mut Vec<u8>) {
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                $($width => pack_group::<$width>(values, out),)*
                _ => {}
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

/// Packs values of any width.
fn pack_wide(values: &[u64; GROUP], width: u32, out: &mut Vec<u8>) {
    if width <= 32 {
        pack(&values.map(|value| value as u32), width, out);
        return;
    }
    let (mut bits, mut filled) = (0_u128, 0);
    for value in values {
        bits |= u128::from(*value) << filled;
        filled += width;
        while filled >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            filled -= 8;
        }
    }
}

/// The values packed one after the other, filled up with zeros to whole groups of eight.
fn pack_all(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let (groups, rest) = values.as_chunks::<GROUP>();
    out.reserve(values.len() * width as usize / 8 + 4 * GROUP);
    for group in groups {
        pack(group, width, out);
    }
    if !rest.is_empty() {
        let mut group = [0; GROUP];
        for (into, value) in group.iter_mut().zip(rest) {
            *into = *value;
        }
        let end = out.len() + rest.len().div_ceil(8) * width as usize;
        pack(&group, width, out);
        out.truncate(end);
    }
}

/// One bit for each value, the first in the lowest bit.
pub(super) fn write_bits(values: &[u32], out: &mut Vec<u8>) {
    pack_all(values, 1, out);
}

/// How many bits the values below `count` need; one at least, which every reader accepts.
pub(super) fn width_of(count: usize) -> u32 {
    (usize::BITS - count.saturating_sub(1).leading_zeros()).max(1)
}

/// `count` times the same value.
pub(super) fn write_run(value: u32, count: usize, width: u32, out: &mut Vec<u8>) {
    write_varint((count as u64) << 1, out);
    out.extend_from_slice(value.to_le_bytes().get(..width.div_ceil(8) as usize).unwrap_or_default());
}

/// Values of `width` bits in runs, where these are shorter, and packed.
pub(super) fn write_hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    /// A run takes a header and a value, and what is packed after it another header.
    const WORTH_BITS: usize = 64;
    let packed = |values: &[u32], out: &mut Vec<u8>| {
        if !values.is_empty() {
            write_varint((values.len().div_ceil(8) as u64) << 1 | 1, out);
            pack_all(values, width, out);
        }
    };
    let (mut from, mut at) = (0, 0);
    while let Some(eight) = values.get(at..at + 8) {
        let [first, ..] = eight else { break };
        if !eight.iter().all(|value| value == first) {
            at += 8;
            continue;
        }
        let rest = values.get(at..).unwrap_or_default();
        let run = rest.iter().position(|value| value != first).unwrap_or(rest.len());
        if run * width as usize >= WORTH_BITS {
            packed(values.get(from..at).unwrap_or_default(), out);
            write_run(*first, run, width, out);
            at += run;
            from = at;
        } else {
            at += 8;
        }
    }
    packed(values.get(from..).unwrap_or_default(), out);
}

/// Definition levels of a column without nesting, with their length before them: 1 where a cell has a value.
pub(super) fn write_levels(valid: Option<&[bool]>, rows: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match valid {
        None => write_run(1, rows, 1, out),
        Some(valid) => write_valid(valid, out),
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(into) = out.get_mut(start..start + 4) {
        into.copy_from_slice(&length);
    }
}

/// Eight rows to a byte, and long stretches of bytes that are all ones or all zeros as runs.
fn write_valid(valid: &[bool], out: &mut Vec<u8>) {
    const WORTH_BYTES: usize = 8;
    let (eights, rest) = valid.as_chunks::<8>();
    let pack = |eight: [bool; 8]| {
        // Each byte's bit is moved to its place in the highest byte of the product.
        (u64::from_le_bytes(eight.map(u8::from)).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
    };
    let bytes: Vec<u8> = eights.iter().map(|eight| pack(*eight)).collect();
    let packed = |bytes: &[u8], out: &mut Vec<u8>| {
        if !bytes.is_empty() {
            write_varint((bytes.len() as u64) << 1 | 1, out);
            out.extend_from_slice(bytes);
        }
    };
    let (mut from, mut at) = (0, 0);
    while let Some(first) = bytes.get(at) {
        let after = bytes.get(at..).unwrap_or_default();
        let run = after.iter().position(|byte| byte != first).unwrap_or(after.len());
        if run >= WORTH_BYTES && matches!(first, 0 | 0xff) {
            packed(bytes.get(from..at).unwrap_or_default(), out);
            write_run(u32::from(*first & 1), run * 8, 1, out);
            from = at + run;
        }
        at += run;
    }
    packed(bytes.get(from..).unwrap_or_default(), out);
    if !rest.is_empty() {
        let mut eight = [false; 8];
        for (into, valid) in eight.iter_mut().zip(rest) {
            *into = *valid;
        }
        packed(&[pack(eight)], out);
    }
}

/// Differences between neighbours, less the smallest of a block, packed: blocks of 128 in four parts.
pub(super) fn write_delta(values: &[i64], out: &mut Vec<u8>) {
    const BLOCK: usize = 128;
    const PARTS: usize = BLOCK / GROUP;
    write_varint(BLOCK as u64, out);
    write_varint(PARTS as u64, out);
    write_varint(values.len() as u64, out);
    let Some((first, rest)) = values.split_first() else {
        out.push(0);
        return;
    };
    write_varint(zigzag(*first), out);
    let mut previous = *first;
    for block in rest.chunks(BLOCK) {
        let mut deltas = [0_i64; BLOCK];
        let mut least = i64::MAX;
        for (delta, value) in deltas.iter_mut().zip(block) {
            *delta = value.wrapping_sub(previous);
            least = least.min(*delta);
            previous = *value;
        }
        write_varint(zigzag(least), out);
        let widths = out.len();
        out.extend_from_slice(&[0; PARTS]);
        for (part, deltas) in deltas.as_chunks::<GROUP>().0.iter().take(block.len().div_ceil(GROUP)).enumerate() {
            let mut above = deltas.map(|delta| delta.wrapping_sub(least) as u64);
            // What lies behind the last value is not read, and must not widen the others.
            above.iter_mut().skip(block.len() - part * GROUP).for_each(|beyond| *beyond = 0);
            let width = u64::BITS - above.iter().fold(0, |bits, value| bits | value).leading_zeros();
            if let Some(into) = out.get_mut(widths + part) {
                *into = width as u8;
            }
            pack_wide(&above, width, out);
        }
    }
}

/// Texts by what each shares with the one before it: lengths of these beginnings, lengths of the rest, and the rest
/// (DELTA_BYTE_ARRAY). Text number `n` lies between `ends[n]` and `ends[n + 1]`.
pub(super) fn write_texts(bytes: &[u8], ends: &[usize], lengths: &mut [Vec<i64>; 2], out: &mut Vec<u8>) {
    let [shared, own] = lengths;
    shared.clear();
    own.clear();
    let texts = || ends.array_windows().map(|[start, end]| bytes.get(*start..*end).unwrap_or_default());
    let mut previous: &[u8] = &[];
    for text in texts() {
        let length = shared_length(previous, text);
        shared.push(length as i64);
        own.push((text.len() - length) as i64);
        previous = text;
    }
    write_delta(shared, out);
    write_delta(own, out);
    out.reserve(bytes.len());
    for (text, shared) in texts().zip(shared.iter()) {
        out.extend_from_slice(text.get(*shared as usize..).unwrap_or_default());
    }
}

/// How many bytes two texts have in common at their beginnings; eight at a time.
#[inline]
fn shared_length(one: &[u8], other: &[u8]) -> usize {
    let mut length = 0;
    for (one, other) in one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0) {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return length + differ.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = one.iter().zip(other).skip(length);
    length + rest.take_while(|(one, other)| one == other).count()
}
