// The status words, [3, batch]: for each trajectory the first bad step and neuron, as step * 2N + neuron.
//
// The minimum of integers does not depend on the order of its operands, so that atomics keep the result fixed.

@group(0) @binding(3) var<storage, read_write> status: array<atomic<u32>>;

const STATE: u32 = 0u;
const LIMIT: u32 = 1u;
const INPUT: u32 = 2u;
// What is written where the code would not fit; one above it is "nothing to report".
const LAST: u32 = 0xfffffffeu;

fn note(row: u32, batch: u32, trajectory: u32, neuron: u32, neurons: u32) {
    note_at(control.index, row, batch, trajectory, neuron, neurons);
}

fn note_at(step: u32, row: u32, batch: u32, trajectory: u32, neuron: u32, neurons: u32) {
    var code = LAST;
    let span = 2u * neurons;
    if (step <= (LAST - neuron) / span) {
        code = step * span + neuron;
    }
    atomicMin(&status[row * batch + trajectory], code);
}
