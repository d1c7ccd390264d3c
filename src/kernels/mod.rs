//! Host side of the kernels: one file a kernel, with its equation and its arguments.
//!
//! Every kernel has the same name in three places: here, in [`crate::cpu`] (plain Rust, `f32` and `f64`) and in `shaders/`
//! (WGSL). Buffers of shape `[batch, N]` hold all populations side by side, in their order; a population is a
//! range of columns.

pub mod apical_error;
pub mod assemble;
pub mod backward;
pub mod bend;
pub mod bias_rate;
pub mod bicg_start;
pub mod bicg_step;
pub mod blend;
pub mod cg_finish;
pub mod cg_start;
pub mod cg_step;
pub mod combine;
pub mod copy;
pub mod couple;
pub mod curvature;
pub mod decode;
pub mod dense_solve;
pub mod drive;
pub mod forward;
pub mod gradient;
pub mod gram;
pub mod guess;
pub mod hold;
pub mod host;
pub mod image;
pub mod integrate;
pub mod interneuron;
pub mod interneuron_drive;
pub mod jacobian;
pub mod layered_carry;
pub mod layered_learn;
pub mod layered_step;
pub mod learn;
pub mod mismatch;
pub mod newton_book;
pub mod newton_check;
pub mod newton_move;
pub mod observe;
pub mod overlap;
pub mod pin;
pub mod rate_product;
pub mod rates;
pub mod relax;
pub mod renew;
pub mod resident_apply;
pub mod resident_drive;
pub mod resident_learn;
pub mod slice;
pub mod small_step;
pub mod stimulus;
pub mod unit;
pub mod update;
pub mod weight_rate;
pub mod woodbury;

use crate::plan::Buf;

/// What a product is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Zero,
    /// What `out` holds already.
    Out,
    /// Another buffer of the shape of `out`.
    From(Buf),
}

impl Base {
    /// First element of what is added, for the shader.
    fn place(self, p: &host::Places, out: Buf) -> Result<u32, host::PlaceError> {
        match self {
            Self::Zero => Ok(host::NONE),
            Self::Out => p.at(out),
            Self::From(buf) => p.at(buf),
        }
    }
}

/// Columns of the `solver` buffer, `[batch, 9]`.
pub mod solver {
    /// ‖residual‖² of the iteration.
    pub const RESIDUAL2: usize = 0;
    /// The trajectory has converged where `RESIDUAL2 ≤ THRESHOLD2`.
    pub const THRESHOLD2: usize = 1;
    /// Iterations of the present step.
    pub const ITERATIONS: usize = 2;
    /// Sum of iterations since the host last cleared the buffer.
    pub const TOTAL: usize = 3;
    /// Largest number of iterations of a step since then.
    pub const MOST: usize = 4;
    /// Steps with an indefinite H since then (negative curvature or a failed Cholesky factorisation).
    pub const INDEFINITE: usize = 5;
    /// Steps in which the solver did not reach its tolerance since then.
    pub const UNCONVERGED: usize = 6;
    /// Largest relative residual at the end of a step since then.
    pub const RESIDUAL: usize = 7;
    /// 1 where H was found indefinite in the present step.
    pub const BENT: usize = 8;
    /// Number of columns.
    pub const LEN: usize = 9;
}

/// Columns of the `newton` buffer, `[batch, 9]`: rows as long as those of [`solver`], for loops read both alike.
pub mod newton {
    /// max |F| of the best iterate.
    pub const RESIDUAL: usize = 0;
    /// The iteration has ended where `RESIDUAL ≤ TOLERANCE`.
    pub const TOLERANCE: usize = 1;
    /// Iterates that were judged.
    pub const EVALUATIONS: usize = 2;
    /// Part of the direction that is tried.
    pub const SCALE: usize = 3;
    /// Directions.
    pub const STEPS: usize = 4;
    /// 1 where the last iterate was accepted and a direction is wanted.
    pub const ACCEPTED: usize = 5;
    /// Stands for an infinite residual or tolerance on every device.
    pub const INFINITE: f64 = 3.0e38;
}

/// Columns of the `record` buffer, `[batch, 8]`.
pub mod record {
    /// Cost of the basal prediction, `½‖u* − a_o‖²`.
    pub const COST: usize = 0;
    /// Class of the basal prediction, `argmax a_o`.
    pub const CLASS: usize = 1;
    /// Lagrangian.
    pub const ENERGY: usize = 2;
    /// ‖f‖ over the free neurons.
    pub const F_NORM: usize = 3;
    /// Largest |u| over the free neurons.
    pub const MAX_U: usize = 4;
    /// Number of saturated hidden neurons (free, not output): ρ' < 5 % of its maximum.
    pub const SATURATED: usize = 5;
    /// Number of columns.
    pub const LEN: usize = 8;
}

macro_rules! calls {
    ($($variant:ident => $module:ident),* $(,)?; $($whole:ident),*) => {
        /// A kernel call.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Call {
            $(
                #[doc = concat!("See [`mod@", stringify!($module), "`].")]
                $variant($module::Args),
            )*
        }

        impl Call {
            /// Name of the kernel, as its files are named.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Call::$variant(_) => stringify!($module),)*
                }
            }
        }

        impl Call {
            /// The call as a dispatch of its shader.
            ///
            /// # Errors
            /// If a buffer is not where the shader reads it.
            pub fn host(&self, p: &host::Places) -> Result<host::Invocation, host::PlaceError> {
                match self {
                    $(Call::$variant(args) => args.host(p),)*
                }
            }
        }

        /// Parameters and bindings of all kernels, in the order of [`NAMES`].
        pub const FACTS: &[host::Facts] = &[$(host::Facts {
            name: stringify!($module),
            fields: $module::FIELDS,
            size: std::mem::size_of::<$module::Params>(),
            bindings: $module::BINDINGS,
        },)* $(host::Facts {
            name: stringify!($whole),
            fields: $whole::FIELDS,
            size: std::mem::size_of::<$whole::Params>(),
            bindings: $whole::BINDINGS,
        }),*];

        /// Names of all kernels: those of calls, then those of whole steps.
        pub const NAMES: &[&str] = &[$(stringify!($module),)* $(stringify!($whole)),*];

        $(impl From<$module::Args> for Call {
            fn from(args: $module::Args) -> Self {
                Call::$variant(args)
            }
        })*
    };
}

calls! {
    Decode => decode,
    Renew => renew,
    Stimulus => stimulus,
    Slice => slice,
    Rates => rates,
    Forward => forward,
    Backward => backward,
    Mismatch => mismatch,
    WeightRate => weight_rate,
    BiasRate => bias_rate,
    Drive => drive,
    Assemble => assemble,
    Bend => bend,
    Curvature => curvature,
    CgStart => cg_start,
    CgStep => cg_step,
    CgFinish => cg_finish,
    Unit => unit,
    Woodbury => woodbury,
    Jacobian => jacobian,
    DenseSolve => dense_solve,
    Guess => guess,
    Relax => relax,
    Combine => combine,
    Integrate => integrate,
    Update => update,
    Observe => observe,
    Copy => copy,
    Blend => blend,
    Pin => pin,
    Gradient => gradient,
    Hold => hold,
    NewtonBook => newton_book,
    NewtonCheck => newton_check,
    NewtonMove => newton_move,
    Gram => gram,
    Learn => learn,
    Overlap => overlap,
    RateProduct => rate_product,
    ResidentApply => resident_apply,
    ResidentDrive => resident_drive,
    ResidentLearn => resident_learn,
    ApicalError => apical_error,
    BicgStart => bicg_start,
    BicgStep => bicg_step,
    Couple => couple,
    Image => image,
    Interneuron => interneuron,
    InterneuronDrive => interneuron_drive;
    // Whole steps, which are no calls of a plan.
    small_step, layered_step, layered_learn, layered_carry
}
