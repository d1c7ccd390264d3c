//! The layers of a network that steps as a whole, as words for the shaders, where what they compute lies, and how often their loops run.

use crate::kernels::host::{Profile, to_u32};
use crate::plan::{Buf, Layered};

/// Words of a layer (`shaders/shared/layered_table.wgsl`).
const WORDS: usize = 16;

/// Matrices of each W: two W and Ẇ, each also transposed.
const MATRICES: usize = 6;

/// Elements to which matrices are aligned.
const ALIGN: usize = 64;

/// Most lanes that share a sum.
const MOST_PARTS: usize = 16;

/// Numbers of each neuron and trajectory that a step keeps for itself (`FIELDS` of `shaders/shared/layered_products.wgsl`).
const FIELDS: usize = 6;

/// Lanes that are added up one by one (`FEW`).
const FEW: u64 = 16;

/// A layer.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    start: usize,
    len: usize,
    /// First element of its matrices, and elements of each.
    matrices: usize,
    size: usize,
    parts: usize,
    factor: f64,
    clip: Option<f64>,
    bias_clip: Option<f64>,
    w: Buf,
}

/// The layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    layers: Vec<Entry>,
    batch: usize,
    lanes: usize,
    matrices: usize,
}

/// First element of each array that the workgroups share, and their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// r̄, `[batch, free neurons]`.
    pub r: usize,
    /// δ, likewise.
    pub delta: usize,
    /// Ẇ r_old, `[batch, neurons of the first layer]`.
    pub old_rate: usize,
    /// Ẇ r_new, likewise.
    pub new_rate: usize,
    /// ḃ of the free neurons.
    pub b_dot: usize,
    /// Length of all.
    pub len: usize,
}

impl Table {
    /// For so many trajectories, with the workgroups of a profile.
    pub fn new(plan: &Layered, batch: usize, profile: Profile) -> Self {
        let lanes = profile.whole_step().0 as usize;
        let mut matrices = 0;
        let mut pre = 0;
        let layer = |layer: &crate::plan::layered::Layer| {
            let (at, len) = (matrices, layer.cols.len);
            let size = (pre * len).next_multiple_of(ALIGN);
            matrices += if pre == 0 { 0 } else { MATRICES * size };
            pre = len;
            let fits = |parts: &usize| parts * len <= lanes;
            let parts = [MOST_PARTS, 8, 4, 2].into_iter().find(fits).unwrap_or(1);
            let (factor, clip, bias_clip) = (layer.factor, layer.clip, layer.bias_clip);
            Entry {
                start: layer.cols.start,
                len,
                matrices: at,
                size,
                parts,
                factor,
                clip,
                bias_clip,
                w: layer.w,
            }
        };
        let layers = plan.layers.iter().map(layer).collect();
        Self { layers, batch, lanes, matrices }
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Neurons of all layers.
    pub fn free(&self) -> usize {
        self.layers.iter().map(|l| l.len).sum()
    }

    /// Neurons of the largest layer.
    pub fn widest(&self) -> usize {
        self.layers.iter().map(|l| l.len).max().unwrap_or(0)
    }

    /// Elements of the two W and of Ẇ of all layers but the first.
    pub fn matrices(&self) -> usize {
        self.matrices.max(1)
    }

    /// Elements of what each workgroup keeps for itself, for groups of this size.
    pub fn scratch(&self, group: usize) -> usize {
        self.batch.next_multiple_of(group) * FIELDS * self.free()
    }

    /// What workgroups share.
    pub fn fields(&self) -> Fields {
        let (all, first) = (self.batch * self.free(), self.batch * self.layers[0].len);
        let (old_rate, new_rate) = (2 * all, 2 * all + first);
        let b_dot = new_rate + first;
        Fields { r: 0, delta: all, old_rate, new_rate, b_dot, len: b_dot + self.free() }
    }

    /// Lanes that a sum over the outputs takes: a power of two.
    pub fn out_lanes(&self) -> usize {
        self.layers.last().map_or(1, |l| l.len.next_power_of_two().min(self.lanes))
    }

    /// Words of the layers.
    pub fn words_of_layers(&self) -> usize {
        WORDS * self.layers.len()
    }

    /// All words: the layers, and the workgroups of the jobs of `layered_learn` and `layered_carry`; `at`: first element of W among all weights.
    pub fn words(&self, at: impl Fn(Buf) -> u32, [learn, carry]: [&[usize]; 2]) -> Vec<u32> {
        let real = |v: f64| (v as f32).to_bits();
        let mut words = Vec::with_capacity(WORDS * self.layers.len() + learn.len() + carry.len());
        let mut first = 0;
        for (k, l) in self.layers.iter().enumerate() {
            words.extend([l.start, first, l.len, l.matrices, l.size, l.parts].map(to_u32));
            words.extend([real(l.factor), u32::from(l.clip.is_some()), real(l.clip.unwrap_or(0.0))]);
            words.extend([u32::from(l.bias_clip.is_some()), real(l.bias_clip.unwrap_or(0.0))]);
            words.push(if k == 0 { 0 } else { at(l.w) });
            words.resize((k + 1) * WORDS, 0);
            first += l.len;
        }
        words.extend(learn.iter().chain(carry).map(|&groups| to_u32(groups)));
        words
    }

    /// Sizes of the projections between layers, `[post, pre]`.
    pub fn blocks(&self) -> impl Iterator<Item = [usize; 2]> + '_ {
        self.layers.windows(2).map(|pair| [pair[1].len, pair[0].len])
    }

    /// Neurons of the first layer.
    pub fn first(&self) -> usize {
        self.layers[0].len
    }

    /// Loop iterations of the busiest invocation of a step with this many solver iterations, each loop counted once more for its end.
    pub fn loops(&self, group: usize, iterations: usize) -> u64 {
        let lens = || self.layers.iter().map(|l| l.len);
        let own: u64 = 1 + lens().map(|len| 1 + self.own(len)).sum::<u64>();
        let out = self.own(self.layers.last().map_or(0, |l| l.len));
        let inside = group as u64 + 1;
        let forward: u64 = self.layers.windows(2).map(|p| self.product(&p[1], p[0].len)).sum();
        let back: u64 = self.layers.windows(2).map(|p| self.product(&p[0], p[1].len)).sum();
        let staged: u64 = 1 + lens().map(|len| 1 + self.own(len)).sum::<u64>();
        let sweeps = forward + back + 2 * staged;
        let total = u64::from(self.out_lanes().ilog2()) + 1 + FEW + 1;
        let iteration = 1 + 4 * out + sweeps + 2 * total + own;
        let sense = forward + own;
        // Targets, both sweeps with W and Ẇ, right-hand side, start of the iterations, books, voltages.
        let solve = out * inside + 2 * sweeps + own + out + total + 2 + own * (1 + inside);
        sense + solve + iterations as u64 * iteration + 1
    }

    /// A pass of the owners over some neurons.
    fn own(&self, len: usize) -> u64 {
        len.div_ceil(self.lanes) as u64 + 1
    }

    /// `product`, onto a layer.
    fn product(&self, to: &Entry, depth: usize) -> u64 {
        let mut base = 0;
        let mut loops = 2;
        while base + 2 * self.lanes < to.len {
            loops += 1 + depth as u64 + 1;
            base += 4 * self.lanes;
        }
        let each = depth.div_ceil(to.parts);
        let column = (each / 4 + 1 + each % 4 + 1) as u64;
        let left = to.len.saturating_sub(base).div_ceil(self.lanes / to.parts) as u64;
        loops + left * (1 + column) + to.parts as u64
    }
}
