//! `data list`, `data fetch`, `data info` and `data convert`.

mod convert;
mod info;

use std::path::Path;

use super::dataset::DataArgs;
use super::{Failure, print};
use crate::data::directory::{check, find};
use crate::data::recording::{Hints, Recording, open_with};
use crate::data::{DataDir, Published, PublishedSet, SetError};

/// `lagrange-gpu data …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists the data sets: where their files are, and whether they are right.
    List(DataArgs),
    /// Downloads a data set into the data directory.
    Fetch(Fetch),
    /// Prints channels, units, rate, duration and what the samples look like of a recording.
    Info(info::Args),
    /// Writes a recording, or a part of it, as an .npz archive.
    Convert(convert::Args),
}

/// What a user says about a recording.
#[derive(Debug, clap::Args)]
struct HintArgs {
    /// Samples a second, for files that do not tell (.npy, tables), or tell a wrong rate.
    #[arg(long, value_name = "HZ")]
    rate_hz: Option<f64>,
}

impl HintArgs {
    /// Opens a recording.
    fn open(&self, path: &Path) -> Result<Recording, Failure> {
        if self.rate_hz.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            return Err(Failure::usage(anyhow::anyhow!("--rate-hz has to be a number above 0")));
        }
        open_with(path, &Hints { rate_hz: self.rate_hz }).map_err(Failure::usage)
    }
}

/// Arguments of `data fetch`.
#[derive(Debug, clap::Args)]
pub(super) struct Fetch {
    /// mnist or fashion-mnist.
    #[arg(value_parser = set)]
    set: PublishedSet,
    #[command(flatten)]
    data: DataArgs,
    /// A folder on the network (http or https) with the four files, asked instead of the official ones; may be given several times.
    #[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "nothing is fetched"))]
    #[arg(long = "mirror", value_name = "URL", value_parser = mirror)]
    mirrors: Vec<String>,
}

/// Runs the subcommand.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args),
        Command::Fetch(args) => fetch(args),
        Command::Info(args) => info::run(args),
        Command::Convert(args) => convert::run(args),
    }
}

fn set(name: &str) -> Result<PublishedSet, String> {
    let found = PublishedSet::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, set)| *set).ok_or_else(|| {
        let names = PublishedSet::NAMES.map(|(known, _)| known).join(", ");
        format!("expected one of: {names}")
    })
}

/// The URL of a folder, with a slash at its end.
fn mirror(url: &str) -> Result<String, String> {
    let known =
        ["http://", "https://"].iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme));
    if !known || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("expected the URL of a folder, http://… or https://…".to_owned());
    }
    Ok(format!("{}/", url.trim_end_matches('/')))
}

fn directory(args: &DataArgs) -> Result<DataDir, Failure> {
    DataDir::choose(args.data_dir.as_deref(), None).map_err(Failure::usage)
}

fn list(args: &DataArgs) -> Result<(), Failure> {
    let directory = directory(args)?;
    let mut text = format!("data directory: {} (from {})\n", directory.path.display(), directory.origin);
    text.push_str("embedded-mnist: in the program, 2,000 training and 100 test digits of each class\n");
    text.push_str(
        "embedded-ieeg: in the program, 50 depth contacts, 5 s at 512 Hz; see `data info embedded-ieeg`\n",
    );
    for (_, set) in PublishedSet::NAMES {
        let set = set.about();
        let folder = directory.folder_of(set);
        text.push_str(&format!("{}: {} in {}\n", set.name, set.title, folder.display()));
        for line in state(set, &folder) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    print(&text)
}

/// A line for each file of a set.
fn state(set: &Published, folder: &Path) -> Vec<String> {
    let one = |file: &crate::data::PublishedFile| {
        let state = match find(folder, file.name) {
            None => "missing".to_owned(),
            Some(path) => match check(&path, file, |_| ()) {
                Ok(()) => "right".to_owned(),
                Err(SetError::Sum(sum)) => format!("WRONG: found {}", sum.sha256),
                Err(error) => format!("WRONG: {error}"),
            },
        };
        format!("{:<23}  sha256 {}  {state}", file.name, file.sha256)
    };
    set.files.iter().map(one).collect()
}

#[cfg(not(feature = "fetch"))]
fn fetch(args: &Fetch) -> Result<(), Failure> {
    use crate::data::directory::by_hand;
    let set = args.set.about();
    let folder = directory(&args.data)?.folder_of(set);
    Err(Failure::usage(anyhow::anyhow!(
        "`data fetch` is not built into this program (cargo feature `fetch`)\n{}\n  = from: {}",
        by_hand(&folder, &set.files),
        set.mirrors.join(" or ")
    )))
}

#[cfg(feature = "fetch")]
fn fetch(args: &Fetch) -> Result<(), Failure> {
    use super::say;
    use crate::data::fetch::{FetchEvent, Network, fetch};

    let directory = directory(&args.data)?;
    let set = args.set.about();
    let mirrors = match args.mirrors.as_slice() {
        [] => set.mirrors.iter().map(|&url| url.to_owned()).collect(),
        mirrors => mirrors.to_vec(),
    };
    // Hidden where standard error is no terminal.
    let bar = indicatif::ProgressBar::no_length();
    if let Ok(style) =
        indicatif::ProgressStyle::with_template("  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    let told = |text: &str| bar.suspend(|| say(text));
    let done = fetch(set, &directory, &mirrors, &Network::from_environment(), &mut |event| match event {
        FetchEvent::Present(path) => told(&format!("{}: is there and right", path.display())),
        FetchEvent::Started { url, from, total } => {
            let after = if from > 0 { format!(", from byte {from} on") } else { String::new() };
            told(&format!("{url}{after}"));
            bar.set_length(total.unwrap_or(from));
            bar.set_position(from);
            // The rate is that of this connection alone.
            bar.reset_eta();
        }
        FetchEvent::Received(bytes) => bar.set_position(bytes),
        FetchEvent::Failed { url, cause } => told(&format!("{url}: {cause}")),
        FetchEvent::Moved { from, to } => {
            told(&format!("{}: has other content, now called {}", from.display(), to.display()));
        }
        FetchEvent::Done(path) => told(&format!("{}: complete and right", path.display())),
    });
    bar.finish_and_clear();
    let folder = done.map_err(Failure::run)?;
    say(&format!("{} is complete in {}", set.title, folder.display()));
    Ok(())
}
