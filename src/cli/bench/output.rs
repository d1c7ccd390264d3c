//! Where rows go.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::cases::Plan;
use crate::bench::Row;
use crate::bench::report::{Format, Report};
use crate::cli::{Failure, print, say};

/// Standard output, and perhaps a file.
pub(super) struct Output {
    shown: Report,
    is_for_programs: bool,
    file: Option<(PathBuf, File, Report)>,
    begun: bool,
}

impl Output {
    /// Opens the file before anything runs; rows are added to what it has.
    pub(super) fn new(format: Format, file: Option<&Path>, plan: &Plan) -> Result<Self, Failure> {
        let rows: Vec<Row> = plan.cases.iter().map(|(_, row, _)| row.clone()).collect();
        let kept = file.map(|path| Self::open(path, Report::new(format, &rows), format)).transpose()?;
        let format = if file.is_some() { Format::Table } else { format };
        let is_for_programs = format.is_for_programs();
        Ok(Self { shown: Report::new(format, &rows), is_for_programs, file: kept, begun: false })
    }

    fn open(path: &Path, report: Report, format: Format) -> Result<(PathBuf, File, Report), Failure> {
        let failed = |error: std::io::Error| {
            Failure::usage(anyhow!("--output-file {}: cannot be written: {error}", path.display()))
        };
        let mut file = File::options().create(true).read(true).append(true).open(path).map_err(failed)?;
        let mut there = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut there)).map_err(failed)?;
        let head = report.head();
        if there.is_empty() {
            file.write_all(head.as_bytes()).map_err(failed)?;
        } else if format == Format::Csv && !there.starts_with(&head) {
            return Err(Failure::usage(anyhow!(
                "--output-file {}: has other columns than those of this version; give another file",
                path.display()
            )));
        } else if format.is_for_programs() && !there.ends_with('\n') {
            // A line that was cut off, or written by hand.
            file.write_all(b"\n").map_err(failed)?;
        } else if !format.is_for_programs() {
            file.write_all(format!("\n{head}").as_bytes()).map_err(failed)?;
        }
        Ok((path.to_owned(), file, report))
    }

    /// A row, to all places at once.
    pub(super) fn row(&mut self, row: &Row) -> Result<(), Failure> {
        let line = |report: &Report| report.line(row).map_err(Failure::run);
        if let Some((path, file, report)) = &mut self.file {
            let text = line(report)?;
            file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(|error| {
                Failure::run(anyhow!("{}: a row could not be written: {error}", path.display()))
            })?;
        }
        if !self.begun {
            self.begun = true;
            print(&self.shown.head())?;
        }
        print(&line(&self.shown)?)
    }

    /// Something for people, out of the way of programs.
    pub(super) fn tell(&self, text: &str) -> Result<(), Failure> {
        if self.is_for_programs {
            say(text.trim_end());
            return Ok(());
        }
        print(text)
    }
}
