//! Lists of the wrong length, networks and settings that do not go together.

use crate::support::{BASE, CUSTOM, check, load, mark, rejects, rejects_custom, simulate};

#[test]
fn lists_of_the_wrong_length() {
    let names = "2, one a projection: input->hidden, hidden->output, got 3";
    let to = "rate-per-ms = 0.05\nfactors = «[1, 1, 1]»";
    rejects("rate-per-ms = 0.05", to, &["`plasticity.factors`", names]);
    rejects("rate-per-ms = 0.05", "rate-per-ms = 0.05\nweight-clip = «[1, 1, 1]»", &[names]);
    let names = "3, one a population: input, hidden, output, got 1";
    for key in ["bias-factors", "bias-clip"] {
        rejects("rate-per-ms = 0.05", &format!("rate-per-ms = 0.05\n{key} = «[1]»"), &[names]);
    }
    rejects("{ init = \"zeros\" }", "«[{ init = \"zeros\" }]»", &["`network.biases`", names]);
    let weights = "{ init = \"normal\", mean = 0.0, std = 0.05, clip = 0.15 }";
    rejects(weights, "«[]»", &["2, one a projection: input->hidden, hidden->output, got 0"]);
    rejects("beta = 0.1", "beta = «[0.1, 0.2]»", &["`dynamics.beta`", "10, one an output neuron", "got 2"]);
    rejects("beta = 0.1", "beta = [0.1, 0, 0, «-1», 0, 0, 0, 0, 0, 0]", &["`dynamics.beta.3` cannot be -1"]);
    rejects("rate-per-ms = 0.05", "rate-per-ms = 0.05\nfactors = [1, «-1»]", &["`plasticity.factors.1`"]);
}

#[test]
fn networks_that_cannot_be_run() {
    rejects("[784, 20, 10]", "[784, «0», 10]", &["population 'hidden' has no neurons"]);
    rejects("[784, 20, 10]", "«[784]»", &["needs an input and an output population"]);
    rejects("[784, 20, 10]", "«[]»", &["needs an input and an output population"]);
    rejects("[784, 20, 10]", "[784, «9223372036854775807», 10]", &["`network.sizes.1` cannot be"]);
    rejects("[784, 20, 10]", "[«783», 20, 10]", &["784 pixels", "population 'input' has 783"]);
    rejects("[784, 20, 10]", "[784, 20, «11»]", &["10 classes", "population 'output' has 11"]);
    rejects("[784, 20, 10]", "[784, 20, 10]\n«population» = []", &["belongs to architecture = \"custom\""]);
    rejects("\"zeros\"", "\"zeros\", «std» = 1", &["belongs to init = \"normal\""]);
}

#[test]
fn microcircuits_that_do_not_fit() {
    let with = |lines: &str| format!("rate-per-ms = 0.05\n[microcircuit]\n{lines}\n");
    let from = "rate-per-ms = 0.05";
    rejects(from, &with("ip = «\"tide\"»"), &["did you mean `tied`?"]);
    rejects(from, &with("ip = \"tied\"\n«interneurons» = []"), &["belongs to ip = \"learned\""]);
    rejects(from, &with("interneurons = «[]»"), &["at least one population"]);
    rejects(from, &with("interneurons = «3»"), &["a list of tables"]);
    let one = "interneurons = [{ population = \"hidden\", size = 5 }]";
    let twice =
        "interneurons = «[{ population = \"hidden\", size = 5 }, { population = \"hidden\", size = 2 }]»";
    rejects(from, &with(twice), &["'hidden' are given twice"]);
    rejects(
        from,
        &with("interneurons = [{ population = «\"hiden\"», size = 5 }]"),
        &["did you mean `hidden`?"],
    );
    rejects(from, &with(&format!("{one}\nbeta = «1.5»")), &["the nudging of interneurons is 1.5"]);
    rejects(from, &with(&format!("{one}\npi = «\"transport\"»")), &["needs ip = \"tied\""]);
    rejects(from, &with(&format!("{one}\npi-weights = «\"feedback\"»")), &["ip = \"tied\" and feedback"]);
    rejects(
        from,
        &with(&format!("{one}\nfeedback-rate-per-ms = «-1»")),
        &["`microcircuit.feedback-rate-per-ms`"],
    );
}

#[test]
fn custom_networks_that_cannot_be_run() {
    rejects_custom(
        "post = \"mid\"",
        "post = «\"mide\"»",
        &["no population 'mide'", "did you mean `mid`?", "in, mid, out"],
    );
    rejects_custom("pre = \"in\"", "pre = «\"x\"»", &["`network.projection.0.pre`", "no population 'x'"]);
    rejects_custom("name = \"mid\"", "name = «\"in\"»", &["two populations 'in'"]);
    rejects_custom("name = \"mid\"", "name = «\"m d\"»", &["`network.population.1.name`"]);
    rejects_custom("name = \"mid\"", "name = «\"\"»", &["`network.population.1.name`"]);
    rejects_custom("size = 4", "size = «0»", &["population 'mid' has no neurons"]);
    let to = "pre = \"in\"\npost = «\"mid\"»";
    rejects_custom("pre = \"mid\"\npost = \"out\"", to, &["two projections from 'in' to 'mid'"]);
    rejects_custom("activation", "«sizes» = [1, 2]\nactivation", &["belongs to the named architectures"]);
    for key in ["only-discriminative", "self-connections"] {
        let to = format!("«{key}» = true\nactivation");
        rejects_custom("activation", &to, &["belongs to the named architectures"]);
    }
    let to = "post = \"mid\"\nself-connections = «true»";
    rejects_custom("post = \"mid\"", to, &["needs a projection from a population to itself"]);
    let to = "post = \"mid\"\nself-connections = «1»";
    rejects_custom("post = \"mid\"", to, &["`network.projection.0.self-connections` is an integer"]);
    let to = "rate-per-ms = 0.01\nfactors = [1, 1]";
    let text = CUSTOM.replace("rate-per-ms = 0.01", to);
    let (text, at) = mark(&text, "post = \"mid\"", "post = \"mid\"\nfactor = «0.5»");
    check(&simulate(&text).expect_err("twice"), at, &["`network.projection.0.factor` is given in the list"]);
    rejects_custom("post = \"mid\"", "post = \"mid\"\nclip = «0»", &["`network.projection.0.clip`"]);
}

/// One factor a projection, or one a pair of neighbouring populations where the architecture goes back and forth between them.
#[test]
fn factors_of_recurrent_architectures() {
    let recurrent = BASE.replace("layered-feedforward", "layered-recurrent");
    let names =
        "4, one a projection: input->hidden, hidden->output, hidden->input, output->hidden; or 2, one a pair";
    for list in ["[1]", "[1, 1, 1]", "[1, 1, 1, 1, 1]"] {
        let to = format!("rate-per-ms = 0.05\nfactors = «{list}»");
        let (text, at) = mark(&recurrent, "rate-per-ms = 0.05", &to);
        check(&load(&text).expect_err(list), at, &["`plasticity.factors` has the wrong length", names]);
    }
    let all = BASE.replace("layered-feedforward", "fully-recurrent");
    let (text, at) = mark(&all, "rate-per-ms = 0.05", "rate-per-ms = 0.05\nfactors = «[1, 1]»");
    check(&load(&text).expect_err("pairs"), at, &["9, one a projection: input->input", "got 2"]);
    let to = "rate-per-ms = 0.05\nfactors = [1, «-1»]";
    let (text, at) = mark(&recurrent, "rate-per-ms = 0.05", to);
    check(&load(&text).expect_err("negative"), at, &["`plasticity.factors.1`"]);
    let (text, at) = mark(&recurrent, "epochs = 2", "epochs = 2\nrule = \"backprop\"");
    assert!(at.is_none());
    let says = "backprop, the control, needs a feedforward network; the projection hidden->input";
    check(&load(&text).expect_err("backprop"), None, &[says]);
    let (text, _) = mark(&recurrent, "[training]", "[run]\ncontrol = true\n[training]");
    check(&load(&text).expect_err("control"), None, &[says]);
    rejects("[784, 20, 10]", "[«0», 20, 10]", &["population 'input' has no neurons", "present images"]);
    for key in ["only-discriminative", "self-connections"] {
        let to = format!("[784, 20, 10]\n{key} = «1»");
        rejects("[784, 20, 10]", &to, &[&format!("`network.{key}` is an integer"), "true or false"]);
    }
}

#[test]
fn settings_that_do_not_apply() {
    rejects("dt-ms = 1.0", "dt-ms = «20.0»", &["dt < 2τ"]);
    rejects("tau-ms = 10.0\ndt-ms = 1.0", "tau-ms = «0.5»", &["dt < 2τ"]);
    let explicit = BASE.replace("\"exact\"", "\"euler\"").replace("dt-ms = 1.0", "dt-ms = 20.0");
    load(&explicit).expect("the bound belongs to the exact integrator");
}

#[test]
fn solvers_that_do_not_apply() {
    for solver in ["output-cg", "woodbury"] {
        rejects_custom("beta = 0.1", &format!("beta = 0.1\nsolver = «\"{solver}\"»"), &[solver, "ρ'' = 0"]);
    }
    // 30 free neurons are few enough for a dense solve, 210 are not.
    let dense = BASE.replace("beta = 0.1", "beta = 0.1\nsolver = \"dense\"");
    load(&dense).expect("a small network");
    let (text, at) = mark(&dense.replace("20, 10]", "200, 10]"), "\"dense\"", "«\"dense\"»");
    check(&load(&text).expect_err("dense"), at, &["'dense'", "210"]);
}
