//! The source of every shader: shared parts and the kernel's own file, one after the other.

use crate::kernels::host::{DENSE_LANES, Profile};
use crate::kernels::layered_learn;

/// A shared part.
#[derive(Clone, Copy)]
struct Parts {
    activation: bool,
    reduce: bool,
    solver: bool,
    status: bool,
    cholesky: bool,
    tile: bool,
    small: bool,
    layered: Layered,
}

/// What whole steps of layered networks share.
#[derive(Clone, Copy, PartialEq)]
enum Layered {
    No,
    /// The table of the layers.
    Table,
    /// And products of groups of trajectories.
    Products,
}

const NO_PARTS: Parts = Parts {
    activation: false,
    reduce: false,
    solver: false,
    status: false,
    cholesky: false,
    tile: false,
    small: false,
    layered: Layered::No,
};

const COMMON: &str = include_str!("../../shaders/shared/common.wgsl");
const ACTIVATION: &str = include_str!("../../shaders/shared/activation.wgsl");
const REDUCE: &str = include_str!("../../shaders/shared/reduce.wgsl");
const SOLVER: &str = include_str!("../../shaders/shared/solver.wgsl");
const STATUS: &str = include_str!("../../shaders/shared/status.wgsl");
const CHOLESKY: &str = include_str!("../../shaders/shared/cholesky.wgsl");
const SMALL: &str = concat!(
    include_str!("../../shaders/shared/small_products.wgsl"),
    "\n",
    include_str!("../../shaders/shared/small_stimulus.wgsl"),
    "\n",
    include_str!("../../shaders/shared/small_learn.wgsl")
);
const TABLE: &str = include_str!("../../shaders/shared/layered_table.wgsl");
const PRODUCTS: &str = include_str!("../../shaders/shared/layered_products.wgsl");
const GROUP_ONE: &str = include_str!("../../shaders/shared/group_one.wgsl");
const GROUP_FOUR: &str = include_str!("../../shaders/shared/group_four.wgsl");
const TILE_SOFTWARE: &str = include_str!("../../shaders/shared/tile_software.wgsl");
const TILE_SMALL: &str = include_str!("../../shaders/shared/tile_small.wgsl");
const TILE_LARGE: &str = include_str!("../../shaders/shared/tile_large.wgsl");

macro_rules! kernels {
    ($($name:ident $parts:expr),* $(,)?) => {
        /// The kernel's own file and the parts it needs.
        fn kernel(name: &str) -> Option<(&'static str, Parts)> {
            match name {
                $(stringify!($name) => {
                    Some((include_str!(concat!("../../shaders/", stringify!($name), ".wgsl")), $parts))
                })*
                _ => None,
            }
        }
    };
}

kernels! {
    decode NO_PARTS,
    renew NO_PARTS,
    stimulus Parts { status: true, ..NO_PARTS },
    slice Parts { status: true, ..NO_PARTS },
    rates Parts { activation: true, ..NO_PARTS },
    forward Parts { tile: true, ..NO_PARTS },
    backward Parts { tile: true, ..NO_PARTS },
    mismatch NO_PARTS,
    weight_rate Parts { tile: true, ..NO_PARTS },
    bias_rate NO_PARTS,
    drive NO_PARTS,
    assemble Parts { reduce: true, solver: true, ..NO_PARTS },
    bend NO_PARTS,
    curvature NO_PARTS,
    cg_start Parts { reduce: true, solver: true, ..NO_PARTS },
    cg_step Parts { reduce: true, solver: true, ..NO_PARTS },
    cg_finish Parts { solver: true, ..NO_PARTS },
    unit NO_PARTS,
    woodbury Parts { reduce: true, cholesky: true, ..NO_PARTS },
    jacobian NO_PARTS,
    dense_solve Parts { reduce: true, solver: true, cholesky: true, ..NO_PARTS },
    guess NO_PARTS,
    relax NO_PARTS,
    combine NO_PARTS,
    integrate Parts { status: true, ..NO_PARTS },
    update NO_PARTS,
    observe Parts { reduce: true, ..NO_PARTS },
    copy NO_PARTS,
    blend NO_PARTS,
    pin NO_PARTS,
    gradient NO_PARTS,
    hold NO_PARTS,
    newton_book Parts { solver: true, ..NO_PARTS },
    newton_check Parts { reduce: true, solver: true, ..NO_PARTS },
    newton_move Parts { reduce: true, solver: true, ..NO_PARTS },
    gram Parts { tile: true, ..NO_PARTS },
    learn Parts { tile: true, ..NO_PARTS },
    overlap Parts { reduce: true, ..NO_PARTS },
    rate_product NO_PARTS,
    resident_apply Parts { tile: true, ..NO_PARTS },
    resident_drive NO_PARTS,
    resident_learn NO_PARTS,
    apical_error NO_PARTS,
    bicg_start Parts { reduce: true, solver: true, ..NO_PARTS },
    bicg_step Parts { reduce: true, solver: true, ..NO_PARTS },
    couple NO_PARTS,
    image NO_PARTS,
    interneuron NO_PARTS,
    interneuron_drive NO_PARTS,
    small_step Parts { activation: true, solver: true, status: true, small: true, ..NO_PARTS },
    layered_step Parts { solver: true, status: true, layered: Layered::Products, ..NO_PARTS },
    layered_learn Parts { layered: Layered::Table, ..NO_PARTS },
    layered_carry Parts { layered: Layered::Table, ..NO_PARTS },
}

/// What a pipeline is compiled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Name of the kernel.
    pub kernel: &'static str,
    /// Tiles of the products, lanes of the sums.
    pub profile: Profile,
    /// Products with ρ'.
    pub gated: bool,
    /// Whole steps leave the loop of the solver where it has converged.
    pub early: bool,
    /// Whole steps of layered networks take four trajectories in a workgroup, in place of one.
    pub wide: bool,
}

impl Variant {
    /// The WGSL source; empty for a name that is no kernel.
    #[must_use]
    pub fn source(&self) -> String {
        let Some((own, parts)) = kernel(self.kernel) else { return String::new() };
        let tile = match self.profile {
            Profile::Software => TILE_SOFTWARE,
            Profile::Small => TILE_SMALL,
            Profile::Large => TILE_LARGE,
        };
        let wanted = [
            (true, COMMON),
            (parts.activation, ACTIVATION),
            (parts.reduce, REDUCE),
            (parts.solver, SOLVER),
            (parts.status, STATUS),
            (parts.cholesky, CHOLESKY),
            (parts.small, SMALL),
            (parts.layered != Layered::No, TABLE),
            (parts.layered == Layered::Products, if self.wide { GROUP_FOUR } else { GROUP_ONE }),
            (parts.layered == Layered::Products, PRODUCTS),
            (true, own),
            (parts.tile, tile),
        ];
        wanted.iter().filter(|(yes, _)| *yes).map(|(_, text)| *text).collect::<Vec<_>>().join("\n")
    }

    /// Values of the shader's `override` constants.
    #[must_use]
    pub fn constants(&self) -> Vec<(&'static str, f64)> {
        let Some((_, parts)) = kernel(self.kernel) else { return Vec::new() };
        let mut constants = Vec::new();
        if parts.reduce {
            let lanes =
                if parts.cholesky || self.kernel == "woodbury" { DENSE_LANES } else { self.profile.lanes() };
            constants.push(("LANES", f64::from(lanes)));
        }
        if parts.small {
            let (lanes, sharing) = self.profile.whole_step();
            constants.extend([("LANES", f64::from(lanes)), ("PARTS", f64::from(sharing))]);
            constants.push(("EARLY", f64::from(u8::from(self.early))));
        }
        match parts.layered {
            Layered::Table if self.kernel == "layered_learn" => {
                let [wide, lanes] = layered_learn::lanes(self.profile).map(f64::from);
                constants.extend([("WIDE", wide), ("LANES", lanes)]);
            }
            Layered::Products => {
                constants.push(("LANES", f64::from(self.profile.whole_step().0)));
                constants.push(("EARLY", f64::from(u8::from(self.early))));
            }
            Layered::No | Layered::Table => {}
        }
        if matches!(self.kernel, "forward" | "backward") {
            constants.push(("GATED", if self.gated { 1.0 } else { 0.0 }));
        }
        constants
    }

    /// The same variant with everything that does not matter to this kernel at its first value, so that equal pipelines are
    /// compiled once.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        if let Some((_, parts)) = kernel(self.kernel) {
            let whole = parts.small || (parts.layered != Layered::No && self.kernel != "layered_carry");
            if !parts.tile && !whole && (!parts.reduce || parts.cholesky) {
                self.profile = Profile::Software;
            }
            self.gated &= matches!(self.kernel, "forward" | "backward");
            self.early &= parts.small || parts.layered == Layered::Products;
            self.wide &= parts.layered == Layered::Products;
        }
        self
    }
}

/// Every variant that an executor can compile.
#[must_use]
pub fn variants() -> Vec<Variant> {
    let mut all = Vec::new();
    for &kernel in crate::kernels::NAMES {
        for (_, profile) in Profile::NAMES {
            for bits in 0..8 {
                let [gated, early, wide] = [1, 2, 4].map(|bit| bits & bit != 0);
                let variant = Variant { kernel, profile, gated, early, wide }.canonical();
                if !all.contains(&variant) {
                    all.push(variant);
                }
            }
        }
    }
    all
}
