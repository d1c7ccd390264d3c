//! Every reader on thousands of damaged files, made from sound ones with a fixed seed: none may panic, nor take memory
//! that the size of the file does not explain. Longer runs: `tests/fuzz/README.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/targets.rs"]
mod targets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use mutate::Mutator;
use targets::{TARGETS, Target};

/// Damaged files per reader, unless `FUZZ_INPUTS` says another number.
const INPUTS: u64 = 4000;
/// Bytes that a reader may hold at once whatever the file: buffers of fixed size.
const FIXED: usize = 1 << 20;
/// Bytes that it may hold for each byte of a file: a byte may name a channel, which takes some hundred bytes with its name.
const EACH: usize = 256;
/// As `EACH` for formats with compression: deflate makes up to 1032 bytes of one, and a buffer that doubles when it is full holds up to three
/// times what it was given.
const EACH_PACKED: usize = 3 * 1032;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, which also counts what this thread holds.
struct Counting;

fn count(bytes: isize) {
    // At the end of a thread the counters are gone.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: all calls go to the system's allocator as they are; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the rules of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tells which input a panic belongs to.
struct Suspect<'a>(&'a str, u64, &'a [u8]);

impl Drop for Suspect<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self.2.iter().map(|b| format!("{b:02x}")).collect();
            eprintln!("target {}, input {} of {} bytes: {hex}", self.0, self.1, self.2.len());
        }
    }
}

/// The files of a target's corpus by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Runs a target on one input; the most that it held.
fn run((name, run): Target, number: u64, input: &[u8]) -> (bool, usize) {
    let suspect = Suspect(name, number, input);
    let before = HELD.get();
    MOST.set(before);
    let sound = run(input);
    let most = usize::try_from(MOST.get() - before).unwrap_or_default();
    let packed = ["npz", "matlab", "hdf5", "idx"].contains(&name);
    let bound = FIXED + if packed { EACH_PACKED } else { EACH } * input.len();
    assert!(most <= bound, "{name}: held {most} bytes for an input of {}; the bound is {bound}", input.len());
    drop(suspect);
    (sound, most)
}

#[test]
fn no_input_makes_a_reader_panic_or_take_much_memory() {
    let total = std::env::var("FUZZ_INPUTS").map_or(INPUTS, |n| n.parse().expect("a number of inputs"));
    for &target in TARGETS {
        let files = corpus(target.0);
        for (name, bytes) in &files {
            assert_eq!(run(target, 0, bytes).0, !name.starts_with("bad-"), "{}: {name}", target.0);
        }
        for cut in [&b""[..], b"\0", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\xef\xbb\xbf"] {
            run(target, 0, cut);
        }
        let inputs: Vec<&[u8]> = files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let mut mutator = Mutator::new(0x5eed);
        let (mut sound, mut highest) = (0, 0);
        for number in 1..=total {
            let input = mutator.next(&inputs);
            let (is_sound, held) = run(target, number, &input);
            sound += u64::from(is_sound);
            highest = highest.max(held);
        }
        println!("{}: {sound} of {total} were sound, {highest} bytes held at most", target.0);
        // Neither only noise nor only what changes nothing.
        assert!(sound > 0 && sound < total, "{}: {sound} of {total} were sound", target.0);
    }
}

/// The first bytes of every sound file: no length of a header may be taken for granted.
#[test]
fn every_length_of_a_small_file() {
    for &target in TARGETS {
        for (_, bytes) in corpus(target.0).iter().filter(|(_, bytes)| bytes.len() < 3000) {
            for end in 0..bytes.len() {
                run(target, end as u64, &bytes[..end]);
            }
        }
    }
}
