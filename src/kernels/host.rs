//! What the host has to know of a kernel to run its shader: parameters, bindings, dispatch size, loop iterations.

use crate::plan::{Buf, Program};

/// Names an absent buffer in the parameters of a shader.
pub const NONE: u32 = u32::MAX;

/// Invocations of a workgroup of the elementwise kernels.
pub const ROW_LANES: usize = 64;

/// Invocations of a workgroup of `dense_solve` and `woodbury`, on every adapter.
pub const DENSE_LANES: u32 = 256;

/// Large tiles that keep a GPU busy: a few for each of its one or two hundred cores.
const MANY_TILES: usize = 512;

/// A field of a parameter struct, to be compared with the shader's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in Rust and in WGSL.
    pub name: &'static str,
    /// Offset in bytes.
    pub offset: usize,
    /// `u32` or `f32`.
    pub ty: &'static str,
}

/// How a kernel uses a storage binding of its own (from binding 3 on; 0 to 2 are the same for all kernels).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and written.
    Write,
}

/// What does not depend on a call: the parameter struct and the bindings of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// As its files are named.
    pub name: &'static str,
    /// Fields of the parameter struct.
    pub fields: &'static [Field],
    /// Size of the parameter struct in bytes.
    pub size: usize,
    /// Storage bindings from 3 on.
    pub bindings: &'static [Access],
}

/// How matrix products are tiled: depends on the adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// 8 × 8 outputs an invocation in registers, no barriers: software adapters.
    Software,
    /// 32 × 32 tiles in workgroup memory: few outputs, or a small GPU.
    Small,
    /// 64 × 64 tiles in workgroup memory: large products.
    Large,
}

impl Profile {
    /// All of them, with the names that options and reports use.
    pub const NAMES: [(&'static str, Profile); 3] =
        [("software", Profile::Software), ("small", Profile::Small), ("large", Profile::Large)];

    /// The name in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The profile with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, profile)| profile)
    }

    /// Invocations of a workgroup, and bytes of its memory, that an adapter has to offer.
    #[must_use]
    pub fn needs(self) -> (u32, u32) {
        // A block of 16 in depth of both operands.
        let (high, wide) = self.tile();
        let tile = if self == Self::Software { 0 } else { 4 * 16 * (high + wide) };
        (self.lanes().max(DENSE_LANES), to_u32(tile))
    }

    /// Invocations of a workgroup that works on one trajectory. On a processor a barrier switches between coroutines, of
    /// which eight lanes need one.
    #[must_use]
    pub fn lanes(self) -> u32 {
        if self == Self::Software { 8 } else { 256 }
    }

    /// Invocations of a workgroup that steps a small network as a whole, and how many of them share a sum: on a processor as few as fill its
    /// registers.
    #[must_use]
    pub fn whole_step(self) -> (u32, u32) {
        if self == Self::Software { (16, 1) } else { (256, 4) }
    }

    /// Rows and columns of a workgroup's tile.
    fn tile(self) -> (usize, usize) {
        match self {
            Self::Software => (8, 64),
            Self::Small => (32, 32),
            Self::Large => (64, 64),
        }
    }

    /// The tiles of a product with `rows` × `cols` results: an adapter with small tiles takes the large ones where there are
    /// enough of them to keep it busy.
    #[must_use]
    pub fn of_product(self, rows: usize, cols: usize) -> Self {
        let (high, wide) = Self::Large.tile();
        let many = rows.div_ceil(high) * cols.div_ceil(wide) >= MANY_TILES;
        if self == Self::Small && many { Self::Large } else { self }
    }

    /// Loop iterations of an invocation for a product of this depth, each loop counted once more for its end.
    fn loops(self, depth: usize) -> u64 {
        let depth = depth as u64;
        match self {
            Self::Software => depth + 1 + 8 * 5,
            Self::Small => depth.div_ceil(16) * (1 + 3 + 17) + 1 + 4 * 5,
            Self::Large => depth.div_ceil(16) * (1 + 5 + 17) + 1 + 16 * 5,
        }
    }
}

/// A buffer that a kernel needs in the arena lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "buffer '{0}' is not in the arena that the shader reads: no kernel but products and updates may use a weight block"
)]
pub struct PlaceError(pub String);

/// Where buffers are, and how products are tiled.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// Shapes.
    pub program: &'a Program,
    /// First element of each buffer in the arena; `None` for buffers of their own.
    pub at: &'a [Option<u32>],
    /// Tiles of the products.
    pub profile: Profile,
    /// Number of neurons N, which names bad neurons in `status`.
    pub neurons: usize,
}

/// One call as a dispatch.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The parameter struct.
    pub params: Vec<u8>,
    /// Buffers of the kernel's own storage bindings; `None` = not used by this call.
    pub bound: Vec<Option<Buf>>,
    /// Workgroups.
    pub groups: [u32; 3],
    /// Loop iterations of the busiest invocation, each loop counted once more for its end.
    pub loops: u64,
    /// Tiles of the product, lanes of the sums.
    pub profile: Profile,
    /// A product whose operand or result is multiplied by ρ'.
    pub gated: bool,
}

impl Invocation {
    /// A call without bindings of its own, loops or gate.
    #[must_use]
    pub fn new<P: bytemuck::Pod>(params: &P, p: &Places, groups: [usize; 3]) -> Self {
        let params = bytemuck::bytes_of(params).to_vec();
        let groups = groups.map(to_u32);
        Self { params, bound: Vec::new(), groups, loops: 0, profile: p.profile, gated: false }
    }
    /// A matrix product with `rows` × `cols` results of `depth` terms.
    #[must_use]
    pub fn product<P: bytemuck::Pod>(params: &P, p: &Places, [rows, depth, cols]: [usize; 3]) -> Self {
        let profile = p.profile.of_product(rows, cols);
        let (high, wide) = profile.tile();
        let mut call = Self::new(params, p, [cols.div_ceil(wide), rows.div_ceil(high), 1]);
        (call.profile, call.loops) = (profile, profile.loops(depth));
        call
    }
    /// With buffers of its own.
    #[must_use]
    pub fn bind(mut self, bound: Vec<Option<Buf>>) -> Self {
        self.bound = bound;
        self
    }
    /// With this many loop iterations.
    #[must_use]
    pub fn looping(mut self, loops: u64) -> Self {
        self.loops = loops;
        self
    }
    /// With or without the gate.
    #[must_use]
    pub fn gated(mut self, gated: bool) -> Self {
        self.gated = gated;
        self
    }
}

/// Saturates; sizes that do not fit are refused before, where buffers are made.
#[must_use]
pub fn to_u32(v: usize) -> u32 {
    u32::try_from(v).unwrap_or(u32::MAX)
}

impl Places<'_> {
    /// First element of a buffer in the arena.
    ///
    /// # Errors
    /// If it is a buffer of its own.
    pub fn at(&self, buf: Buf) -> Result<u32, PlaceError> {
        let spec = self.program.spec(buf);
        if spec.is_empty() {
            return Ok(0);
        }
        self.at[buf.0 as usize].ok_or_else(|| PlaceError(spec.name.clone()))
    }
    /// The same, [`NONE`] for an absent buffer.
    ///
    /// # Errors
    /// As [`Places::at`].
    pub fn maybe(&self, buf: Option<Buf>) -> Result<u32, PlaceError> {
        buf.map_or(Ok(NONE), |b| self.at(b))
    }
    /// Columns of a buffer.
    #[must_use]
    pub fn cols(&self, buf: Buf) -> u32 {
        to_u32(self.program.spec(buf).cols)
    }
    /// Columns of a buffer, 0 for an absent one.
    #[must_use]
    pub fn cols_or_zero(&self, buf: Option<Buf>) -> u32 {
        buf.map_or(0, |b| self.cols(b))
    }
    /// Number of trajectories.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.program.batch
    }
    /// Workgroups of an elementwise kernel over `cols` columns of `rows` rows.
    #[must_use]
    pub fn elementwise(&self, cols: usize, rows: usize) -> [usize; 3] {
        [cols.div_ceil(ROW_LANES), rows, 1]
    }
    /// Workgroups of a kernel with one workgroup a trajectory.
    #[must_use]
    pub fn by_trajectory(&self) -> [usize; 3] {
        [self.batch(), 1, 1]
    }
    /// Loop iterations of `passes` passes of the lanes over `len` columns with `sums` sums over the workgroup.
    #[must_use]
    pub fn lane_loops(&self, len: usize, passes: u64, sums: u64) -> u64 {
        let lanes = self.profile.lanes();
        passes * (len as u64).div_ceil(u64::from(lanes)) + passes + sums * u64::from(lanes.ilog2() + 1)
    }
}

/// Loop iterations of the Cholesky factorisation and its two solves (`shaders/shared/cholesky.wgsl`).
#[must_use]
pub fn cholesky_loops(size: usize) -> u64 {
    let lanes = u64::from(DENSE_LANES);
    let each: u64 =
        (0..size as u64).map(|rest| rest.div_ceil(lanes) + 1 + (rest * rest).div_ceil(lanes) + 1).sum();
    let solve: u64 = (0..size as u64).map(|rest| 2 * (rest.div_ceil(lanes) + 1)).sum();
    each + solve + 3 * (size as u64 + 1)
}

/// Declares the parameter struct of a kernel and the list of its fields.
macro_rules! params {
    ($($field:ident: $ty:ident),* $(,)?) => {
        /// Parameters of a call, as the shader reads them; buffers by their first element in the arena.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        #[allow(missing_docs)] // The names are those of the shader, whose header says what they are.
        pub struct Params { $(pub $field: $ty),* }

        /// The fields of [`Params`], to be compared with the shader's.
        pub const FIELDS: &[$crate::kernels::host::Field] = &[$(
            $crate::kernels::host::Field {
                name: stringify!($field),
                offset: std::mem::offset_of!(Params, $field),
                ty: stringify!($ty),
            }
        ),*];
    };
}
pub(crate) use params;
