//! `--seeds`, `--control`: the same experiment with several seeds, each followed by its control, in one table.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use super::resume::{Resume, shell};
use super::run_one;
use crate::checkpoint::differing_keys;
use crate::cli::dataset::Loaded;
use crate::cli::interrupt::Interrupt;
use crate::cli::tiles::Tiled;
use crate::cli::{Failure, plot, print, say};
use crate::config::{Experiment, Overrides, Source};
use crate::sinks::{Group, RunDir, SeedResult, SeedTable, about, result_of};
use crate::train::{Event, Header, Rule, Sink};

/// What all runs of a group are made with.
pub(super) struct Seeds<'a> {
    /// The experiment; its `run.seeds` and `run.control` say what to run.
    pub e: &'a Experiment,
    pub device: &'a Tiled,
    pub interrupt: &'a Interrupt,
    pub resume: &'a Resume,
    /// Whether kernels are timed.
    pub profile: bool,
    /// Loads the data: the split depends on the seed.
    pub load: &'a dyn Fn(&mut Experiment) -> Result<Loaded, Failure>,
    /// Makes what shows the progress of a run.
    pub progress: &'a dyn Fn() -> Box<dyn Sink>,
}

/// Where one run of a group stands.
enum Stand {
    Missing,
    Unfinished(PathBuf),
    Complete(SeedResult),
}

impl Seeds<'_> {
    /// Runs what is missing and prints the table.
    ///
    /// # Errors
    /// What stopped a run, with how to go on with all of them.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let (group, fresh) = self.group()?;
        let run = &self.e.run;
        let mut table = SeedTable::new(&run.seeds, run.control);
        table.completion = self.e.completion.is_some() || self.e.data.has_targets();
        table.about = group.table().map_or_else(String::new, |earlier| earlier.about);
        for at in 0..run.seeds.len() {
            let done = self.seed(&group, fresh, &mut table, at);
            done.map_err(|failure| advised(failure, &group))?;
        }
        print(&table.markdown())?;
        plot::after_training(group.path());
        say(&format!("done; the table is in {}", group.path().join("seeds.md").display()));
        Ok(())
    }

    /// The group that goes on, or a new one, and whether it is new.
    fn group(&self) -> Result<(Group, bool), Failure> {
        let e = self.e;
        let found = match self.resume {
            Resume::No => None,
            Resume::Auto => {
                let all = Group::all(&e.run.directory, &e.name);
                let found = all.into_iter().rev().find(|group| goes_on(e, group));
                if found.is_none() {
                    let runs = e.run.directory.display();
                    say(&format!("no seeds of {} with this configuration in {runs}: new ones start", e.name));
                }
                found
            }
            Resume::Path(path) => {
                let group = Group::open(path).filter(|group| goes_on(e, group));
                Some(group.ok_or_else(|| {
                    Failure::usage(anyhow::anyhow!(
                        "--resume {}: not the folder <utc>-seeds of this configuration; give that folder, or auto",
                        path.display()
                    ))
                })?)
            }
        };
        match found {
            Some(group) => {
                // There may be more seeds than before.
                group.write_config(&e.to_toml()).map_err(Failure::run)?;
                Ok((group, false))
            }
            None => {
                let made = Group::create(&e.run.directory, &e.name, &e.to_toml(), SystemTime::now());
                Ok((made.map_err(Failure::run)?, true))
            }
        }
    }

    /// One seed: the experiment, then its control, with the same data.
    fn seed(&self, group: &Group, fresh: bool, table: &mut SeedTable, at: usize) -> Result<(), Failure> {
        let mut data = None;
        let seed = table.rows[at].seed;
        for control in [false, true] {
            if control && !self.e.run.control {
                continue;
            }
            let mut member = member(self.e, seed, control);
            let stand = if fresh { Stand::Missing } else { stand(group, &member)? };
            let resume = match stand {
                Stand::Complete(result) => {
                    say(&format!("complete already: {} with seed {seed}, {}", member.name, result.directory));
                    book(group, table, at, control, result)?;
                    continue;
                }
                Stand::Unfinished(path) => Resume::Path(path),
                Stand::Missing => Resume::No,
            };
            if data.is_none() {
                data = Some((self.load)(&mut member)?);
            }
            let Some(data) = &data else { continue };
            let header = Rc::new(RefCell::new(None));
            let progress = Box::new(Heard { inner: (self.progress)(), header: Rc::clone(&header) });
            let outcome =
                run_one(&member, data, self.device, self.interrupt, progress, &resume, self.profile)?;
            if let Some(header) = header.borrow().as_ref().filter(|_| !control) {
                table.about = about(header);
            }
            book(group, table, at, control, result_of(&outcome.directory).map_err(Failure::run)?)?;
        }
        Ok(())
    }
}

/// Adds a result and writes the table.
fn book(
    group: &Group,
    table: &mut SeedTable,
    at: usize,
    control: bool,
    result: SeedResult,
) -> Result<(), Failure> {
    let row = &mut table.rows[at];
    *(if control { &mut row.control } else { &mut row.run }) = Some(result);
    table.summarise();
    group.write(table).map_err(Failure::run)
}

/// The experiment of one run: one seed, by backprop under a name of its own if it is the control.
fn member(e: &Experiment, seed: u64, control: bool) -> Experiment {
    let mut member = e.clone();
    member.seed = seed;
    member.run.seeds.clear();
    member.run.control = false;
    if control {
        member.training.rule = Rule::Backprop;
        // Without dynamics there is nothing to record.
        member.probes.clear();
        member.name = format!("{}-backprop", e.name);
    }
    member
}

/// Where a run of a group that goes on stands.
fn stand(group: &Group, member: &Experiment) -> Result<Stand, Failure> {
    let runs = RunDir::runs(&member.run.directory, &member.name, member.seed);
    // A complete run does not show whether its data were the same: their place has to be.
    let alike = |there: Experiment| there.data == member.data;
    let mine = |run: &&PathBuf| group.may_have_run(run) && same(member, run).is_some_and(alike);
    match runs.iter().rev().find(mine) {
        None => Ok(Stand::Missing),
        Some(run) if RunDir::is_done(run) => Ok(Stand::Complete(result_of(run).map_err(Failure::run)?)),
        Some(run) => Ok(Stand::Unfinished(run.clone())),
    }
}

/// The configuration in a folder, if it is that of `e` but for keys that change no number of a run.
fn same(e: &Experiment, folder: &Path) -> Option<Experiment> {
    let source = Source::File(folder.join("config.toml"));
    let there = Experiment::load(&source, &Overrides::default()).ok()?;
    differing_keys(&there, e).is_empty().then_some(there)
}

/// Whether a group goes on with `e`, which may have more seeds, or the control on top.
fn goes_on(e: &Experiment, group: &Group) -> bool {
    same(e, group.path()).is_some_and(|there| {
        there.run.seeds.iter().all(|seed| e.run.seeds.contains(seed)) && there.run.control <= e.run.control
    })
}

/// A failure of one run, with how to go on with all.
fn advised(failure: Failure, group: &Group) -> Failure {
    let advice = format!("to go on with all seeds: lagrange-gpu train --resume {}", shell(group.path()));
    match failure {
        // The first line says what was saved; the others how to go on with that run alone.
        Failure::Interrupted { what, code } => {
            let first = what.lines().next().unwrap_or_default();
            Failure::Interrupted { what: format!("{first}\n{advice}"), code }
        }
        other => {
            say(&advice);
            other
        }
    }
}

/// Passes events on and keeps the header.
struct Heard {
    inner: Box<dyn Sink>,
    header: Rc<RefCell<Option<Header>>>,
}

impl Sink for Heard {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Event::Started(header) = event {
            *self.header.borrow_mut() = Some((**header).clone());
        }
        self.inner.take(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
