//! Who may ask. Other pages in the same browser can send requests to this machine too: they are told apart by the names
//! in `Host` (a foreign name that was made to point here) and `Origin` (a page from elsewhere).

use crate::app::Shared;
use crate::error::Refusal;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::SocketAddr;

pub struct Guard {
    address: SocketAddr,
    token: Option<String>,
}

const COOKIE_NAME: &str = "sorby_token";

/// 128 random bits, as hexadecimal digits.
pub fn random_token() -> anyhow::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no random numbers to be had: {e}"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

impl Guard {
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { address, token }
    }

    fn refuse(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Refusal> {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let forbidden = |what: &str| Some(Refusal::new(StatusCode::FORBIDDEN, what));
        let Some(host) = text(HOST.as_str()) else { return forbidden("no Host") };
        if self.address.ip().is_loopback() && !self.is_here(host) {
            return forbidden("this Host is not this machine; open the address that `sorby serve` printed");
        }
        // Typing the address, or a bookmark, is a navigation without an origin of its own.
        let navigation = *method == Method::GET && !uri.path().starts_with("/api/");
        if let Some(origin) = text(ORIGIN.as_str())
            && origin != format!("http://{host}")
        {
            return forbidden("another page asks; only Sorby's own may");
        }
        if let Some(site) = text("sec-fetch-site")
            && !["same-origin", "none"].contains(&site)
            && !navigation
        {
            return forbidden("another page asks; only Sorby's own may");
        }
        let unknown = self.token.is_some() && !self.knows(uri, headers);
        unknown.then(|| {
            Refusal::new(
                StatusCode::UNAUTHORIZED,
                "open the whole address that `sorby serve` printed, token and all",
            )
        })
    }

    fn is_here(&self, host: &str) -> bool {
        let port = self.address.port();
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == format!("{name}:{port}"))
    }

    /// Whether the token came along: in the address, in a cookie, or as a bearer's.
    fn knows(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let cookie = headers.get(COOKIE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let cookie = cookie.split(';').find_map(|c| c.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='));
        let bearer =
            headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
        [cookie, bearer, token_in(uri)].into_iter().flatten().any(|t| self.is_token(t))
    }

    fn is_token(&self, text: &str) -> bool {
        // Hashes are compared in constant time.
        self.token
            .as_ref()
            .is_none_or(|token| blake3::hash(token.as_bytes()) == blake3::hash(text.as_bytes()))
    }
}

fn token_in(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|part| part.strip_prefix("token="))
}

pub async fn check(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let guard = &app.guard;
    if let Some(refusal) = guard.refuse(request.method(), request.uri(), request.headers()) {
        return harden(refusal.into_response());
    }
    let remember =
        token_in(request.uri()).filter(|t| guard.token.is_some() && guard.is_token(t)).map(str::to_owned);
    let mut response = harden(next.run(request).await);
    if let Some(token) = remember
        && let Ok(cookie) =
            HeaderValue::from_str(&format!("{COOKIE_NAME}={token}; HttpOnly; SameSite=Strict; Path=/"))
    {
        response.headers_mut().insert(SET_COOKIE, cookie);
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

    fn asks(
        guard: &Guard,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Option<StatusCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        guard.refuse(&method, &path.parse().unwrap(), &map).map(|r| r.status)
    }

    #[test]
    fn only_our_own_page_may_ask() {
        let guard = Guard::new("127.0.0.1:7878".parse().unwrap(), None);
        let here = ("host", "127.0.0.1:7878");
        assert_eq!(asks(&guard, Method::GET, "/api/project", &[here]), None);
        assert_eq!(asks(&guard, Method::GET, "/", &[("host", "localhost:7878")]), None);
        let forbidden = Some(StatusCode::FORBIDDEN);
        assert_eq!(asks(&guard, Method::GET, "/", &[("host", "evil.example:7878")]), forbidden, "rebinding");
        assert_eq!(asks(&guard, Method::GET, "/", &[("host", "127.0.0.1:80")]), forbidden);
        assert_eq!(asks(&guard, Method::GET, "/", &[]), forbidden);
        let post = |headers: &[(&'static str, &str)]| asks(&guard, Method::POST, "/api/train", headers);
        assert_eq!(post(&[here, ("origin", "http://127.0.0.1:7878")]), None);
        assert_eq!(post(&[here, ("origin", "http://evil.example")]), forbidden);
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

    #[test]
    fn a_token_is_asked_for_everywhere() {
        let guard = Guard::new("0.0.0.0:7878".parse().unwrap(), Some("abc".into()));
        let host = ("host", "lab-pc:7878");
        let ask = |path: &str, more: &[(&'static str, &str)]| {
            asks(&guard, Method::GET, path, &[&[host], more].concat())
        };
        assert_eq!(ask("/", &[]), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(ask("/?token=abd", &[]), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(ask("/?token=abc", &[]), None);
        assert_eq!(ask("/api/project", &[("cookie", "a=b; sorby_token=abc")]), None);
        assert_eq!(ask("/api/project", &[("authorization", "Bearer abc")]), None);
        assert_eq!(ask("/api/project", &[("cookie", "sorby_token=")]), Some(StatusCode::UNAUTHORIZED));
    }
}
