//! Argon2 (RFC 9106), and its version 1.0 for old hashes, over memory of the caller's.

use crate::compress::{Block, Compress};
use crate::window::{Ahead, Window, prefetch};
use blake2::Blake2bVar;
use blake2::digest::{Update, VariableOutput};

/// Version 1.3; before it, later passes replaced blocks instead of combining them.
pub const CURRENT: u32 = 0x13;
pub const OLD: u32 = 0x10;
/// KiB; nobody hashes a password with more, and a hash that asks for it would stop the process.
const MOST_MEMORY: u32 = 4 << 20;
const SLICES: usize = 4;
const ADDRESSES: usize = 128;
/// How many blocks before its use a block whose address is known is asked for: memory answers later than one block is computed.
const DISTANCE: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    D = 0,
    I = 1,
    Id = 2,
}

/// Checked parameters; `memory` in KiB.
#[derive(Clone, Copy)]
pub struct Parameters {
    variant: Variant,
    version: u32,
    memory: u32,
    passes: u32,
    lanes: u32,
    length: usize,
}

impl Parameters {
    /// None where the standard sets a bound (RFC 9106 §3.1).
    pub fn new(
        variant: Variant,
        version: u32,
        memory: u32,
        passes: u32,
        lanes: u32,
        length: u32,
    ) -> Option<Self> {
        let known = version == CURRENT || version == OLD;
        let fits = known
            && (1..1 << 24).contains(&lanes)
            && memory <= MOST_MEMORY
            && memory / 8 >= lanes
            && passes >= 1
            && (4..=1024).contains(&length);
        fits.then_some(Self {
            variant,
            version,
            memory,
            passes,
            lanes,
            length: length as usize,
        })
    }

    /// Blocks the memory must have.
    pub fn blocks(&self) -> usize {
        self.segment() * SLICES * self.lanes as usize
    }

    fn segment(&self) -> usize {
        (self.memory / (SLICES as u32 * self.lanes)) as usize
    }
}

fn blake2b(parts: &[&[u8]], out: &mut [u8]) {
    let mut hasher = Blake2bVar::new(out.len()).expect("a length of 1 to 64 bytes");
    for part in parts {
        hasher.update(part);
    }
    hasher
        .finalize_variable(out)
        .expect("the length it was made for");
}

/// H' of the standard (§3.3): a hash of any length.
fn long_hash(parts: &[&[u8]], out: &mut [u8]) {
    let length = (out.len() as u32).to_le_bytes();
    let mut all: Vec<&[u8]> = vec![&length];
    all.extend_from_slice(parts);
    if out.len() <= 64 {
        return blake2b(&all, out);
    }
    let mut last = [0; 64];
    blake2b(&all, &mut last);
    let mut at = 0;
    while out.len() - at > 64 {
        out[at..at + 32].copy_from_slice(&last[..32]);
        at += 32;
        let previous = last;
        if out.len() - at > 64 {
            blake2b(&[&previous], &mut last);
        } else {
            let rest = out.len() - at;
            blake2b(&[&previous], &mut last[..rest]);
        }
    }
    let rest = out.len() - at;
    out[at..].copy_from_slice(&last[..rest]);
}

fn block_of(bytes: &[u8; 1024]) -> Block {
    let mut block = Block::ZERO;
    for (word, chunk) in block.0.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
    }
    block
}

/// Addresses of data-independent segments (§3.4.1.1).
struct Addresses {
    input: Block,
    current: Block,
}

impl Addresses {
    fn next(&mut self, compress: Compress) {
        self.input.0[6] += 1;
        let mut inner = Block::ZERO;
        unsafe {
            compress(&Block::ZERO, &self.input, &mut inner, false, None);
            compress(&Block::ZERO, &inner, &mut self.current, false, None);
        }
    }
}

/// Writes the tag. `memory` has `parameters.blocks()` blocks, whatever they hold; afterwards they hold what was worked with.
pub fn hash(
    parameters: &Parameters,
    compress: Compress,
    password: &[u8],
    salt: &[u8],
    memory: &mut [Block],
    tag: &mut [u8],
) {
    let Parameters {
        variant,
        passes,
        lanes,
        length,
        ..
    } = *parameters;
    assert!(memory.len() == parameters.blocks() && tag.len() == length);
    let (segment, lane_count) = (parameters.segment(), lanes as usize);
    let lane_length = segment * SLICES;

    let mut seed = [0; 64];
    let le = |value: u32| value.to_le_bytes();
    blake2b(
        &[
            &le(lanes),
            &le(length as u32),
            &le(parameters.memory),
            &le(passes),
            &le(parameters.version),
            &le(variant as u32),
            &le(password.len() as u32),
            password,
            &le(salt.len() as u32),
            salt,
            &le(0),
            &le(0),
        ],
        &mut seed,
    );
    let mut bytes = [0; 1024];
    for lane in 0..lane_count {
        for first in 0..2 {
            long_hash(&[&seed, &le(first as u32), &le(lane as u32)], &mut bytes);
            memory[lane * lane_length + first] = block_of(&bytes);
        }
    }
    seed.fill(0);

    for pass in 0..passes {
        for slice in 0..SLICES {
            for lane in 0..lane_count {
                fill_segment(parameters, compress, memory, pass, slice, lane);
            }
        }
    }

    let mut last = memory[lane_length - 1];
    for lane in 1..lane_count {
        for (word, other) in last
            .0
            .iter_mut()
            .zip(&memory[lane * lane_length + lane_length - 1].0)
        {
            *word ^= other;
        }
    }
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(&last.0) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    long_hash(&[&bytes], tag);
    bytes.fill(0);
}

fn fill_segment(
    parameters: &Parameters,
    compress: Compress,
    memory: &mut [Block],
    pass: u32,
    slice: usize,
    lane: usize,
) {
    let Parameters {
        variant,
        passes,
        lanes,
        ..
    } = *parameters;
    let segment = parameters.segment();
    let lane_length = segment * SLICES;
    let independent =
        variant == Variant::I || (variant == Variant::Id && pass == 0 && slice < SLICES / 2);
    let mut addresses = Addresses {
        input: Block::ZERO,
        current: Block::ZERO,
    };
    let blocks = (lane_length * lanes as usize) as u64;
    addresses.input.0[..6].copy_from_slice(&[
        u64::from(pass),
        lane as u64,
        slice as u64,
        blocks,
        u64::from(passes),
        variant as u64,
    ]);
    let start = if pass == 0 && slice == 0 { 2 } else { 0 };
    if independent && start > 0 {
        addresses.next(compress);
    }
    let combine = pass > 0 && parameters.version == CURRENT;
    let window = Window {
        lane,
        lanes: lanes as usize,
        length: lane_length,
        finished: if pass == 0 {
            slice * segment
        } else {
            lane_length - segment
        },
        from: if pass == 0 || slice == SLICES - 1 {
            0
        } else {
            (slice + 1) * segment
        },
        own_lane_only: pass == 0 && slice == 0,
    };
    for index in start..segment {
        let position = slice * segment + index;
        let previous = lane * lane_length
            + if position == 0 {
                lane_length - 1
            } else {
                position - 1
            };
        let mut ahead = None;
        let random = if independent {
            if index % ADDRESSES == 0 {
                addresses.next(compress);
            }
            // Addresses to come are known: their blocks come while these are computed.
            let coming = index % ADDRESSES + DISTANCE;
            if coming < ADDRESSES && index + DISTANCE < segment {
                prefetch(
                    memory.as_ptr(),
                    window.reference(index + DISTANCE, addresses.current.0[coming]),
                );
            }
            addresses.current.0[index % ADDRESSES]
        } else {
            if index + 1 < segment {
                ahead = Some(Ahead {
                    window: &window,
                    memory: memory.as_ptr(),
                    index: index + 1,
                });
            }
            memory[previous].0[0]
        };
        let reference = window.reference(index, random);
        let next = lane * lane_length + position;
        debug_assert!(reference < memory.len() && previous != next && reference != next);
        // Three different places of one slice, all inside it.
        unsafe {
            let base = memory.as_mut_ptr();
            compress(
                &*base.add(previous),
                &*base.add(reference),
                &mut *base.add(next),
                combine,
                ahead.as_ref(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress;

    fn ours(p: &Parameters, with: Compress, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let mut memory = vec![Block([0x5a5a_5a5a_5a5a_5a5a; 128]); p.blocks()];
        let mut tag = vec![0; p.length];
        hash(p, with, password, salt, &mut memory, &mut tag);
        tag
    }

    #[test]
    fn every_shape_agrees_with_another_implementation() {
        let variants = [
            (Variant::D, argon2::Algorithm::Argon2d),
            (Variant::I, argon2::Algorithm::Argon2i),
            (Variant::Id, argon2::Algorithm::Argon2id),
        ];
        for (variant, algorithm) in variants {
            for (memory, passes, lanes, length) in [
                (8, 1, 1, 32),
                (32, 3, 4, 32),
                (65, 2, 1, 16),
                (100, 1, 3, 64),
                (1024, 2, 2, 65),
                (4096, 1, 1, 128),
                (2048, 4, 1, 4),
                (777, 3, 5, 96),
            ] {
                let theirs = argon2::Params::new(memory, passes, lanes, Some(length as usize))
                    .expect("good parameters");
                for (version, other) in [
                    (CURRENT, argon2::Version::V0x13),
                    (OLD, argon2::Version::V0x10),
                ] {
                    let mine = Parameters::new(variant, version, memory, passes, lanes, length)
                        .expect("good parameters");
                    for password in [&b""[..], b"password", &[0xff; 300]] {
                        let mut expected = vec![0; length as usize];
                        argon2::Argon2::new(algorithm, other, theirs.clone())
                            .hash_password_into(password, b"saltsaltsalt", &mut expected)
                            .expect("a hash");
                        for (with, _) in compress::available() {
                            assert_eq!(ours(&mine, with, password, b"saltsaltsalt"), expected);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_the_standard_excludes_is_no_parameter() {
        for (memory, passes, lanes, length) in [
            (7, 1, 1, 32),
            (8, 0, 1, 32),
            (8, 1, 0, 32),
            (15, 1, 2, 32),
            (8, 1, 1, 3),
            (8, 1, 1, 2000),
        ] {
            assert!(Parameters::new(Variant::Id, CURRENT, memory, passes, lanes, length).is_none());
        }
    }
}
