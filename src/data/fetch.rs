//! Downloads a published set: mirror after mirror, into a `.part` that a later attempt continues, and under its name only when
//! its sum is right.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::StatusCode;
use ureq::{Agent, Proxy};

use super::directory::{self, DataDir, SetError};
use super::published::{Published, PublishedFile};

/// Attempts at one mirror, each of which got further than the one before.
const ATTEMPTS: usize = 50;

/// A gzip file is never longer than its content by more than this (headers, and 5 bytes for each stored block of 64 KiB).
const GZIP_EXTRA: u64 = 1 << 20;

/// How the network is used.
#[derive(Clone, Debug)]
pub struct Network {
    /// Proxy for all connections; `None` = none.
    pub proxy: Option<Proxy>,
    /// A mirror that is silent for so long is given up.
    pub patience: Duration,
}

impl Network {
    /// The proxy of the environment (`ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY`, also in lower case; `NO_PROXY` makes exceptions), and
    /// 30 s of patience.
    #[must_use]
    pub fn from_environment() -> Self {
        Self { proxy: Proxy::try_from_env(), patience: Duration::from_secs(30) }
    }

    fn agent(&self) -> Agent {
        let patience = Some(self.patience);
        Agent::config_builder()
            .proxy(self.proxy.clone())
            .http_status_as_error(false)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(patience)
            .timeout_connect(patience)
            .timeout_recv_response(patience)
            .timeout_per_read(patience)
            .build()
            .into()
    }
}

/// What happens during a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEvent<'a> {
    /// The right file is there already.
    Present(&'a Path),
    /// A mirror sends a file.
    Started {
        /// What was asked for.
        url: &'a str,
        /// Bytes that were there before.
        from: u64,
        /// Bytes in all, if the mirror says so.
        total: Option<u64>,
    },
    /// So many bytes are there.
    Received(u64),
    /// A mirror did not serve.
    Failed {
        /// What was asked for.
        url: &'a str,
        /// Why.
        cause: &'a str,
    },
    /// A file with other content had the name; it has the new name now.
    Moved {
        /// Its old name.
        from: &'a Path,
        /// Its new name.
        to: &'a Path,
    },
    /// A file is complete and right.
    Done(&'a Path),
}

/// Why a set could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No mirror served a file.
    #[error("{0}")]
    Unreachable(Box<Unreachable>),
    /// A folder or file cannot be written.
    #[error("{}: cannot be written: {source}; what was received so far is kept", path.display())]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another download of the same file is at work.
    #[error("{}: another download is writing this file; wait for it, or stop it", path.display())]
    Busy {
        /// The `.part`.
        path: PathBuf,
    },
    /// A file that is there cannot be read.
    #[error(transparent)]
    Read(#[from] SetError),
}

/// No mirror served a file. Displayed with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The set.
    pub set: Published,
    /// Where its files belong.
    pub folder: PathBuf,
    /// Whether a part of a file was received.
    pub part: bool,
    /// URL and cause of each attempt.
    pub causes: Vec<(String, String)>,
    /// The files that are not there yet.
    pub files: Vec<PublishedFile>,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (folder, title) = (self.folder.display(), self.set.title);
        writeln!(f, "{title} could not be fetched into '{folder}'")?;
        for (url, cause) in &self.causes {
            writeln!(f, "  = {url}: {cause}")?;
        }
        if self.part {
            writeln!(f, "  = what was received is kept there (.part), and the same command continues it")?;
        }
        writeln!(f, "  = behind a proxy, set https_proxy; another source is named with --mirror URL")?;
        f.write_str(&directory::by_hand(&self.folder, &self.files))
    }
}

/// Why an attempt failed.
enum Fault {
    /// At the other end: another attempt or mirror may do better.
    Remote(String),
    /// Here.
    Local(FetchError),
}

impl From<FetchError> for Fault {
    fn from(error: FetchError) -> Self {
        Self::Local(error)
    }
}

/// Fetches what is missing of a set; returns the folder. `mirrors` are asked in order.
///
/// # Errors
/// [`FetchError`]; what was received is kept in a `.part`.
pub fn fetch(
    set: &Published,
    directory: &DataDir,
    mirrors: &[String],
    network: &Network,
    tell: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<PathBuf, FetchError> {
    let folder = directory.folder_of(set);
    fs::create_dir_all(&folder).map_err(write_error(&folder))?;
    let mut download = Download { agent: network.agent(), folder: &folder, tell };
    for (i, file) in set.files.iter().enumerate() {
        let wrong = match directory::find(&folder, file.name) {
            None => None,
            Some(path) => match directory::check(&path, file, |_| ()) {
                Ok(()) => {
                    (download.tell)(FetchEvent::Present(&path));
                    continue;
                }
                Err(error @ SetError::Read { .. }) => return Err(error.into()),
                Err(_) => Some(path),
            },
        };
        if let Err(causes) = download.file(file, mirrors, wrong.as_deref())? {
            let files = set.files[i..].to_vec();
            let part = folder.join(part_name(file)).exists();
            let unreachable = Unreachable { set: *set, folder: folder.clone(), part, causes, files };
            return Err(FetchError::Unreachable(Box::new(unreachable)));
        }
    }
    Ok(folder)
}

/// A set on its way into a folder.
struct Download<'a> {
    agent: Agent,
    folder: &'a Path,
    tell: &'a mut dyn FnMut(FetchEvent<'_>),
}

impl Download<'_> {
    /// Fetches a file; `wrong` has its name and is moved aside then. If no mirror serves, says why not.
    fn file(
        &mut self,
        file: &PublishedFile,
        mirrors: &[String],
        wrong: Option<&Path>,
    ) -> Result<Result<(), Vec<(String, String)>>, FetchError> {
        let path = self.folder.join(part_name(file));
        let mut part = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(write_error(&path))?;
        // Where the file system knows no locks there is nothing to keep two downloads apart.
        if let Err(TryLockError::WouldBlock) = part.try_lock() {
            return Err(FetchError::Busy { path });
        }
        let mut causes = Vec::new();
        for mirror in mirrors {
            let url = format!("{mirror}{}.gz", file.name);
            match self.mirror(&url, file, &path, &mut part) {
                Ok(()) => {
                    self.finish(file, &path, &part, wrong)?;
                    return Ok(Ok(()));
                }
                Err(Fault::Local(error)) => return Err(error),
                Err(Fault::Remote(cause)) => {
                    (self.tell)(FetchEvent::Failed { url: &url, cause: &cause });
                    causes.push((url, cause));
                }
            }
        }
        // Nothing received is nothing to continue.
        if length(&path, &part)? == 0 {
            let _ = fs::remove_file(&path);
        }
        Ok(Err(causes))
    }

    /// Fetches a file from one mirror, in several attempts as long as each gets further.
    fn mirror(&mut self, url: &str, file: &PublishedFile, path: &Path, part: &mut File) -> Result<(), Fault> {
        let mut last = String::from("too many interruptions");
        for _ in 0..ATTEMPTS {
            let before = length(path, part)?;
            if let Err(fault) = self.receive(url, file, path, part) {
                let Fault::Remote(cause) = fault else { return Err(fault) };
                if length(path, part)? <= before {
                    return Err(Fault::Remote(cause));
                }
                last = cause;
                continue;
            }
            match directory::check(path, file, |_| ()) {
                Ok(()) => return Ok(()),
                Err(error @ SetError::Read { .. }) => return Err(Fault::Local(error.into())),
                Err(error) => {
                    empty(path, part)?;
                    // What was there before may have come from somewhere else: once more, from the start.
                    if before == 0 {
                        return Err(Fault::Remote(wrong_content(&error)));
                    }
                }
            }
        }
        Err(Fault::Remote(last))
    }

    /// Receives what is missing of a file, as far as the connection holds.
    fn receive(
        &mut self,
        url: &str,
        file: &PublishedFile,
        path: &Path,
        part: &mut File,
    ) -> Result<(), Fault> {
        let mut have = length(path, part)?;
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = request.call().map_err(|error| Fault::Remote(error.to_string()))?;
        match response.status() {
            StatusCode::OK => {
                empty(path, part)?;
                have = 0;
            }
            StatusCode::PARTIAL_CONTENT => {
                let range = response.headers().get("Content-Range").and_then(|range| range.to_str().ok());
                if !range.is_some_and(|range| range.starts_with(&format!("bytes {have}-"))) {
                    return Err(Fault::Remote(
                        "it sends another part of the file than it was asked for".into(),
                    ));
                }
            }
            // All is there already, or too much: the sum will tell.
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(()),
            status => return Err(Fault::Remote(format!("the server answers {status}"))),
        }
        let body = response.into_body();
        let total = body.content_length().map(|length| have + length);
        (self.tell)(FetchEvent::Started { url, from: have, total });
        let mut reader = body.into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Fault::Remote(format!("the connection broke: {error}"))),
            };
            have += n as u64;
            if have > file.bytes + GZIP_EXTRA {
                empty(path, part)?;
                return Err(Fault::Remote(format!(
                    "it sends more than the {} bytes of the file",
                    file.bytes
                )));
            }
            part.write_all(&buffer[..n]).map_err(write_error(path))?;
            (self.tell)(FetchEvent::Received(have));
        }
        match total.filter(|&total| have < total) {
            Some(total) => Err(Fault::Remote(format!("the connection ended after {have} of {total} bytes"))),
            None => Ok(()),
        }
    }

    /// Gives a complete file its name: with `.gz` if it is gzip, which a server may have undone on the way.
    fn finish(
        &mut self,
        file: &PublishedFile,
        path: &Path,
        part: &File,
        wrong: Option<&Path>,
    ) -> Result<(), FetchError> {
        part.sync_all().map_err(write_error(path))?;
        if let Some(from) = wrong {
            let mut to = from.as_os_str().to_owned();
            to.push(".wrong");
            let to = PathBuf::from(to);
            fs::rename(from, &to).map_err(write_error(from))?;
            (self.tell)(FetchEvent::Moved { from, to: &to });
        }
        let mut start = [0; 2];
        let mut reader = File::open(path).map_err(write_error(path))?;
        let gzip = reader.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b];
        let name = if gzip { format!("{}.gz", file.name) } else { file.name.to_owned() };
        let done = self.folder.join(name);
        fs::rename(path, &done).map_err(write_error(&done))?;
        (self.tell)(FetchEvent::Done(&done));
        Ok(())
    }
}

fn part_name(file: &PublishedFile) -> String {
    format!("{}.gz.part", file.name)
}

/// What is wrong with a complete file, in one line.
fn wrong_content(error: &SetError) -> String {
    match error {
        SetError::Sum(sum) => {
            format!("it has other content: wanted sha256 {}, found {}", sum.wanted.sha256, sum.sha256)
        }
        SetError::Gzip { cause, .. } => format!("it is corrupt or incomplete gzip ({cause})"),
        other => other.to_string(),
    }
}

fn length(path: &Path, part: &File) -> Result<u64, FetchError> {
    part.metadata().map(|about| about.len()).map_err(write_error(path))
}

fn empty(path: &Path, part: &mut File) -> Result<(), FetchError> {
    part.set_len(0).and_then(|()| part.seek(SeekFrom::Start(0))).map(drop).map_err(write_error(path))
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_path_buf();
    move |source| FetchError::Write { path, source }
}
