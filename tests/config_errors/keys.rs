//! Unknown and missing keys, values of the wrong kind or out of range.

use crate::support::{BASE, check, load, mark, rejects, rejects_custom, simulate};

#[test]
fn unknown_keys() {
    rejects(
        "seed = 3",
        "«sed» = 3",
        &["unknown key `sed`", "did you mean `seed`?", "one of: name, seed, data"],
    );
    rejects("[training]", "[«trainings»]", &["did you mean `training`?"]);
    rejects("epochs = 2", "«epoch» = 2", &["in `training`", "did you mean `epochs`?"]);
    rejects("epochs = 2", "epochs = 2\n«colour» = 1", &["one of: rule, epochs, batch, steps-per-sample"]);
    rejects("std = 0.05", "«sd» = 0.05", &["in `network.weights`", "init, mean, std, clip"]);
    rejects("validation = 100", "validation = 100\n«validate» = 1", &["in `data`"]);
    rejects("[training]", "[run]\n«devices» = 1\n[training]", &["did you mean `device`?"]);
    rejects("rate-per-ms = 0.05", "«rate» = 0.05", &["in `plasticity`"]);
    rejects_custom("size = 4", "«sizes» = 4", &["in `network.population.1`", "did you mean `size`?"]);
    rejects_custom("post = \"out\"", "«to» = \"out\"", &["in `network.projection.1`", "pre, post"]);
}

#[test]
fn missing_sections_and_keys() {
    for section in ["data", "network", "dynamics", "plasticity", "training"] {
        let start = BASE.find(&format!("[{section}]")).expect("the section");
        let end = BASE[start + 1..].find("\n[").map_or(BASE.len(), |i| start + 1 + i);
        let text = format!("{}{}", &BASE[..start], &BASE[end..]);
        let shown = load(&text).expect_err(section).to_string();
        assert!(shown.contains(&format!("there is no section [{section}]\n --> test.toml\n")), "{shown}");
        let optional = matches!(section, "data" | "training");
        assert_eq!(simulate(&text).is_ok(), optional, "{section}");
    }
    for (key, header) in [
        ("source", "[data]"),
        ("sizes", "[network]"),
        ("activation", "[network]"),
        ("weights", "[network]"),
        ("beta", "[dynamics]"),
        ("rate-per-ms", "[plasticity]"),
        ("epochs", "[training]"),
        ("batch", "[training]"),
        ("steps-per-sample", "[training]"),
    ] {
        let line = BASE.lines().find(|l| l.starts_with(&format!("{key} ="))).expect("the key");
        let text = BASE.replacen(&format!("{line}\n"), "", 1);
        let (text, at) = mark(&text, header, &format!("«{header}»"));
        check(
            &load(&text).expect_err(key),
            at,
            &[&format!("has no key `{key}`"), &format!("expected {key} =")],
        );
    }
    rejects("std = 0.05, ", "", &["`network.weights` has no key `std`"]);
}

#[test]
fn numbers_out_of_range() {
    for bad in ["0", "0.0", "-1", "-0.5", "nan", "inf", "1e400", "1e39", "1e-60"] {
        let wrong = format!("tau-ms = «{bad}»");
        rejects("tau-ms = 10.0", &wrong, &["`dynamics.tau-ms` cannot be", "a time in ms, greater than 0"]);
        rejects("dt-ms = 1.0", &format!("dt-ms = «{bad}»"), &["`dynamics.dt-ms` cannot be"]);
    }
    for bad in ["-0.1", "nan", "-inf"] {
        rejects("beta = 0.1", &format!("beta = «{bad}»"), &["`dynamics.beta`", "0 or greater"]);
    }
    for bad in ["-0.1", "nan", "inf", "-inf"] {
        rejects("rate-per-ms = 0.05", &format!("rate-per-ms = «{bad}»"), &["`plasticity.rate-per-ms`"]);
        rejects("std = 0.05", &format!("std = «{bad}»"), &["`network.weights.std`", "0 or greater"]);
    }
    for bad in ["0", "-0.1", "nan"] {
        rejects("clip = 0.15", &format!("clip = «{bad}»"), &["`network.weights.clip`", "greater than 0"]);
        for key in ["derivative-clip", "weight-clip", "bias-clip"] {
            let to = format!("rate-per-ms = 0.05\n{key} = «{bad}»");
            rejects("rate-per-ms = 0.05", &to, &[&format!("`plasticity.{key}`"), "greater than 0"]);
        }
    }
    for bad in ["0", "1", "1.0", "-1e-3", "nan", "2"] {
        let to = format!("beta = 0.1\ntolerance = «{bad}»");
        rejects("beta = 0.1", &to, &["`dynamics.tolerance`", "greater than 0 and less than 1"]);
    }
    for bad in ["0", "1.1", "-1", "nan"] {
        let to = format!("batch = 32\nrate-decay-per-epoch = «{bad}»");
        rejects("batch = 32", &to, &["`training.rate-decay-per-epoch`", "at most 1"]);
    }
    for (key, line) in
        [("epochs", "epochs = 2"), ("batch", "batch = 32"), ("steps-per-sample", "steps-per-sample = 30")]
    {
        for bad in ["0", "-1", "99999999999999999999", "1.5", "\"1\""] {
            rejects(
                line,
                &format!("{key} = «{bad}»"),
                &[&format!("`training.{key}`"), "a whole number from 1"],
            );
        }
    }
    rejects("seed = 3", "seed = «-1»", &["`seed` cannot be -1"]);
    rejects("beta = 0.1", "beta = 0.1\nu-limit = «0»", &["`dynamics.u-limit`"]);
    rejects("beta = 0.1", "beta = 0.1\nmax-iterations = «0»", &["`dynamics.max-iterations`"]);
}

#[test]
fn wrong_types() {
    rejects("tau-ms = 10.0", "tau-ms = «\"10\"»", &["`dynamics.tau-ms` is a string"]);
    rejects("tau-ms = 10.0", "tau-ms = «[10.0]»", &["`dynamics.tau-ms` is a list"]);
    rejects("tau-ms = 10.0", "tau-ms = «2020-01-01»", &["`dynamics.tau-ms` is a date"]);
    rejects("name = \"small\"", "name = «true»", &["`name` is a boolean"]);
    rejects(
        "sizes = [784, 20, 10]",
        "sizes = «784»",
        &["`network.sizes` is an integer", "a list of layer sizes"],
    );
    rejects("sizes = [784, 20, 10]", "sizes = [784, «\"20\"», 10]", &["`network.sizes.1` is a string"]);
    rejects(
        "biases = { init = \"zeros\" }",
        "biases = «\"zeros\"»",
        &["`network.biases` is a string", "a table"],
    );
    rejects("rate-per-ms = 0.05", "rate-per-ms = 0.05\nfactors = «1.0»", &["`plasticity.factors`", "a list"]);
    rejects(
        "name = \"small\"\n",
        "name = \"small\"\nrun = «1»\n",
        &["`run` is an integer", "a table with keys"],
    );
}

#[test]
fn choices() {
    for (from, key, wrong, meant, all) in [
        (
            "\"exact\"",
            "dynamics.integrator",
            "exakt",
            "exact",
            "exact, euler, richardson1, richardson2, equilibrium",
        ),
        (
            "\"hard-sigmoid\"",
            "network.activation",
            "hard_sigmoid",
            "hard-sigmoid",
            "sigmoid, hard-sigmoid, relu, linear, tanh, softplus, depression",
        ),
        ("\"clamped\"", "network.input", "clampd", "clamped", "clamped, driven, rates"),
        (
            "\"layered-feedforward\"",
            "network.architecture",
            "layered-feedfoward",
            "layered-feedforward",
            "layered-feedforward, layered-feedbackward, layered-recurrent, layered-recurrent-recurrent, in-recurrent-out, fully-recurrent, custom",
        ),
        ("\"zeros\"", "network.biases.init", "zero", "zeros", "normal, zeros, lecun, xavier, he"),
        ("\"unit\"", "data.encoding", "units", "unit", "unit, logit"),
        (
            "\"embedded-mnist\"",
            "data.source",
            "embedded_mnist",
            "embedded-mnist",
            "embedded-mnist, mnist, fashion-mnist, idx, arrays, images, embedded-ieeg, recording, series",
        ),
    ] {
        let says = [
            &format!("`{key}` cannot be \"{wrong}\"\n"),
            &format!("expected one of: {all}\n"),
            &format!("did you mean `{meant}`?"),
        ];
        rejects(from, &format!("«\"{wrong}\"»"), &says.map(String::as_str));
    }
    for (key, wrong, all) in [
        ("solver", "lu", "auto, cg, output-cg, woodbury, dense"),
        ("on-indefinite", "ignore", "error, fallback"),
        ("plasticity-in-dynamics", "biases", "none, weights, all"),
    ] {
        let to = format!("beta = 0.1\n{key} = «\"{wrong}\"»");
        rejects("beta = 0.1", &to, &[&format!("`dynamics.{key}`"), &format!("one of: {all}")]);
    }
    for (to, says) in [
        ("{ kind = «\"depresion\"» }", "did you mean `depression`?"),
        ("«{ a = 1 }»", "`network.activation` has no key `kind`"),
        ("{ kind = \"tanh\", «a» = 1 }", "belongs to kind = \"depression\""),
        ("{ kind = \"depression\", a = «-1» }", "`network.activation.a` cannot be -1"),
        ("{ kind = \"depression\", d = «0» }", "`network.activation.d` cannot be 0"),
        ("{ kind = \"depression\", «b» = 0 }", "unknown key `b`"),
    ] {
        rejects("\"hard-sigmoid\"", to, &[says]);
    }
    rejects("[training]", "[run]\nprecision = «\"f16\"»\n[training]", &["one of: f32, f64"]);
    rejects("[training]", "[run]\ndevice = «\"\"»\n[training]", &["`run.device`"]);
    let to = "[run]\ndevice = \"gpu\"\nprecision = «\"f64\"»\n[training]";
    rejects("[training]", to, &["on a GPU"]);
}

#[test]
fn data_files() {
    for key in ["train-images", "test-labels"] {
        let to = format!("validation = 100\n«{key}» = \"a\"");
        rejects("validation = 100", &to, &[&format!("`data.{key}` needs source = \"idx\"")]);
    }
    rejects("source = \"embedded-mnist\"", "source = \"idx\"", &["`data` has no key `train-images`"]);
    let to = "source = \"mnist\"\n«test-images» = \"a\"";
    rejects("source = \"embedded-mnist\"", to, &["`data.test-images` needs source = \"idx\""]);
    for source in ["embedded-mnist", "idx"] {
        let to = format!("source = \"{source}\"\n«directory» = \"a\"");
        let says = ["`data.directory` needs source = \"mnist\" or \"fashion-mnist\""];
        rejects("source = \"embedded-mnist\"", &to, &says);
    }
    for (bad, says) in [("\"\"", "an empty path"), ("3", "is an integer"), ("\"a\\u0000\"", "a NUL")] {
        let to = format!("source = \"mnist\"\ndirectory = «{bad}»");
        rejects("source = \"embedded-mnist\"", &to, &["`data.directory`", says, "a data directory"]);
    }
    rejects("validation = 100", "validation = «-1»", &["`data.validation`"]);
    rejects("validation = 100", "validation = 100\ntrain-limit = «0»", &["`data.train-limit`"]);
    rejects("name = \"small\"", "name = «\"a/b\"»", &["`name` cannot be \"a/b\""]);
    rejects("name = \"small\"", "name = «\"\"»", &["`name` cannot be"]);
}

#[test]
fn unit_rate_biases() {
    for key in ["bias-rate-per-ms", "bias-factors", "bias-clip"] {
        let to = format!("rate-per-ms = 0.05\nbias = \"unit-rate\"\n«{key}» = 1");
        let says = [&format!("`plasticity.{key}` belongs to bias = \"separate\""), "weight-clip alone"];
        rejects("rate-per-ms = 0.05", &to, &says);
    }
    let to = "rate-per-ms = 0.05\nbias = «\"unit\"»";
    rejects("rate-per-ms = 0.05", to, &["`plasticity.bias`", "one of: separate, unit-rate"]);
}

#[test]
fn probes() {
    let put = |keys: &str| format!("[[probe]]\n{keys}\n[training]");
    for (keys, says) in [
        ("«nam» = \"a\"", ["in `probe.0`", "did you mean `name`?"]),
        ("name = «\"a b\"»", ["`probe.0.name` cannot be \"a b\"", "letters"]),
        ("name = \"a\"\n[[probe]]\nname = «\"A\"»", ["there are two probes 'A'", "a name of its own"]),
        (
            "name = \"a\"\npopulations = [«\"hiden\"»]",
            ["there is no population 'hiden'", "did you mean `hidden`?"],
        ),
        (
            "name = \"a\"\npopulations = [\"hidden\", «\"hidden\"»]",
            ["in the list twice", "names that differ"],
        ),
        ("name = \"a\"\npopulations = «[]»", ["no neuron", "a population"]),
        (
            "name = \"a\"\nquantities = [«\"voltage\"»]",
            ["`probe.0.quantities.0`", "one of: u, rate, prospective-rate"],
        ),
        ("name = \"a\"\nquantities = «[]»", ["no quantity", "like [\"u\", \"error\"]"]),
        (
            "name = \"a\"\nneurons = «\"5-7\"»",
            ["`probe.0.neurons` cannot be \"5-7\"", "a range like \"0..10\""],
        ),
        ("name = \"a\"\nneurons = «\"7..7\"»", ["cannot be \"7..7\"", "the last one is not in it"]),
        ("name = \"a\"\nneurons = «\"0..21\"»", ["neuron 20 of population 'hidden'", "from 0 to 19"]),
        ("name = \"a\"\nepochs = [«0»]", ["`probe.0.epochs.0` cannot be 0", "a whole number from 1"]),
        ("name = \"a\"\nevery-ms = «2.5»", ["every 2.5 ms", "a multiple of 1.0"]),
        ("name = \"a\"\ntrajectories = «33»", ["asks for 33 trajectories, but there are 32", "at most 32"]),
        ("name = \"a\"\nmax-mib = «0»", ["`probe.0.max-mib` cannot be 0", "greater than 0"]),
        (
            "name = \"a\"\nquantities = [\"error\"]\npopulations = «[\"input\"]»",
            ["'error' of population 'input'", "that have all the quantities"],
        ),
        (
            "name = \"a\"\nquantities = [\"beta\"]\npopulations = «[\"hidden\"]»",
            ["add the population 'output'", "that have all the quantities"],
        ),
    ] {
        rejects("[training]", &put(keys), &says);
    }
    rejects(
        "name = \"small\"",
        "name = \"small\"\nprobe = «3»",
        &["`probe` is an integer", "tables [[probe]]"],
    );
    let to = "[[probe]]\nname = «\"a\"»\n[training]\nrule = \"backprop\"";
    rejects("[training]", to, &["probe 'a' would record dynamics", "no [[probe]]"]);
}

#[test]
fn schedules() {
    let put = |value: &str| format!("rate-per-ms = 0.05\nschedule = {value}");
    for (value, says) in [
        ("«\"cosine\"»", ["`plasticity.schedule` is a string", "kind, steps, duration-ms"]),
        ("«{}»", ["`plasticity.schedule` has no key `kind`", "one of: constant, step, cosine"]),
        ("{ kind = «\"stpe\"» }", ["`plasticity.schedule.kind`", "did you mean `step`?"]),
        (
            "{ kind = \"constant\", «steps» = [] }",
            ["`plasticity.schedule.steps` belongs to kind = \"step\"", "alone"],
        ),
        ("{ kind = \"step\", steps = [], «warm-up-ms» = 1 }", ["belongs to kind = \"cosine\"", "alone"]),
        ("«{ kind = \"step\" }»", ["has no key `steps`", "at-s = 22000"]),
        ("{ kind = \"step\", steps = «[]» }", ["a schedule of no steps", "constant"]),
        ("{ kind = \"step\", steps = [«{ factor = 1 }»] }", ["a step without a time", "at-ms or at-s"]),
        (
            "{ kind = \"step\", steps = [«{ at-ms = 1 }»] }",
            ["a step without a rate", "factor or rate-per-ms"],
        ),
        (
            "{ kind = \"step\", steps = [{ at-ms = «0», factor = 1 }] }",
            ["steps.0.at-ms` cannot be 0", "greater than 0"],
        ),
        (
            "{ kind = \"step\", steps = [{ at-ms = 1, factor = «-1» }] }",
            ["steps.0.factor` cannot be -1", "0 or greater"],
        ),
        (
            "{ kind = \"step\", steps = [{ at-ms = 1, at-s = «1», factor = 1 }] }",
            ["a step has one time", "at-ms or at-s"],
        ),
        (
            "{ kind = \"step\", steps = [{ at-s = «1e38», factor = 1 }] }",
            ["at-s` cannot be that long", "simulated time"],
        ),
        (
            "{ kind = \"step\", steps = [{ at-ms = 1, factor = 1, rate-per-ms = «1» }] }",
            ["a step has one rate", "factor or rate-per-ms"],
        ),
        (
            "{ kind = \"step\", steps = [{ at-s = 2, factor = 1 }, «{ at-ms = 2000, factor = 2 }»] }",
            ["a step at 2000.0 ms comes after one at 2000.0 ms", "in the order of their times"],
        ),
        ("«{ kind = \"cosine\" }»", ["has no key `final-factor`", "from 0 to 1"]),
        ("{ kind = \"cosine\", final-factor = «1.5» }", ["final-factor` cannot be 1.5", "from 0 to 1"]),
        (
            "{ kind = \"cosine\", final-factor = 0, duration-ms = «0» }",
            ["duration-ms` cannot be 0", "greater than 0"],
        ),
        (
            "{ kind = \"cosine\", final-factor = 0, duration-ms = 5, warm-up-ms = «5» }",
            ["warm-up-ms` cannot be 5.0", "less than duration-ms = 5.0"],
        ),
    ] {
        rejects("rate-per-ms = 0.05", &put(value), &says);
    }
    // A rate cannot be related to none.
    let to = "rate-per-ms = 0\nschedule = { kind = \"step\", steps = [{ at-ms = 1, rate-per-ms = «0.5» }] }";
    rejects("rate-per-ms = 0.05", to, &["rate-per-ms` cannot be 0.5", "a factor"]);
}

#[test]
fn the_control_and_its_seeds() {
    rejects(
        "epochs = 2",
        "epochs = 2\nrule = «\"backprob\"»",
        &["one of: least-action, backprop", "did you mean"],
    );
    let put = |lines: &str| format!("[backprop]\n{lines}\n[training]");
    let keys = "one of: learning-rate, bias-learning-rate, rate-decay-per-epoch";
    rejects("[training]", &put("«rate» = 1"), &["in `backprop`", keys]);
    rejects("[training]", &put("learning-rate = «-1»"), &["`backprop.learning-rate`", "0 or greater"]);
    rejects("[training]", &put("bias-learning-rate = «nan»"), &["`backprop.bias-learning-rate`"]);
    rejects(
        "[training]",
        &put("rate-decay-per-epoch = «0»"),
        &["`backprop.rate-decay-per-epoch`", "at most 1"],
    );
    let put = |line: &str| format!("[run]\n{line}\n[training]");
    rejects("[training]", &put("seeds = «3»"), &["`run.seeds` is an integer", "a list of seeds"]);
    rejects("[training]", &put("seeds = [1, «-2»]"), &["`run.seeds.1` cannot be -2"]);
    rejects("[training]", &put("seeds = [1, 2, «1»]"), &["seed 1 is in the list twice"]);
    rejects("[training]", &put("control = «1»"), &["`run.control` is an integer", "true or false"]);
}
