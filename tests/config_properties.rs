//! Random resolved experiments are read as they were written; nothing that is read panics.

#![allow(clippy::expect_used, clippy::panic)]

use lagrange_gpu::config::{
    BackpropConfig, DataConfig, DataSource, DeviceChoice, Experiment, Overrides, RunConfig, SimulationConfig,
    Source, TrainingConfig,
};
use lagrange_gpu::data::arrays::{
    AnswerKind, ArrayFiles, ArraysConfig, InputScale, PicturesConfig, TestPart,
};
use lagrange_gpu::data::series::{Channels, Files, Presentation, Reference, Scale, SeriesConfig};
use lagrange_gpu::data::{Encoding, PublishedSet};
use lagrange_gpu::dynamics::{
    Bias, Dynamics, InputMismatch, Integrator, LearningProducts, OnIndefinite, PlasticityInDynamics,
    Resident, Settings, Solver,
};
use lagrange_gpu::engine::Precision;
use lagrange_gpu::network::{
    Activation, Architecture, Init, InitKind, InputMode, InterneuronDynamics, InterneuronInput, Interneurons,
    Microcircuit, MicrocircuitInit, Network, Pathway, Population, Projection,
};
use lagrange_gpu::probe::{Probe, Quantity, Selection};
use lagrange_gpu::schedule::{RateStep, Schedule};
use lagrange_gpu::train::{CompletionConfig, FreeChannels, Gates, Ramp, Rule};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

fn pick<T: Copy + std::fmt::Debug + 'static>(
    names: &[(&'static str, T)],
) -> impl Strategy<Value = T> + use<T> {
    select(names.iter().map(|(_, v)| *v).collect::<Vec<T>>())
}

/// Any magnitude that single precision holds.
fn positive() -> impl Strategy<Value = f64> {
    (1.0..2.0_f64, -120..120_i32).prop_map(|(mantissa, exponent)| mantissa * f64::from(exponent).exp2())
}

fn not_negative() -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(0.0), 4 => positive()]
}

fn any_number() -> impl Strategy<Value = f64> {
    (not_negative(), any::<bool>()).prop_map(|(v, minus)| if minus { -v } else { v })
}

fn init() -> impl Strategy<Value = Init> {
    let normal = (any_number(), not_negative()).prop_map(|(mean, std)| InitKind::Normal { mean, std });
    let other = select(vec![InitKind::Zeros, InitKind::Lecun, InitKind::Xavier, InitKind::He]);
    (prop_oneof![normal, other], option::of(positive())).prop_map(|(kind, clip)| Init { kind, clip })
}

fn activation() -> impl Strategy<Value = Activation> {
    let depression = (not_negative(), positive()).prop_map(|(a, d)| Activation::Depression { a, d });
    prop_oneof![3 => pick(&Activation::NAMES), 1 => depression]
}

fn network() -> impl Strategy<Value = Network> {
    (2..6_usize)
        .prop_flat_map(|count| {
            let pairs: Vec<(usize, usize)> =
                (0..count).flat_map(|post| (0..count).map(move |pre| (pre, post))).collect();
            let all = pairs.len();
            let named = (pick(&Architecture::NAMES), any::<bool>()).prop_map(move |(a, only)| {
                a.projections(count, only).iter().map(|p| (p.pre, p.post)).collect::<Vec<_>>()
            });
            let ends = prop_oneof![named, subsequence(pairs, 0..=all).prop_shuffle()];
            let population = ("[a-zA-Z0-9_ü-]{1,8}", 1..40_usize, not_negative(), option::of(positive()));
            (
                vec(population, count),
                ends,
                vec((not_negative(), option::of(positive())), all),
                prop_oneof![Just(vec![false; all]), Just(vec![true; all]), vec(any::<bool>(), all)],
                any::<bool>(),
                activation(),
                pick(&InputMode::NAMES),
            )
        })
        .prop_map(|(populations, ends, plastic, own, named, activation, input)| {
            let count = populations.len();
            let layer = |i: usize| match i {
                0 => "input".to_owned(),
                _ if i + 1 == count => "output".to_owned(),
                _ if count == 3 => "hidden".to_owned(),
                _ => format!("hidden{i}"),
            };
            let populations =
                populations.into_iter().enumerate().map(|(i, (name, size, bias_factor, bias_clip))| {
                    let name = if named { format!("{name}{i}") } else { layer(i) };
                    Population { name, size, bias_factor, bias_clip }
                });
            let projections = ends.into_iter().zip(plastic).zip(own);
            Network {
                populations: populations.collect(),
                projections: projections
                    .map(|(((pre, post), (factor, clip)), own)| Projection {
                        pre,
                        post,
                        factor,
                        clip,
                        self_connections: own && pre == post,
                    })
                    .collect(),
                activation,
                input,
                microcircuit: None,
            }
        })
        .prop_filter("names of their own", |n| {
            let mut names: Vec<_> = n.populations.iter().map(|p| &p.name).collect();
            names.sort();
            names.dedup();
            names.len() == n.populations.len()
        })
}

fn settings() -> impl Strategy<Value = Settings> {
    let times = (0.01..100.0_f64, 0.001..1.9_f64);
    (
        (pick(&Integrator::NAMES), times, pick(&Solver::NAMES), 1e-14..0.9_f64, 1..500_usize),
        (
            pick(&OnIndefinite::NAMES),
            pick(&PlasticityInDynamics::NAMES),
            option::of(positive()),
            positive(),
            pick(&Resident::NAMES),
            pick(&Dynamics::NAMES),
            pick(&InputMismatch::NAMES),
            pick(&Bias::NAMES),
            pick(&LearningProducts::NAMES),
        ),
    )
        .prop_map(|((integrator, times, solver, tolerance, max_iterations), rest)| Settings {
            integrator,
            tau_ms: times.0,
            dt_ms: times.0 * times.1,
            solver,
            tolerance,
            newton_tolerance: tolerance * 0.1,
            newton_iterations: 1 + max_iterations % 41,
            max_iterations,
            on_indefinite: rest.0,
            plasticity_in_dynamics: rest.1,
            derivative_clip: rest.2,
            u_limit: rest.3,
            resident: rest.4,
            // Newton on another equation of motion is an error.
            dynamics: if integrator == Integrator::Equilibrium { Dynamics::Nla } else { rest.5 },
            hard_targets: false,
            input_mismatch: rest.6,
            bias: rest.7,
            learning_products: rest.8,
        })
}

fn path() -> impl Strategy<Value = std::path::PathBuf> {
    "/[a-zA-Z0-9 \"'\\\\é\t#]{1,12}x".prop_map(std::path::PathBuf::from)
}

fn test_part<F: std::fmt::Debug>(
    files: impl Strategy<Value = F> + 'static,
) -> impl Strategy<Value = TestPart<F>> {
    prop_oneof![
        files.prop_map(TestPart::Files),
        (1..100_000_usize).prop_map(TestPart::Count),
        (0.001..0.999_f64).prop_map(TestPart::Share),
    ]
}

fn arrays() -> impl Strategy<Value = DataSource> {
    let files = || (path(), path()).prop_map(|(inputs, answers)| ArrayFiles { inputs, answers });
    let answers = prop_oneof![Just(AnswerKind::Labels), Just(AnswerKind::Targets)];
    (files(), answers, test_part(files()), pick(&InputScale::NAMES)).prop_map(
        |(train, answers, test, scale)| DataSource::Arrays(ArraysConfig { train, answers, test, scale }),
    )
}

fn pictures() -> impl Strategy<Value = DataSource> {
    (path(), test_part(path()), any::<bool>())
        .prop_map(|(train, test, colour)| DataSource::Images(PicturesConfig { train, test, colour }))
}

fn data() -> impl Strategy<Value = DataConfig> {
    let idx = (path(), path(), path(), path()).prop_map(
        |(train_images, train_labels, test_images, test_labels)| DataSource::Idx {
            train_images,
            train_labels,
            test_images,
            test_labels,
        },
    );
    let published = (pick(&PublishedSet::NAMES), option::of(path()))
        .prop_map(|(set, directory)| DataSource::Published { set, directory });
    let source = prop_oneof![Just(DataSource::EmbeddedMnist), published, idx, arrays(), pictures()];
    let samples = (source, 0..100_000_usize, pick(&Encoding::NAMES), option::of(1..100_000_usize)).prop_map(
        |(source, validation, encoding, train_limit)| DataConfig {
            source,
            validation,
            encoding,
            train_limit,
        },
    );
    let series = series().prop_map(|series| DataConfig {
        source: DataSource::Series(Box::new(series)),
        validation: 0,
        encoding: Encoding::Unit,
        train_limit: None,
    });
    prop_oneof![2 => samples, 1 => series]
}

/// Names of channels, no two the same.
fn names(size: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set("[A-Za-z'\"\\\\µ]{1,4} ?[0-9]{1,2}", size)
        .prop_map(|n| n.into_iter().collect())
}

fn files() -> impl Strategy<Value = (Files, Option<f64>, Option<String>)> {
    let path = "/[a-zA-Z0-9 \"'\\\\é\t#]{1,12}x".prop_map(std::path::PathBuf::from);
    let unit = select(vec!["µV", "mV", "V", "nV"]).prop_map(str::to_owned);
    let own = (vec(path, 1..4).prop_map(Files::Paths), option::of(positive()), option::of(unit));
    prop_oneof![1 => Just((Files::Embedded, None, None)), 3 => own]
}

fn channels() -> impl Strategy<Value = Channels> {
    let first = || option::of(1..1000_usize);
    prop_oneof![
        names(1..4).prop_map(Channels::Names),
        (names(1..3), first()).prop_map(|(types, first)| Channels::Types { types, first }),
        first().prop_map(|first| Channels::Default { first }),
    ]
}

fn series() -> impl Strategy<Value = SeriesConfig> {
    let scale = prop_oneof![Just(Scale::None), Just(Scale::ZScore), positive().prop_map(Scale::DivideBy)];
    let rates =
        (option::of(positive()), option::of(positive()), vec(positive(), 0..3), option::of(positive()));
    // Six times in order, of which three parts are made; the last may be the end of the recording.
    let parts = (vec(0.001..1e3_f64, 6), vec(any::<bool>(), 3), any::<bool>());
    let rest = (names(0..3), pick(&Reference::NAMES), scale, not_negative(), any::<bool>());
    (files(), channels(), rates, parts, rest).prop_map(
        |(files, channels, rates, (steps, given, open), rest)| {
            let mut ends: Vec<f64> =
                steps.iter().scan(0.0, |at, step| Some(std::mem::replace(at, *at + step))).collect();
            if open {
                ends[5] = f64::INFINITY;
            }
            let part = |i: usize| given[i].then_some([ends[2 * i], ends[2 * i + 1]]);
            SeriesConfig {
                files: files.0,
                rate_hz: files.1,
                unit: files.2,
                channels,
                drop_bad: rest.4,
                inputs: rest.0,
                reference: rest.1,
                resample_hz: rates.0,
                high_pass_hz: rates.1,
                notch_hz: rates.2,
                scale: rest.2,
                step_ms: rates.3,
                train_s: part(0),
                validation_s: part(1),
                test_s: part(2),
                memory_limit_mb: rest.3,
            }
        },
    )
}

fn run() -> impl Strategy<Value = RunConfig> {
    let device = prop_oneof![
        Just(DeviceChoice::Auto),
        Just(DeviceChoice::Cpu),
        Just(DeviceChoice::Gpu),
        (0..100_usize).prop_map(DeviceChoice::Index),
        "[A-Z][a-z \"\\\\]{3,12}[0-9]".prop_map(DeviceChoice::Name),
    ];
    let checkpoints = (not_negative(), 1..100_usize);
    let seeds = (proptest::collection::btree_set(0..=i64::MAX as u64, 0..4), any::<bool>());
    let all = (device, pick(&Precision::NAMES), "[a-z/ \"\\\\ü\n]{1,12}", checkpoints, seeds);
    all.prop_map(
        |(device, precision, directory, (checkpoint_every_s, keep_checkpoints), (seeds, control))| {
            let cpu = matches!(device, DeviceChoice::Auto | DeviceChoice::Cpu);
            let precision = if cpu { precision } else { Precision::F32 };
            let directory = directory.into();
            let seeds = seeds.into_iter().collect();
            RunConfig { device, precision, directory, checkpoint_every_s, keep_checkpoints, seeds, control }
        },
    )
}

fn training() -> impl Strategy<Value = TrainingConfig> {
    let decay = prop_oneof![Just(1.0), 1e-6..1.0_f64];
    let times = (1..1000_usize, 1..1000_usize, 1..10_000_usize);
    let windows = (option::of(positive()), 1..1000_usize, any::<bool>()).prop_map(
        |(window_ms, repetitions, shuffle)| Presentation {
            window_ms,
            repetitions,
            shuffle,
            ..Presentation::default()
        },
    );
    (pick(&Rule::NAMES), times, decay, (-1e3..0.0_f64, 0.001..1e3_f64), windows).prop_map(
        |(rule, (epochs, batch, steps_per_sample), rate_decay_per_epoch, (from, to), windows)| {
            TrainingConfig {
                rule,
                epochs,
                batch,
                steps_per_sample,
                ramp: Ramp { from, to },
                gates: Gates { nudge_from: -from / 1001.0, learn_from: to / 1001.0 },
                rate_decay_per_epoch,
                windows: Some(windows),
            }
        },
    )
}

/// Free channels of at most one output.
fn completion() -> impl Strategy<Value = CompletionConfig> {
    let free = prop_oneof![Just(FreeChannels::Count(1)), names(1..2).prop_map(FreeChannels::Names)];
    (free, option::of(not_negative()), not_negative()).prop_map(|(free, beta, settle_ms)| CompletionConfig {
        free,
        beta,
        settle_ms,
    })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let steps = vec((positive(), not_negative()), 1..5).prop_map(|mut steps| {
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        steps.dedup_by_key(|s| s.0);
        Schedule::Step(steps.into_iter().map(|(at_ms, factor)| RateStep { at_ms, factor }).collect())
    });
    let cosine =
        (option::of(positive()), 1e-6..1.0_f64, any::<bool>()).prop_map(|(end, share, ends_at_0)| {
            let warm_up_ms = end.map_or(share, |end| if end < 1e-30 { 0.0 } else { end * share });
            Schedule::Cosine {
                duration_ms: end,
                final_factor: if ends_at_0 { 0.0 } else { share },
                warm_up_ms,
            }
        });
    prop_oneof![Just(Schedule::Constant), steps, cosine]
}

fn selection() -> impl Strategy<Value = Selection> {
    let range = (1..50_usize, 1..50_usize).prop_map(|(from, more)| Selection::Range(from, from + more));
    prop_oneof![Just(Selection::All), range, vec(1..100_usize, 1..4).prop_map(Selection::List)]
}

/// Of neurons that every network has: the first one of the last population.
fn probe() -> impl Strategy<Value = Probe> {
    // Without a microcircuit there are no interneurons, which come last.
    let quantities = vec(pick(&Quantity::NAMES[..9]), 1..5).prop_map(|drawn| {
        let mut all: Vec<Quantity> = Vec::new();
        drawn.into_iter().for_each(|q| {
            if !all.contains(&q) {
                all.push(q)
            }
        });
        all
    });
    // Every run has a first epoch.
    let epochs = prop_oneof![
        Just(Selection::All),
        (2..100_usize).prop_map(|to| Selection::Range(1, to)),
        vec(1..100_usize, 0..3).prop_map(|mut list| {
            list.push(1);
            Selection::List(list)
        }),
    ];
    (any::<bool>(), quantities, 1..100_u32, epochs, selection(), positive()).prop_map(
        |(all, quantities, every, epochs, presentations, max_mib)| Probe {
            name: "probe".into(),
            populations: Vec::new(),
            neurons: if all { Selection::All } else { Selection::List(vec![0]) },
            quantities,
            every_ms: f64::from(every),
            trajectories: 1,
            epochs,
            presentations,
            max_mib,
        },
    )
}

fn backprop() -> impl Strategy<Value = BackpropConfig> {
    (not_negative(), not_negative(), 1e-6..1.0_f64).prop_map(
        |(learning_rate, bias_learning_rate, rate_decay_per_epoch)| BackpropConfig {
            learning_rate,
            bias_learning_rate,
            rate_decay_per_epoch,
        },
    )
}

/// A microcircuit for any network of at least two populations, with how it is drawn.
fn microcircuit() -> impl Strategy<Value = (Microcircuit, MicrocircuitInit)> {
    let rates = (not_negative(), not_negative(), not_negative(), not_negative());
    let kinds = (pick(&InterneuronInput::NAMES), pick(&InterneuronDynamics::NAMES), pick(&Pathway::NAMES));
    let rest = (pick(&Pathway::NAMES), 0.0..=1.0_f64, (0..1000_usize, not_negative()), any::<bool>());
    (kinds, rest, rates, vec(init(), 5)).prop_map(
        |((ip, dynamics, feedback), (pi, beta, (size, factor), as_feedback), rates, drawn)| {
            let is_tied = ip == InterneuronInput::Tied;
            let (rate_ip, rate_pi, rate_feedback, rate_bi) = rates;
            let own = Interneurons { population: 0, size, factor };
            let micro = Microcircuit {
                ip,
                interneurons: if is_tied {
                    Vec::new()
                } else {
                    vec![own, Interneurons { population: 1, ..own }]
                },
                dynamics,
                feedback,
                pi: if is_tied { pi } else { Pathway::Separate },
                beta,
                rate_ip,
                rate_pi,
                rate_feedback,
                rate_bi,
            };
            let copies = is_tied && feedback == Pathway::Separate && as_feedback;
            let start = MicrocircuitInit {
                feedback: drawn[0],
                pi: (!copies).then_some(drawn[1]),
                ip: drawn[2],
                nudge: drawn[3],
                biases: drawn[4],
            };
            (micro, start)
        },
    )
}

/// Any experiment that can be run.
fn experiment() -> impl Strategy<Value = Experiment> {
    let beta = prop_oneof![vec(not_negative(), 40), not_negative().prop_map(|b| vec![b; 40])];
    (
        ("[a-z][a-z \"'é-]{0,8}[0-9]", 0..=i64::MAX as u64, data(), network(), settings(), beta),
        (
            vec(init(), 30),
            vec(init(), 30),
            not_negative(),
            not_negative(),
            (
                (training(), completion()),
                backprop(),
                schedule(),
                vec(probe(), 0..3),
                option::of(microcircuit()),
            ),
            run(),
        ),
    )
        .prop_map(|((name, seed, data, mut network, mut settings, mut beta), rest)| {
            let (
                mut weight_init,
                mut bias_init,
                rate_w,
                mut rate_b,
                ((mut training, completion), backprop, schedule, mut probes, micro),
                mut run,
            ) = rest;
            // Backprop is of feedforward networks.
            if !network.is_feedforward() {
                training.rule = Rule::LeastAction;
            }
            let series = matches!(data.source, DataSource::Series(_));
            if series {
                training.rule = Rule::LeastAction;
                training.steps_per_sample = 1;
                (training.ramp, training.gates) = (Ramp::default(), Gates::default());
            } else {
                training.windows = None;
            }
            let completion = series.then_some(completion);
            run.control &= !series && training.rule == Rule::LeastAction && network.is_feedforward();
            if let DataSource::Series(series) = &data.source {
                network.populations[0].size = series.inputs.len();
            } else if matches!(data.source, DataSource::EmbeddedMnist | DataSource::Published { .. }) {
                let last = network.populations.len() - 1;
                network.populations[0].size = 784;
                network.populations[last].size = 10;
            }
            let microcircuit_init = micro.as_ref().map(|(_, start)| *start);
            network.microcircuit = micro.map(|(micro, _)| micro);
            if settings.check(&network).is_err() {
                settings.solver = Solver::Auto;
            }
            if settings.bias == Bias::UnitRate {
                rate_b = rate_w;
                for p in 0..network.populations.len() {
                    let reached = network.projections.iter().any(|k| k.post == p);
                    let forward = network.projections.iter().filter(|k| k.post == p && k.pre < p);
                    let none = if reached || p > 0 { 1.0 } else { 0.0 };
                    let rule = forward.max_by_key(|k| k.pre).map_or((none, None), |k| (k.factor, k.clip));
                    (network.populations[p].bias_factor, network.populations[p].bias_clip) = rule;
                }
            }
            beta.truncate(network.n_out());
            weight_init.truncate(network.projections.len());
            bias_init.truncate(network.populations.len());
            for (i, probe) in probes.iter_mut().enumerate() {
                probe.name = format!("probe-{i}");
                probe.populations = vec![network.populations.len() - 1];
                probe.every_ms *= settings.dt_ms;
            }
            if training.rule == Rule::Backprop {
                probes.clear();
            }
            let source = Source::BuiltIn("mnist");
            let name = name.replace('"', "-");
            Experiment {
                name,
                seed,
                data,
                network,
                weight_init,
                bias_init,
                microcircuit_init,
                settings,
                beta,
                rate_w,
                rate_b,
                schedule,
                training,
                completion,
                backprop,
                probes,
                run,
                source,
            }
        })
}

/// Reads a text in both ways; what is accepted must survive being written and read again.
fn read(text: &[u8], overrides: &Overrides) {
    let source = Source::Text { label: "test.toml".into(), text: String::new() };
    match Experiment::parse(text, &source, overrides) {
        Ok(e) => {
            let again = Experiment::parse(e.to_toml().as_bytes(), &source, &Overrides::default());
            assert_eq!(again.unwrap_or_else(|error| panic!("{error}")), e);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match SimulationConfig::parse(text, &source, overrides) {
        Ok(s) => {
            let again = SimulationConfig::parse(s.to_toml().as_bytes(), &source, &Overrides::default());
            assert_eq!(again.unwrap_or_else(|error| panic!("{error}")), s);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

const TEXT: &str = include_str!("../experiments/mnist-small.toml");

/// What mutations put in.
const PIECES: [&str; 41] = [
    "0",
    "-1",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "1",
    "2.5",
    "99999999999999999999",
    "0x7fffffffffffffff",
    "\"",
    "'",
    "'''",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r\n",
    "\t",
    "#",
    "\u{feff}",
    "é",
    "\u{1F9E0}",
    "\\u0000",
    "[network]",
    "[[network.population]]\nname = \"a\"\nsize = 3\n",
    "[[network.projection]]\npre = \"a\"\n",
    "custom",
    "idx",
    "mnist",
    "true",
    "1979-05-27",
    "{ init = \"he\" }",
    "beta",
];

/// Words of the text, so that one is put where another was.
fn words() -> Vec<&'static str> {
    TEXT.split_whitespace().filter(|w| w.len() > 1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn resolved_experiments_round_trip(e in experiment()) {
        let text = e.to_toml();
        match Experiment::parse(text.as_bytes(), &e.source, &Overrides::default()) {
            Ok(again) => prop_assert_eq!(again, e),
            Err(error) => prop_assert!(false, "{}\n{}", error, text),
        }
    }

    #[test]
    fn bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        read(&bytes, &Overrides::default());
    }

    #[test]
    fn texts_never_panic(text in "\\PC{0,200}") {
        read(text.as_bytes(), &Overrides::default());
    }

    #[test]
    fn mutated_experiments_never_panic(
        edits in vec((any::<Index>(), 0..12_usize, any::<Index>(), any::<bool>()), 1..4),
    ) {
        let mut text: Vec<char> = TEXT.chars().collect();
        let words = words();
        for (at, len, piece, word) in edits {
            let start = at.index(text.len() + 1);
            let end = (start + len).min(text.len());
            let piece = if word { piece.get(&words) } else { piece.get(&PIECES) };
            text.splice(start..end, piece.chars());
        }
        read(text.iter().collect::<String>().as_bytes(), &Overrides::default());
    }

    #[test]
    fn values_of_any_kind_never_panic(line in any::<Index>(), piece in any::<Index>()) {
        let mut lines: Vec<String> = TEXT.lines().map(str::to_owned).collect();
        let keys: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].contains(" = ")).collect();
        let at = *line.get(&keys);
        let key = lines[at].split(" = ").next().unwrap_or_default().to_owned();
        lines[at] = format!("{key} = {}", piece.get(&PIECES));
        read(lines.join("\n").as_bytes(), &Overrides::default());
    }

    #[test]
    fn arguments_never_panic(argument in "\\PC{0,40}", value in "\\PC{0,20}", at in any::<Index>(), piece in any::<Index>()) {
        const PATHS: [&str; 8] = [
            "network.sizes.0", "network.sizes", "dynamics.beta.3", "network.weights.std", "run.device", "seed.a.b", "data",
            "plasticity.factors.1",
        ];
        let path = at.get(&PATHS);
        for argument in [argument, format!("{path}={value}"), format!("{path}={}", piece.get(&PIECES))] {
            match Overrides::parse([&argument]) {
                Ok(overrides) => read(TEXT.as_bytes(), &overrides),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
