//! Which block a block is combined with (RFC 9106 §3.4.1.2, §3.4.2).

use crate::compress::Block;

/// What the blocks of one segment may choose from.
pub struct Window {
    pub lane: usize,
    pub lanes: usize,
    /// Blocks a lane.
    pub length: usize,
    /// Blocks of another lane that are finished.
    pub finished: usize,
    /// Where in a lane the choice begins.
    pub from: usize,
    /// The first slice of the first pass looks at its own lane only.
    pub own_lane_only: bool,
}

impl Window {
    /// The place of the block that `random` chooses for block `index` of the segment.
    #[inline(always)]
    pub fn reference(&self, index: usize, random: u64) -> usize {
        let lane = if self.own_lane_only || self.lanes == 1 {
            self.lane
        } else {
            ((random >> 32) % self.lanes as u64) as usize
        };
        let area = if lane == self.lane {
            self.finished + index - 1
        } else {
            self.finished - usize::from(index == 0)
        };
        let x = random & 0xffff_ffff;
        let offset = area as u64 - 1 - ((area as u64 * ((x * x) >> 32)) >> 32);
        let mut at = self.from + offset as usize;
        // Both are below the length, so once is enough, and a division would be waited for.
        if at >= self.length {
            at -= self.length;
        }
        lane * self.length + at
    }
}

/// The choice that depends on the block being computed: its first word, known before the rest, names the block to fetch.
pub struct Ahead<'a> {
    pub window: &'a Window,
    pub memory: *const Block,
    /// Of the block that will be computed next, in the segment.
    pub index: usize,
}

impl Ahead<'_> {
    #[inline(always)]
    pub fn fetch(&self, first_word: u64) {
        prefetch(self.memory, self.window.reference(self.index, first_word));
    }
}

/// Asks for all lines of a block at once; one after the other they would be waited for.
#[inline(always)]
pub fn prefetch(memory: *const Block, index: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..size_of::<Block>() / 64 {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let address = memory.wrapping_add(index).cast::<i8>();
        // A hint: it never faults.
        unsafe { _mm_prefetch(address.wrapping_add(64 * line), _MM_HINT_T0) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (memory, index);
}
