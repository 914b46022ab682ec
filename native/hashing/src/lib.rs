//! Argon2 over one block of memory that a process keeps: no page is cleared or mapped again from one hash to the next.

mod arena;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod compress;
mod fill;
mod window;

use arena::ARENA;
use fill::{Parameters, Variant};
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;

pub struct Hash {
    password: Vec<u8>,
    salt: Vec<u8>,
    parameters: Parameters,
    length: usize,
}

fn failed(what: &str) -> Error {
    Error::new(Status::InvalidArg, format!("argon2: {what}"))
}

impl Task for Hash {
    type Output = Vec<u8>;
    type JsValue = Buffer;

    fn compute(&mut self) -> Result<Vec<u8>> {
        let mut arena = ARENA
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let memory = arena
            .blocks(self.parameters.blocks())
            .ok_or_else(|| failed("no memory"))?;
        let mut tag = vec![0; self.length];
        fill::hash(
            &self.parameters,
            compress::fastest().0,
            &self.password,
            &self.salt,
            memory,
            &mut tag,
        );
        self.password.fill(0);
        Ok(tag)
    }

    fn resolve(&mut self, _env: Env, tag: Vec<u8>) -> Result<Buffer> {
        Ok(tag.into())
    }
}

/// The tag of Argon2. `algorithm`: 0 = d, 1 = i, 2 = id; `version`: 19, or 16 for old hashes; `memory` in KiB. Hashes of a process are computed one after the
/// other. Throws for parameters the standard (RFC 9106) excludes.
#[napi]
pub fn tag(
    algorithm: u32,
    version: u32,
    password: Buffer,
    salt: Buffer,
    memory: u32,
    passes: u32,
    lanes: u32,
    length: u32,
) -> Result<AsyncTask<Hash>> {
    let variant = match algorithm {
        0 => Variant::D,
        1 => Variant::I,
        2 => Variant::Id,
        _ => return Err(failed("unknown algorithm")),
    };
    let parameters = Parameters::new(variant, version, memory, passes, lanes, length)
        .ok_or_else(|| failed("parameters out of bounds"))?;
    Ok(AsyncTask::new(Hash {
        password: password.to_vec(),
        salt: salt.to_vec(),
        parameters,
        length: length as usize,
    }))
}

/// Which shape of the compression function this processor gets: `avx512`, `avx2` or `portable`.
#[napi]
pub fn shape() -> &'static str {
    compress::fastest().1
}
