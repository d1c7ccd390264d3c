//! `[data]` of recordings: keys of the wrong kind, together, for another source; parts that overlap.

use crate::support::{BASE, check, load, mark, rejects};

/// `[data]` of the base text as a recording of its own, with some more lines.
fn series(lines: &str) -> (String, Option<crate::support::At>) {
    let (text, at) =
        mark(BASE, "validation = 100\nencoding = \"unit\"", &format!("path = \"a.edf\"\n{lines}"));
    let text = text.replace("\"embedded-mnist\"", "\"recording\"").replace("[784, 20, 10]", "[0, 20, 10]");
    // At the end, so that places above it stay.
    (text.replace("steps-per-sample = 30\n", ""), at)
}

#[track_caller]
fn refuses(lines: &str, says: &[&str]) {
    let (text, at) = series(lines);
    match load(&text) {
        Err(error) => check(&error, at, says),
        Ok(_) => panic!("accepted: {lines}"),
    }
}

#[test]
fn a_recording_is_accepted() {
    load(&series("first = 10").0).unwrap_or_else(|e| panic!("{e}"));
    load(&series("").0.replace("source = \"recording\"", "kind = \"recording\"")).expect("the other key");
}

#[test]
fn keys_of_training_and_completion() {
    let (base, _) = series("");
    let refuses = |more: &str, says: &str| {
        let (text, at) = mark(&base, "batch = 32\n", &format!("batch = 32\n{more}\n"));
        match load(&text) {
            Err(error) => check(&error, at, &[says]),
            Ok(_) => panic!("accepted: {more}"),
        }
    };
    for line in ["«steps-per-sample» = 30", "«ramp-from» = -20", "«nudge-from» = 0.1", "«learn-from» = 0"]
    {
        refuses(line, "is for static samples");
    }
    refuses("rule = «\"backprop\"»", "`training.rule` cannot be backprop");
    refuses("window-ms = «0»", "a time in ms, greater than 0");
    refuses("repetitions = «0»", "`training.repetitions`");
    refuses("[completion]\nfree = «11»", "`completion.free`");
    refuses("[completion]\nfree = «0»", "`completion.free`");
    refuses("[completion]\nfree = [\"A\", «\"A\"»]", "is in the list twice");
    refuses("[completion]\nfree = «[]»", "names 0 of 10 outputs");
    refuses("[completion]\nbeta = «-1»", "a nudging strength");
    refuses("[completion]\nsettle-ms = «inf»", "a time in ms");
    refuses("[completion]\n«settle» = 1", "did you mean `settle-ms`?");
    for line in ["«window-ms» = 100", "«repetitions» = 2", "«shuffle-windows» = true"] {
        rejects("steps-per-sample = 30", &format!("steps-per-sample = 30\n{line}"), &["is for recordings"]);
    }
    rejects("[training]", "[«completion»]\n[training]", &["is for recordings, not for static samples"]);
}

#[test]
fn keys_of_another_source() {
    let expected = &["needs source = \"embedded-ieeg\" or \"recording\""];
    for line in ["«path» = \"a\"", "«train-s» = [0, 1]", "«divide-by» = 2", "«inputs» = []"] {
        rejects("validation = 100", line, expected);
    }
    for line in ["«validation» = 1", "«encoding» = \"unit\"", "«train-limit» = 5"] {
        refuses(line, &["is for static samples"]);
    }
    refuses("«train-images» = \"a\"", &["needs source = \"idx\""]);
    refuses("«directory» = \"a\"", &["needs source = \"mnist\""]);
    let embedded = ["path = \"a\"", "paths = [\"a\"]", "rate-hz = 512", "unit = \"µV\""];
    for line in embedded {
        let text =
            series("").0.replace("\"recording\"", "\"embedded-ieeg\"").replace("path = \"a.edf\"", line);
        let shown = load(&text).expect_err(line).to_string();
        assert!(shown.contains("needs source = \"recording\""), "{shown}");
    }
}

#[test]
fn keys_that_mean_the_same() {
    rejects("validation = 100", "«kind» = \"idx\"", &["`data.kind` stands beside `source`"]);
    let no_file = series("").0.replace("path = \"a.edf\"\n", "");
    assert!(load(&no_file).expect_err("no file").to_string().contains("expected path = \"FILE\", or paths"));
    let (text, at) = series("paths = [\"b\"]");
    assert!(at.is_none());
    let (text, at) = mark(&text, "path = \"a.edf\"", "«path» = \"a.edf\"");
    check(&load(&text).expect_err("both"), at, &["`data.path` cannot stand beside `paths`"]);
    refuses("channels = [\"A\"]\n«types» = [\"SEEG\"]", &["cannot stand beside `channels`"]);
    refuses("channels = [\"A\"]\n«first» = 3", &["cannot stand beside `channels`"]);
    refuses("divide-by = 200\n«scale» = \"z-score\"", &["cannot stand beside `divide-by`"]);
}

#[test]
fn values_of_the_wrong_kind() {
    for key in ["rate-hz", "resample-hz", "high-pass-hz", "step-ms", "divide-by"] {
        for bad in ["0", "-1", "nan", "inf", "\"1\""] {
            refuses(&format!("{key} = «{bad}»"), &[&format!("`data.{key}`"), "greater than 0"]);
        }
    }
    refuses("notch-hz = «50»", &["`data.notch-hz` is an integer", "a list of frequencies"]);
    refuses("notch-hz = [50, «0»]", &["`data.notch-hz.1` cannot be 0"]);
    refuses("memory-limit-mb = «-1»", &["`data.memory-limit-mb`"]);
    refuses("first = «0»", &["`data.first` cannot be 0"]);
    refuses("channels = «[]»", &["`data.channels` is empty"]);
    refuses("channels = [«\" \"»]", &["`data.channels.0` cannot be empty"]);
    refuses("channels = [\"A\", «\"A\"»]", &["\"A\" is in the list twice"]);
    refuses("types = «\"SEEG\"»", &["`data.types` is a string"]);
    refuses("reference = «\"average\"»", &["none, common-average, bipolar"]);
    refuses("scale = «\"zscore\"»", &["did you mean `z-score`?"]);
    refuses("unit = «\"K\"»", &["µV, uV, mV, V, nV"]);
    refuses("drop-bad = «1»", &["true or false"]);
    refuses("«tran-s» = [0, 1]", &["did you mean `train-s`?"]);
}

#[test]
fn parts_of_the_recording() {
    refuses("train-s = «8»", &["[from, to] in seconds"]);
    refuses("train-s = «[8]»", &["`data.train-s` has 1 elements"]);
    refuses("train-s = [-1, 8]", &["`data.train-s.0` cannot be -1"]);
    refuses("train-s = [8, «8»]", &["`data.train-s` runs from 8.0 to 8.0"]);
    refuses("train-s = [0, 8]\ntest-s = «[7.5, inf]»", &["`data.test-s` overlaps `train-s` = [0.0, 8.0]"]);
    refuses(
        "train-s = [0, 8]\nvalidation-s = «[2, 3]»",
        &["`data.validation-s` overlaps `train-s` = [0.0, 8.0]"],
    );
    load(&series("train-s = [0, 8]\nvalidation-s = [8, 9]\ntest-s = [9, inf]").0).expect("parts that touch");
}

#[test]
fn inputs_that_do_not_fit_the_input_population() {
    let (text, _) = series("inputs = [\"A\", \"B\"]");
    let (text, at) = mark(&text, "[0, 20, 10]", "[«0», 20, 10]");
    let says = ["`data.inputs` names 2 channels, population 'input' has 0 neurons"];
    check(&load(&text).expect_err("no neurons"), at, &says);
}
