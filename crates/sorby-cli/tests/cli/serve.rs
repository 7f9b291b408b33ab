//! `sorby serve` against requests that mean no good. No client of HTTP smooths anything over: bytes go to the socket.

use crate::{command, succeed};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

pub struct Server {
    pub child: Child,
    pub address: String,
    pub token: String,
    pub folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with the project `steel` of three labelled images, and a secret next to it.
pub fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["synth", "--out", "steel", "--images", "3", "--size", "96x64"]);
    fs::write(folder.path().join("secret.csv"), "secret").unwrap();
    folder
}

pub fn serve(more: &[&str]) -> Server {
    serve_in(project(), more)
}

pub fn serve_in(folder: tempfile::TempDir, more: &[&str]) -> Server {
    let arguments = [&["serve", "steel", "--no-open", "--port", "0"], more].concat();
    let command = command(folder.path(), &arguments);
    start(folder, command)
}

pub fn start(folder: tempfile::TempDir, mut command: std::process::Command) -> Server {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().to_owned();
    let token = address.split("?token=").nth(1).unwrap_or_default().to_owned();
    Server { child, address, token, folder }
}

impl Server {
    pub fn host(&self) -> &str {
        self.address.split('/').next().unwrap()
    }

    /// Status and body of a request with these lines of head, `Host`, the token and `Connection` apart.
    pub fn ask(&self, request: &str, head: &[&str], body: &[u8]) -> (u16, String) {
        let (host, token) = (format!("Host: {}", self.host()), self.bearer());
        self.raw(request, &[&[host.as_str(), token.as_str()], head].concat(), body)
    }

    pub fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }

    pub fn raw(&self, request: &str, head: &[&str], body: &[u8]) -> (u16, String) {
        let (status, _, body) = self.whole(request, head, body);
        (status, body)
    }

    /// Status, head and body.
    pub fn whole(&self, request: &str, head: &[&str], body: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = format!("Content-Length: {}", body.len());
        let lines = [&[request], head, &[&length, "Connection: close", "", ""]].concat().join("\r\n");
        // The server may refuse before it has read all.
        let _ = stream.write_all(lines.as_bytes()).and_then(|()| stream.write_all(body));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        (status, head.to_owned(), body.to_owned())
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.1"), &[], b"")
    }

    pub fn post(&self, path: &str, json: &str) -> (u16, String) {
        self.ask(&format!("POST {path} HTTP/1.1"), &[JSON], json.as_bytes())
    }

    /// The revision of an image's label.
    pub fn revision(&self, image: &str) -> String {
        let head = [&format!("Host: {}", self.host()), &self.bearer()];
        let request = format!("GET /api/images/{image}/label HTTP/1.1");
        let (status, head, body) = self.whole(&request, &head.map(String::as_str), b"");
        assert_eq!(status, 200, "{body}");
        let tag = head.lines().find_map(|l| l.to_lowercase().strip_prefix("etag: ").map(str::to_owned));
        tag.unwrap().trim_matches('"').to_owned()
    }

    /// Saves a label of one class all over.
    pub fn save(&self, image: &str, revision: &str, class: u8) -> (u16, String) {
        let on = format!("If-Match: \"{revision}\"");
        self.ask(&format!("PUT /api/images/{image}/label HTTP/1.1"), &[&on], &gzipped(&[class; 96 * 64]))
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.steel().join("images")).unwrap().flatten().map(|e| e.path()).collect();
        names.sort();
        names.iter().map(|p| p.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    }

    pub fn image(&self) -> String {
        self.names().remove(0)
    }

    pub fn steel(&self) -> std::path::PathBuf {
        self.folder.path().join("steel")
    }
}

/// Every file below a folder with its bytes.
pub fn contents(root: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut list = Vec::new();
    for entry in fs::read_dir(root).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            list.extend(contents(&path));
        } else if path.is_symlink() {
            // A link to a folder or to nothing is where it leads to.
            let target = fs::read_link(&path).unwrap();
            list.push((path, target.into_os_string().into_encoded_bytes()));
        } else {
            list.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    list.sort();
    list
}

pub const JSON: &str = "Content-Type: application/json";

#[test]
fn hostile_requests_are_refused_and_change_nothing() {
    let server = serve(&[]);
    assert_eq!(server.ask("GET /api/project HTTP/1.1", &[], b"").0, 200);
    let before = contents(server.folder.path());
    let image = server.image();

    // Out of the project.
    for path in [
        "/../secret.csv",
        "/results/../secret.csv",
        "/results/runs/../../secret.csv",
        "/results/..%2fsecret.csv",
        "/results/runs%2f..%2f..%2fsecret.csv",
        "/results/%2e%2e/secret.csv",
        "/results//etc/passwd",
        "/results/dataset.toml",
        "/api/images/..%2f..%2fsecret/tiles/0/0/0",
        "/api/images/%2fetc%2fpasswd/grey",
        "/api/runs/..%2f..",
        "/api/studies/..",
        "/api/images/x/predictions/..%2f../mask",
        "/assets/../../Cargo.toml",
    ] {
        let (status, body) = server.ask(&format!("GET {path} HTTP/1.1"), &[], b"");
        assert!((400..500).contains(&status), "{path}: {status}");
        assert!(!body.contains("secret") || body.contains("no "), "{path}: {body}");
    }

    // From elsewhere.
    let foreign = ["Origin: http://evil.example", JSON];
    assert_eq!(server.ask("POST /api/jobs HTTP/1.1", &foreign, b"{\"verb\":\"check\"}").0, 403);
    assert_eq!(
        server
            .ask("POST /api/jobs HTTP/1.1", &["Sec-Fetch-Site: cross-site", JSON], b"{\"verb\":\"check\"}")
            .0,
        403
    );
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &["Host: evil.example"], b"").0, 403);
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &[], b"").0, 403, "no Host");
    // A form of another page cannot send JSON: without its type nothing is read.
    assert_eq!(
        server.ask("POST /api/jobs HTTP/1.1", &["Content-Type: text/plain"], b"{\"verb\":\"check\"}").0,
        415
    );

    // Wrong types and sizes.
    let put = format!("PUT /api/images/{image}/label HTTP/1.1");
    assert_eq!(server.ask(&put, &[], b"x").0, 428, "without a revision");
    assert_eq!(server.ask(&put, &["If-Match: \"none\""], b"not gzip").0, 400);
    let bomb = gzipped(&vec![0; 200 << 20]);
    assert_eq!(server.ask(&put, &["If-Match: \"none\""], &bomb).0, 400, "unpacks to 200 MB");
    let strange = gzipped(&[7; 96 * 64]);
    assert_eq!(server.ask(&put, &["If-Match: \"none\""], &strange).0, 400, "no such class");
    let good = gzipped(&[1; 96 * 64]);
    assert_eq!(server.ask(&put, &["If-Match: \"0123456789\""], &good).0, 412, "drawn on another revision");
    for body in [
        &b"{"[..],
        b"[]",
        b"{\"verb\":\"rm\"}",
        b"{\"verb\":\"train\",\"recipe\":\"../x\",\"name\":\"a\"}",
        b"{\"verb\":\"train\",\"recipe\":\"coffee\",\"name\":\"../a\"}",
    ] {
        let (status, _) = server.ask("POST /api/jobs HTTP/1.1", &[JSON], body);
        assert!((400..500).contains(&status), "{}: {status}", String::from_utf8_lossy(body));
    }
    let deep = "[".repeat(100_000);
    assert!((400..500).contains(&server.ask("POST /api/measure HTTP/1.1", &[JSON], deep.as_bytes()).0));
    assert_eq!(server.ask("POST /api/measure HTTP/1.1", &[JSON], &vec![b' '; 3 << 20]).0, 413);
    let long = "n".repeat(180) + ".png";
    let strange = ["a%0ab.png", "%20a.png", "a%e2%80%aegnp.png", &long];
    for upload in ["..%2fa.png", "a.exe", ".hidden.png", "a%00.png", "a.png%2fb"].into_iter().chain(strange) {
        let (status, _) = server.ask(&format!("POST /api/images?name={upload} HTTP/1.1"), &[], b"MZ");
        assert_eq!(status, 400, "{upload}");
    }
    let (status, body) = server.ask("POST /api/images?name=new.png HTTP/1.1", &[], b"no image");
    assert_eq!(status, 422, "{body}");
    for tile in ["0/9/9", "99/0/0", "-1/0/0", "0/18446744073709551615/0", "0/0"] {
        let (status, _) = server.ask(&format!("GET /api/images/{image}/tiles/{tile} HTTP/1.1"), &[], b"");
        assert!((400..500).contains(&status), "{tile}: {status}");
    }
    for part in ["x=0&y=0&width=0", "x=1000", "x=-1", "width=18446744073709551615&x=95"] {
        let (status, _) = server.ask(&format!("POST /api/images/{image}/draft?{part} HTTP/1.1"), &[], &good);
        assert!((400..500).contains(&status), "{part}: {status}");
    }
    assert_eq!(contents(server.folder.path()), before, "not a byte is changed");
}

pub fn gzipped(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_label_is_saved_once_for_each_revision() {
    let server = serve(&[]);
    let image = server.image();
    let put = format!("PUT /api/images/{image}/label HTTP/1.1");
    let get = |name: &str| server.ask(&format!("GET /api/images/{name}/label HTTP/1.1"), &[], b"").0;
    assert_eq!(get(&image), 200);
    let revision = server.revision(&image);
    let drawn = gzipped(&[1; 96 * 64]);
    let on = format!("If-Match: \"{revision}\"");
    assert_eq!(server.ask(&put, &[&on], &drawn).0, 200);
    assert_eq!(server.ask(&put, &[&on], &drawn).0, 200, "the same again changes nothing");
    assert_eq!(server.ask(&put, &[&on], &gzipped(&[0; 96 * 64])).0, 412, "drawn on what is no more");
    let folder = server.steel();
    succeed(
        server.folder.path(),
        &["measure", &format!("steel/labels/{image}.png"), "--out", "m", "--class", "1"],
    );
    assert!(fs::read_dir(folder.join(".sorby/labels-before")).unwrap().count() == 1, "the original is kept");
}

#[test]
fn a_thousand_at_once_are_answered() {
    let server = serve(&[]);
    let image = server.image();
    let paths = [
        "/api/project".to_owned(),
        format!("/api/images/{image}/tiles/0/0/0"),
        format!("/api/images/{image}/label"),
        format!("/api/images/{image}/small"),
        "/api/next".to_owned(),
    ];
    std::thread::scope(|scope| {
        for i in 0..1000 {
            let (server, paths) = (&server, &paths);
            let ask = move || {
                let (status, _) = server.ask(&format!("GET {} HTTP/1.1", paths[i % paths.len()]), &[], b"");
                assert_eq!(status, 200, "{}", paths[i % paths.len()]);
            };
            std::thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, ask).unwrap();
        }
    });
    assert_eq!(server.ask("GET /api/jobs HTTP/1.1", &[], b"").0, 200, "and after");
}
