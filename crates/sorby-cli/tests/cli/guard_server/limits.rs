//! Memory, connections, files and time.

use super::{grey_png, wait_until};
use crate::serve::{JSON, Server, project, serve, serve_in, start};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A server whose shell has set a limit first.
fn limited(limit: &str, folder: tempfile::TempDir) -> Server {
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path());
    shell.args(["-c", &format!("{limit} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_sorby")]);
    shell.args(["serve", "steel", "--no-open", "--port", "0"]);
    start(folder, shell)
}

/// A PNG of one bit a pixel, all black: nearly nothing as a file, much in memory.
fn vast_png(edge: u32) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let row = vec![0; 1 + edge.div_ceil(8) as usize];
    (0..edge).for_each(|_| zlib.write_all(&row).unwrap());
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        bytes.extend((data.len() as u32).to_be_bytes());
        let mut checksum = flate2::Crc::new();
        checksum.update(kind);
        checksum.update(data);
        bytes.extend(kind);
        bytes.extend(data);
        bytes.extend(checksum.sum().to_be_bytes());
    };
    let size = [edge.to_be_bytes(), edge.to_be_bytes()].concat();
    chunk(b"IHDR", &[&size[..], &[1, 0, 0, 0, 0]].concat());
    chunk(b"IDAT", &zlib.finish().unwrap());
    chunk(b"IEND", b"");
    bytes
}

#[cfg(target_os = "linux")]
#[test]
fn images_that_do_not_fit_into_memory_are_refused_by_name() {
    let folder = project();
    let vast = vast_png(30_000);
    assert!(vast.len() < 1 << 20);
    fs::write(folder.path().join("steel/images/vast.png"), &vast).unwrap();
    let manifest = folder.path().join("steel/dataset.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("missing = \"refuse\"", "missing = \"skip\"")).unwrap();
    let mut server = limited("ulimit -v 4000000", folder);
    for path in ["thresholds?class=1", "tiles/0/0/0", "grey", "small", "label", "fill?x=1&y=1", ""] {
        let (status, body) = server.get(format!("/api/images/vast/{path}").trim_end_matches('/'));
        assert_eq!(status, 507, "{path}: {body}");
        assert!(
            body.contains("vast.png") && body.contains("takes up to") && body.contains("MB are free"),
            "{body}"
        );
    }
    assert_eq!(server.get("/api/next").0, 200);
    let measure = server.post("/api/measure", r#"{"of":"labels","class":1,"images":["vast"]}"#);
    assert!(measure.0 == 200 && measure.1.contains("MB are free"), "{measure:?}");
    let (status, body) = server.ask("POST /api/images?name=vast-2.png HTTP/1.1", &[], &vast);
    assert_eq!(status, 507, "{body}");
    assert_eq!(server.get(&format!("/api/images/{}/grey", server.image())).0, 200, "others are served");
    assert!(server.child.try_wait().unwrap().is_none(), "the server goes on");
}

#[test]
fn bodies_are_admitted_by_their_length_before_they_are_held() {
    let server = serve(&[]);
    let length = |path: &str, length: &str| {
        let mut stream = TcpStream::connect(server.host()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let (host, token) = (server.host(), server.bearer());
        write!(
            stream,
            "{path} HTTP/1.1\r\nHost: {host}\r\n{token}\r\n{JSON}\r\n{length}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = [0; 16];
        let _ = stream.read(&mut answer);
        String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or("none").to_owned()
    };
    assert_eq!(length("POST /api/jobs", "Content-Length: 1048577"), "413");
    assert_eq!(length("POST /api/images?name=a.png", "Content-Length: 268435457"), "413");
    assert!(length("POST /api/images?name=a.png", "Content-Length: 18446744073709551615").starts_with('4'));
    assert_eq!(length("PUT /api/images/a/label", "Content-Length: 67108865"), "413");
    // Announced, and never sent: others are not held up.
    let held: Vec<TcpStream> = (0..12)
        .map(|i| {
            let mut stream = TcpStream::connect(server.host()).unwrap();
            let (host, token) = (server.host(), server.bearer());
            write!(stream, "POST /api/images?name=b{i}.png HTTP/1.1\r\nHost: {host}\r\n{token}\r\nContent-Length: 209715200\r\n\r\nxx").unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get("/api/project").0, 200);
    assert_eq!(server.post("/api/measure", r#"{"of":"labels","class":1,"images":["carbide-001"]}"#).0, 200);
    drop(held);
    let chunked = ["Transfer-Encoding: chunked"];
    let (status, _) = server.ask("POST /api/jobs HTTP/1.1", &chunked, b"0\r\n\r\n");
    assert!((400..500).contains(&status), "both lengths at once: {status}");
}

#[cfg(target_os = "linux")]
#[test]
fn when_there_are_no_more_descriptors_visitors_are_told_so() {
    let mut server = limited("ulimit -n 64", project());
    let idle: Vec<TcpStream> = (0..200)
        .map_while(|_| {
            let mut stream =
                TcpStream::connect_timeout(&server.host().parse().unwrap(), Duration::from_secs(5)).ok()?;
            stream.write_all(b"GET / HTTP/1.1\r\n").ok()?;
            Some(stream)
        })
        .collect();
    assert!(idle.len() > 64);
    let answers = || server.get("/api/jobs").0;
    wait_until("a visitor is told that there is no place", || answers() == 503);
    drop(idle);
    wait_until("it recovers", || answers() == 200);
    assert!(server.child.try_wait().unwrap().is_none());
}

#[test]
fn half_open_requests_are_ended() {
    let begin = std::time::Instant::now();
    let server = serve(&[]);
    let mut streams: Vec<TcpStream> = ["", "GET / HTTP/1.1\r\nHost: x", "G"]
        .iter()
        .map(|sent| {
            let mut stream = TcpStream::connect(server.host()).unwrap();
            stream.write_all(sent.as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream
        })
        .collect();
    for stream in &mut streams {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("ended by the server, not by the patience of this test");
    }
    // The limit is ten seconds; a busy machine may take longer.
    assert!((9..50).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

#[test]
fn listings_do_not_wait_behind_measurements() {
    let folder = tempfile::tempdir().unwrap();
    crate::succeed(folder.path(), &["synth", "--out", "steel", "--images", "1", "--size", "640x480"]);
    let server = serve_in(folder, &[]);
    let names = vec![format!("\"{}\"", server.image()); 1000].join(",");
    let measure = format!("{{\"of\":\"labels\",\"class\":1,\"images\":[{names}]}}");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                server.post("/api/measure", &measure);
                done.store(true, Ordering::SeqCst);
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        for path in ["/api/project", "/api/runs", "/api/jobs", "/api/studies"] {
            assert_eq!(server.get(path).0, 200);
        }
        let picture = server.get(&format!("/api/images/{}/tiles/0/0/0", server.image())).0;
        assert_eq!(picture, 200);
        assert!(
            !done.load(Ordering::SeqCst),
            "all of that while six measurements of a thousand images go on"
        );
    });
}

#[test]
fn a_tiny_image_needs_no_room() {
    let server = serve(&[]);
    let png = grey_png(1, 1, &[3]);
    assert_eq!(server.ask("POST /api/images?name=dot.png HTTP/1.1", &[], &png).0, 200);
    assert_eq!(server.get("/api/images/dot/grey").0, 200);
}
