//! Who may ask.

use crate::serve::{Server, project, serve, serve_in, start};
use crate::{command, fail};
use std::fs;

fn host(server: &Server) -> String {
    format!("Host: {}", server.host())
}

/// The cookie that opening the printed address gives.
fn cookie(server: &Server) -> (String, String) {
    let request = format!("GET /?token={} HTTP/1.1", server.token);
    let (_, head, _) = server.whole(&request, &[&host(server)], b"");
    let line = head.lines().find(|l| l.to_lowercase().starts_with("set-cookie: ")).unwrap();
    let line = line.split_once(": ").unwrap().1.to_owned();
    (line.split(';').next().unwrap().to_owned(), line)
}

/// Kept connections of visitors who are not let in would take the places of those who are.
#[test]
fn connections_of_those_who_are_not_let_in_are_closed() {
    use std::io::{Read as _, Write as _};
    let server = serve(&[]);
    for (head, status) in
        [("", "401"), ("Authorization: Bearer wrong\r\n", "401"), ("Origin: http://elsewhere\r\n", "403")]
    {
        let mut stream = std::net::TcpStream::connect(server.host()).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(8))).unwrap();
        // Asks to be kept, as browsers do.
        write!(stream, "GET /api/project HTTP/1.1\r\n{}\r\n{head}\r\n", host(&server)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("closed at once, not when its time is over");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    assert_eq!(server.get("/api/project").0, 200);
}

#[test]
fn nobody_enters_without_the_token_on_this_machine_either() {
    let server = serve(&[]);
    let (host, name) = (host(&server), server.image());
    assert!(server.token.len() >= 32, "128 bits at least");
    for request in [
        "GET / HTTP/1.1".to_owned(),
        "GET /api/project HTTP/1.1".to_owned(),
        "GET /api/events HTTP/1.1".to_owned(),
        format!("PUT /api/images/{name}/label HTTP/1.1"),
        "GET /api/project?token= HTTP/1.1".to_owned(),
        "GET /api/project?token=00000000000000000000000000000000 HTTP/1.1".to_owned(),
    ] {
        assert_eq!(server.raw(&request, &[&host], b"").0, 401, "{request}");
    }
    for line in ["Authorization: Bearer x", "Cookie: sorby_token=x", "Authorization: Basic eDp4"] {
        assert_eq!(server.raw("GET /api/project HTTP/1.1", &[&host, line], b"").0, 401, "{line}");
    }
    let port = server.host().rsplit_once(':').unwrap().1.to_owned();
    let (pair, line) = cookie(&server);
    assert!(pair.starts_with(&format!("sorby_token_{port}=")), "{pair}");
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict"), "{line}");
    assert!(!pair.contains(&server.token), "the cookie is another secret");
    let with = format!("Cookie: a=b; {pair}");
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &[&host, &with], b"").0, 200);
    // Another server on this machine has another cookie; neither logs the other out.
    let second = serve(&[]);
    let (other, _) = cookie(&second);
    let both = format!("Cookie: {pair}; {other}");
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &[&host, &both], b"").0, 200);
    let second_host = format!("Host: {}", second.host());
    assert_eq!(second.raw("GET /api/project HTTP/1.1", &[&second_host, &both], b"").0, 200);
    assert_eq!(second.raw("GET /api/project HTTP/1.1", &[&second_host, &with], b"").0, 401);
}

#[test]
fn addresses_that_are_printed_and_tunnels_answer() {
    let server = serve(&[]);
    let ask = |host: &str| {
        server.raw("GET /api/project HTTP/1.1", &[&format!("Host: {host}"), &server.bearer()], b"").0
    };
    for host in ["localhost:9000", "127.0.0.1", "localhost", "127.0.0.2:1", "[::1]:22"] {
        assert_eq!(ask(host), 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:7878",
        "localhost.evil.example",
        "127.0.0.1.evil.example:80",
        "10.1.2.3",
    ] {
        assert_eq!(ask(host), 403, "{host}: a foreign name, token or not");
    }
    // Through a tunnel the browser keeps the cookie under the port that it sees.
    let request = format!("GET /?token={} HTTP/1.1", server.token);
    let (_, head, _) = server.whole(&request, &["Host: localhost:9000"], b"");
    let line = head.lines().find(|l| l.to_lowercase().starts_with("set-cookie: ")).unwrap();
    let pair = line.split_once(": ").unwrap().1.split(';').next().unwrap();
    assert!(pair.starts_with("sorby_token_9000="), "{pair}");
    let cookie = format!("Cookie: {pair}");
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &["Host: localhost:9000", &cookie], b"").0, 200);
    let origin = ["Host: localhost:9000", &cookie, "Origin: http://localhost:3000"];
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &origin, b"").0, 403, "another program's page");
}

#[cfg(target_os = "linux")]
#[test]
fn another_address_of_this_machine_answers_where_it_prints() {
    let server = serve(&["--bind", "127.0.0.2"]);
    assert!(server.host().starts_with("127.0.0.2:"));
    assert_eq!(server.get("/api/project").0, 200);
}

#[test]
fn tokens_are_given_in_private() {
    const TOKEN: &str = "long-enough-token_1";
    let folder = project();
    fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
    let server =
        serve_in(folder, &["--token-file", "../token"].map(|a| if a == "../token" { "token" } else { a }));
    assert_eq!(server.token, TOKEN);
    assert_eq!(server.get("/api/project").0, 200);
    let folder = project();
    let mut by_variable = command(folder.path(), &["serve", "steel", "--no-open", "--port", "0"]);
    by_variable.env("SORBY_TOKEN", TOKEN);
    let server = start(folder, by_variable);
    assert_eq!(server.token, TOKEN);
    #[cfg(target_os = "linux")]
    {
        let line = fs::read(format!("/proc/{}/cmdline", server.child.id())).unwrap();
        assert!(!String::from_utf8_lossy(&line).contains(TOKEN), "nobody reads it in the list of processes");
    }
    let folder = project();
    fs::write(folder.path().join("short"), "fifteen-letters\n").unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();
    for more in [
        &["--token", "fifteen-letters"][..],
        &["--token", "spaces are no part of it"],
        &["--token-file", "short"],
        &["--token-file", "empty"],
        &["--token-file", "missing"],
        &["--no-token", "--bind", "0.0.0.0"],
    ] {
        let arguments = [&["serve", "steel", "--no-open", "--port", "0"], more].concat();
        let message = fail(folder.path(), &arguments);
        assert!(message.contains("oken") || message.contains("missing"), "{message}");
    }
}

#[test]
fn open_to_all_only_when_asked() {
    let server = serve(&["--no-token"]);
    assert!(server.token.is_empty() && !server.address.contains("token"), "{}", server.address);
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &[&host(&server)], b"").0, 200);
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &["Host: evil.example"], b"").0, 403);
    let server = serve(&["--bind", "0.0.0.0"]);
    assert!(server.token.len() >= 32);
    assert_eq!(server.raw("GET /api/project HTTP/1.1", &["Host: lab-pc:7878"], b"").0, 401);
    assert_eq!(server.get("/api/project").0, 200);
}

#[test]
fn guesses_at_once_are_sent_away_and_do_not_disturb_those_who_are_in() {
    let server = serve(&[]);
    let (pair, _) = cookie(&server);
    let (host, with) = (host(&server), format!("Cookie: {pair}"));
    std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..100)
            .map(|i| {
                let (server, host) = (&server, &host);
                let request = format!("GET /?token=wrong-token-number-{i} HTTP/1.1");
                scope.spawn(move || server.raw(&request, &[host], b"").0)
            })
            .collect();
        for _ in 0..20 {
            assert_eq!(server.raw("GET /api/project HTTP/1.1", &[&host, &with], b"").0, 200);
        }
        let answers: Vec<u16> = guesses.into_iter().map(|g| g.join().unwrap()).collect();
        assert!(answers.iter().all(|a| [401, 429].contains(a)), "{answers:?}");
        assert!(answers.iter().filter(|a| **a == 429).count() >= 50, "{answers:?}");
    });
    // After a pause the right token is looked at again.
    assert_eq!(server.get("/api/project").0, 200);
}
