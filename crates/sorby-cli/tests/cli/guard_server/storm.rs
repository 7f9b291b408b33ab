//! Clients and servers in any order: two servers fight for one project and are killed again and again, eight clients draw
//! and send images meanwhile. No save that was answered is lost, no file is broken.

use super::{grey_png, label_file};
use crate::command;
use crate::serve::{Server, gzipped, project, serve_in};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const WIDTH: usize = 96;
const PIXELS: usize = WIDTH * 64;

/// A save: on which revision, what was drawn, and the new revision where it was answered.
struct Save {
    image: String,
    on: String,
    drawn: u32,
    answered: Option<String>,
}

/// Address and token of the server that answers now.
type Place = Mutex<Option<(String, String)>>;

fn ask(place: &(String, String), request: &str, head: &str, body: &[u8]) -> Option<(u16, Vec<u8>, String)> {
    let mut stream = TcpStream::connect(&place.0).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let lines = format!(
        "{request} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{head}Content-Length: {}\r\nConnection: close\r\n\r\n",
        place.0,
        place.1,
        body.len()
    );
    stream.write_all(lines.as_bytes()).and_then(|()| stream.write_all(body)).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let body = answer[end + 4..].to_vec();
    // An answer that a kill has cut is none.
    (length.is_none_or(|n: usize| n == body.len())).then_some((status, body, head))
}

/// Keeps a server running on the project, and kills it after a while, until the time is over. Gives the kills.
fn keep_serving(folder: &Path, place: &Place, end: Instant, seed: u64) -> u32 {
    let (mut kills, mut state) = (0, seed);
    while Instant::now() < end {
        let mut server = command(folder, &["serve", "steel", "--no-open", "--port", "0"]);
        let mut child = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some((address, token)) =
            line.trim().strip_prefix("http://").and_then(|l| l.split_once("/?token="))
        else {
            assert_eq!(child.wait().unwrap().code(), Some(2), "the other server has the project");
            continue;
        };
        *place.lock().unwrap() = Some((address.to_owned(), token.to_owned()));
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        std::thread::sleep(Duration::from_millis(200 + (state >> 33) % 1300));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    kills
}

/// A label that no other is like: a number in its first pixels.
fn drawing(number: u32) -> Vec<u8> {
    (0..PIXELS as u32).map(|i| u8::from(i < 32 && number >> i & 1 == 1)).collect()
}

fn client(place: &Place, names: &[String], numbers: &AtomicU32, end: Instant) -> Vec<Save> {
    let mut saves = Vec::new();
    while Instant::now() < end {
        let Some(now) = place.lock().unwrap().clone() else { continue };
        let drawn = numbers.fetch_add(1, Ordering::Relaxed);
        let image = &names[drawn as usize % names.len()];
        let address = format!("/api/images/{image}/label");
        let Some((200, _, head)) = ask(&now, &format!("GET {address}"), "", b"") else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        let tag = head.lines().find_map(|l| l.to_lowercase().strip_prefix("etag: ").map(str::to_owned));
        let on = tag.unwrap().trim_matches('"').to_owned();
        let body = gzipped(&drawing(drawn));
        let answer = ask(&now, &format!("PUT {address}"), &format!("If-Match: \"{on}\"\r\n"), &body);
        let answered = match answer {
            Some((200, body, _)) => {
                let text = String::from_utf8(body).unwrap();
                Some(text.split("\"revision\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
            }
            Some((412, ..)) => continue,
            Some((status, body, _)) => panic!("{status} {}", String::from_utf8_lossy(&body)),
            // Whether it was saved before the kill is not known.
            None => None,
        };
        saves.push(Save { image: image.clone(), on, drawn, answered });
    }
    saves
}

/// Sends images; gives the names of those that were taken.
fn sender(place: &Place, end: Instant) -> Vec<String> {
    let mut taken = Vec::new();
    for i in 0.. {
        if Instant::now() >= end {
            return taken;
        }
        let Some(now) = place.lock().unwrap().clone() else { continue };
        let name = format!("sent-{i}.png");
        let body = grey_png(8, 8, &[i as u8; 64]);
        if let Some((200, ..)) = ask(&now, &format!("POST /api/images?name={name}"), "", &body) {
            taken.push(name);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    taken
}

fn storm(time: Duration) {
    let folder = project();
    let manifest = folder.path().join("steel/dataset.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("missing = \"refuse\"", "missing = \"skip\"")).unwrap();
    let names: Vec<String> = (1..=3).map(|i| format!("carbide-00{i}")).collect();
    let (place, numbers, end) = (Place::default(), AtomicU32::new(1), Instant::now() + time);
    let (mut saves, mut sent, mut kills) = (Vec::new(), Vec::new(), 0);
    std::thread::scope(|scope| {
        let (folder, place) = (folder.path(), &place);
        let servers = [1, 2].map(|seed| scope.spawn(move || keep_serving(folder, place, end, seed)));
        let clients: Vec<_> = (0..7).map(|_| scope.spawn(|| client(place, &names, &numbers, end))).collect();
        let uploads = scope.spawn(|| sender(place, end));
        saves.extend(clients.into_iter().flat_map(|c| c.join().unwrap()));
        sent.extend(uploads.join().unwrap());
        kills = servers.into_iter().map(|s| s.join().unwrap()).sum();
    });
    let server = serve_in(folder, &[]);
    let answered = saves.iter().filter(|s| s.answered.is_some()).count();
    println!(
        "{answered} saves answered, {} cut off, {} images sent, {kills} kills",
        saves.len() - answered,
        sent.len()
    );
    assert!(kills >= 2 && answered > 0);
    judge(&server, &names, &saves);
    for name in sent {
        let i: u32 = name[5..name.len() - 4].parse().unwrap();
        let found = fs::read(server.steel().join("images").join(&name)).unwrap();
        assert_eq!(found, grey_png(8, 8, &[i as u8; 64]), "{name}");
    }
}

/// Every answered save is the label that there is, or another was drawn on it.
fn judge(server: &Server, names: &[String], saves: &[Save]) {
    let mut drawn_on = HashMap::<(&str, &str), Vec<&Save>>::new();
    for save in saves {
        drawn_on.entry((&save.image, &save.on)).or_default().push(save);
    }
    for ((image, on), list) in &drawn_on {
        let winners = list.iter().filter(|s| s.answered.is_some()).count();
        assert!(
            winners <= 1,
            "{image}: {winners} saves on the revision {on} were answered; one drawing is lost"
        );
    }
    for name in names {
        let label = image::open(label_file(server, name)).unwrap();
        assert_eq!((label.width() as usize, label.height()), (WIDTH, 64));
        let revision = server.revision(name);
        let own = saves.iter().filter(|s| s.image == *name);
        for save in own.filter(|s| s.answered.is_some()) {
            let answered = save.answered.as_deref().unwrap();
            let went_on = answered == revision || drawn_on.contains_key(&(name.as_str(), answered));
            assert!(went_on, "{name}: the drawing {} is lost", save.drawn);
        }
    }
}

#[test]
fn a_storm_of_clients_and_kills() {
    storm(Duration::from_secs(12));
}

/// `cargo xtask attack`: for ten minutes; `SORBY_STORM_S` says how long instead.
#[test]
#[ignore = "takes ten minutes"]
fn attack_of_clients_and_kills_for_ten_minutes() {
    let seconds = std::env::var("SORBY_STORM_S").ok().and_then(|s| s.parse().ok()).unwrap_or(600);
    storm(Duration::from_secs(seconds));
}
