//! Who may ask. Other users of this machine, and other pages in the same browser, can send requests here too: visitors show
//! the token that `sorby serve` printed, or the cookie that they got for it; and `Host` (a foreign name that was made to point
//! here) and `Origin` (a page from elsewhere) are looked at.

use crate::app::Shared;
use crate::error::Refusal;
use crate::lock::lock;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, COOKIE, HOST, ORIGIN, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Wait after a wrong token; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Visitors that may wait to have their token looked at, and for how long.
const WAITING: usize = 32;
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Guard {
    address: SocketAddr,
    token: Option<Secret>,
    /// What the cookie holds: known to nobody, and another at each start.
    session: String,
    attempts: Mutex<Attempts>,
}

#[derive(Default)]
struct Attempts {
    wrong: u32,
    /// No token is looked at before.
    blocked_until: Option<Instant>,
    waiting: usize,
}

/// Compared by its hash, which takes the same time for all texts.
struct Secret(blake3::Hash);

impl Secret {
    fn of(text: &str) -> Self {
        Self(blake3::hash(text.as_bytes()))
    }

    fn is(&self, text: &str) -> bool {
        self.0 == blake3::hash(text.as_bytes())
    }
}

/// 128 random bits, as hexadecimal digits.
pub fn random_token() -> anyhow::Result<String> {
    random_digits::<16>()
}

fn random_digits<const BYTES: usize>() -> anyhow::Result<String> {
    let mut bytes = [0u8; BYTES];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no random numbers to be had: {e}"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

impl Guard {
    /// # Errors
    /// When there are no random numbers.
    pub fn new(address: SocketAddr, token: Option<&str>) -> anyhow::Result<Self> {
        let (token, session) = (token.map(Secret::of), random_digits::<32>()?);
        Ok(Self { address, token, session, attempts: Mutex::default() })
    }

    /// Refuses what a browser sends for a page that is not ours.
    fn refuse(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Refusal> {
        let forbidden = |what: &str| Some(Refusal::new(StatusCode::FORBIDDEN, what));
        let Some(host) = text(headers, HOST.as_str()) else { return forbidden("no Host") };
        if self.address.ip().is_loopback() && !is_here(host) {
            return forbidden(
                "this Host is not this machine; open the address that `sorby serve` printed, or localhost with the port \
                 of your tunnel",
            );
        }
        // Typing the address, or a bookmark, is a navigation without an origin of its own.
        let navigation = *method == Method::GET && !uri.path().starts_with("/api/");
        if text(headers, ORIGIN.as_str()).is_some_and(|origin| origin != format!("http://{host}")) {
            return forbidden("another page asks; only Sorby's own may");
        }
        let site = text(headers, "sec-fetch-site");
        if site.is_some_and(|site| !["same-origin", "none"].contains(&site)) && !navigation {
            return forbidden("another page asks; only Sorby's own may");
        }
        None
    }

    /// Lets in whoever brings the cookie or the token.
    async fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else { return Ok(()) };
        let name = format!("{}=", cookie_name(headers));
        let cookies =
            headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
        let session = Secret::of(&self.session);
        if cookies.filter_map(|c| c.trim().strip_prefix(&name)).any(|value| session.is(value)) {
            return Ok(());
        }
        let bearer = text(headers, AUTHORIZATION.as_str()).and_then(|v| v.strip_prefix("Bearer "));
        match token_in(uri).or(bearer) {
            Some(given) => self.try_token(token, given).await,
            None => Err(unknown()),
        }
    }

    /// Compares a token. After a wrong one nothing is compared for a while: all guessers together get one answer in that
    /// time. Visitors with the cookie notice nothing of it.
    async fn try_token(&self, token: &Secret, given: &str) -> Result<(), Refusal> {
        let end = Instant::now() + PATIENCE;
        let mut waits = Waits { of: &self.attempts, counted: false };
        loop {
            match self.look(token, given, &mut waits.counted) {
                Verdict::Right => return Ok(()),
                Verdict::Wrong(wait) => {
                    tokio::time::sleep(wait).await;
                    return Err(unknown());
                }
                Verdict::Wait(until) if until <= end => tokio::time::sleep_until(until).await,
                Verdict::Wait(_) | Verdict::TooMany => return Err(too_many()),
            }
        }
    }

    fn look(&self, token: &Secret, given: &str, counted: &mut bool) -> Verdict {
        let mut attempts = lock(&self.attempts);
        if let Some(until) = attempts.blocked_until.filter(|until| *until > Instant::now()) {
            if !*counted && attempts.waiting >= WAITING {
                return Verdict::TooMany;
            }
            attempts.waiting += usize::from(!*counted);
            *counted = true;
            return Verdict::Wait(until);
        }
        if token.is(given) {
            attempts.wrong = 0;
            return Verdict::Right;
        }
        let wait = (FIRST_WAIT * 2u32.pow(attempts.wrong.min(8))).min(LONGEST_WAIT);
        attempts.wrong = attempts.wrong.saturating_add(1);
        attempts.blocked_until = Some(Instant::now() + wait);
        Verdict::Wrong(wait)
    }
}

enum Verdict {
    Right,
    /// Said after this time.
    Wrong(Duration),
    /// Not looked at before.
    Wait(Instant),
    TooMany,
}

/// A visitor that waits, until it has its answer or goes away.
struct Waits<'a> {
    of: &'a Mutex<Attempts>,
    counted: bool,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if self.counted {
            lock(self.of).waiting -= 1;
        }
    }
}

fn unknown() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "open the whole address that `sorby serve` printed, token and all")
}

fn too_many() -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens; try again in a few seconds")
}

/// Whether `Host` names this machine itself, by a number or the one name that always means it. The port may be another's,
/// of a tunnel.
fn is_here(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let name = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
    let is_port =
        |p: &str| !p.is_empty() && p.parse::<u16>().is_ok() && p.bytes().all(|b| b.is_ascii_digit());
    port.is_none_or(is_port)
        && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// Cookies know no ports: servers on one machine would overwrite each other's. The port is the one that the browser sees.
fn cookie_name(headers: &HeaderMap) -> String {
    let host = text(headers, HOST.as_str()).unwrap_or("");
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|p| p.parse::<u16>().is_ok());
    format!("sorby_token_{}", port.unwrap_or("80"))
}

fn token_in(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|part| part.strip_prefix("token="))
}

pub async fn check(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let guard = &app.guard;
    let (uri, headers) = (request.uri(), request.headers());
    if let Some(refusal) = guard.refuse(request.method(), uri, headers) {
        return dismissed(refusal);
    }
    if let Err(refusal) = guard.admit(uri, headers).await {
        return dismissed(refusal);
    }
    let cookie = (guard.token.is_some() && token_in(uri).is_some()).then(|| {
        let name = cookie_name(headers);
        format!("{name}={}; HttpOnly; SameSite=Strict; Path=/", guard.session)
    });
    let mut response = harden(next.run(request).await);
    if let Some(cookie) = cookie.and_then(|c| HeaderValue::from_str(&c).ok()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// An answer to a visitor who is not let in, whose connection is closed: kept, many of them would hold every place.
fn dismissed(refusal: Refusal) -> Response {
    let later = refusal.status == StatusCode::TOO_MANY_REQUESTS;
    let mut response = harden(refusal.into_response());
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    if later {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// What a page may do: nothing but talk to this server.
fn harden(mut response: Response) -> Response {
    let rules = [
        (
            "content-security-policy",
            "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; \
             base-uri 'none'; form-action 'self'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in rules {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn asks(
        guard: &Guard,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Option<StatusCode> {
        guard.refuse(&method, &path.parse().unwrap(), &head(headers)).map(|r| r.status)
    }

    #[test]
    fn only_our_own_page_may_ask() {
        let guard = Guard::new("127.0.0.1:7878".parse().unwrap(), None).unwrap();
        let here = ("host", "127.0.0.1:7878");
        assert_eq!(asks(&guard, Method::GET, "/api/project", &[here]), None);
        for host in [
            "localhost:7878",
            "LOCALHOST:7878",
            "127.0.0.2",
            "127.0.0.1",
            "[::1]",
            "[::1]:9000",
            "localhost:9000",
        ] {
            assert_eq!(asks(&guard, Method::GET, "/", &[("host", host)]), None, "{host}");
        }
        let forbidden = Some(StatusCode::FORBIDDEN);
        for host in [
            "evil.example:7878",
            "evil.example",
            "localhost.evil.example:7878",
            "127.0.0.1.evil.example",
            "10.0.0.1:7878",
        ] {
            assert_eq!(asks(&guard, Method::GET, "/", &[("host", host)]), forbidden, "rebinding by {host}");
        }
        for host in ["localhost:", "localhost:x", "localhost:+80", "localhost:99999", "", ":7878"] {
            assert_eq!(asks(&guard, Method::GET, "/", &[("host", host)]), forbidden, "{host}");
        }
        assert_eq!(asks(&guard, Method::GET, "/", &[]), forbidden);
        let post = |headers: &[(&'static str, &str)]| asks(&guard, Method::POST, "/api/train", headers);
        assert_eq!(post(&[here, ("origin", "http://127.0.0.1:7878")]), None);
        assert_eq!(post(&[here, ("origin", "http://evil.example")]), forbidden);
        assert_eq!(post(&[here, ("origin", "http://127.0.0.1:3000")]), forbidden, "another program's page");
        assert_eq!(post(&[here, ("origin", "null")]), forbidden);
        assert_eq!(post(&[here, ("sec-fetch-site", "cross-site")]), forbidden);
        assert_eq!(
            asks(&guard, Method::GET, "/", &[here, ("sec-fetch-site", "cross-site")]),
            None,
            "a link may lead here"
        );
        assert_eq!(
            asks(&guard, Method::GET, "/api/project", &[here, ("sec-fetch-site", "same-site")]),
            forbidden
        );
    }

    async fn enters(guard: &Guard, path: &str, more: &[(&'static str, &str)]) -> Option<StatusCode> {
        let headers = head(&[&[("host", "lab-pc:7878")], more].concat());
        guard.admit(&path.parse().unwrap(), &headers).await.err().map(|r| r.status)
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_asked_for_everywhere() {
        let guard = Guard::new("0.0.0.0:7878".parse().unwrap(), Some("abc")).unwrap();
        let unknown = Some(StatusCode::UNAUTHORIZED);
        assert_eq!(enters(&guard, "/", &[]).await, unknown);
        assert_eq!(enters(&guard, "/?token=abd", &[]).await, unknown);
        assert_eq!(enters(&guard, "/?token=", &[]).await, unknown);
        assert_eq!(enters(&guard, "/?token=abc", &[]).await, None);
        assert_eq!(enters(&guard, "/api/project", &[("authorization", "Bearer abc")]).await, None);
        let cookie = format!("a=b; sorby_token_7878={}", guard.session);
        assert_eq!(enters(&guard, "/api/project", &[("cookie", &cookie)]).await, None);
        let other_port = format!("sorby_token_7879={}", guard.session);
        assert_eq!(enters(&guard, "/api/project", &[("cookie", &other_port)]).await, unknown);
        assert_eq!(enters(&guard, "/api/project", &[("cookie", "sorby_token_7878=")]).await, unknown);
        assert!(guard.session.len() == 64 && random_token().unwrap().len() == 32);
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_is_slow_and_those_who_are_in_do_not_notice() {
        let guard =
            std::sync::Arc::new(Guard::new("127.0.0.1:7878".parse().unwrap(), Some("right")).unwrap());
        let begin = Instant::now();
        for _ in 0..10 {
            assert_eq!(enters(&guard, "/?token=wrong", &[]).await, Some(StatusCode::UNAUTHORIZED));
        }
        assert!(begin.elapsed() > Duration::from_secs(12), "{:?}", begin.elapsed());
        // A hundred at once: one is looked at, some wait, the others are sent away.
        let guesses: Vec<_> = (0..100)
            .map(|_| {
                let guard = guard.clone();
                tokio::spawn(async move { enters(&guard, "/?token=wrong", &[]).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(10)).await;
        let cookie = format!("sorby_token_7878={}", guard.session);
        let begin = Instant::now();
        assert_eq!(enters(&guard, "/", &[("cookie", &cookie)]).await, None);
        assert!(begin.elapsed() < Duration::from_millis(1));
        let mut sent_away = 0;
        for guess in guesses {
            sent_away += usize::from(guess.await.unwrap() == Some(StatusCode::TOO_MANY_REQUESTS));
        }
        assert!(sent_away >= 100 - WAITING - 1, "{sent_away}");
        tokio::time::sleep(LONGEST_WAIT).await;
        assert_eq!(enters(&guard, "/?token=right", &[]).await, None);
        assert_eq!(enters(&guard, "/?token=wrong", &[]).await, Some(StatusCode::UNAUTHORIZED));
    }
}
