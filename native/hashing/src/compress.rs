//! The compression function G of Argon2 (RFC 9106 §3.5) in three shapes: for AVX-512 (avx512.rs), for AVX2 (avx2.rs), and for any processor.

use crate::window::Ahead;

/// One block: 1024 bytes as 64-bit words.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Block(pub [u64; 128]);

impl Block {
    pub const ZERO: Block = Block([0; 128]);
}

/// `next = G(previous, reference)`, or with `xor` the same combined with what `next` holds. What `ahead` asks for is fetched as soon as the
/// first word of the result is known.
pub type Compress = unsafe fn(
    previous: &Block,
    reference: &Block,
    next: &mut Block,
    xor: bool,
    ahead: Option<&Ahead>,
);

/// The shapes this processor can run, the fastest first, each with its name.
pub fn available() -> impl Iterator<Item = (Compress, &'static str)> {
    #[cfg(target_arch = "x86_64")]
    let wide = [
        is_x86_feature_detected!("avx512f")
            .then_some((crate::avx512::compress_avx512 as Compress, "avx512")),
        is_x86_feature_detected!("avx2")
            .then_some((crate::avx2::compress_avx2 as Compress, "avx2")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let wide: [Option<(Compress, &'static str)>; 0] = [];
    wide.into_iter()
        .flatten()
        .chain([(compress_portable as Compress, "portable")])
}

/// The first of them.
pub fn fastest() -> (Compress, &'static str) {
    available().next().expect("one runs everywhere")
}

#[inline(always)]
fn multiply_add(x: u64, y: u64) -> u64 {
    let product = (x & 0xffff_ffff).wrapping_mul(y & 0xffff_ffff);
    x.wrapping_add(y).wrapping_add(product.wrapping_mul(2))
}

#[inline(always)]
fn quarter(v: &mut [u64; 128], a: usize, b: usize, c: usize, d: usize) {
    v[a] = multiply_add(v[a], v[b]);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = multiply_add(v[c], v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = multiply_add(v[a], v[b]);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = multiply_add(v[c], v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[inline(always)]
fn permute(v: &mut [u64; 128], at: [usize; 16]) {
    for (a, b, c, d) in [
        (0, 4, 8, 12),
        (1, 5, 9, 13),
        (2, 6, 10, 14),
        (3, 7, 11, 15),
        (0, 5, 10, 15),
        (1, 6, 11, 12),
        (2, 7, 8, 13),
        (3, 4, 9, 14),
    ] {
        quarter(v, at[a], at[b], at[c], at[d]);
    }
}

/// # Safety
/// Safe on every processor; unsafe only to have the type of the others.
pub unsafe fn compress_portable(
    previous: &Block,
    reference: &Block,
    next: &mut Block,
    xor: bool,
    ahead: Option<&Ahead>,
) {
    let mut state = *previous;
    for (word, other) in state.0.iter_mut().zip(&reference.0) {
        *word ^= other;
    }
    let mut kept = state;
    if xor {
        for (word, other) in kept.0.iter_mut().zip(&next.0) {
            *word ^= other;
        }
    }
    for row in 0..8 {
        permute(&mut state.0, std::array::from_fn(|i| 16 * row + i));
    }
    for column in 0..8 {
        permute(
            &mut state.0,
            std::array::from_fn(|i| 2 * column + 16 * (i / 2) + i % 2),
        );
    }
    for ((word, state), kept) in next.0.iter_mut().zip(&state.0).zip(&kept.0) {
        *word = state ^ kept;
    }
    if let Some(ahead) = ahead {
        ahead.fetch(next.0[0]);
    }
}
