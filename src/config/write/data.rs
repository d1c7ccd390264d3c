//! Section `[data]` of the resolved form.

use super::{Out, list, name_of, number, quoted};
use crate::config::series;
use crate::config::types::{DataConfig, DataSource};
use crate::data::PublishedSet;
use crate::data::arrays::{AnswerKind, ArrayFiles, ArraysConfig, InputScale, PicturesConfig, TestPart};
use crate::data::series::{Channels, Files, Reference, Scale, SeriesConfig};

impl Out {
    pub(super) fn data(&mut self, data: &DataConfig) {
        self.section("[data]");
        match &data.source {
            DataSource::EmbeddedMnist => self.put("source", "\"embedded-mnist\""),
            DataSource::Published { set, directory } => {
                self.put("source", name_of(&PublishedSet::NAMES, *set));
                if let Some(directory) = directory {
                    self.put("directory", quoted(&directory.to_string_lossy()));
                }
            }
            DataSource::Idx { train_images, train_labels, test_images, test_labels } => {
                self.put("source", "\"idx\"");
                let files = [train_images, train_labels, test_images, test_labels];
                let keys = ["train-images", "train-labels", "test-images", "test-labels"];
                for (key, file) in keys.iter().zip(files) {
                    self.put(key, quoted(&file.to_string_lossy()));
                }
            }
            DataSource::Arrays(arrays) => self.arrays(arrays),
            DataSource::Images(pictures) => self.pictures(pictures),
            DataSource::Series(series) => return self.series(series),
        }
        self.put("validation", data.validation);
        self.put("encoding", name_of(&crate::data::Encoding::NAMES, data.encoding));
        if let Some(limit) = data.train_limit {
            self.put("train-limit", limit);
        }
    }

    fn arrays(&mut self, a: &ArraysConfig) {
        self.put("source", "\"arrays\"");
        let answers = if a.answers == AnswerKind::Labels { "labels" } else { "targets" };
        let mut files = |before: &str, files: &ArrayFiles| {
            self.put(&format!("{before}inputs"), quoted(&files.inputs.to_string_lossy()));
            self.put(&format!("{before}{answers}"), quoted(&files.answers.to_string_lossy()));
        };
        files("", &a.train);
        if let TestPart::Files(test) = &a.test {
            files("test-", test);
        }
        self.test_part(&a.test);
        self.put("scale", name_of(&InputScale::NAMES, a.scale));
    }

    fn pictures(&mut self, p: &PicturesConfig) {
        self.put("source", "\"images\"");
        self.put("train-directory", quoted(&p.train.to_string_lossy()));
        if let TestPart::Files(test) = &p.test {
            self.put("test-directory", quoted(&test.to_string_lossy()));
        }
        self.test_part(&p.test);
        self.put("colour", p.colour);
    }

    /// A test part that is drawn.
    fn test_part<F>(&mut self, test: &TestPart<F>) {
        match test {
            TestPart::Files(_) => {}
            TestPart::Count(count) => self.put("test", count),
            TestPart::Share(share) => self.put("test-fraction", number(*share)),
        }
    }

    fn series(&mut self, s: &SeriesConfig) {
        match &s.files {
            Files::Embedded => self.put("source", "\"embedded-ieeg\""),
            Files::Paths(paths) => {
                self.put("source", "\"recording\"");
                self.put("paths", list(paths.iter().map(|p| quoted(&p.to_string_lossy()))));
            }
        }
        let names = |names: &[String]| list(names.iter().map(|name| quoted(name)));
        let first = match &s.channels {
            Channels::Names(channels) => {
                self.put("channels", names(channels));
                None
            }
            Channels::Types { types, first } => {
                self.put("types", names(types));
                *first
            }
            Channels::Default { first } => *first,
        };
        self.some("first", first);
        self.put("drop-bad", s.drop_bad);
        self.put("inputs", names(&s.inputs));
        self.put("reference", name_of(&Reference::NAMES, s.reference));
        self.some("unit", s.unit.as_deref().map(quoted));
        self.some("rate-hz", s.rate_hz.map(number));
        self.some("resample-hz", s.resample_hz.map(number));
        self.some("high-pass-hz", s.high_pass_hz.map(number));
        self.put("notch-hz", list(s.notch_hz.iter().copied().map(number)));
        match s.scale {
            Scale::DivideBy(divisor) => self.put("divide-by", number(divisor)),
            scale => self.put("scale", name_of(&series::SCALES, scale)),
        }
        self.some("step-ms", s.step_ms.map(number));
        for (key, part) in series::PARTS.into_iter().zip([s.train_s, s.validation_s, s.test_s]) {
            self.some(key, part.map(|ends| list(ends.into_iter().map(number))));
        }
        self.put("memory-limit-mb", number(s.memory_limit_mb));
    }
}
