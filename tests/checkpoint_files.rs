//! Files of checkpoints: damaged and foreign ones are refused by name, the one before is used, old ones go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod resume_support;

use std::fs;
use std::path::{Path, PathBuf};

use lagrange_gpu::checkpoint::{Best, Checkpoint, CheckpointError, Folder, Identity, load, save_parameters};
use lagrange_gpu::dynamics::Resident;
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::sinks::RunDir;
use lagrange_gpu::train::State;
use resume_support::{Kind, Plan, data, network, run};
use safetensors::{Dtype, SafeTensors};

fn identity() -> Identity {
    let text = |s: &str| s.to_owned();
    Identity {
        network: text("12-10-3"),
        precision: text("f32"),
        device_kind: text("cpu"),
        seed: text("5"),
        config: text("c"),
        data: text("d"),
        device: text("CPU"),
        tiles: text(""),
        version: text("v"),
    }
}

fn kind() -> Kind {
    Kind::exact(Resident::Always)
}

/// All states of a run of three epochs by four mini-batches, one after each and one after each epoch.
fn states() -> Vec<State> {
    let plan = Plan { keep_always: true, ..Plan::default() };
    let (_, kept) = run(&kind(), &data(), &Device::Cpu(Precision::F32), plan);
    kept.into_iter().map(|(_, state)| state).collect()
}

fn checkpoint(state: &State) -> Checkpoint {
    Checkpoint { identity: identity(), state: state.clone(), best: None }
}

fn write(folder: &Folder, state: &State) -> PathBuf {
    folder.write(&checkpoint(state), &network(&kind()), 9, false).unwrap()
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_last_few_and_the_best_are_kept() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::of(place.path());
    let network = network(&kind());
    for (i, state) in states().iter().enumerate() {
        // The fifth state is that after the first epoch.
        let best = (i >= 4).then_some(Best { epoch: 1, accuracy: 0.1 + 0.2 });
        let checkpoint = Checkpoint { best, ..checkpoint(state) };
        folder.write(&checkpoint, &network, 3, i == 4).unwrap();
    }
    let last = ["0003-000003.safetensors", "0003-000004.safetensors", "0004-000000.safetensors"];
    assert_eq!(names(&folder), [&last[..], &["best.safetensors"]].concat());
    let best = load(&folder.path().join("best.safetensors"), &identity(), &network).unwrap();
    assert_eq!((best.state.epoch, best.state.presented, best.state.done), (2, 0, 0));
    let newest = folder.newest(&identity(), &network).unwrap().expect("a checkpoint");
    assert_eq!(newest.path.file_name().unwrap(), last[2]);
    assert_eq!(newest.checkpoint.best, Some(Best { epoch: 1, accuracy: 0.1 + 0.2 }));
}

#[test]
fn tensors_have_their_documented_names_and_types() {
    let place = tempfile::tempdir().unwrap();
    let states = states();
    let path = write(&Folder::of(place.path()), &states[6]);
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (name, shape) in [
        ("W:in->hidden", &[10, 12][..]),
        ("W:hidden->out", &[3, 10]),
        ("b:hidden", &[10]),
        ("b:out", &[3]),
        ("state/b", &[1, 25]),
        ("state/u", &[5, 25]),
        ("state/u_dot", &[5, 25]),
        ("state/x_new", &[5, 12]),
        ("state/x_old", &[5, 12]),
        ("state/u*_new", &[5, 3]),
        ("state/active", &[5, 1]),
    ] {
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F32, shape), "{name}");
    }
    // The parameters alone are the same numbers under the same names.
    let base = tempfile::tempdir().unwrap();
    let run = RunDir::create(base.path(), "x", 1, std::time::SystemTime::now()).unwrap();
    let network = network(&kind());
    // The tenth state is that after the second epoch, whose parameters it has.
    save_parameters(&run, &network, &states[9].parameters, 2, true).unwrap();
    let path = write(&Folder::of(run.path()), &states[9]);
    let (checkpoint, alone) =
        (fs::read(path).unwrap(), fs::read(run.path().join("parameters.safetensors")).unwrap());
    let checkpoint = SafeTensors::deserialize(&checkpoint).unwrap();
    let alone = SafeTensors::deserialize(&alone).unwrap();
    assert_eq!(alone.len(), 4);
    for (name, tensor) in alone.iter() {
        let same = checkpoint.tensor(name).unwrap();
        assert_eq!((same.shape(), same.data()), (tensor.shape(), tensor.data()), "{name}");
    }
}

/// Equal content makes equal files, byte for byte.
#[test]
fn files_are_the_same_bytes_every_time() {
    let place = tempfile::tempdir().unwrap();
    let state = &states()[2];
    let path = write(&Folder::of(place.path()), state);
    let first = fs::read(&path).unwrap();
    for _ in 0..5 {
        write(&Folder::of(place.path()), state);
        assert!(fs::read(&path).unwrap() == first);
    }
}

fn refused(path: &Path) -> CheckpointError {
    let error = load(path, &identity(), &network(&kind())).expect_err("refused");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error
}

#[test]
fn no_changed_bit_and_no_missing_byte_goes_unnoticed() {
    let place = tempfile::tempdir().unwrap();
    let path = write(&Folder::of(place.path()), &states()[6]);
    let sound = fs::read(&path).unwrap();
    for keep in (0..sound.len()).step_by(997).chain([sound.len() - 1]) {
        fs::write(&path, &sound[..keep]).unwrap();
        assert!(matches!(refused(&path), CheckpointError::Damaged { .. }), "{keep} bytes");
    }
    fs::write(&path, [&sound[..], &[0]].concat()).unwrap();
    refused(&path);
    for at in (0..sound.len()).step_by(7) {
        let mut changed = sound.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&path, &changed).unwrap();
        refused(&path);
    }
    fs::write(&path, &sound).unwrap();
    assert!(load(&path, &identity(), &network(&kind())).is_ok());
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_what_differs() {
    let place = tempfile::tempdir().unwrap();
    let path = write(&Folder::of(place.path()), &states()[6]);
    type Change = fn(&mut Identity);
    let changes: [(&str, Change); 6] = [
        ("network", |i| i.network = "7-7".into()),
        ("precision", |i| i.precision = "f64".into()),
        ("kind of device", |i| i.device_kind = "gpu".into()),
        ("seed", |i| i.seed = "6".into()),
        ("configuration", |i| i.config = "other".into()),
        ("data set", |i| i.data = "other".into()),
    ];
    for (what, change) in changes {
        let mut want = identity();
        change(&mut want);
        let error = load(&path, &want, &network(&kind())).expect_err(what);
        assert!(matches!(error, CheckpointError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    // Another device of the same kind and another version are for a warning.
    let other = Identity { device: "x".into(), version: "y".into(), ..identity() };
    assert!(load(&path, &other, &network(&kind())).is_ok());
}

#[test]
fn files_of_another_kind_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let run = RunDir::create(base.path(), "x", 1, std::time::SystemTime::now()).unwrap();
    let state = &states()[4];
    save_parameters(&run, &network(&kind()), &state.parameters, 1, true).unwrap();
    let error = refused(&run.path().join("parameters.safetensors"));
    assert!(matches!(error, CheckpointError::Format { .. }), "{error}");
    assert!(matches!(refused(&run.path().join("none")), CheckpointError::Read { .. }));
    let text = run.path().join("text");
    fs::write(&text, "not a checkpoint at all").unwrap();
    assert!(matches!(refused(&text), CheckpointError::Damaged { .. }));
}

#[test]
fn the_one_before_a_damaged_one_is_used() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::of(place.path());
    let network = network(&kind());
    assert!(folder.newest(&identity(), &network).unwrap().is_none(), "no folder yet");
    let states = states();
    let paths: Vec<PathBuf> = states[..4].iter().map(|s| write(&folder, s)).collect();
    fs::write(&paths[3], "").unwrap();
    let half = fs::read(&paths[2]).unwrap();
    fs::write(&paths[2], &half[..half.len() / 2]).unwrap();
    let found = folder.newest(&identity(), &network).unwrap().expect("a checkpoint");
    assert_eq!((&found.path, found.checkpoint.state.presented), (&paths[1], 2));
    let refused_paths: Vec<&Path> = found.refused.iter().map(CheckpointError::path).collect();
    assert_eq!(refused_paths, [&paths[3], &paths[2]]);
    // Going on from there: the run comes by the later places again, and what was refused stays to be looked at.
    folder.go_back_to(&found);
    let left = ["0001-000001.safetensors", "0001-000002.safetensors"];
    let kept = ["0001-000003.safetensors.refused", "0001-000004.safetensors.refused"];
    assert_eq!(names(&folder), [left, kept].concat());
    for path in &paths[..2] {
        fs::write(path, "x").unwrap();
    }
    assert_eq!(folder.newest(&identity(), &network).expect_err("none is sound").len(), 2);
}

#[test]
fn a_save_that_fails_leaves_what_was_there() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::of(place.path());
    let states = states();
    let first = write(&folder, &states[0]);
    // A folder where the part of the file would go: no right of any user helps there.
    fs::create_dir(folder.path().join("0001-000002.safetensors.part")).unwrap();
    let error = folder.write(&checkpoint(&states[1]), &network(&kind()), 1, false).expect_err("in the way");
    assert!(error.to_string().contains("0001-000002.safetensors"), "{error}");
    assert!(load(&first, &identity(), &network(&kind())).is_ok());

    let blocked = tempfile::tempdir().unwrap();
    fs::write(blocked.path().join("checkpoints"), "a file").unwrap();
    let error = Folder::of(blocked.path())
        .write(&checkpoint(&states[1]), &network(&kind()), 1, false)
        .expect_err("a file");
    assert!(error.to_string().contains("in the way"), "{error}");
}

#[test]
fn one_process_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::of(place.path());
    let lock = folder.lock().unwrap();
    assert!(lock.is_some());
    let error = folder.lock().expect_err("taken");
    let CheckpointError::Write { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::WouldBlock);
    drop(lock);
    assert!(folder.lock().unwrap().is_some());
}
