// Columns of the solver buffer, `kernels::solver`.

const RESIDUAL2: u32 = 0u;
const THRESHOLD2: u32 = 1u;
const ITERATIONS: u32 = 2u;
const TOTAL: u32 = 3u;
const MOST: u32 = 4u;
const INDEFINITE: u32 = 5u;
const UNCONVERGED: u32 = 6u;
const RESIDUAL: u32 = 7u;
const BENT: u32 = 8u;
const SOLVER_LEN: u32 = 9u;

// Columns of the newton buffer, `kernels::newton`; rows as long as those of the solver.
const NEWTON_RESIDUAL: u32 = 0u;
const NEWTON_TOLERANCE: u32 = 1u;
const NEWTON_EVALUATIONS: u32 = 2u;
const NEWTON_SCALE: u32 = 3u;
const NEWTON_STEPS: u32 = 4u;
const NEWTON_ACCEPTED: u32 = 5u;

// Stands for an infinite residual or tolerance.
const INFINITE: f32 = 3.0e38;
