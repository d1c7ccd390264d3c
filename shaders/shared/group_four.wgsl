// A group of four trajectories: an element of W that is fetched is used four times.
//
// Places beyond the last trajectory repeat it: they compute what it computes, and are never stored.

alias V = vec4<f32>;
alias Words = vec4<u32>;
alias Flags = vec4<bool>;

const GROUP: u32 = 4u;

// Most neurons of a layer: with a partial sum for each of 256 lanes they are below 16 KiB.
const ROOM: u32 = 704u;

// Rows of the trajectories.
fn rows_of(first: u32) -> Words {
    return min(Words(first) + Words(0u, 1u, 2u, 3u), Words(params.batch - 1u));
}

// An element of the rows of the trajectories of a group, in a buffer of the arena.
fn take(at: u32, width: u32, first: u32) -> V {
    let i = Words(at) + rows_of(first) * width;
    return V(state[i.x], state[i.y], state[i.z], state[i.w]);
}

fn put(at: u32, width: u32, first: u32, v: V) {
    let i = at + first * width;
    state[i] = v.x;
    if (first + 1u < params.batch) { state[i + width] = v.y; }
    if (first + 2u < params.batch) { state[i + 2u * width] = v.z; }
    if (first + 3u < params.batch) { state[i + 3u * width] = v.w; }
}

// The same in what all groups share.
fn take_field(at: u32, width: u32, first: u32) -> V {
    let i = Words(at) + rows_of(first) * width;
    return V(fields[i.x], fields[i.y], fields[i.z], fields[i.w]);
}

fn put_field(at: u32, width: u32, first: u32, v: V) {
    let i = at + first * width;
    fields[i] = v.x;
    if (first + 1u < params.batch) { fields[i + width] = v.y; }
    if (first + 2u < params.batch) { fields[i + 2u * width] = v.z; }
    if (first + 3u < params.batch) { fields[i + 3u * width] = v.w; }
}

// The number of one trajectory.
fn one_of(v: V, k: u32) -> f32 { return v[k]; }

fn some(flags: Flags) -> bool { return any(flags); }
