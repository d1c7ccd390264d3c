//! A small published set, and a server on this machine that sends its files or misbehaves.
#![allow(dead_code)] // Each test file uses its own part.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::{Compression, write::GzEncoder};
use lagrange_gpu::data::directory::Origin;
use lagrange_gpu::data::idx::{encode_images, encode_labels};
use lagrange_gpu::data::{DataDir, Published, PublishedFile};
use sha2::{Digest, Sha256};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

pub const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// A set of 300 training and 40 test images of 2 × 2 pixels in 3 classes, and the content of its files. The pixels are
/// scrambled, so that gzip cannot shrink them.
pub fn small_set() -> (Published, [Vec<u8>; 4]) {
    let mut state = 1_u64;
    let mut pixels = |count: usize| -> Vec<u8> {
        let mut next = || {
            // Knuth's MMIX generator; its upper bits.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        std::iter::repeat_with(&mut next).take(4 * count).collect()
    };
    let labels = |count: u32| -> Vec<u8> { (0..count).map(|i| (i % 3) as u8).collect() };
    let contents = [
        encode_images(2, 2, &pixels(300)).unwrap(),
        encode_labels(&labels(300)).unwrap(),
        encode_images(2, 2, &pixels(40)).unwrap(),
        encode_labels(&labels(40)).unwrap(),
    ];
    let file = |i: usize| PublishedFile {
        name: NAMES[i],
        bytes: contents[i].len() as u64,
        sha256: String::leak(sha256(&contents[i])),
    };
    let files = [0, 1, 2, 3].map(file);
    (Published { name: "small", title: "Small", pixels: 4, classes: 3, files, mirrors: &[] }, contents)
}

pub fn directory(path: &Path) -> DataDir {
    DataDir { path: path.to_path_buf(), origin: Origin::Option }
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path, or `host:port` of CONNECT.
    pub path: String,
    /// First byte, of `Range: bytes=N-`.
    pub from: Option<usize>,
    /// How many requests came before.
    pub number: usize,
}

/// What it does.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Sends the file, from the byte that was asked for.
    Serve,
    /// As `Serve`, and closes the connection after so many bytes.
    Cut(usize),
    /// As `Serve`, and is silent after so many bytes.
    Stall(usize),
    /// Sends the whole file, whatever was asked for.
    NoRange,
    /// Sends this.
    Content(Vec<u8>),
    /// Another status, without content.
    Status(u16),
}

/// A server on this machine; it ends with the test.
pub struct Server {
    pub url: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Has these files under `/NAME.gz` and does what `reply` says.
    pub fn start(contents: &[Vec<u8>], reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let files: HashMap<String, Vec<u8>> =
            NAMES.iter().zip(contents).map(|(name, c)| (format!("/{name}.gz"), gzip(c))).collect();
        let log: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (reply, files, kept) = (Arc::new(reply), Arc::new(files), Arc::clone(&log));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (reply, files, log) = (Arc::clone(&reply), Arc::clone(&files), Arc::clone(&kept));
                // A client that goes away is what some tests are about.
                std::thread::spawn(move || serve(stream.unwrap(), &files, &log, &*reply).ok());
            }
        });
        Self { url, log }
    }

    pub fn log(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// Path and first byte of each request.
    pub fn asked(&self) -> Vec<(String, Option<usize>)> {
        self.log().into_iter().map(|request| (request.path, request.from)).collect()
    }
}

/// A URL that nobody answers: its port was free a moment ago.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

fn serve(
    mut stream: TcpStream,
    files: &HashMap<String, Vec<u8>>,
    log: &Mutex<Vec<Request>>,
    reply: &dyn Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut first, mut from) = (String::new(), None);
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(range) = line.strip_prefix("range: bytes=") {
                from = Some(range.strip_suffix('-').unwrap().parse().unwrap());
            }
        }
        let mut words = first.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let number = log.lock().unwrap().len();
        let request = Request { method, path, from, number };
        log.lock().unwrap().push(request.clone());
        if request.method == "CONNECT" {
            stream.write_all(b"HTTP/1.1 200 connected\r\n\r\n")?;
            continue;
        }
        return answer(&mut stream, files, &request, reply(&request));
    }
}

fn answer(
    stream: &mut TcpStream,
    files: &HashMap<String, Vec<u8>>,
    request: &Request,
    reply: Reply,
) -> std::io::Result<()> {
    let file = files.get(&request.path);
    let (content, from) = match (&reply, file) {
        (Reply::Status(status), _) => return status_line(stream, *status),
        (Reply::Content(content), _) => (content, 0),
        (_, None) => return status_line(stream, 404),
        (Reply::NoRange, Some(file)) => (file, 0),
        (_, Some(file)) if request.from.is_some_and(|from| from >= file.len()) => {
            return status_line(stream, 416);
        }
        (_, Some(file)) => (file, request.from.unwrap_or(0)),
    };
    let range = match from {
        0 => "200 OK\r\n".to_owned(),
        from => {
            format!("206 Partial\r\nContent-Range: bytes {from}-{}/{}\r\n", content.len() - 1, content.len())
        }
    };
    let rest = &content[from..];
    write!(stream, "HTTP/1.1 {range}Content-Length: {}\r\nConnection: close\r\n\r\n", rest.len())?;
    match reply {
        Reply::Cut(after) => stream.write_all(&rest[..after.min(rest.len())]),
        Reply::Stall(after) => {
            stream.write_all(&rest[..after.min(rest.len())])?;
            stream.flush()?;
            // Until the client gives up.
            std::io::copy(stream, &mut std::io::sink()).map(drop)
        }
        _ => stream.write_all(rest),
    }
}

fn status_line(stream: &mut TcpStream, status: u16) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
