//! The compression function G for AVX2: four words a register.

use crate::compress::Block;
use crate::window::Ahead;
use core::arch::x86_64::*;

#[inline]
#[target_feature(enable = "avx2")]
fn by32(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32(x, 0b10_11_00_01)
}

#[inline]
#[target_feature(enable = "avx2")]
fn by24(x: __m256i) -> __m256i {
    let order = _mm256_setr_epi8(
        3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13,
        14, 15, 8, 9, 10,
    );
    _mm256_shuffle_epi8(x, order)
}

#[inline]
#[target_feature(enable = "avx2")]
fn by16(x: __m256i) -> __m256i {
    let order = _mm256_setr_epi8(
        2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12,
        13, 14, 15, 8, 9,
    );
    _mm256_shuffle_epi8(x, order)
}

#[inline]
#[target_feature(enable = "avx2")]
fn by63(x: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_srli_epi64(x, 63), _mm256_add_epi64(x, x))
}

/// # Safety
/// The processor has AVX2. `next` may not be one of the others.
#[target_feature(enable = "avx2")]
pub unsafe fn compress_avx2(
    previous: &Block,
    reference: &Block,
    next: &mut Block,
    xor: bool,
    ahead: Option<&Ahead>,
) {
    macro_rules! mix {
        ($a:expr, $b:expr, $c:expr, $d:expr, $first:ident, $second:ident) => {{
            let product = _mm256_mul_epu32($a, $b);
            $a = _mm256_add_epi64(_mm256_add_epi64($a, $b), _mm256_add_epi64(product, product));
            $d = $first(_mm256_xor_si256($d, $a));
            let product = _mm256_mul_epu32($c, $d);
            $c = _mm256_add_epi64(_mm256_add_epi64($c, $d), _mm256_add_epi64(product, product));
            $b = $second(_mm256_xor_si256($b, $c));
        }};
    }
    // Two permutations at once: their chains of operations fill each other's waits.
    macro_rules! half {
        ($a0:ident, $b0:ident, $c0:ident, $d0:ident, $a1:ident, $b1:ident, $c1:ident, $d1:ident) => {{
            mix!($a0, $b0, $c0, $d0, by32, by24);
            mix!($a1, $b1, $c1, $d1, by32, by24);
            mix!($a0, $b0, $c0, $d0, by16, by63);
            mix!($a1, $b1, $c1, $d1, by16, by63);
        }};
    }
    macro_rules! load {
        ($v:ident, $at:expr) => {{
            let at = $at;
            (
                $v[at[0]], $v[at[1]], $v[at[2]], $v[at[3]], $v[at[4]], $v[at[5]], $v[at[6]],
                $v[at[7]],
            )
        }};
    }
    let mut v = [_mm256_setzero_si256(); 32];
    let mut kept = [_mm256_setzero_si256(); 32];
    let at = |block: *const Block, i: usize| unsafe {
        _mm256_load_si256((block as *const __m256i).add(i))
    };
    let target: *mut Block = next;
    for i in 0..32 {
        v[i] = _mm256_xor_si256(at(previous, i), at(reference, i));
        kept[i] = if xor {
            _mm256_xor_si256(v[i], at(target, i))
        } else {
            v[i]
        };
    }
    // Rows: each is four registers a, b, c, d, turned against each other for the diagonals.
    for row in 0..4 {
        let r = 8 * row;
        let (mut a0, mut b0, mut c0, mut d0, mut a1, mut b1, mut c1, mut d1) =
            load!(v, [r, r + 1, r + 2, r + 3, r + 4, r + 5, r + 6, r + 7]);
        half!(a0, b0, c0, d0, a1, b1, c1, d1);
        b0 = _mm256_permute4x64_epi64(b0, 0b00_11_10_01);
        c0 = _mm256_permute4x64_epi64(c0, 0b01_00_11_10);
        d0 = _mm256_permute4x64_epi64(d0, 0b10_01_00_11);
        b1 = _mm256_permute4x64_epi64(b1, 0b00_11_10_01);
        c1 = _mm256_permute4x64_epi64(c1, 0b01_00_11_10);
        d1 = _mm256_permute4x64_epi64(d1, 0b10_01_00_11);
        half!(a0, b0, c0, d0, a1, b1, c1, d1);
        v[r] = a0;
        v[r + 1] = _mm256_permute4x64_epi64(b0, 0b10_01_00_11);
        v[r + 2] = _mm256_permute4x64_epi64(c0, 0b01_00_11_10);
        v[r + 3] = _mm256_permute4x64_epi64(d0, 0b00_11_10_01);
        v[r + 4] = a1;
        v[r + 5] = _mm256_permute4x64_epi64(b1, 0b10_01_00_11);
        v[r + 6] = _mm256_permute4x64_epi64(c1, 0b01_00_11_10);
        v[r + 7] = _mm256_permute4x64_epi64(d1, 0b00_11_10_01);
    }
    // Columns: two lie side by side in each register, so b, c and d are spread over two registers of a pair of columns.
    for i in 0..4 {
        let (mut a0, mut a1, mut b0, mut b1, mut c0, mut c1, mut d0, mut d1) =
            load!(v, [i, i + 4, i + 8, i + 12, i + 16, i + 20, i + 24, i + 28]);
        half!(a0, b0, c0, d0, a1, b1, c1, d1);
        let low = _mm256_blend_epi32(b0, b1, 0b1100_1100);
        let high = _mm256_blend_epi32(b0, b1, 0b0011_0011);
        b1 = _mm256_permute4x64_epi64(low, 0b10_11_00_01);
        b0 = _mm256_permute4x64_epi64(high, 0b10_11_00_01);
        let low = _mm256_blend_epi32(d0, d1, 0b1100_1100);
        let high = _mm256_blend_epi32(d0, d1, 0b0011_0011);
        d0 = _mm256_permute4x64_epi64(low, 0b10_11_00_01);
        d1 = _mm256_permute4x64_epi64(high, 0b10_11_00_01);
        half!(a0, b0, c1, d0, a1, b1, c0, d1);
        let low = _mm256_blend_epi32(b0, b1, 0b1100_1100);
        let high = _mm256_blend_epi32(b0, b1, 0b0011_0011);
        v[i] = a0;
        v[i + 4] = a1;
        v[i + 8] = _mm256_permute4x64_epi64(low, 0b10_11_00_01);
        v[i + 12] = _mm256_permute4x64_epi64(high, 0b10_11_00_01);
        v[i + 16] = c0;
        v[i + 20] = c1;
        let low = _mm256_blend_epi32(d0, d1, 0b0011_0011);
        let high = _mm256_blend_epi32(d0, d1, 0b1100_1100);
        v[i + 24] = _mm256_permute4x64_epi64(low, 0b10_11_00_01);
        v[i + 28] = _mm256_permute4x64_epi64(high, 0b10_11_00_01);
        if i == 0
            && let Some(ahead) = ahead
        {
            let first = _mm256_xor_si256(v[0], kept[0]);
            ahead.fetch(_mm256_extract_epi64(first, 0) as u64);
        }
    }
    for i in 0..32 {
        let word = _mm256_xor_si256(v[i], kept[i]);
        unsafe { _mm256_store_si256((target as *mut __m256i).add(i), word) };
    }
}
