// A group of one trajectory: what a layered step knows of groups, as `group_four.wgsl`.

alias V = f32;
alias Words = u32;
alias Flags = bool;

const GROUP: u32 = 1u;

// Most neurons of a layer: with a partial sum for each of 256 lanes they are below 16 KiB.
const ROOM: u32 = 3072u;

// An element of the rows of the trajectories of a group, in a buffer of the arena.
fn take(at: u32, width: u32, first: u32) -> V { return state[at + first * width]; }

fn put(at: u32, width: u32, first: u32, v: V) { state[at + first * width] = v; }

// The same in what all groups share.
fn take_field(at: u32, width: u32, first: u32) -> V { return fields[at + first * width]; }

fn put_field(at: u32, width: u32, first: u32, v: V) { fields[at + first * width] = v; }

// The number of one trajectory.
fn one_of(v: V, k: u32) -> f32 { return v; }

fn some(flags: Flags) -> bool { return flags; }
