//! `[data]` of arrays and pictures: keys that are missing, together, for another source.

use crate::support::{BASE, check, load, mark, rejects};

/// `[data]` of the base text with another source and these lines.
#[track_caller]
fn refuses(source: &str, lines: &str, says: &[&str]) {
    let (text, at) = mark(BASE, "validation = 100\nencoding = \"unit\"", lines);
    match load(&text.replace("\"embedded-mnist\"", &format!("\"{source}\""))) {
        Err(error) => check(&error, at, says),
        Ok(_) => panic!("accepted: {lines}"),
    }
}

/// As [`refuses`], where the place is the whole section.
#[track_caller]
fn misses(source: &str, lines: &str, key: &str) {
    let text = BASE.replace("validation = 100", lines).replace("embedded-mnist", source);
    let shown = load(&text).expect_err(key).to_string();
    assert!(shown.contains(&format!("has no key `{key}`")), "{shown}");
}

#[test]
fn keys_that_are_missing() {
    misses("arrays", "labels = \"y\"\ntest = 1", "inputs");
    misses("arrays", "inputs = \"x\"\ntest = 1", "labels");
    misses("arrays", "inputs = \"x\"\nlabels = \"y\"", "test");
    misses("arrays", "inputs = \"x\"\nlabels = \"y\"\ntest-inputs = \"u\"", "test-labels");
    misses("arrays", "inputs = \"x\"\ntargets = \"y\"\ntest-targets = \"u\"", "test-inputs");
    misses("images", "test = 1", "train-directory");
    misses("images", "train-directory = \"d\"", "test");
}

#[test]
fn keys_that_exclude_each_other() {
    let both = "inputs = \"x\"\ntargets = \"y\"\n";
    refuses("arrays", &format!("{both}«labels» = \"z\""), &["cannot stand beside `targets`"]);
    refuses("arrays", &format!("{both}«test-labels» = \"z\""), &["does not belong to `targets`"]);
    refuses("arrays", &format!("{both}test-fraction = 0.1\n«test» = 3"), &["beside `test-fraction`"]);
    let files = format!("{both}test-inputs = \"u\"\ntest-targets = \"v\"\n");
    refuses("arrays", &format!("{files}«test» = 3"), &["beside test-inputs and test-targets"]);
    let directory = "train-directory = \"d\"\ntest-directory = \"e\"\n";
    refuses("images", &format!("{directory}«test-fraction» = 0.1"), &["beside test-directory"]);
}

#[test]
fn values_of_the_wrong_kind() {
    let both = "inputs = \"x\"\ntargets = \"y\"\n";
    refuses("arrays", "inputs = «3»\ntargets = \"y\"\ntest = 1", &["`data.inputs` is an integer", ".npy"]);
    refuses("arrays", &format!("{both}test = «0»"), &["`data.test` cannot be 0"]);
    for share in ["0", "1", "-0.5", "nan"] {
        refuses("arrays", &format!("{both}test-fraction = «{share}»"), &["greater than 0 and less than 1"]);
    }
    refuses("arrays", &format!("{both}test = 1\nscale = «\"zscore\"»"), &["none, z-score, unit"]);
    refuses("images", "train-directory = \"d\"\ntest = 1\ncolour = «1»", &["true or false"]);
}

#[test]
fn keys_of_another_source() {
    for key in ["targets", "labels", "test-inputs", "test", "test-fraction", "train-directory", "colour"] {
        let line = format!("«{key}» = 1");
        rejects("validation = 100", &line, &["needs source = \"arrays\" or \"images\""]);
    }
    let both = "inputs = \"x\"\ntargets = \"y\"\ntest = 1\n";
    refuses("arrays", &format!("{both}«train-directory» = \"d\""), &["needs source = \"images\""]);
    refuses("arrays", &format!("{both}«train-labels» = \"d\""), &["needs source = \"idx\""]);
    refuses(
        "arrays",
        &format!("{both}«path» = \"d\""),
        &["needs source = \"embedded-ieeg\" or \"recording\""],
    );
    let directory = "train-directory = \"d\"\ntest = 1\n";
    for key in ["inputs", "labels", "scale", "test-labels"] {
        refuses("images", &format!("{directory}«{key}» = \"x\""), &["needs source = \"arrays\""]);
    }
}
