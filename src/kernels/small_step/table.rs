//! Populations and projections of a small network as words for the shader, and how often its loops run.

use super::super::host::{Profile, to_u32};
use crate::kernels::Call;
use crate::plan::{Buf, Cols, Small, small::Block};

/// Words of a population and of a projection (`shaders/shared/small_products.wgsl`).
const WORDS: usize = 8;

const FORWARD: u32 = 1;
const BACK: u32 = 2;
const HOLLOW: u32 = 4;
const LEARNS: u32 = 8;
const MOVES: u32 = 16;
const CLIPPED: u32 = 32;

/// A population that is not empty.
#[derive(Clone, Debug, PartialEq)]
struct Population {
    cols: Cols,
    bias_clip: Option<f64>,
    /// Projections into it, in the order of a forward sweep.
    into: Vec<Block>,
    /// Projections out of it.
    out_of: Vec<Block>,
}

/// Populations and projections.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    populations: Vec<Population>,
    neurons: usize,
}

impl Table {
    /// `calls` of a step; `None` if there is no neuron.
    pub fn new<'a>(small: &Small, calls: impl Iterator<Item = &'a Call>, neurons: usize) -> Option<Self> {
        let weights: Vec<Buf> = small.blocks.iter().map(|b| b.w).collect();
        // Runs of populations with the same bound of biases.
        let runs: Vec<(Cols, Option<f64>)> = calls
            .filter_map(|call| match call {
                Call::Update(a) if !weights.contains(&a.p) => Some((a.cols, a.clip)),
                _ => None,
            })
            .collect();
        let ends = |cols: Cols| [cols.start, cols.end()];
        let blocks = || small.blocks.iter().filter(|b| b.pre.len > 0 && b.post.len > 0);
        let mut cuts: Vec<usize> = blocks().flat_map(|b| [ends(b.pre), ends(b.post)].concat()).collect();
        cuts.extend(runs.iter().flat_map(|(cols, _)| ends(*cols)));
        cuts.extend([0, neurons]);
        cuts.sort_unstable();
        cuts.dedup();
        let population = |cut: &[usize]| {
            let cols = Cols { start: cut[0], len: cut[1] - cut[0] };
            let holds = |run: &&(Cols, Option<f64>)| run.0.range().contains(&cols.start);
            Population {
                cols,
                bias_clip: runs.iter().find(holds).and_then(|run| run.1),
                into: blocks().filter(|b| b.post == cols).copied().collect(),
                out_of: blocks().filter(|b| b.pre == cols).copied().collect(),
            }
        };
        let populations: Vec<_> = cuts.windows(2).map(population).collect();
        (!populations.is_empty()).then_some(Self { populations, neurons })
    }

    /// Number of populations.
    pub fn populations(&self) -> usize {
        self.populations.len()
    }

    fn blocks(&self) -> usize {
        self.populations.iter().map(|p| p.into.len()).sum()
    }

    /// First word of the populations of the neurons.
    pub fn owners(&self) -> usize {
        WORDS * (self.populations() + 2 * self.blocks())
    }

    /// All words; `at`: first element of a block among all weights.
    pub fn words(&self, at: impl Fn(Buf) -> u32) -> Vec<u32> {
        let mut words = Vec::new();
        let mut into = WORDS * self.populations();
        let mut out_of = into + WORDS * self.blocks();
        let bound = |clip: Option<f64>| (clip.unwrap_or(0.0) as f32).to_bits();
        for p in &self.populations {
            let lists = [into, p.into.len(), out_of, p.out_of.len()].map(to_u32);
            words.extend([to_u32(p.cols.start), to_u32(p.cols.len)]);
            words.extend(lists);
            words.extend([u32::from(p.bias_clip.is_some()), bound(p.bias_clip)]);
            into += WORDS * p.into.len();
            out_of += WORDS * p.out_of.len();
        }
        let all = |list: fn(&Population) -> &[Block]| self.populations.iter().flat_map(list);
        for b in all(|p| &p.into).chain(all(|p| &p.out_of)) {
            words.push(at(b.w));
            words.extend([b.pre.start, b.pre.len, b.post.start, b.post.len].map(to_u32));
            words.extend([flags(b), (b.factor as f32).to_bits(), bound(b.clip)]);
        }
        for (k, p) in self.populations.iter().enumerate() {
            words.extend(std::iter::repeat_n(to_u32(k), p.cols.len));
        }
        words
    }

    /// Loop iterations of the busiest invocation in a step, each loop counted once more for its end; `learning`: whether weights learn, and
    /// whether they do so in the dynamics.
    pub fn loops(&self, profile: Profile, iterations: u64, observes: bool, learning: Option<bool>) -> u64 {
        let count = Count::new(self, profile);
        let (all, back) = (FORWARD | BACK, BACK);
        let every = || self.populations.iter();
        let sense = 2 * count.own() + count.rows(every(), all) + 2 * count.gather() + count.columns(every());
        let observe = if observes { count.own() + 4 * count.total() } else { 0 };
        let rates = if learning == Some(true) { count.rates() } else { 0 };
        let drive = 2 * count.own() + rates + count.sweep_back() + count.total();
        let begin =
            count.rows(every(), all) + count.gather() + count.sweep_back() + count.own() + count.total();
        let iteration = 1
            + count.sweep_forward()
            + count.rows(every(), back)
            + count.gather()
            + count.sweep_back()
            + 3 * count.own()
            + 2 * count.total();
        let solve = iterations * iteration + 1;
        let learn = if learning.is_some() { count.learn() + count.own() } else { 0 };
        // The step itself, and its voltages.
        1 + sense + observe + drive + begin + solve + count.own() + learn
    }
}

fn flags(b: &Block) -> u32 {
    let on = |yes: bool, flag: u32| if yes { flag } else { 0 };
    let direction = if b.pre.start < b.post.start { FORWARD } else { BACK };
    let moves = b.w_dot.is_some() && b.factor != 0.0;
    direction
        | on(b.hollow, HOLLOW)
        | on(b.factor != 0.0, LEARNS)
        | on(moves, MOVES)
        | on(b.clip.is_some(), CLIPPED)
}

/// Counts the loops of the functions of the shader, by their names there.
struct Count<'a> {
    table: &'a Table,
    lanes: u64,
    parts: u64,
}

impl<'a> Count<'a> {
    fn new(table: &'a Table, profile: Profile) -> Self {
        let (lanes, parts) = profile.whole_step();
        Self { table, lanes: u64::from(lanes), parts: u64::from(parts) }
    }

    /// A pass of the owners over all neurons.
    fn own(&self) -> u64 {
        (self.table.neurons as u64).div_ceil(self.lanes) + 1
    }

    /// The same with `product`.
    fn gather(&self) -> u64 {
        self.gather_of(self.table.neurons)
    }

    fn gather_of(&self, len: usize) -> u64 {
        (len as u64).div_ceil(self.lanes) * (1 + self.parts) + 1
    }

    /// `row_part` or `column_part`.
    fn part(&self, len: usize) -> u64 {
        let (len, each) = (len as u64, 4 * self.parts);
        len / each + 1 + (len % each).div_ceil(self.parts) + 1
    }

    /// Passes over this many rows or columns.
    fn passes(&self, len: usize) -> u64 {
        (len as u64).div_ceil(self.lanes / self.parts)
    }

    fn rows<'p>(&self, populations: impl Iterator<Item = &'p Population>, mask: u32) -> u64 {
        let of = |b: &Block| if flags(b) & mask == 0 { 1 } else { 1 + self.part(b.pre.len) };
        let one = |p: &Population| 2 + self.passes(p.cols.len) * (2 + p.into.iter().map(of).sum::<u64>());
        1 + populations.map(one).sum::<u64>()
    }

    fn columns<'p>(&self, populations: impl Iterator<Item = &'p Population>) -> u64 {
        let of = |b: &Block| 1 + self.part(b.post.len);
        let one = |p: &Population| 2 + self.passes(p.cols.len) * (2 + p.out_of.iter().map(of).sum::<u64>());
        1 + populations.map(one).sum::<u64>()
    }

    fn sweep_forward(&self) -> u64 {
        let one = |p: &Population| 1 + self.rows(std::iter::once(p), FORWARD) + self.gather_of(p.cols.len);
        1 + self.table.populations.iter().skip(1).map(one).sum::<u64>()
    }

    fn sweep_back(&self) -> u64 {
        let one = |p: &Population| 1 + self.columns(std::iter::once(p)) + self.gather_of(p.cols.len);
        1 + self.table.populations.iter().map(one).sum::<u64>()
    }

    /// `total`, `totals`, and the mergers of `observe`.
    fn total(&self) -> u64 {
        let chunk = self.lanes.min(16);
        chunk + 1 + self.lanes / chunk + 1
    }

    /// `along_rates` and `against_rates` of all neurons. Lanes that run together may be of different populations: each
    /// projection takes as long as the longest of its place.
    fn rates(&self) -> u64 {
        let sum = |len: usize| (len as u64) / 4 + 1 + (len as u64) % 4 + 1;
        let most = |lists: Vec<Vec<u64>>| -> u64 {
            let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
            let at = |k: usize| lists.iter().filter_map(|l| l.get(k)).max().copied().unwrap_or(0);
            1 + (0..longest).map(|k| 1 + at(k)).sum::<u64>()
        };
        let populations = || self.table.populations.iter();
        let into = most(populations().map(|p| p.into.iter().map(|b| sum(b.pre.len)).collect()).collect());
        let out = most(populations().map(|p| p.out_of.iter().map(|b| sum(b.post.len)).collect()).collect());
        (self.table.neurons as u64).div_ceil(self.lanes) * (into + out)
    }

    fn learn(&self) -> u64 {
        let column = |b: &Block| {
            let height = b.post.len as u64;
            1 + (height / 4).div_ceil(self.parts) + 1 + (height % 4).div_ceil(self.parts) + 1
        };
        let block = |b: &Block| 2 + self.passes(b.pre.len) * column(b);
        let one = |p: &Population| 2 + p.into.iter().map(block).sum::<u64>();
        1 + self.table.populations.iter().map(one).sum::<u64>()
    }
}
