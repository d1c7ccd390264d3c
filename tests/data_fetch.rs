//! Downloads from a server on this machine: success, interruptions, wrong files, servers and disks that fail.
#![cfg(feature = "fetch")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod data_support;

use std::path::Path;
use std::time::Duration;

use data_support::{NAMES, Reply, Server, directory, gzip, nobody, sha256, small_set};
use lagrange_gpu::data::fetch::{FetchError, FetchEvent, Network, fetch};
use lagrange_gpu::data::{DataDir, Dataset, Published, Split};
use tempfile::{TempDir, tempdir};

/// A data directory with a small set to fetch.
struct Place {
    dir: TempDir,
    set: Published,
    contents: [Vec<u8>; 4],
    /// What is told during a download, as text.
    told: Vec<String>,
    patience: Duration,
}

impl Place {
    fn new() -> Self {
        let (set, contents) = small_set();
        // A server on this machine answers at once, also when it is busy.
        Self { dir: tempdir().unwrap(), set, contents, told: Vec::new(), patience: Duration::from_secs(60) }
    }

    fn directory(&self) -> DataDir {
        directory(self.dir.path())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("small").join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.dir.path().join("small")).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn fetch(&mut self, mirrors: &[&str]) -> Result<(), FetchError> {
        let mirrors: Vec<String> = mirrors.iter().map(|&url| url.to_owned()).collect();
        // The proxy of this machine has no part in it.
        let network = Network { proxy: None, patience: self.patience };
        let (directory, told) = (self.directory(), &mut self.told);
        let done = fetch(&self.set, &directory, &mirrors, &network, &mut |event| {
            if !matches!(event, FetchEvent::Received(_)) {
                told.push(format!("{event:?}"));
            }
        });
        done.map(|folder| assert_eq!(folder, self.dir.path().join("small")))
    }

    /// The files are there, right, and nothing else is.
    #[track_caller]
    fn complete(&self) {
        let mut want = NAMES.map(|name| format!("{name}.gz"));
        want.sort();
        assert_eq!(self.names(), want, "{:#?}", self.told);
        let data = Dataset::published(&self.set, &self.directory(), Split::default()).unwrap();
        assert_eq!(data.train.images(), &self.contents[0][16..]);
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path().join("small")).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn told(&self, words: &[&str]) {
        let found = self.told.iter().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "no event with {words:?} in {:#?}", self.told);
    }
}

fn part(name: &str) -> String {
    format!("{name}.gz.part")
}

#[test]
fn a_set_is_fetched_once() {
    let mut place = Place::new();
    let server = Server::start(&place.contents, |_| Reply::Serve);
    place.fetch(&[&server.url]).unwrap();
    place.complete();
    let want: Vec<_> = NAMES.iter().map(|name| (format!("/{name}.gz"), None)).collect();
    assert_eq!(server.asked(), want);
    // What is there and right is not asked for again, and needs no network; what is missing is.
    place.told.clear();
    place.fetch(&[&nobody()]).unwrap();
    assert!(place.told.len() == 4 && place.told.iter().all(|t| t.starts_with("Present")), "{:?}", place.told);
    std::fs::remove_file(place.path(&format!("{}.gz", NAMES[2]))).unwrap();
    place.fetch(&[&server.url]).unwrap();
    assert_eq!(server.asked()[4..], want[2..3]);
    place.complete();
}

#[test]
fn files_in_the_data_directory_itself_are_enough() {
    let place = Place::new();
    for (name, content) in NAMES.iter().zip(&place.contents) {
        std::fs::write(place.dir.path().join(name), content).unwrap();
    }
    let network = Network { proxy: None, patience: place.patience };
    let folder = fetch(&place.set, &place.directory(), &[nobody()], &network, &mut |_| ()).unwrap();
    assert_eq!(folder, place.dir.path());
}

#[test]
fn a_broken_connection_is_continued_where_it_broke() {
    let mut place = Place::new();
    // The first two connections break after 300 bytes each.
    let server =
        Server::start(&place.contents, |r| if r.number < 2 { Reply::Cut(300) } else { Reply::Serve });
    place.fetch(&[&server.url]).unwrap();
    place.complete();
    assert_eq!(
        server.asked().iter().map(|(_, from)| *from).collect::<Vec<_>>()[..4],
        [None, Some(300), Some(600), None]
    );
}

#[test]
fn what_an_earlier_attempt_left_is_continued() {
    let mut place = Place::new();
    let whole = gzip(&place.contents[0]);
    place.put(&part(NAMES[0]), &whole[..500]);
    // This one is complete, and was stopped before it got its name.
    let labels = gzip(&place.contents[1]);
    place.put(&part(NAMES[1]), &labels);
    let server = Server::start(&place.contents, |_| Reply::Serve);
    place.fetch(&[&server.url]).unwrap();
    place.complete();
    let from: Vec<_> = server.asked().into_iter().map(|(_, from)| from).collect();
    assert_eq!(from, [Some(500), Some(labels.len()), None, None]);
}

#[test]
fn a_server_without_ranges_sends_the_whole_again() {
    let mut place = Place::new();
    place.put(&part(NAMES[0]), b"the start of something else");
    let server = Server::start(&place.contents, |_| Reply::NoRange);
    place.fetch(&[&server.url]).unwrap();
    place.complete();
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn what_does_not_fit_together_is_fetched_from_the_start() {
    let mut place = Place::new();
    place.put(&part(NAMES[0]), b"the start of something else");
    // Longer than the file: there is nothing left to send (416).
    place.put(&part(NAMES[3]), &[7; 9_999]);
    let server = Server::start(&place.contents, |_| Reply::Serve);
    place.fetch(&[&server.url]).unwrap();
    place.complete();
    let from: Vec<_> = server.asked().into_iter().map(|(_, from)| from).collect();
    assert_eq!(from, [Some(27), None, None, None, Some(9_999), None]);
}

#[test]
fn a_mirror_with_another_file_is_followed_by_the_next() {
    let mut place = Place::new();
    let mut other = place.contents[0].clone();
    other[20] ^= 1;
    let sum = sha256(&other);
    let wrong = Server::start(&[], move |_| Reply::Content(gzip(&other)));
    // A page of a network that wants a login first.
    let page = Server::start(&[], |_| Reply::Content(b"<html>please log in</html>".to_vec()));
    let right = Server::start(&place.contents, |_| Reply::Serve);
    place.fetch(&[&wrong.url, &page.url, &right.url]).unwrap();
    place.complete();
    place.told(&["Failed", &wrong.url, place.set.files[0].sha256, &sum]);
    place.told(&["Failed", &page.url, "other content"]);
    // Nothing of the wrong files was taken for a start.
    assert!(right.log().iter().all(|request| request.from.is_none()));
}

#[test]
fn a_missing_file_and_a_failing_server_are_followed_by_the_next() {
    let mut place = Place::new();
    let [missing, failing] = [404, 500].map(|status| Server::start(&[], move |_| Reply::Status(status)));
    let gone = nobody();
    let right = Server::start(&place.contents, |_| Reply::Serve);
    place.fetch(&[&missing.url, &failing.url, &gone, &right.url]).unwrap();
    place.complete();
    place.told(&["Failed", &missing.url, "404"]);
    place.told(&["Failed", &failing.url, "500"]);
    place.told(&["Failed", &gone]);
}

#[test]
fn a_silent_mirror_is_given_up_and_the_next_continues() {
    let mut place = Place::new();
    let silent =
        Server::start(&place.contents, |r| if r.number == 0 { Reply::Stall(400) } else { Reply::Stall(0) });
    let right = Server::start(&place.contents, |_| Reply::Serve);
    // Long enough for a busy machine to send 400 bytes to itself.
    place.patience = Duration::from_secs(3);
    place.set.files[1..]
        .iter()
        .zip(&place.contents[1..])
        .for_each(|(file, content)| place.put(file.name, content));
    place.fetch(&[&silent.url, &right.url]).unwrap();
    place.told(&["Failed", &silent.url]);
    // The silent one was asked again after what it had sent, and then the other one.
    assert_eq!(silent.asked().iter().map(|(_, from)| *from).collect::<Vec<_>>(), [None, Some(400)]);
    assert_eq!(right.asked(), [(format!("/{}.gz", NAMES[0]), Some(400))]);
}

#[test]
fn without_a_network_the_message_says_what_to_do_by_hand() {
    let mut place = Place::new();
    let mirrors = [nobody(), nobody()];
    let error = place.fetch(&[&mirrors[0], &mirrors[1]]).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, FetchError::Unreachable(_)));
    let folder = place.dir.path().join("small").display().to_string();
    for words in [&folder, &mirrors[0], &mirrors[1], "--mirror", "https_proxy", "by hand"] {
        assert!(text.contains(words), "'{words}' is missing in:\n{text}");
    }
    for file in &place.set.files {
        assert!(text.contains(file.name) && text.contains(file.sha256), "{text}");
    }
    assert!(place.names().is_empty() && !text.contains(".part"), "nothing is left behind: {text}");
    // Done by hand, there is nothing to fetch.
    for (name, content) in NAMES.iter().zip(place.contents.clone()) {
        place.put(name, &content);
    }
    place.fetch(&[&mirrors[0]]).unwrap();
}

#[test]
fn an_interrupted_download_leaves_only_its_part() {
    let mut place = Place::new();
    let server =
        Server::start(&place.contents, |r| if r.number == 0 { Reply::Cut(700) } else { Reply::Cut(0) });
    let text = place.fetch(&[&server.url]).unwrap_err().to_string();
    assert!(text.contains(".part"), "{text}");
    assert_eq!(place.names(), [part(NAMES[0])]);
    assert_eq!(std::fs::read(place.path(&part(NAMES[0]))).unwrap(), gzip(&place.contents[0])[..700]);
}

#[test]
fn a_wrong_file_is_moved_aside_once_the_right_one_is_there() {
    let mut place = Place::new();
    place.put(NAMES[1], b"something of the user's");
    place.fetch(&[&nobody()]).unwrap_err();
    assert!(Path::new(&place.path(NAMES[1])).exists(), "nothing is moved for nothing");
    let server = Server::start(&place.contents, |_| Reply::Serve);
    place.fetch(&[&server.url]).unwrap();
    let aside = place.path(&format!("{}.wrong", NAMES[1]));
    assert_eq!(std::fs::read(aside).unwrap(), b"something of the user's");
    place.told(&["Moved", NAMES[1]]);
    Dataset::published(&place.set, &place.directory(), Split::default()).unwrap();
}

#[test]
fn a_server_that_unpacks_the_files_serves_as_well() {
    let mut place = Place::new();
    let contents = place.contents.clone();
    let server = Server::start(&[], move |r| {
        let at = NAMES.iter().position(|name| r.path == format!("/{name}.gz")).unwrap();
        Reply::Content(contents[at].clone())
    });
    place.fetch(&[&server.url]).unwrap();
    let mut want = NAMES;
    want.sort_unstable();
    assert_eq!(place.names(), want);
    Dataset::published(&place.set, &place.directory(), Split::default()).unwrap();
}

#[test]
fn a_server_that_sends_without_end_is_given_up() {
    let mut place = Place::new();
    // 1 MiB is what gzip may add to the 1,216 bytes of the largest file.
    let server = Server::start(&[], |_| Reply::Content(vec![7; (1 << 20) + 2_000]));
    let text = place.fetch(&[&server.url]).unwrap_err().to_string();
    assert!(text.contains("sends more than the 1216 bytes"), "{text}");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn two_downloads_of_one_file_do_not_mix() {
    let mut place = Place::new();
    place.put(&part(NAMES[0]), b"");
    let other = std::fs::File::open(place.path(&part(NAMES[0]))).unwrap();
    other.lock().unwrap();
    let server = Server::start(&place.contents, |_| Reply::Serve);
    let error = place.fetch(&[&server.url]).unwrap_err();
    assert!(
        matches!(error, FetchError::Busy { .. }) && error.to_string().contains("another download"),
        "{error}"
    );
    drop(other);
    place.fetch(&[&server.url]).unwrap();
    place.complete();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let mut place = Place::new();
    std::fs::write(place.dir.path().join("small"), "a file in the way").unwrap();
    let error = place.fetch(&[&nobody()]).unwrap_err();
    assert!(matches!(error, FetchError::Write { .. }) && error.to_string().contains("small"), "{error}");
}
