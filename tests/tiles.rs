//! Tiles of matrix products: the cache of choices, measurement on an adapter, `--tiles` and `--no-autotune`, and runs that go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::path::Path;
use std::sync::Arc;

use cli_support::{MiniData, Place, Ran, json, names, parameters};
use lagrange_gpu::bench::Row;
use lagrange_gpu::dynamics::{Features, Model, Settings};
use lagrange_gpu::engine::Work;
use lagrange_gpu::gpu::{self, AdapterInfo, Choice, Device, Profile, TilesBy};
use lagrange_gpu::network::{Activation, InputMode, Network, Population, expand};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::tune::{Cache, CacheError, Entry, Key, Rehearsal, Request, Tuner, VARIABLE, shapes};

fn adapter() -> AdapterInfo {
    AdapterInfo {
        index: 0,
        name: "card".into(),
        kind: "discrete GPU",
        backend: "Vulkan".into(),
        vendor: 1,
        model: 2,
        driver: "driver".into(),
        driver_info: "1.0".into(),
        is_software: false,
        max_binding: 1 << 30,
        max_buffer: 1 << 30,
        workgroup_memory: 16_384,
        invocations: 256,
    }
}

fn rehearsal(sizes: &[usize], batch: usize, settings: Settings, rate: f64) -> Rehearsal {
    let population = |(i, &size): (usize, &usize)| Population {
        name: format!("p{i}"),
        size,
        bias_factor: 1.0,
        bias_clip: None,
    };
    let network = Network {
        populations: sizes.iter().enumerate().map(population).collect(),
        projections: expand(sizes.len(), &vec![1.0; sizes.len() - 1]),
        activation: Activation::Sigmoid,
        input: InputMode::Clamped,
        microcircuit: None,
    };
    let model = Arc::new(Model::new(network, settings, batch, Features::training(true)).unwrap());
    let control = StepControl { rate_w: rate, rate_b: rate, ..StepControl::default() };
    let work = vec![Work::once(PlanId::Present), Work { plan: PlanId::Step, controls: vec![control; 3] }];
    Rehearsal { model, work }
}

fn key(info: &AdapterInfo) -> Key {
    let Rehearsal { model, work } = rehearsal(&[6, 5, 3], 4, Settings::default(), 0.1);
    Key::new(info, &model.program, &work)
}

#[test]
fn a_choice_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::in_folder(folder.path().join("new/folder"));
    let key = key(&adapter());
    assert!(cache.load(&key).unwrap().is_none());
    let entry = Entry::new(key.clone(), Profile::Large, &[(Profile::Small, 0.5), (Profile::Large, 0.25)]);
    cache.store(&entry).unwrap();
    let found = cache.load(&key).unwrap().unwrap();
    assert_eq!(found, entry);
    assert_eq!(found.profile(), Some(Profile::Large));
    // One file, and no part of one.
    assert_eq!(names(&folder.path().join("new/folder")), [format!("{}.json", key.id())]);
}

#[test]
fn a_choice_holds_for_one_adapter_driver_and_shape() {
    let base = key(&adapter());
    let others = [
        key(&AdapterInfo { name: "cord".into(), ..adapter() }),
        key(&AdapterInfo { vendor: 3, ..adapter() }),
        key(&AdapterInfo { model: 3, ..adapter() }),
        key(&AdapterInfo { backend: "Dx12".into(), ..adapter() }),
        key(&AdapterInfo { driver: "other".into(), ..adapter() }),
        key(&AdapterInfo { driver_info: "1.1".into(), ..adapter() }),
        Key { version: "x".into(), ..base.clone() },
        Key { shapes: "x".into(), ..base.clone() },
    ];
    for other in &others {
        assert!(other.id() != base.id(), "{other:?}");
    }
    // The place in the list of adapters is no part of it.
    assert_eq!(key(&AdapterInfo { index: 7, ..adapter() }), base);
}

#[test]
fn shapes_are_sizes_and_batch_and_no_other_numbers() {
    let of = |sizes: &[usize], batch, settings, rate| {
        let Rehearsal { model, work } = rehearsal(sizes, batch, settings, rate);
        shapes(&model.program, &work)
    };
    let base = of(&[60, 50, 30], 40, Settings::default(), 0.1);
    assert_eq!(of(&[60, 50, 30], 40, Settings { tau_ms: 20.0, ..Settings::default() }, 0.7), base);
    for other in [
        of(&[60, 51, 30], 40, Settings::default(), 0.1),
        of(&[60, 50, 30], 41, Settings::default(), 0.1),
        // Whether anything learns decides which calls have something to do.
        of(&[60, 50, 30], 40, Settings::default(), 0.0),
    ] {
        assert_ne!(other, base);
    }
}

#[test]
fn what_is_no_choice_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::in_folder(folder.path());
    let key = key(&adapter());
    let entry = Entry::new(key.clone(), Profile::Small, &[]);
    cache.store(&entry).unwrap();
    let text = std::fs::read_to_string(cache.path(&key)).unwrap();
    let replaced = |from: &str, to: &str| text.replace(from, to);
    for (content, words) in [
        (text[..text.len() / 2].to_owned(), "is no choice of tiles"),
        (String::new(), "is no choice of tiles"),
        ("{}".into(), "missing field"),
        (replaced("\"small\"", "\"huge\""), "there are no tiles 'huge'"),
        (replaced("\"1.0\"", "\"2.0\""), "for another adapter, driver, program or shape"),
        (replaced("tiles 1\"", "tiles 2\""), "its format is"),
        (" ".repeat(1 << 17), "too large"),
    ] {
        std::fs::write(cache.path(&key), content).unwrap();
        let error = cache.load(&key).expect_err(words).to_string();
        assert!(error.contains(words) && error.contains(&key.id()), "{error}");
    }
    // Whatever was there, it is replaced.
    cache.store(&entry).unwrap();
    assert_eq!(cache.load(&key).unwrap(), Some(entry));
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_of_the_cache_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let cache = Cache::in_folder(folder.path().join("file/tiles"));
    let error = cache.store(&Entry::new(key(&adapter()), Profile::Small, &[])).unwrap_err();
    assert!(matches!(error, CacheError::Write { .. }) && error.to_string().contains("file"), "{error}");
}

fn device() -> Device {
    let list = gpu::adapters();
    let at = list.iter().position(|a| a.is_software);
    let at = at.expect("a software adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    gpu::open(&Choice::Index(at)).unwrap()
}

/// Measured once, then remembered by this tuner, and by the next one; a cache that fails costs a warning and nothing else.
#[test]
fn an_adapter_is_measured_once() {
    let (device, folder) = (device(), tempfile::tempdir().unwrap());
    let rehearsal = rehearsal(&[20, 30, 10], 8, Settings::default(), 0.1);
    let key = Key::new(device.info(), &rehearsal.model.program, &rehearsal.work);
    let cache = Cache::in_folder(folder.path().join("tiles"));
    let tuner = Tuner::new(Some(cache.clone()));
    let (first, notes) = tuner.tune(&device, &rehearsal);
    assert_eq!((first.tiles_by(), notes), (TilesBy::Measured, Vec::new()));
    let (again, _) = tuner.tune(&device, &rehearsal);
    assert_eq!((again.tiles_by(), again.profile()), (TilesBy::Measured, first.profile()));
    // The default of its class was timed and chosen, or else something was. A slow machine may not get to all profiles; then nothing is kept.
    if let Some(entry) = cache.load(&key).unwrap() {
        assert_eq!(entry.profile(), Some(first.profile()));
        assert_eq!(entry.seconds.len(), Profile::NAMES.len());
        assert!(entry.seconds.iter().all(|(_, seconds)| *seconds > 0.0));
    }
    // A file is believed, whatever it says.
    cache.store(&Entry::new(key.clone(), Profile::Large, &[])).unwrap();
    let (other, notes) = Tuner::new(Some(cache.clone())).tune(&device, &rehearsal);
    assert_eq!((other.tiles_by(), other.profile(), notes), (TilesBy::Cached, Profile::Large, Vec::new()));
    std::fs::write(cache.path(&key), "{").unwrap();
    let (anew, notes) = Tuner::new(Some(cache)).tune(&device, &rehearsal);
    assert_eq!(anew.tiles_by(), TilesBy::Measured);
    assert!(notes[0].contains("is no choice of tiles") && notes[0].contains("measured again"), "{notes:?}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let (without, notes) =
        Tuner::new(Some(Cache::in_folder(folder.path().join("file/x")))).tune(&device, &rehearsal);
    assert_eq!(without.tiles_by(), TilesBy::Measured);
    // Nothing is written after a measurement that is not complete.
    assert!(notes.iter().all(|note| note.contains("cannot be") && note.contains("file")), "{notes:?}");
}

#[test]
fn what_is_not_measured_needs_no_rehearsal() {
    let (device, tuner) = (device(), Tuner::new(None));
    let never = || -> Result<Rehearsal, &str> { Err("made") };
    for request in [Request::Usual, Request::Class] {
        let (settled, _) = tuner.settle(request, &device, never).unwrap();
        assert_eq!((settled.profile(), settled.tiles_by()), (Profile::Software, TilesBy::Class));
    }
    let (settled, _) = tuner.settle(Request::Fixed(Profile::Large), &device, never).unwrap();
    assert_eq!((settled.profile(), settled.tiles_by()), (Profile::Large, TilesBy::User));
    assert_eq!(tuner.settle(Request::Auto, &device, never).err(), Some("made"));
}

/// The part of the name of the software adapter that a user would give.
fn software() -> String {
    device().name().split([' ', '(']).next().unwrap().to_owned()
}

/// The program with the user's cache in the folder `cache` of its place.
fn run(place: &Place, args: &[&str]) -> Ran {
    let output = place.command(args).env(VARIABLE, place.path("cache")).output();
    Ran::of(&output.unwrap())
}

fn train(place: &Place, runs: &str, tiles: &[&str]) -> Ran {
    let device = software();
    // No solver, so that all that differs between profiles are products and sums.
    let base = [
        "train",
        "--config",
        "mini.toml",
        "--plain",
        "--set",
        "dynamics.integrator=euler",
        "--runs",
        runs,
        "--device",
        &device,
    ];
    run(place, &[&base[..], tiles].concat())
}

fn folder_of(place: &Place, runs: &str) -> std::path::PathBuf {
    let group = place.path(runs).join("mini");
    group.join(&names(&group)[0])
}

fn values(run: &Path) -> Vec<f32> {
    parameters(run).0.iter().flat_map(|a| a.bits.iter().map(|&bits| f32::from_bits(bits))).collect()
}

/// Tiles are what was asked for, stand in header and provenance, and change rounding alone; only `auto` touches the cache.
#[test]
fn training_takes_the_tiles_that_are_asked_for() {
    let place = Place::new();
    MiniData::new().put(&place);
    let mut all = Vec::new();
    for (name, flags, words) in [
        ("usual", &[][..], "software tiles (default of its class)"),
        ("class", &["--no-autotune"], "software tiles (default of its class)"),
        ("small", &["--tiles", "small"], "small tiles (as asked for)"),
        ("large", &["--tiles", "large"], "large tiles (as asked for)"),
    ] {
        let ran = train(&place, name, flags).ends(0);
        assert!(ran.line("device ").ends_with(words), "{}", ran.stderr);
        let run = folder_of(&place, name);
        assert_eq!(json(&run.join("provenance.json"))["tiles"], words);
        all.push(values(&run));
    }
    assert!(!place.path("cache").exists(), "no cache is touched");
    let ran = train(&place, "auto", &["--tiles", "auto"]).ends(0);
    assert!(ran.line("device ").ends_with(" tiles (measured now)"), "{}", ran.stderr);
    all.push(values(&folder_of(&place, "auto")));
    assert_eq!(all[0], all[1], "the same bits");
    for other in &all[2..] {
        // 30 time steps (2 epochs of 3 mini-batches of 5 steps), in each of which products of at most 4 terms below 1 are rounded by at most
        // 4·4·ε = 2e-6, and what is left of earlier rounding decays by the factor 1 − dt/τ.
        let most = all[0].iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most <= 30.0 * 2e-6, "{most:e}");
    }
}

/// A choice of an earlier process is taken, unless the class is asked for; a damaged one is told and replaced.
#[test]
fn choices_are_remembered() {
    let place = Place::new();
    MiniData::new().put(&place);
    train(&place, "first", &["--tiles", "auto"]).ends(0);
    let folder = place.path("cache/tiles");
    // A busy machine may not get to all profiles, and then keeps nothing.
    let Some(file) = folder.exists().then(|| folder.join(&names(&folder)[0])) else { return };
    let mut entry = json(&file);
    assert_eq!(entry["seconds"].as_array().unwrap().len(), 3);
    entry["tiles"] = "large".into();
    std::fs::write(&file, entry.to_string()).unwrap();
    let ran = train(&place, "second", &["--tiles", "auto"]).ends(0);
    assert!(ran.line("device ").ends_with("large tiles (measured earlier)"), "{}", ran.stderr);
    std::fs::write(&file, "no JSON").unwrap();
    let ran = train(&place, "third", &["--no-autotune"]).ends(0);
    assert!(ran.line("device ").ends_with("(default of its class)") && !ran.stderr.contains("warning"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "no JSON");
    let ran = train(&place, "fourth", &["--tiles", "auto"]).ends(0);
    ran.says(&["warning: ", "is no choice of tiles", "measured again", "(measured now)"]);
}

/// A run that goes on has the tiles that it began with, and their bits; others only when they are asked for, with a warning.
#[test]
fn a_run_keeps_its_tiles() {
    let place = Place::new();
    MiniData::new().put(&place);
    let every = ["--tiles", "large", "--set", "run.checkpoint-every-s=0", "--set", "run.keep-checkpoints=99"];
    train(&place, "runs", &every).ends(0);
    let whole = folder_of(&place, "runs");
    let want = parameters(&whole);
    std::fs::remove_file(whole.join("DONE")).unwrap();
    let checkpoint = whole.join("checkpoints/0001-000002.safetensors");
    let kept = std::fs::read(&checkpoint).unwrap();
    let resume = ["train", "--plain", "--resume", checkpoint.to_str().unwrap()];
    for (more, words) in [
        (&[][..], "large tiles (as the run began)"),
        (&["--no-autotune"], "large tiles (as the run began)"),
        (&["--tiles", "auto"], "large tiles (as the run began)"),
        (&["--tiles", "small"], "small tiles (as asked for)"),
    ] {
        let ran = run(&place, &[&resume[..], more].concat()).ends(0);
        assert!(ran.line("device ").ends_with(words), "{more:?}: {}", ran.stderr);
        let differs = ran.stderr.contains("the tiles were 'large' and now 'small'");
        assert_eq!(differs, more.contains(&"small"), "{}", ran.stderr);
        if !differs {
            assert_eq!(parameters(&whole), want, "the same bits");
        }
        std::fs::remove_file(whole.join("DONE")).unwrap();
        std::fs::write(&checkpoint, &kept).unwrap();
    }
    assert!(!place.path("cache").exists(), "nothing is measured for a run that goes on");
}

#[test]
fn bench_has_a_row_for_each_of_the_tiles() {
    let place = Place::new();
    let device = format!("cpu,{}", software());
    let lists = [
        "--networks",
        "6-4-3",
        "--batch",
        "2",
        "--steps",
        "3",
        "--device",
        &device,
        "--tiles",
        "class,large,auto",
    ];
    let quick =
        ["--repetitions", "1", "--least-ms", "0", "--warm-up-ms", "0", "--no-ceilings", "--output", "jsonl"];
    let ran = run(&place, &[&["bench"][..], &lists, &quick].concat()).ends(0);
    let rows: Vec<Row> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tiles: Vec<(&str, &str)> = rows.iter().map(|r| (r.tiles.as_str(), r.profile.as_str())).collect();
    assert_eq!(tiles[..3], [("", ""), ("class", "software"), ("large", "large")]);
    assert_eq!(tiles[3].0, "auto");
    assert!(Profile::named(tiles[3].1).is_some() && tiles.len() == 4, "{tiles:?}");
}

/// Tiles that there are not are refused, and so is what contradicts itself.
#[test]
fn the_processor_has_no_tiles() {
    let place = Place::new();
    MiniData::new().put(&place);
    let base = ["train", "--config", "mini.toml", "--device", "cpu"];
    run(&place, &[&base[..], &["--tiles", "small"]].concat())
        .ends(2)
        .says(&["--tiles small: the processor has no tiles", "--device"]);
    run(&place, &[&base[..], &["--tiles", "small", "--no-autotune"]].concat())
        .ends(2)
        .says(&["--no-autotune"]);
    run(&place, &[&base[..], &["--tiles", "huge"]].concat())
        .ends(2)
        .says(&["huge", "auto, software, small, large"]);
    let ran = run(&place, &[&base[..], &["--tiles", "auto", "--plain"]].concat()).ends(0);
    assert!(!ran.line("device ").contains("tiles"));
}
