//! Tells the program which commit it is built from, as `LAGRANGE_GPU_COMMIT`. Nothing else happens here, and nothing
//! fails: outside a checkout, or without git, the commit is `unknown`.

use std::path::Path;
use std::process::Command;

/// What a build is made of; changes there that are not committed make it `-dirty`.
const SOURCES: [&str; 6] = ["Cargo.toml", "Cargo.lock", "build.rs", "src", "shaders", "assets"];

fn main() {
    println!("cargo::rustc-env=LAGRANGE_GPU_COMMIT={}", commit().unwrap_or_else(|| "unknown".to_owned()));
    // Watched only where they exist: a missing file would rebuild the crate every time.
    let git = [&["HEAD"][..], &["logs/HEAD"], &["packed-refs"]].map(|name| path_in_git(name[0]));
    let branch = git_output(&["symbolic-ref", "-q", "HEAD"]).and_then(|name| path_in_git(&name));
    let sources = SOURCES.iter().map(|&name| Some(name.to_owned()));
    for path in sources.chain(git).chain([branch]).flatten() {
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// The commit of this checkout, or of the published package.
fn commit() -> Option<String> {
    // An outer repository, such as one over a home folder, is none of ours.
    if !Path::new(".git").exists() {
        let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
        let hash = text.split("\"sha1\"").nth(1)?.split('"').nth(1)?;
        return Some(hash.chars().take(12).collect());
    }
    let hash = git_output(&["rev-parse", "--short=12", "HEAD"])?;
    let status = git_output(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat())?;
    Some(if status.is_empty() { hash } else { format!("{hash}-dirty") })
}

/// Where git keeps `name` of this checkout.
fn path_in_git(name: &str) -> Option<String> {
    if Path::new(".git").exists() { git_output(&["rev-parse", "--git-path", name]) } else { None }
}

/// What git prints, if it succeeds.
fn git_output(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).env_remove("GIT_DIR").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
