//! The memory of a hashing process: mapped once, in huge pages where the system has them, and used again for every hash.

use crate::compress::Block;
use std::sync::Mutex;

pub struct Arena {
    start: *mut Block,
    blocks: usize,
}

// Only whoever holds the lock uses the memory.
unsafe impl Send for Arena {}

pub static ARENA: Mutex<Arena> = Mutex::new(Arena {
    start: std::ptr::null_mut(),
    blocks: 0,
});

impl Arena {
    /// The first `count` blocks, with whatever the last hash left in them; None when there is no memory.
    pub fn blocks(&mut self, count: usize) -> Option<&mut [Block]> {
        if count > self.blocks {
            self.grow(count)?;
        }
        // The mapping holds at least that many blocks, is aligned to a page, and any bytes are a block.
        Some(unsafe { std::slice::from_raw_parts_mut(self.start, count) })
    }

    fn grow(&mut self, count: usize) -> Option<()> {
        let bytes = count.checked_mul(size_of::<Block>())?;
        unsafe {
            if !self.start.is_null() {
                libc::munmap(self.start.cast(), self.blocks * size_of::<Block>());
                self.start = std::ptr::null_mut();
                self.blocks = 0;
            }
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let memory = libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            );
            if memory == libc::MAP_FAILED {
                return None;
            }
            #[cfg(target_os = "linux")]
            {
                libc::madvise(memory, bytes, libc::MADV_HUGEPAGE);
                // No dump of a crash holds what passwords were worked with.
                libc::madvise(memory, bytes, libc::MADV_DONTDUMP);
            }
            self.start = memory.cast();
            self.blocks = count;
        }
        Some(())
    }
}
