//! `data list`, `data fetch` and the data directory, from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;
mod data_support;

use std::process::Command;

use cli_support::{PATIENCE, Place, Ran};
use data_support::NAMES;
use lagrange_gpu::data::PublishedSet;

/// The program, with nothing in the environment that changes where data are or how the network is reached.
fn command(place: &Place, args: &[&str]) -> Command {
    let mut command = place.command(args);
    for name in ["LAGRANGE_DATA_DIR", "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    // Where Linux has its data folder.
    command.env("XDG_DATA_HOME", place.path("share"));
    command
}

fn run(command: Command) -> Ran {
    Ran::of(&assert_cmd::Command::from_std(command).timeout(PATIENCE).output().unwrap())
}

#[test]
fn a_missing_set_is_named_before_any_work_on_a_device() {
    let place = Place::new();
    for (experiment, set) in
        [("mnist-full", PublishedSet::Mnist), ("fashion-mnist", PublishedSet::FashionMnist)]
    {
        let about = set.about();
        let args = ["train", "--config", experiment, "--device", "99", "--data-dir", "sets"];
        let ran = run(command(&place, &args)).ends(2).says(&about.files.map(|f| f.name));
        let folder = place.path("sets").canonicalize().unwrap_or_else(|_| place.path("sets"));
        ran.says(&about.files.map(|f| f.sha256)).says(&[
            about.title,
            "4 of its 4 files",
            "from --data-dir",
            &folder.display().to_string(),
        ]);
    }
    assert!(!place.path("runs").exists() && !place.path("sets").exists());
}

#[test]
fn the_data_directory_is_that_of_option_environment_experiment_or_system() {
    let place = Place::new();
    let text = "\n[data]\nsource = \"mnist\"\ndirectory = \"of-file\"\n";
    let mini = cli_support::MINI.replace("[4, 3, 2]", "[784, 3, 10]");
    let start = mini.find("\n[data]").unwrap();
    let end = mini.find("\n[network]").unwrap();
    place.write("full.toml", format!("{}{text}{}", &mini[..start], &mini[end..]));
    let args = ["train", "--config", "full.toml", "--device", "99"];
    run(command(&place, &args)).ends(2).says(&["of-file", "from `directory` in [data]"]);
    let mut environment = command(&place, &args);
    environment.env("LAGRANGE_DATA_DIR", "of-environment");
    run(environment).ends(2).says(&["of-environment", "from the environment variable LAGRANGE_DATA_DIR"]);
    let mut option = command(&place, &[&args[..], &["--data-dir", "of-option"]].concat());
    option.env("LAGRANGE_DATA_DIR", "of-environment");
    run(option).ends(2).says(&["of-option", "from --data-dir"]);
    let ran = run(command(&place, &["train", "--config", "mnist-full", "--device", "99"])).ends(2);
    let ran = ran.says(&["from the data folder of this system", "lagrange-gpu"]);
    if cfg!(target_os = "linux") {
        ran.says(&[place.path("share/lagrange-gpu").display().to_string()]);
    }
}

#[test]
fn a_wrong_file_is_named_with_both_sums() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("sets/mnist")).unwrap();
    for name in NAMES {
        place.write(&format!("sets/mnist/{name}"), "abc");
    }
    let args = ["train", "--config", "mnist-full", "--device", "99", "--data-dir", "sets"];
    // The sum of "abc" stands in FIPS 180-4.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let wanted = PublishedSet::Mnist.about().files[0].sha256;
    run(command(&place, &args)).ends(2).says(&[NAMES[0], wanted, abc, "3 bytes"]);
    let ran = run(command(&place, &["data", "list", "--data-dir", "sets"])).ends(0);
    let lines: Vec<&str> = ran.stdout.lines().filter(|l| l.contains("WRONG") && l.contains(abc)).collect();
    assert_eq!(lines.len(), 4, "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("  missing").count(), 4, "{}", ran.stdout);
}

#[test]
fn an_option_without_use_is_refused() {
    let place = Place::new();
    let args = ["train", "--config", "mnist-small", "--device", "99", "--data-dir", "sets"];
    run(command(&place, &args)).ends(2).says(&["--data-dir 'sets'", "not in a data directory"]);
}

#[test]
fn the_list_has_all_sets_with_their_sums() {
    let place = Place::new();
    let mut list = command(&place, &["data", "list"]);
    list.env("LAGRANGE_DATA_DIR", place.path("nowhere"));
    let ran = run(list).ends(0);
    assert!(
        ran.stdout.contains("nowhere (from the environment variable LAGRANGE_DATA_DIR)"),
        "{}",
        ran.stdout
    );
    for (name, set) in PublishedSet::NAMES {
        assert!(ran.stdout.contains(&format!("{name}: ")), "{}", ran.stdout);
        for file in set.about().files {
            let line = format!("{:<23}  sha256 {}  missing", file.name, file.sha256);
            assert!(ran.stdout.contains(&line), "'{line}' is missing in:\n{}", ran.stdout);
        }
    }
    assert!(ran.stderr.is_empty() && !place.path("nowhere").exists(), "{}", ran.stderr);
}

#[cfg(not(feature = "fetch"))]
#[test]
fn a_build_without_fetch_says_so() {
    let place = Place::new();
    let ran = run(command(&place, &["data", "fetch", "mnist", "--data-dir", "sets"])).ends(2);
    ran.says(&NAMES).says(&["not built into this program", "by hand", "sets", "https://"]);
}

#[cfg(feature = "fetch")]
mod fetch {
    use super::{Place, command, run};
    use crate::data_support::{NAMES, Reply, Server, nobody};
    use lagrange_gpu::data::PublishedSet;

    #[test]
    fn without_a_network_the_message_names_files_and_folder() {
        let place = Place::new();
        let mirror = nobody();
        for (name, set) in PublishedSet::NAMES {
            let args = ["data", "fetch", name, "--data-dir", "sets", "--mirror", &mirror];
            let ran = run(command(&place, &args)).ends(1);
            let ran = ran.says(&NAMES).says(&set.about().files.map(|f| f.sha256));
            let folder = format!("sets/{name}");
            ran.says(&["by hand", &folder, &mirror]);
        }
    }

    #[test]
    fn mirrors_are_asked_in_order() {
        let place = Place::new();
        let servers = [0, 1].map(|_| Server::start(&[], |_| Reply::Status(404)));
        // The slash at the end may be left out.
        let urls = [servers[0].url.trim_end_matches('/'), &servers[1].url];
        let args = ["data", "fetch", "mnist", "--data-dir", "sets", "--mirror", urls[0], "--mirror", urls[1]];
        let ran = run(command(&place, &args)).ends(1).says(&["404"]);
        let at = servers.each_ref().map(|s| ran.stderr.find(&s.url).unwrap());
        assert!(at[0] < at[1], "{}", ran.stderr);
        for server in &servers {
            assert_eq!(server.asked(), [(format!("/{}.gz", NAMES[0]), None)]);
        }
    }

    #[test]
    fn the_proxy_of_the_environment_is_used() {
        let place = Place::new();
        let args =
            ["data", "fetch", "mnist", "--data-dir", "sets", "--mirror", "http://mirror.invalid/digits"];
        for variable in ["http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            let proxy = Server::start(&[], |_| Reply::Status(404));
            let mut fetch = command(&place, &args);
            fetch.env(variable, &proxy.url);
            run(fetch).ends(1).says(&["http://mirror.invalid/digits/", "404"]);
            let asked: Vec<_> = proxy.log().into_iter().map(|r| (r.method, r.path)).collect();
            let file = format!("/digits/{}.gz", NAMES[0]);
            let want =
                [("CONNECT", "mirror.invalid:80"), ("GET", &file)].map(|(m, p)| (m.to_owned(), p.to_owned()));
            assert_eq!(asked, want, "{variable}");
        }
        // An exception from the proxy.
        let mirror = Server::start(&[], |_| Reply::Status(404));
        let mut fetch =
            command(&place, &["data", "fetch", "mnist", "--data-dir", "sets", "--mirror", &mirror.url]);
        fetch.env("HTTP_PROXY", nobody()).env("NO_PROXY", "127.0.0.1");
        run(fetch).ends(1).says(&["404"]);
        assert_eq!(mirror.log().len(), 1);
    }

    /// Killed in the middle of a file: its `.part` alone is left, and the next attempt asks for the rest.
    #[test]
    fn a_killed_download_is_continued() {
        let place = Place::new();
        // The test set's labels are small; what the server sends of the first file is arbitrary, it never gets complete.
        let content = vec![b'x'; 5_000];
        let server =
            Server::start(&[content], |r| if r.number == 0 { Reply::Stall(20) } else { Reply::Status(503) });
        let args = ["data", "fetch", "mnist", "--data-dir", "sets", "--mirror", &server.url];
        let mut child = command(&place, &args).stderr(std::process::Stdio::null()).spawn().unwrap();
        let part = place.path(&format!("sets/mnist/{}.gz.part", NAMES[0]));
        let arrived = || std::fs::metadata(&part).is_ok_and(|about| about.len() == 20);
        let start = std::time::Instant::now();
        while !arrived() {
            assert!(start.elapsed() < crate::PATIENCE, "the server sends 20 bytes at once");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let names = crate::cli_support::names(&place.path("sets/mnist"));
        assert_eq!(names, [format!("{}.gz.part", NAMES[0])]);
        run(command(&place, &args)).ends(1).says(&["503"]);
        assert_eq!(server.asked().last().unwrap().1, Some(20));
        assert!(arrived(), "a failing server takes nothing away");
    }

    #[test]
    fn wrong_arguments_are_refused() {
        let place = Place::new();
        for (args, words) in [
            (&["cifar"][..], "mnist, fashion-mnist"),
            (&["mnist", "--mirror", "ftp://example.org/"], "http://"),
            (&["mnist", "--mirror", "http://"], "URL of a folder"),
            (&["mnist", "--data-dir", ""], "--data-dir"),
        ] {
            run(command(&place, &[&["data", "fetch"], args].concat())).ends(2).says(&[words]);
        }
    }
}
