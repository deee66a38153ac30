use super::*;

fn is_allowed(origins: &Origins, uri: &str, host: &str, origin: Option<&str>) -> bool {
    let mut request = http::Request::get(uri).header("host", host);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    origins.check(&request.body(()).unwrap().into_parts().0).is_ok()
}

#[test]
fn request_of_the_same_or_no_origin_is_allowed() {
    let origins = Origins::default();
    for (host, origin, expected) in [
        ("chat.example", None, true),
        ("chat.example", Some("http://chat.example"), true),
        ("chat.example", Some("https://chat.example"), true),
        ("Chat.Example", Some("https://chat.example:443"), true),
        ("chat.example:8080", Some("http://chat.example:8080"), true),
        ("[::1]:8080", Some("http://[::1]:8080"), true),
        ("chat.example:443", Some("https://chat.example"), true),
        ("chat.example:443", Some("http://chat.example"), false),
        ("chat.example", Some("http://chat.example:8080"), false),
        ("chat.example:8080", Some("http://chat.example"), false),
        ("chat.example", Some("http://evil.example"), false),
        ("chat.example", Some("http://chat.example.evil"), false),
        ("chat.example", Some("http://chat.example@evil.example"), false),
        ("chat.example", Some("null"), false),
        ("chat.example", Some(""), false),
        ("chat.example", Some("chat.example"), false),
        ("chat.example", Some("ftp://chat.example"), false),
        ("chat.example", Some("http://chat.example/path"), false),
        ("", Some("http://chat.example"), false),
        ("chat.example", Some("http://eve@chat.example"), false),
        ("chat.example", Some("http://chat.example#top"), false),
        ("chat.example", Some("http://chat.example?q"), false),
        ("chat.example", Some("http://chat.example:99999"), false),
        ("chat.example", Some("http://chat.example:"), false),
        ("chat.example", Some("http://chat.example:+80"), false),
        ("chat.example:99999", Some("http://chat.example:99999"), false),
        ("chat.example:99999", Some("http://chat.example"), false),
        ("eve@chat.example", Some("http://chat.example"), false),
        ("[::1", Some("http://[::1"), false),
        ("[nonsense]", Some("http://[nonsense]"), false),
        ("localhost", Some("tauri://localhost"), false),
    ] {
        assert_eq!(is_allowed(&origins, "/ws", host, origin), expected, "{host} {origin:?}");
    }
}

#[test]
fn request_with_a_scheme_requires_that_scheme() {
    let origins = Origins::default();
    assert!(is_allowed(&origins, "https://chat.example/ws", "", Some("https://chat.example")));
    assert!(!is_allowed(&origins, "https://chat.example/ws", "", Some("http://chat.example")));
    assert!(!is_allowed(&origins, "https://chat.example/ws", "", Some("http://chat.example:443")));
}

#[test]
fn listed_origin_and_own_origin_are_allowed() {
    let listed = allowing(&["https://app.example"]);
    assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://app.example")));
    assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://chat.example")));
    assert!(!is_allowed(&listed, "/ws", "chat.example", Some("http://app.example")));
    assert!(!is_allowed(&listed, "/ws", "chat.example", Some("null")));
    let any = Origins { allow_any: true, ..Origins::default() };
    assert!(is_allowed(&any, "/ws", "chat.example", Some("null")));
}

#[test]
fn request_with_two_origins_is_rejected() {
    let request = http::Request::get("/").header("host", "a").header("origin", "http://a").header("origin", "http://a");
    assert!(Origins::default().check(&request.body(()).unwrap().into_parts().0).is_err());
}

fn allowing(origins: &[&str]) -> Origins {
    Origins {
        allowed: origins.iter().map(|origin| OriginPattern::parse(origin).unwrap()).collect(),
        ..Origins::default()
    }
}

#[test]
fn wildcard_allows_every_depth_and_not_the_domain_itself() {
    let origins = allowing(&["https://*.app.example", "http://*.localhost:3000"]);
    for (origin, expected) in [
        ("https://a.app.example", true),
        ("https://A.APP.example", true),
        ("https://a.b.app.example:443", true),
        ("https://app.example", false),
        ("https://.app.example", false),
        ("https://evilapp.example", false),
        ("https://a.app.example.evil", false),
        ("http://a.app.example", false),
        ("https://a.app.example:444", false),
        ("http://a.localhost:3000", true),
        ("http://a.localhost", false),
    ] {
        assert_eq!(is_allowed(&origins, "/ws", "chat.example", Some(origin)), expected, "{origin}");
    }
}

#[test]
fn origin_of_an_application_or_extension_is_allowed_if_listed() {
    let origins = allowing(&["tauri://localhost", "chrome-extension://abcdefgh"]);
    for (origin, expected) in [
        ("tauri://localhost", true),
        ("chrome-extension://abcdefgh", true),
        ("chrome-extension://abcdefgi", false),
        ("http://localhost", false),
        ("tauri://localhost:80", false),
    ] {
        assert_eq!(is_allowed(&origins, "/ws", "chat.example", Some(origin)), expected, "{origin}");
    }
}

#[test]
fn malformed_pattern_is_refused() {
    for text in [
        "",
        "app.example",
        "https://",
        "https://*",
        "https://*.",
        "https://*.com",
        "https://*.com.",
        "https://*..com",
        "https://a.*.example",
        "https://*.*.example",
        "https://app.example/chat",
        "https://eve@app.example",
        "https://app.example#a",
        "https://app.example:99999",
        "://app.example",
        "1x://app.example",
        "https://*.[::1]",
        "null",
        "*",
    ] {
        assert!(OriginPattern::parse(text).is_none(), "{text}");
    }
    for text in ["", "*", "https://app.example", "app.example/", "*.com", "app.example:x", "a b"] {
        assert!(HostPattern::parse(text).is_none(), "{text}");
    }
}

#[test]
fn host_that_is_not_listed_is_rejected_with_and_without_an_origin() {
    let hosts = ["chat.example", "*.chat.example:8443"].map(|host| HostPattern::parse(host).unwrap());
    let origins = Origins { hosts: hosts.into(), ..Origins::default() };
    for (host, expected) in [
        ("chat.example", true),
        ("CHAT.example:8080", true),
        ("eu.chat.example:8443", true),
        ("eu.chat.example", false),
        ("evil.example", false),
        ("127.0.0.1:3000", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(&origins, "/ws", host, None), expected, "{host}");
        let own = format!("http://{host}");
        assert_eq!(is_allowed(&origins, "/ws", host, Some(&own)), expected, "{host}");
    }
    assert!(!is_allowed(&origins, "/ws", "chat.example", Some("http://evil.example")));
    let any_origin = Origins { allow_any: true, ..origins };
    assert!(is_allowed(&any_origin, "/ws", "chat.example", Some("http://evil.example")));
    assert!(!is_allowed(&any_origin, "/ws", "evil.example", Some("http://evil.example")));
}

#[test]
fn https_only_rejects_an_own_origin_without_tls() {
    let origins = Origins { is_https_only: true, ..allowing(&["http://localhost:3000"]) };
    assert!(is_allowed(&origins, "/ws", "chat.example", Some("https://chat.example")));
    assert!(!is_allowed(&origins, "/ws", "chat.example", Some("http://chat.example")));
    assert!(is_allowed(&origins, "/ws", "chat.example", Some("http://localhost:3000")), "it is listed");
    assert!(is_allowed(&origins, "/ws", "chat.example", None));
}

#[test]
fn request_with_a_host_header_that_contradicts_its_uri_is_rejected() {
    let origins = Origins::default();
    for (host, expected) in [
        ("chat.example", true),
        ("chat.example:443", true),
        ("Chat.Example", true),
        ("", true),
        ("other.example", false),
        ("chat.example:8443", false),
        ("eve@chat.example", false),
    ] {
        assert_eq!(is_allowed(&origins, "https://chat.example/ws", host, None), expected, "{host}");
    }
}

#[test]
fn request_with_two_hosts_is_rejected() {
    for origins in [Origins::default(), Origins { allow_any: true, ..Origins::default() }] {
        let request = http::Request::get("/").header("host", "a").header("host", "a");
        assert!(origins.check(&request.body(()).unwrap().into_parts().0).is_err());
    }
}
