//! Run-time choice of instruction set.
//!
//! Kernels are written once as plain loops over channel slices; [`dispatched!`] compiles them for
//! AVX-512, AVX2+FMA and the target's baseline (NEON on aarch64), and picks one when called.
//! The loops contain no fused multiply-add unless written as such, so the choice does not change
//! their results.

use std::sync::OnceLock;

/// Instruction set used by the loops of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimdLevel {
    /// AVX-512 (F, VL, BW, DQ) with AVX2 and FMA, on x86-64.
    Avx512,
    /// AVX2 and FMA, on x86-64.
    Avx2,
    /// Whatever the compilation target guarantees: SSE2 on x86-64, NEON on aarch64.
    Baseline,
}

impl SimdLevel {
    /// Its name in lower case, as options and records have it: `avx512`, `avx2`, `neon`, `sse2`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Self::Baseline if cfg!(target_arch = "x86_64") => "sse2",
            Self::Baseline => "baseline",
        }
    }
}

/// The level in use: the machine's best, or a lesser one that the environment variable `SORBY_SIMD` asks for
/// (`avx2`, `baseline`), to test or to compare.
pub fn simd_level() -> SimdLevel {
    static LEVEL: OnceLock<SimdLevel> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let best = best_level();
        match std::env::var("SORBY_SIMD").as_deref() {
            Ok("baseline") => SimdLevel::Baseline,
            Ok("avx2") if best == SimdLevel::Avx512 => SimdLevel::Avx2,
            _ => best,
        }
    })
}

fn best_level() -> SimdLevel {
    #[cfg(target_arch = "x86_64")]
    {
        let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        if has_avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
        {
            return SimdLevel::Avx512;
        }
        if has_avx2 {
            return SimdLevel::Avx2;
        }
    }
    SimdLevel::Baseline
}

/// Compiles a function body for every [`SimdLevel`] and calls the best one.
macro_rules! dispatched {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident : $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code)]
        $vis fn $name($($arg: $ty),*) {
            #[inline(always)]
            fn baseline($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
                fn avx512($($arg: $ty),*) { baseline($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) { baseline($($arg),*) }
                match crate::dispatch::simd_level() {
                    // SAFETY: `simd_level` returned this level only after detecting its features.
                    crate::dispatch::SimdLevel::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    crate::dispatch::SimdLevel::Avx2 => return unsafe { avx2($($arg),*) },
                    crate::dispatch::SimdLevel::Baseline => {}
                }
            }
            baseline($($arg),*)
        }
    };
}
pub(crate) use dispatched;
