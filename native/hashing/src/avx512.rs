//! The compression function G for AVX-512: the whole block in sixteen registers.
//!
//! A row is sixteen words a, b, c, d of four each. One register holds the same quarter of two rows, so sixteen registers hold
//! (a, b, c, d) of four pairs of rows. Seen by columns, a register with a of rows 2q and 2q+1 holds two columns' words of these rows, and the
//! registers of the four pairs are a, b, c, d of those two columns: nothing moves between the two halves of the function.

use crate::compress::Block;
use crate::window::Ahead;
use core::arch::x86_64::*;

type Words = __m512i;

macro_rules! mix {
    ($a:ident, $b:ident, $c:ident, $d:ident, $first:literal, $second:literal) => {{
        let product = _mm512_mul_epu32($a, $b);
        $a = _mm512_add_epi64(_mm512_add_epi64($a, $b), _mm512_add_epi64(product, product));
        $d = _mm512_ror_epi64::<$first>(_mm512_xor_si512($d, $a));
        let product = _mm512_mul_epu32($c, $d);
        $c = _mm512_add_epi64(_mm512_add_epi64($c, $d), _mm512_add_epi64(product, product));
        $b = _mm512_ror_epi64::<$second>(_mm512_xor_si512($b, $c));
    }};
}

/// The four words of each row turned left by one, two and three places, for the diagonals of rows.
macro_rules! turn_rows {
    ($b:ident, $c:ident, $d:ident, $one:literal, $three:literal) => {{
        $b = _mm512_permutex_epi64::<$one>($b);
        $c = _mm512_permutex_epi64::<0b01_00_11_10>($c);
        $d = _mm512_permutex_epi64::<$three>($d);
    }};
}

macro_rules! rows {
    ($a:ident, $b:ident, $c:ident, $d:ident) => {{
        mix!($a, $b, $c, $d, 32, 24);
        mix!($a, $b, $c, $d, 16, 63);
        turn_rows!($b, $c, $d, 0b00_11_10_01, 0b10_01_00_11);
        mix!($a, $b, $c, $d, 32, 24);
        mix!($a, $b, $c, $d, 16, 63);
        turn_rows!($b, $c, $d, 0b10_01_00_11, 0b00_11_10_01);
    }};
}

macro_rules! columns {
    ($a:ident, $b:ident, $c:ident, $d:ident, $one:ident, $three:ident) => {{
        mix!($a, $b, $c, $d, 32, 24);
        mix!($a, $b, $c, $d, 16, 63);
        $b = _mm512_permutexvar_epi64($one, $b);
        $c = _mm512_shuffle_i64x2::<0b01_00_11_10>($c, $c);
        $d = _mm512_permutexvar_epi64($three, $d);
        mix!($a, $b, $c, $d, 32, 24);
        mix!($a, $b, $c, $d, 16, 63);
        $b = _mm512_permutexvar_epi64($three, $b);
        $c = _mm512_shuffle_i64x2::<0b01_00_11_10>($c, $c);
        $d = _mm512_permutexvar_epi64($one, $d);
    }};
}

/// # Safety
/// The processor has AVX-512F. `next` may not be one of the others.
#[target_feature(enable = "avx512f")]
pub unsafe fn compress_avx512(
    previous: &Block,
    reference: &Block,
    next: &mut Block,
    xor: bool,
    ahead: Option<&Ahead>,
) {
    let from = |block: &Block, at: usize| unsafe {
        _mm512_load_si512((block as *const Block).cast::<Words>().add(at))
    };
    let target = (next as *mut Block).cast::<Words>();
    // What the result is combined with waits in the place of the result: the registers hold the state alone.
    macro_rules! take {
        ($at:expr) => {{
            let word = _mm512_xor_si512(from(previous, $at), from(reference, $at));
            let kept = if xor {
                _mm512_xor_si512(word, from(next, $at))
            } else {
                word
            };
            unsafe { _mm512_store_si512(target.add($at), kept) };
            word
        }};
    }
    // Two rows as a, b, c, d.
    macro_rules! pair {
        ($row:expr) => {{
            let (low0, high0) = (take!(2 * $row), take!(2 * $row + 1));
            let (low1, high1) = (take!(2 * $row + 2), take!(2 * $row + 3));
            (
                _mm512_shuffle_i64x2::<0b01_00_01_00>(low0, low1),
                _mm512_shuffle_i64x2::<0b11_10_11_10>(low0, low1),
                _mm512_shuffle_i64x2::<0b01_00_01_00>(high0, high1),
                _mm512_shuffle_i64x2::<0b11_10_11_10>(high0, high1),
            )
        }};
    }
    let (mut a0, mut b0, mut c0, mut d0) = pair!(0);
    let (mut a1, mut b1, mut c1, mut d1) = pair!(2);
    let (mut a2, mut b2, mut c2, mut d2) = pair!(4);
    let (mut a3, mut b3, mut c3, mut d3) = pair!(6);
    rows!(a0, b0, c0, d0);
    rows!(a1, b1, c1, d1);
    rows!(a2, b2, c2, d2);
    rows!(a3, b3, c3, d3);

    // A column's four words lie in two of the register's four parts, another column's in the others.
    let one = _mm512_setr_epi64(1, 4, 3, 6, 5, 0, 7, 2);
    let three = _mm512_setr_epi64(5, 0, 7, 2, 1, 4, 3, 6);
    columns!(a0, a1, a2, a3, one, three);
    if let Some(ahead) = ahead {
        let word = _mm_cvtsi128_si64(_mm512_castsi512_si128(a0)) as u64;
        ahead.fetch(word ^ next.0[0]);
    }
    columns!(b0, b1, b2, b3, one, three);
    columns!(c0, c1, c2, c3, one, three);
    columns!(d0, d1, d2, d3, one, three);

    macro_rules! give {
        ($at:expr, $word:expr) => {{
            let word = _mm512_xor_si512($word, unsafe { _mm512_load_si512(target.add($at)) });
            unsafe { _mm512_store_si512(target.add($at), word) };
        }};
    }
    macro_rules! back {
        ($row:expr, $a:ident, $b:ident, $c:ident, $d:ident) => {{
            give!(2 * $row, _mm512_shuffle_i64x2::<0b01_00_01_00>($a, $b));
            give!(2 * $row + 1, _mm512_shuffle_i64x2::<0b01_00_01_00>($c, $d));
            give!(2 * $row + 2, _mm512_shuffle_i64x2::<0b11_10_11_10>($a, $b));
            give!(2 * $row + 3, _mm512_shuffle_i64x2::<0b11_10_11_10>($c, $d));
        }};
    }
    back!(0, a0, b0, c0, d0);
    back!(2, a1, b1, c1, d1);
    back!(4, a2, b2, c2, d2);
    back!(6, a3, b3, c3, d3);
}
